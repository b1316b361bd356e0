"""`flask topics list`: which matters many tickets of the last days raise, for whoever runs the machine."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from feedback.cli.output import print_json
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.supervision.topics import SMALLEST, find_topics

topics_commands = AppGroup("topics", help="Matters that many tickets raise.")
LONGEST = 36_500


@topics_commands.command("list")
@click.option("--days", default=30, type=click.IntRange(1, LONGEST), show_default=True, help="How far back.")
@click.option("--smallest", default=SMALLEST, type=click.IntRange(1), show_default=True, help="Tickets of a topic.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_command(days: int, smallest: int, as_json: bool) -> None:
    """Print the topics among the tickets that came in the last days, the largest first; nothing is kept."""
    found = find_topics(session(), days=days, now=utc_now(), smallest=smallest)
    if as_json:
        print_json([{"id": one.key, "size": one.size, "references": list(one.references)} for one in found])
    else:
        for one in found:
            click.echo(f"{one.size:>5}  {' '.join(one.references[:6])}{' …' if one.size > 6 else ''}")
