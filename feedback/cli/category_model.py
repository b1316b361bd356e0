"""`flask routing train`, `evaluate`, `models` and `rollback`: the category model from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from feedback.cli.output import print_json, refusals_as_exit
from feedback.dispatch.learning import train_on_files, train_on_tickets
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.imports import RowError
from feedback.kernel.site import get_setting
from feedback.kernel.text import N_, Text
from feedback.routing.catalogue import load_catalogue
from feedback.routing.evaluation import evaluate
from feedback.routing.examples import Example, conflicting, read_examples
from feedback.routing.learning import Trained, list_models, roll_back
from feedback.routing.served_model import PRECISION, model_state

SHOWN_ERRORS = 50


@click.command("train")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def train_command(files: tuple[Path, ...], as_json: bool) -> None:
    """Learn categories from labelled FILEs; without one, from the site's own tickets.

    FILE: CSV (packed with gzip or not) or XLSX with the columns label, text or tokens, title?, group?.
    """
    told: dict[str, Any] = {}
    if files:
        examples, told = _read_all(files)
        trained = train_on_files(examples, actor=SYSTEM, now=utc_now())
    else:
        trained = train_on_tickets(actor=SYSTEM, now=utc_now())
    document = {**_trained(trained), **told}
    if as_json:
        print_json(document)
    else:
        _print_trained(document)
    _report(document)


def _read_all(files: tuple[Path, ...]) -> tuple[list[Example], dict[str, Any]]:
    examples: list[Example] = []
    errors: list[dict[str, Any]] = []
    for file in files:
        found = read_examples(file, file.name)
        examples += found.examples
        errors += [_error(file.name, error) for error in found.errors]
    if not examples:
        raise Invalid({"file": Text(N_("There is no labelled text in it."))})
    return examples, {"errors": errors, "conflicts": len(conflicting(examples))}


def _error(name: str, error: RowError) -> dict[str, Any]:
    return {"file": name, "row": error.number, "column": error.column, "error": str(error.text)}


def _trained(trained: Trained) -> dict[str, Any]:
    state = model_state(current_session())
    figures = trained.figures
    served = state.served if state.served and state.served.version == trained.version else None
    labels = figures["labels"]
    return {
        "version": trained.version,
        "in_force": trained.is_in_force,
        "examples": figures["examples"],
        "labels": labels,
        "no_categories": [label for label in labels if label not in load_catalogue(current_session()).ids],
        "too_rare": trained.rare,
        "unseen": figures["unseen"],
        "threshold": served.threshold if served else None,
        "holdout": {"tickets": trained.held, "before": trained.before, "after": trained.after},
        "seconds": figures["seconds"],
    }


def _print_trained(told: dict[str, Any]) -> None:
    unseen = told["unseen"]
    click.echo(
        f"Version {told['version']}: {told['examples']} texts, {len(told['labels'])} labels, {told['seconds']} s."
    )
    click.echo(f"On texts it had not seen: accuracy {unseen['accuracy']:.1%}, macro-F1 {unseen['macro_f1']:.3f}.")
    if told["in_force"] and told["threshold"] is None:
        click.echo("It is in force, and proposes only: there are too few texts to show that it may dispatch by itself.")
    elif told["in_force"]:
        click.echo(f"It is in force, and dispatches by itself from a share of {told['threshold']:.1%}.")
    else:
        holdout = told["holdout"]
        click.echo(
            f"It is not in force: on {holdout['tickets']} held-back tickets it is right in {holdout['after']:.1%}, "
            f"the one in force in {holdout['before']:.1%}. flask routing rollback {told['version']} takes it all the same."
        )


def _report(told: dict[str, Any]) -> None:
    """What a person should look at, on standard error."""
    if told["no_categories"]:
        click.echo(f"No category of the catalogue, so never proposed: {', '.join(told['no_categories'])}.", err=True)
    if told["too_rare"]:
        click.echo(f"Too few texts to learn from: {', '.join(told['too_rare'])}.", err=True)
    if told.get("conflicts"):
        click.echo(f"{told['conflicts']} texts are there with more than one label.", err=True)
    errors = told.get("errors", [])
    for error in errors[:SHOWN_ERRORS]:
        column = f"{error['column']}: " if error["column"] else ""
        click.echo(f"{error['file']}, row {error['row']}: {column}{error['error']}", err=True)
    if errors:
        click.echo(f"{len(errors)} rows were not taken; all others were.", err=True)


@click.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--precision", type=click.FloatRange(0.5, 0.999), help="For the threshold; else the site's setting.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def evaluate_command(file: Path, precision: float | None, as_json: bool) -> None:
    """Say how well the model in force finds the labels of FILE (columns as for train)."""
    served = model_state(current_session()).served
    if served is None:
        raise NotFound(Text(N_("There is no category model yet. Train one first.")))
    examples, told = _read_all((file,))
    wanted = precision or get_setting(current_session(), PRECISION) / 100
    found = evaluate(served.model, examples, served.model.sure_from(wanted)).as_json()
    document = {"version": served.version, "wanted_precision": wanted, **found, **told}
    if as_json:
        print_json(document)
    else:
        for name in ("version", "examples", "accuracy", "macro_f1", "top2", "threshold", "coverage", "precision"):
            click.echo(f"{name}: {document[name]}")
        click.echo(f"unknown labels: {document['unknown']}")
        click.echo(f"milliseconds a text: {document['ms_per_text']}")
    _report({"no_categories": [], "too_rare": {}, **told})


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def models_command(as_json: bool) -> None:
    """List the versions of the category model that are kept; the one that serves is marked."""
    state = model_state(current_session())
    refused = dict(state.refused)
    serving = state.served.version if state.served else None
    told: list[dict[str, Any]] = [
        {
            "version": row.version,
            "serves": row.version == serving,
            "trained_at": row.trained_at.isoformat(),
            "in_force_at": row.in_force_at.isoformat() if row.in_force_at else None,
            "refused": refused.get(row.version),
            "figures": row.figures,
        }
        for row in list_models(current_session())
    ]
    if as_json:
        print_json(told)
        return
    for each in told:
        mark = "serves" if each["serves"] else f"refused: {each['refused']}" if each["refused"] else ""
        unseen = each["figures"]["unseen"]
        click.echo(f"{each['version']}  {each['trained_at']}  accuracy {unseen['accuracy']:.1%}  {mark}".rstrip())
    if not told:
        click.echo("There is no category model yet: the keywords of the catalogue propose alone.")


@click.command("rollback")
@click.argument("version", type=int, required=False)
@refusals_as_exit
def rollback_command(version: int | None) -> None:
    """Put VERSION of the category model in force; without one, the version before the present one."""
    click.echo(f"Version {roll_back(version, actor=SYSTEM, now=utc_now())} is in force.")
