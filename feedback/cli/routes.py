"""`flask routes`: every URL with its methods, who may call it, and the view behind it. Replaces Flask's own command."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from feedback.cli.output import print_json
from feedback.kernel.access import rule_of

UNDECLARED = "NOBODY (no rule declared)"


@dataclass(frozen=True, order=True)
class Route:
    """One URL rule of the application."""

    url: str
    methods: str
    who: str
    endpoint: str

    def line(self) -> str:
        """As it stands in tests/architecture/routes_expected.txt."""
        return f"{self.url}  {self.methods}  {self.who}  {self.endpoint}"


def list_routes(app: Flask) -> list[Route]:
    """Every URL rule, in the order of the URLs."""
    found = []
    for rule in app.url_map.iter_rules():
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        declared = rule_of(app.view_functions[rule.endpoint])
        found.append(Route(rule.rule, methods, str(declared) if declared else UNDECLARED, rule.endpoint))
    return sorted(found)


@click.command("routes")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_appcontext
def routes_command(as_json: bool) -> None:
    """List every URL with its methods, who may call it, and its rule."""
    routes = list_routes(current_app)
    if as_json:
        print_json([asdict(route) for route in routes])
        return
    for route in routes:
        click.echo(route.line())
