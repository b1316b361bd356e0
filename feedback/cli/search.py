"""`flask search reindex`: the words by which tickets are found, written for those that have none, or for all anew."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from feedback.cli.output import print_json
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.tickets.search_index import count_missing, reindex
from feedback.tickets.word_weights import renew_weights

search_commands = AppGroup("search", help="The index of words by which tickets are found.")


@search_commands.command("reindex")
@click.option("--all", "everything", is_flag=True, help="All tickets anew, not only those that have no words yet.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def reindex_command(everything: bool, as_json: bool) -> None:
    """Write the words of tickets from before there was a search; may be stopped and run again, while people work."""
    done = 0
    for number in reindex(everything=everything):
        done += number
        if not as_json:
            click.echo(f"{done} tickets", err=True)
    renew_weights(utc_now(), always=everything)
    missing = count_missing(session())
    if as_json:
        print_json({"indexed": done, "missing": missing})
    else:
        click.echo(f"{done} tickets indexed, {missing} still without words.")
