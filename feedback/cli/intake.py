"""`flask tickets`: import from a file, with a progress bar on a terminal; and what says the same as a text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup
from tqdm import tqdm

from feedback.cli.output import print_json, refusals_as_exit
from feedback.intake.imports import TicketImport, import_tickets
from feedback.intake.ticket_rows import ImportOptions
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import site_zone, utc_now
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.kernel.tabular import Row
from feedback.kernel.text import N_, Text
from feedback.reading.look_alikes import LIMIT, Asked, find_look_alikes
from feedback.tickets.likeness import split_title

tickets_commands = AppGroup("tickets", help="Tickets from other systems; tickets that say the same.")

LEAST_ALIKE = 0.02
MOST_SIMILAR = 200


@tickets_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken and what refused.")
@click.option("--source", help="Name of the system they come from, for files without a source column.")
@click.option(
    "--map", "mapping", default="", help="Our column=the file's header, comma separated: source_id=id,text=body."
)
@click.option("--timezone", help="Zone of times without an offset, such as Asia/Shanghai; else the site's.")
@click.option("--submitter", help="Login to whom rows without a submitter belong.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@refusals_as_exit
def import_command(
    file: Path,
    dry_run: bool,
    source: str | None,
    mapping: str,
    timezone: str | None,
    submitter: str | None,
    as_json: bool,
) -> None:
    """Take tickets from a CSV or XLSX file (also packed as .gz); a row that is there already is passed over."""
    options = ImportOptions(
        zone=_zone(timezone),
        source=source,
        renamed=_renamed(mapping),
        submitter=submitter,
        is_dry_run=dry_run,
    )

    def track(rows: Sequence[Row]) -> Iterable[Row]:
        is_shown = sys.stderr.isatty() and not as_json
        return tqdm(rows, disable=not is_shown, file=sys.stderr, unit="row")

    result = import_tickets(file, options, now=utc_now(), track=track)
    if as_json:
        print_json(result.as_json())
    else:
        _print_words(result)
    if result.refused:
        raise click.ClickException(f"{len({r.row for r in result.refused})} rows were not taken.")


def _zone(name: str | None) -> ZoneInfo:
    if name is None:
        return site_zone()
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        text = Text(N_("There is no zone %(name)s. Write it like Asia/Shanghai."), name=name)
        raise Invalid({"timezone": text}) from error


def _renamed(mapping: str) -> dict[str, str]:
    """`column=header,…` as a table."""
    renamed: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in mapping.split(","))):
        column, equals, header = pair.partition("=")
        if not (equals and column.strip() and header.strip()):
            text = Text(N_("%(pair)s is no column=header. Write source_id=id,text=body."), pair=pair)
            raise Invalid({"map": text})
        renamed[column.strip()] = header.strip()
    return renamed


def _print_words(result: TicketImport) -> None:
    would = "would be added" if result.is_dry_run else "added"
    click.echo(f"{result.added} {would}, {result.already} there already.")
    if result.ignored:
        click.echo(f"Columns ignored: {', '.join(result.ignored)}.")
    for refused in sorted(result.refused, key=lambda r: r.row):
        click.echo(f"row {refused.row}: {f'{refused.column}: ' if refused.column else ''}{refused.problem}", err=True)


@tickets_commands.command("similar")
@click.argument("text")
@click.option(
    "--limit", default=LIMIT, type=click.IntRange(1, MOST_SIMILAR), show_default=True, help="How many at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def similar_command(text: str, limit: int, as_json: bool) -> None:
    """Print the tickets that say the same as TEXT, nearest first: all of them, closed and imported ones too.

    A short first line of TEXT is taken for its title.
    """
    title, body = split_title(text)
    found = find_look_alikes(
        session(), SYSTEM, Asked(title, body), now=utc_now(), least=LEAST_ALIKE, limit=limit, of_any_age=True
    )
    if as_json:
        print_json(
            [{"reference": one.reference, "source_id": one.source_id, "score": round(one.score, 4)} for one in found]
        )
    else:
        for one in found:
            click.echo(f"{one.reference}  {one.score:.2f}  {one.title}")
