"""A browser without JavaScript for tests of pages: it keeps cookies, and sends forms with the token that the page gave.

Each request runs in a context of its own, as in a real server: the fixtures' application context is not seen by it.
"""

from __future__ import annotations

import re
from contextvars import Context
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from feedback.people.passwords import hash_password

PASSWORD = "a fine day for it"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """One person's browser. `token` is the CSRF token of the page last seen."""

    def __init__(self, app: Flask, **headers: str) -> None:
        self.client = app.test_client()
        self.headers = headers
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        """The answer to a plain link."""
        return self._open("GET", path, **options)

    def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """The answer to a sent form; the token is added unless `fields` has one."""
        return self._open("POST", path, data={"csrf_token": self.token, **(fields or {})}, **options)

    def _open(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        answer: TestResponse = Context().run(self.client.open, path, method=method, headers=headers, **options)
        if answer.mimetype == "text/html":
            found = _TOKEN.search(answer.text)
            self.token = found[1] if found else self.token
        return answer

    def sign_in(self, login: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        """Open the page and send it."""
        self.get("/sign-in")
        return self.post("/sign-in", {"login": login, "password": password, **fields})

    def cookie(self, name: str) -> str:
        """The value that this browser holds; "" for none."""
        found = self.client.get_cookie(name)
        return found.value if found else ""


def give_password(*accounts: Account, password: str = PASSWORD) -> None:
    """Let these accounts sign in with a password."""
    hashed = hash_password(password)
    with transaction() as session:
        for account in accounts:
            session.get_one(Account, account.id).password_hash = hashed
