"""Every route says who may call it, and the list of routes is frozen: a new or changed one is seen in the review."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from feedback.cli.routes import UNDECLARED, list_routes

EXPECTED = Path(__file__).with_name("routes_expected.txt")


def _differences(app: Flask) -> list[str]:
    found = [route.line() for route in list_routes(app)]
    expected = EXPECTED.read_text(encoding="utf-8").splitlines()
    return [f"+ {line}" for line in found if line not in expected] + [
        f"- {line}" for line in expected if line not in found
    ]


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [route.line() for route in list_routes(app) if route.who == UNDECLARED]
    assert not undeclared, "put @require(...) of feedback.kernel.access nearest to these views:\n" + "\n".join(
        undeclared
    )


def test_routes_are_those_that_were_agreed(app: Flask) -> None:
    differences = _differences(app)
    assert not differences, (
        f"the routes differ from tests/architecture/{EXPECTED.name}. If the change is meant and its rule is right, "
        "write the file anew with `.venv/bin/flask routes > tests/architecture/routes_expected.txt`:\n"
        + "\n".join(differences)
    )
