"""`flask sla …`, `flask policies import` and `flask calendars import`: deadlines on the command line. No rules here."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from feedback.calendars.queries import find_calendar, missing_official_years, ready
from feedback.calendars.worktime import Calendar, unknown_years, working_time_between
from feedback.cli.output import print_import, print_json, refusals_as_exit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import local_day, utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla import trace
from feedback.sla.amounts import need_amount
from feedback.sla.calendar_import import import_calendars
from feedback.sla.clock import PauseSpan, due_at
from feedback.sla.policy_import import import_policies
from feedback.sla.rollout import Rollout
from feedback.supervision.escalation import run_sweep
from feedback.supervision.open_tickets import OpenTickets

sla_commands = AppGroup("sla", help="Deadlines: work one out, fire what is due, try a policy out.")
policies_commands = AppGroup("policies", help="Which amounts of time count for which tickets.")
calendars_commands = AppGroup("calendars", help="Which hours are working time.")

BATCH_COLUMNS = ("id", "calendar", "start", "amount")


@sla_commands.command("deadline")
@click.option("--calendar", "code", help="Code of a calendar.")
@click.option("--start", help="ISO 8601 with an offset.")
@click.option("--amount", help="30min, 2h, 2d, 90wmin, 4wh or 5wd.")
@click.option("--pause", "pauses", multiple=True, help="A/B, both ISO 8601 with an offset; several times.")
@click.option("--batch", type=click.Path(path_type=Path), help="CSV of id, calendar, start, amount, pauses (A/B;A/B).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def deadline_command(
    code: str | None, start: str | None, amount: str | None, pauses: tuple[str, ...], batch: Path | None, as_json: bool
) -> None:
    """Work out when something is due, and tell how."""
    if batch is not None:
        print_json(_batch(batch))
        return
    calendar, told = _explain(code, start, amount, pauses)
    due = calendar.local(told.due_at).isoformat()
    if as_json:
        print_json({"due_at": due, "provisional": told.is_provisional, "trace": trace.to_json(told, calendar)})
        return
    for step in told.steps:
        click.echo(str(step.text))


@sla_commands.command("elapsed")
@click.option("--calendar", "code", required=True, help="Code of a calendar.")
@click.option("--start", required=True, help="ISO 8601 with an offset.")
@click.option("--end", required=True, help="ISO 8601 with an offset.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def elapsed_command(code: str, start: str, end: str, as_json: bool) -> None:
    """Measure the working time between two instants."""
    seconds = working_time_between(_instant(start, "start"), _instant(end, "end"), _calendar(code)).total_seconds()
    whole = int(seconds) if seconds.is_integer() else seconds
    if as_json:
        print_json({"working_seconds": whole})
    else:
        click.echo(whole)


@sla_commands.command("sweep")
@click.option("--at", help="Only in testing: as if it were this instant (ISO 8601 with an offset).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def sweep_command(at: str | None, as_json: bool) -> None:
    """Fire what is due now: alarms, then what ends by itself."""
    if at and current_app.config["SETTINGS"].env != "testing":
        raise Invalid({"at": Text(N_("Only FEEDBACK_ENV=testing may choose the time."))})
    done = run_sweep(_instant(at, "at") if at else utc_now(), by="cli")
    if as_json:
        print_json({"alarms": done.alarms, "actions": done.actions, "failures": done.failures})
    else:
        click.echo(f"{done.alarms} alarms, {done.actions} actions, {done.failures} failures.")
    if done.failures:
        raise click.ClickException(f"{done.failures} could not be handled; the log says which and why.")


@sla_commands.command("dry-run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def dry_run_command(file: Path, as_json: bool) -> None:
    """Tell what a file of policies would move among the open clocks, and change nothing."""
    outcome = import_policies(
        file, file.name, actor=SYSTEM, now=utc_now(), tickets=OpenTickets(), apply_to_open=True, is_dry_run=True
    )
    _print_rollout(outcome, as_json=as_json)


@policies_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Change nothing, only tell.")
@click.option("--apply-to-open", is_flag=True, help="Let open clocks run by them too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def import_policies_command(file: Path, is_dry_run: bool, apply_to_open: bool, as_json: bool) -> None:
    """Take policies from a CSV, XLSX or YAML file."""
    outcome = import_policies(
        file,
        file.name,
        actor=SYSTEM,
        now=utc_now(),
        tickets=OpenTickets(),
        apply_to_open=apply_to_open,
        is_dry_run=is_dry_run,
    )
    _print_rollout(outcome, as_json=as_json)


@calendars_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Change nothing, only tell.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def import_calendars_command(file: Path, is_dry_run: bool, as_json: bool) -> None:
    """Take calendars, or a year's official days (calendar cn), from a CSV, XLSX or YAML file; open clocks move."""
    outcome = import_calendars(
        file, file.name, actor=SYSTEM, now=utc_now(), tickets=OpenTickets(), is_dry_run=is_dry_run
    )
    for year in missing_official_years(current_session(), local_day(utc_now())):
        click.echo(f"The official days of {year} are not known yet; its deadlines are provisional.", err=True)
    _print_rollout(outcome, as_json=as_json)


