"""A program that calls the API as one person, over Flask's test client, with a real token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.people.tokens import IssueToken, issue_token
from tests.support.county import County

BASE = "/api/v1"


@dataclass
class Caller:
    """Calls as `login`; `scopes` empty is all that the roles allow; `acting_as` and `language` go as headers."""

    app: Flask
    county: County
    login: str
    scopes: tuple[str, ...] = ()
    acting_as: str | None = None
    language: str = "en"
    token: str = ""
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        if not self.token:
            command = IssueToken.parse({"login": self.login, "scopes": list(self.scopes), "days": 300})
            self.token = issue_token(command, actor=SYSTEM, now=utc_now()).token

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        """Any call; `headers` are added to the usual ones."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language}
        if self.acting_as:
            headers["Acting-As"] = self.acting_as
        headers.update(more.pop("headers", {}))
        db.session.rollback()
        return self.client.open(f"{BASE}{path}", method=method, headers=headers, **more)

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET with a query."""
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """POST of a JSON body."""
        return self.call("POST", path, json={} if body is None else body, **more)

    def submit(self, text: str = "The water pipe leaks on the square", **fields: Any) -> dict[str, Any]:
        """Submit a ticket, which must work, and give it back."""
        response = self.post("/tickets", {"text": text, **fields})
        assert response.status_code == 201, response.get_data(as_text=True)
        found: dict[str, Any] = response.get_json()
        return found

    def act(self, reference: str, action: str, **fields: Any) -> TestResponse:
        """Take a step."""
        return self.post(f"/tickets/{reference}/{action}", fields)
