"""Commands on figures and on their truth: `reports closure|legacy|recount`, `audit verify`, `check`."""

from __future__ import annotations

from itertools import islice

import click
from flask import current_app
from flask.cli import AppGroup

from feedback.cli.output import print_json, refusals_as_exit
from feedback.kernel import audit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.reports.documents import report_document
from feedback.reports.file_faults import find_file_faults
from feedback.reports.invariants import count_tickets, find_faults
from feedback.reports.legacy import legacy_document
from feedback.reports.metrics import MEASURES, Measure
from feedback.reports.period import BYS, ReportQuery
from feedback.reports.queries import closure_report
from feedback.reports.recount import find_differences, set_right

MOST_LINES = 50
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

reports_commands = AppGroup("reports", help="Figures from events, and whether what is stored agrees with them.")
audit_commands = AppGroup("audit", help="The audit trail.")


@reports_commands.command("closure")
@click.option("--from", "first", required=True, metavar="DATE", help="First day, such as 2026-03-01.")
@click.option("--to", "last", required=True, metavar="DATE", help="Last day, included.")
@click.option("--by", type=click.Choice(BYS), default="unit", show_default=True)
@click.option("--unit", help="Only what lies in this unit's subtree.")
@JSON_OPTION
@refusals_as_exit
def closure_command(first: str, last: str, by: str, unit: str | None, as_json: bool) -> None:
    """Count closures of the tickets whose original due date lies in the period."""
    query = ReportQuery.parse({"from": first, "to": last, "by": by, "unit": unit})
    report = closure_report(session(), SYSTEM, query, now=utc_now())
    if as_json:
        print_json(report_document(report))
        return
    click.echo("\t".join(["key", *MEASURES]))
    for row in (*report.rows, report.total):
        click.echo("\t".join([row.key or "total", *(_fraction(row.measures[name]) for name in MEASURES)]))


def _fraction(measure: Measure) -> str:
    if measure.suppressed:
        return "-"
    return f"{measure.numerator:g}/{measure.denominator}"


@reports_commands.command("legacy")
@click.option("--source", required=True, help="Under which name the history was imported.")
@click.option("--by", type=click.Choice(["department"]), default="department", show_default=True)
@click.option("--with-due", is_flag=True, help="Only tickets that had a due date.")
@click.option("--not-staff", is_flag=True, help="Without tickets that staff raised themselves.")
@JSON_OPTION
def legacy_command(source: str, by: str, with_due: bool, not_staff: bool, as_json: bool) -> None:
    """Count imported history: what was published beside what its dates say."""
    document = legacy_document(session(), source, with_due=with_due, not_staff=not_staff)
    if as_json:
        print_json(document)
        return
    click.echo(f"{by}\ttickets\tresolved\ton_time\tpublished_on_time\tdiffers")
    for row in [*document["rows"], document["total"]]:
        shares = [
            f"{row[n]['numerator']}/{row[n]['denominator']}" for n in ("resolved", "on_time", "published_on_time")
        ]
        name = "total" if row is document["total"] else row["key"] or "-"
        click.echo("\t".join([name, str(row["tickets"]), *shares, str(row["differs"])]))


@reports_commands.command("recount")
@click.option("--fix", is_flag=True, help="Set what differs to what the events say.")
@JSON_OPTION
def recount_command(fix: bool, as_json: bool) -> None:
    """Compare what tickets keep for speed with their events; exit 1 where it differs and was not set right."""
    differences = set_right(now=utc_now()) if fix else list(find_differences(session()))
    if as_json:
        print_json(
            {
                "differences": [
                    {"reference": d.reference, "column": d.column, "stored": str(d.stored), "counted": str(d.counted)}
                    for d in differences
                ],
                "fixed": fix,
            }
        )
    else:
        for difference in differences[:MOST_LINES]:
            click.echo(str(difference))
        click.echo(f"{len(differences)} differences{' set right' if fix and differences else ''}.")
    if differences and not fix:
        raise click.exceptions.Exit(1)


@audit_commands.command("verify")
@JSON_OPTION
def verify_command(as_json: bool) -> None:
    """Walk every chain of the audit trail; exit 1 and name the first entry that does not hold."""
    broken = list(islice(audit.verify(session()), MOST_LINES))
    if as_json:
        print_json({"entries": audit.count_entries(session()), "broken": [str(line) for line in broken]})
    if broken:
        for line in broken[1:]:
            click.echo(line, err=True)
        raise click.ClickException(f"audit: {broken[0]}")
    if not as_json:
        click.echo(f"{audit.count_entries(session())} entries, whole.")


@click.command("check", help="Look at every invariant: whole tickets, legal histories, counters equal to the events.")
@JSON_OPTION
def check_command(as_json: bool) -> None:
    """Print what does not hold, and exit 1 if anything."""
    found = [str(fault) for fault in find_faults(session())]
    found += [str(difference) for difference in find_differences(session())]
    found += [str(fault) for fault in find_file_faults(session(), current_app.extensions["files"], utc_now())]
    found += [f"audit: {line}" for line in islice(audit.verify(session()), MOST_LINES)]
    if as_json:
        print_json({"tickets": count_tickets(session()), "faults": found})
    else:
        for line in found[:MOST_LINES]:
            click.echo(line, err=True)
        click.echo(f"{count_tickets(session())} tickets looked at, {len(found)} faults.")
    if found:
        raise click.exceptions.Exit(1)