@calendars_commands.command("years")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def years_command(as_json: bool) -> None:
    """Name the years whose official days are not known: this one, and from November on the next."""
    years = missing_official_years(current_session(), local_day(utc_now()))
    if as_json:
        print_json({"missing": list(years)})
        return
    for year in years:
        click.echo(
            f"The official days of {year} are not known yet: its deadlines count plain weekdays and are provisional. "
            "Import the notice with: flask calendars import FILE"
        )


def _print_rollout(outcome: Rollout, *, as_json: bool) -> None:
    if not as_json:
        if outcome.is_dry_run:
            click.echo("Nothing was changed. This is what would be:")
        for move in outcome.moves:
            late = ", late by then" if move.is_breach else ""
            click.echo(
                f"{move.reference} {move.kind}: {move.due_before.isoformat()} -> {move.due_after.isoformat()}{late}"
            )
        print_import(outcome.result, as_json=False)
        return
    print_json(
        {
            **outcome.result.as_json(),
            "dry_run": outcome.is_dry_run,
            "moves": [move.as_json() for move in outcome.moves],
            "breaches": sum(move.is_breach for move in outcome.moves),
        }
    )
    if not outcome.result.is_clean:
        raise click.ClickException("Some rows were not taken.")


def _batch(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid({"batch": Text(N_("%(name)s can't be read."), name=file.name)}) from error
    rows = csv.DictReader(io.StringIO(text))
    if not set(BATCH_COLUMNS) <= set(rows.fieldnames or ()):
        raise Invalid(
            {"batch": Text(N_("%(name)s lacks a column: it needs id, calendar, start, amount."), name=file.name)}
        )
    due: dict[str, str] = {}
    calendars: dict[str, Calendar] = {}
    unknown: set[int] = set()
    for number, row in enumerate(rows, start=2):
        pauses = [part for part in (row.get("pauses") or "").split(";") if part.strip()]
        try:
            code = row["calendar"]
            calendar = calendars.get(code) or calendars.setdefault(code, _calendar(code))
            spans = [_pause(pause) for pause in pauses]
            start, amount = _instant(row["start"], "start"), need_amount(row["amount"])
            at = due_at(start, amount, calendar, spans)
            unknown.update(() if amount.is_natural else unknown_years(start, at, calendar))
        except Invalid as invalid:
            raise click.ClickException(f"row {number}: {invalid}") from invalid
        due[row["id"]] = calendar.local(at).isoformat()
    for year in sorted(unknown):
        click.echo(f"The official days of {year} are not known yet; deadlines in it are provisional.", err=True)
    return due


def _explain(
    code: str | None, start: str | None, amount: str | None, pauses: tuple[str, ...]
) -> tuple[Calendar, trace.Explanation]:
    calendar = _calendar(code)
    spans = [_pause(pause) for pause in pauses]
    return calendar, trace.explain(_instant(start, "start"), need_amount(amount), calendar, spans)


def _calendar(code: str | None) -> Calendar:
    row = find_calendar(current_session(), (code or "").strip())
    if row is None:
        raise Invalid({"calendar": Text(N_("There is no calendar %(code)s."), code=code or "?")})
    return ready(row)


def _instant(text: str | None, field: str) -> datetime:
    refused = Invalid({field: Text(N_("Must be a date and time with its offset, such as 2026-03-02T09:00:00+08:00."))})
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError as error:
        raise refused from error
    if found.tzinfo is None:
        raise refused
    return found


def _pause(text: str) -> PauseSpan:
    begins, _, ends = text.strip().partition("/")
    return PauseSpan(_instant(begins, "pause"), _instant(ends, "pause"))
