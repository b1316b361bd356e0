"""`flask catalogue import` and `flask routing …`: the duty catalogue from a file, why a text goes where, the category model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from feedback.cli.category_model import evaluate_command, models_command, rollback_command, train_command
from feedback.cli.output import print_import, print_json, refusals_as_exit
from feedback.dispatch.rule_memory import adopt_offer, list_offers
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
from feedback.routing.opinion import MOST_GUESSES
from feedback.routing.queries import categories_by_id, find_category
from feedback.routing.reasons import REASON_TEXTS
from feedback.routing.served_model import model_state

catalogue_commands = AppGroup("catalogue", help="The duty catalogue: who leads for which category, where.")
routing_commands = AppGroup("routing", help="Which unit a text goes to, and why.")
for _command in (train_command, evaluate_command, models_command, rollback_command):
    routing_commands.add_command(_command)


@catalogue_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def import_command(file: Path, as_json: bool) -> None:
    """Take categories and who leads for them from a CSV or XLSX file."""
    print_import(import_catalogue(file, file.name, actor=SYSTEM, now=utc_now()), as_json=as_json)


@catalogue_commands.command("offers")
@click.option("--adopt", metavar="KEY", help="Make this one a row of the catalogue.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def offers_command(adopt: str | None, as_json: bool) -> None:
    """List rules that dispatchers' own doings suggest, with what each would have done last month."""
    now = utc_now()
    found = [adopt_offer(adopt, actor=SYSTEM, now=now)] if adopt else list_offers(current_session(), now)
    told = [
        {
            "key": offer.key,
            "category": offer.category,
            "area": offer.area.code if offer.area else None,
            "lead": offer.lead.code,
            "overruled": offer.overruled,
            "tickets": offer.tickets,
            "would_get": offer.would_get,
            "had_anyway": offer.had_anyway,
        }
        for offer in found
    ]
    if as_json:
        print_json(told)
        return
    for each in told:
        click.echo(" ".join(f"{name}={value}" for name, value in each.items()))


@routing_commands.command("explain")
@click.argument("text")
@click.option("--area", help="Code of the unit where it is; else the root.")
@click.option("--title", default="", help="Its title.")
@click.option("--category", help="Path of a category, as if the submitter had chosen it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def explain_command(text: str, area: str | None, title: str, category: str | None, as_json: bool) -> None:
    """Say where a ticket of this text would go, by which words, and why."""
    session = current_session()
    chosen = find_category(session, category) if category else None
    if category and chosen is None:
        raise Invalid({"category": Text(N_("There is no category %(path)s."), path=category)})
    decision = decide_route(
        session,
        text=text,
        title=title,
        category=chosen,
        area=_area(session, area),
        kind=None,
        is_about=False,
        about_unit_ids=frozenset(),
        now=utc_now(),
    )
    urgency, danger = raise_urgency(session, text, "normal")
    explained = {
        **_explained(session, decision),
        "model": _model(session, text, title),
        "urgency": urgency,
        "danger_words": list(danger),
    }
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
            {
                "category": paths[p.category_id],
                "lead": codes.get(p.lead_id or 0),
                "words": list(p.words),
                "share": None if p.share is None else round(p.share, 3),
            }
            for p in decision.proposals
        ],
        "catalogue_row": decision.row_id,
        "catalogue_version": decision.row_version,
        "by_model": decision.learned is not None and decision.learned.is_sure,
    }


def _model(session: Session, text: str, title: str) -> dict[str, Any] | None:
    """What the trained model says of the text by itself, whether it was asked or not; None: there is none."""
    state = model_state(session)
    if state.served is None:
        return None
    model = state.served.model
    return {
        "version": state.served.version,
        "threshold": state.served.threshold,
        "refused": [version for version, _reason in state.refused],
        "labels": [
            {
                "label": each.label,
                "share": round(each.share, 3),
                "words": list(model.words_for(each.label, text, title)),
            }
            for each in model.predict(text, title)[:MOST_GUESSES]
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
    model = explained["model"]
    if model is None:
        click.echo("category model: none yet, keywords alone propose")
    else:
        sure = "never sure" if model["threshold"] is None else f"sure from {model['threshold']:.1%}"
        click.echo(f"category model: version {model['version']}, {sure}")
        for each in model["labels"]:
            click.echo(f"  {each['label']} {each['share']:.1%} ({', '.join(each['words']) or '-'})")
    click.echo(f"urgency: {explained['urgency']}")
