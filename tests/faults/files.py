"""Clients whose tickets have files: by page all in one message with the words, by API one by one after them."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from sqlalchemy import select

from feedback.kernel.db import session as current_session
from feedback.people.models import Account
from tests.faults.clients import Clients, words_of
from tests.faults.ledger import Call, Ledger
from tests.faults.site import Site
from tests.support.browser import Browser, give_password
from tests.support.pictures import png

MOST_TOGETHER = 3
LARGEST_LINES = 4000
PICTURE_SHARE = 0.15
"""A picture is made anew by a child process, which costs more than all the rest of a submission."""
COOKIE = "zhida"


@dataclass(frozen=True)
class SignedIn:
    """What a browser of somebody sends with a form."""

    cookie: str
    token: str


@dataclass(frozen=True)
class Sent:
    """A file as its sender has it."""

    name: str
    data: bytes
    is_picture: bool

    @property
    def part(self) -> bytes:
        """Its part of a multipart message, without the line that ends it."""
        head = f'Content-Disposition: form-data; name="file"; filename="{self.name}"\r\n'
        return f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + self.data

    def as_line(self, key: str) -> dict[str, object]:
        """The same for the ledger."""
        sha256 = hashlib.sha256(self.data).hexdigest()
        return {"key": key, "name": self.name, "sha256": sha256, "is_picture": self.is_picture}


def sign_in_all(site: Site, submitters: int) -> list[SignedIn]:
    """A session of each of the people whom Site.people made."""
    logins = [f"client{number}" for number in range(submitters)]
    with site.app.app_context():
        give_password(*current_session().scalars(select(Account).where(Account.login.in_(logins))))
    found = []
    for login in logins:
        browser = Browser(site.app)
        browser.sign_in(login)
        browser.get("/submit")
        found.append(SignedIn(f"{COOKIE}={browser.cookie(COOKIE)}", browser.token))
    return found


class FileClients(Clients):
    """Each ticket has one to three files; half of the tickets go by page, half by API."""

    def __init__(
        self,
        port: int,
        tokens: list[list[str]],
        ledger: Ledger,
        seed: int,
        browsers: list[SignedIn],
        pause: float = 0.0,
    ) -> None:
        super().__init__(port, tokens, ledger, seed, pause)
        self.browsers = browsers

    def submit_one(self, number: int, key: str, draw: Random) -> None:
        """The words and all of their files."""
        files = [_file(key, count, draw) for count in range(draw.randint(1, MOST_TOGETHER))]
        for file in files:
            self.ledger.write("file", **file.as_line(key))
        if draw.random() < 0.5:
            self._submit_page(self.browsers[number], key, files, draw)
            return
        reference = self.submit_json(number, key, {"text": words_of(key)}, draw)
        for file in files if reference else []:
            self._attach(number, key, reference, file, draw)

    def _submit_page(self, browser: SignedIn, key: str, files: list[Sent], draw: Random) -> None:
        fields = {"csrf_token": browser.token, "idempotency_key": key, "text": words_of(key), "privacy": "named"}
        body, content_type = multipart(fields, files)

        def ask() -> Call:
            done = self.exchange(key, "/submit", body, {"Cookie": browser.cookie, "Content-Type": content_type})
            place = urlsplit(done.headers.get("Location", "")).path
            if done.status == 303 and place.startswith("/submit/done/"):
                return Call(key, done.outcome, done.sent, done.ended, 201, place.rpartition("/")[2])
            return done.as_call(key)

        self.until_told("call", key, ask, draw)

    def _attach(self, number: int, key: str, reference: str, file: Sent, draw: Random) -> None:
        own_key = f"{key}/{file.name}"
        body, content_type = multipart({}, [file])

        def ask() -> Call:
            headers = self.api_headers(number, own_key, draw, content_type)
            done = self.exchange(own_key, f"/api/v1/tickets/{reference}/attachments", body, headers)
            if done.status == 201:
                told = json.loads(done.body)
                line = {name: told[name] for name in ("id", "sha256", "state")}
                self.ledger.write("file told", key=key, name=file.name, **line)
            return done.as_call(own_key, reference)

        self.until_told("file call", own_key, ask, draw)


def multipart(fields: dict[str, str], files: list[Sent]) -> tuple[bytes, str]:
    """A form as a browser sends it, and its content type."""
    border = f"----{secrets.token_hex(12)}"
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    whole = b"".join(b"--%b\r\n%b\r\n" % (border.encode(), part) for part in [*parts, *(file.part for file in files)])
    return whole + f"--{border}--\r\n".encode(), f"multipart/form-data; boundary={border}"


def _file(key: str, count: int, draw: Random) -> Sent:
    """Some kilobytes of text that are like no other file's, or a small picture."""
    if draw.random() < PICTURE_SHARE:
        return Sent(f"{count}.png", png(100 * count + draw.randint(20, 110), draw.randint(20, 400)), is_picture=True)
    lines = [f"{key},{count},{line},{draw.randrange(10**9)}" for line in range(draw.randint(1, LARGEST_LINES))]
    return Sent(f"{count}.csv", "\n".join(lines).encode(), is_picture=False)
