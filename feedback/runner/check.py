"""./start --check: one ticket taken round the loop over HTTP, as its submitter and its department would."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback.runner.parts import flask_order
from feedback.runner.supervise import GaveUp, Supervisor

UNITS = """\
code,name,parent,kind,level
check-county,Check county,,region,county
check-town,Check town,check-county,region,town
check-works,Check works bureau,check-county,department,county
"""
CATALOGUE = """\
category,keywords,area,lead
check/street lamps,,,check-works
"""
ACCOUNTS = {
    "check-submitter": ("submitter", "check-town"),
    "check-handler": ("handler", "check-works"),
    "check-dispatcher": ("dispatcher", "check-county"),
}


class CheckFailed(Exception):
    """A step of the loop answered something else than it should; the message says which and what."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may act in the check."""

    login: str
    role: str
    unit: str


@dataclass(frozen=True, slots=True)
class Caller:
    """One person at the API, by a token of an hour's life or so."""

    address: str
    token: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON answer. Raises CheckFailed for any refusal."""
        request = urllib.request.Request(  # noqa: S310  (our own http address)
            f"{self.address}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": secrets.token_hex(16),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise CheckFailed(f"Check failed: {method} {path} answered {error.code}: {said}") from error
        except (OSError, ValueError) as error:
            raise CheckFailed(f"Check failed: {method} {path}: {error}") from error


def run_check(supervisor: Supervisor, address: str, folder: Path, *, say: Callable[[str], None]) -> None:
    """Submit, dispatch, acknowledge, reply, resolve, confirm, and look at the end. Raises CheckFailed or GaveUp."""
    flask = _flask(supervisor)
    accounts = _accounts(flask, folder)

    def caller(role: str, unit: str | None = None) -> Caller:
        for account in accounts:
            if account.role == role and unit in (None, account.unit):
                issued = json.loads(flask("tokens", "issue", account.login, "--days", "1", "--json"))
                return Caller(address, issued["token"])
        raise CheckFailed(f"Check failed: no account with the role {role} at {unit or 'any unit'}")

    submitter = caller("submitter")
    category = _category(submitter)
    ticket = submitter.call("POST", "/tickets", {"text": "Check: the lamp at the gate is dark.", "category": category})
    reference = ticket["reference"]
    path = f"/tickets/{reference}"
    say(f"check: submitted    {reference} in {category}: {ticket['status']}")
    if ticket["status"] == "submitted":
        lead = next((account.unit for account in accounts if account.role == "handler"), "")
        ticket = caller("dispatcher").call("POST", f"{path}/dispatch", {"lead": lead})
    unit = ticket["lead"]["unit"]
    _expect(ticket, "dispatched")
    say(f"check: dispatched   to {unit}")
    handler = caller("handler", unit)
    ticket = handler.call("POST", f"{path}/acknowledge", {})
    _expect(ticket, "in_progress")
    say(f"check: acknowledged {ticket['status']}")
    ticket = handler.call("POST", f"{path}/reply", {"text": "Check: somebody looks at it today."})
    _expect(ticket, "in_progress")
    say("check: replied")
    ticket = handler.call("POST", f"{path}/resolve", {"outcome": "solved", "text": "Check: the lamp was replaced."})
    _expect(ticket, "resolved")
    say(f"check: resolved     {ticket['outcome']}")
    submitter.call("POST", f"{path}/confirm", {"verdict": "solved", "rating": 5})
    ticket = submitter.call("GET", path)
    _expect(ticket, "closed")
    if ticket["closure_reason"] != "confirmed":
        raise CheckFailed(f"Check failed: closed as {ticket['closure_reason']}, not confirmed")
    say(f"check: confirmed    {ticket['status']} ({ticket['closure_reason']})")
    say("check: passed")


def _flask(supervisor: Supervisor) -> Callable[..., str]:
    def flask(*words: str, stdin: str = "") -> str:
        return supervisor.order(f"flask {' '.join(words)}", flask_order(*words), stdin=stdin)

    return flask


def _accounts(flask: Callable[..., str], folder: Path) -> list[Account]:
    listed = json.loads(flask("demo", "accounts", "--json") or "[]")
    if listed:
        return [Account(row["login"], row["role"], row["unit"]) for row in listed]
    return _make_county(flask, folder)


def _make_county(flask: Callable[..., str], folder: Path) -> list[Account]:
    """Two regions, a department, three people and a category, through the same imports that a site uses."""
    units, catalogue = folder / "check-units.csv", folder / "check-catalogue.csv"
    units.write_text(UNITS, encoding="utf-8")
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    flask("units", "import", str(units))
    for login, (role, unit) in ACCOUNTS.items():
        try:
            flask("tokens", "issue", login, "--days", "1", "--json")
        except GaveUp:  # no such account yet: this is the first check of the instance
            words = ("accounts", "create", login, "--name", login, "--role", f"{role}@{unit}", "--password-stdin")
            flask(*words, stdin=secrets.token_urlsafe(24) + "\n")
    flask("catalogue", "import", str(catalogue))
    return [Account(login, role, unit) for login, (role, unit) in ACCOUNTS.items()]


def _category(submitter: Caller) -> str:
    items = submitter.call("GET", "/categories")["items"]
    if not items:
        raise CheckFailed("Check failed: the catalogue is empty")
    paths = [str(item["path"] if "path" in item else item["category"]) for item in items]
    return next((path for path in paths if path.startswith("check/")), max(paths, key=lambda path: path.count("/")))


def _expect(ticket: dict[str, Any], status: str) -> None:
    if ticket["status"] != status:
        raise CheckFailed(f"Check failed: {ticket['reference']} is {ticket['status']}, not {status}")
