"""`flask catalogue import` and `flask routing explain`: the duty catalogue from a file, and why a text goes where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from feedback.cli.output import print_import, print_json, refusals_as_exit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import find_unit, root_unit, units_by_id
from feedback.routing.danger import raise_urgency
from feedback.routing.decision import RoutingDecision, decide_route
from feedback.routing.imports import import_catalogue
from feedback.routing.queries import categories_by_id, find_category
from feedback.routing.reasons import REASON_TEXTS

catalogue_commands = AppGroup("catalogue", help="The duty catalogue: who leads for which category, where.")
routing_commands = AppGroup("routing", help="Which unit a text goes to, and why.")


@catalogue_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def import_command(file: Path, as_json: bool) -> None:
    """Take categories and who leads for them from a CSV or XLSX file."""
    print_import(import_catalogue(file, file.name, actor=SYSTEM, now=utc_now()), as_json=as_json)


@routing_commands.command("explain")
@click.argument("text")
@click.option("--area", help="Code of the unit where it is; else the root.")
@click.option("--category", help="Path of a category, as if the submitter had chosen it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def explain_command(text: str, area: str | None, category: str | None, as_json: bool) -> None:
    """Say where a ticket of this text would go, by which words, and why."""
    session = current_session()
    chosen = find_category(session, category) if category else None
    if category and chosen is None:
        raise Invalid({"category": Text(N_("There is no category %(path)s."), path=category)})
    decision = decide_route(
        session,
        text=text,
        category=chosen,
        area=_area(session, area),
        kind=None,
        is_about=False,
        about_unit_ids=frozenset(),
        now=utc_now(),
    )
    urgency, danger = raise_urgency(session, text, "normal")
    explained = {**_explained(session, decision), "urgency": urgency, "danger_words": list(danger)}
    if as_json:
        print_json(explained)
    else:
        _print_words(explained)


def _area(session: Session, code: str | None) -> Unit:
    found = find_unit(session, code) if code else root_unit(session)
    if found is None:
        missing = Text(N_("There is no unit %(code)s."), code=code) if code else Text(N_("There are no units yet."))
        raise Invalid({"area": missing})
    return found


def _explained(session: Session, decision: RoutingDecision) -> dict[str, Any]:
    """The decision with paths and codes in place of ids."""
    category_ids = {p.category_id for p in decision.proposals} | {decision.category_id or 0}
    paths = {i: found.path for i, found in categories_by_id(session, category_ids).items()}
    unit_ids = [decision.lead_id, *decision.assist_ids, *(p.lead_id for p in decision.proposals)]
    codes = {i: unit.code for i, unit in units_by_id(session, unit_ids).items()}
    return {
        "reason": decision.reason,
        "explanation": REASON_TEXTS[decision.reason],
        "category": paths.get(decision.category_id or 0),
        "lead": codes.get(decision.lead_id or 0),
        "assists": [codes[i] for i in decision.assist_ids],
        "words": list(decision.words),
        "proposals": [
            {"category": paths[p.category_id], "lead": codes.get(p.lead_id or 0), "words": list(p.words)}
            for p in decision.proposals
        ],
    }


def _print_words(explained: dict[str, Any]) -> None:
    click.echo(explained["explanation"])
    for name in ("category", "lead"):
        click.echo(f"{name}: {explained[name] or '-'}")
    for name in ("assists", "words", "danger_words"):
        if explained[name]:
            click.echo(f"{name}: {', '.join(explained[name])}")
    for proposal in explained["proposals"]:
        click.echo(f"or {proposal['lead'] or '-'} for {proposal['category']} ({', '.join(proposal['words']) or '-'})")
    click.echo(f"urgency: {explained['urgency']}")
