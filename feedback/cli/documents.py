"""Commands for those who work on Zhida itself: pages of docs/ made from the code, and the strings to translate."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click

from feedback.tickets.diagram import markdown, mermaid

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
MARKED = re.compile(r"(<!-- lifecycle -->\n).*?(<!-- /lifecycle -->)", re.DOTALL)
TRANSLATIONS = ROOT / "feedback" / "translations"
KEYWORDS = ("N_", "_l")
"""What marks a string besides Babel's own names: for later, and for a form's label."""

docs_commands = click.Group("docs", help="Pages of docs/ that are made from the code.")
translations_commands = click.Group("translations", help="Strings and their translations.")


def lifecycle_section() -> str:
    """What stands between the marks in docs/architecture.md."""
    return f"```mermaid\n{mermaid()}\n```\n\n{markdown()}\n"


@docs_commands.command("lifecycle")
@click.option("--write", is_flag=True, help="Put it into docs/architecture.md.")
def lifecycle_command(write: bool) -> None:
    """Print the lifecycle as a diagram and a table."""
    section = lifecycle_section()
    if not write:
        click.echo(section)
        return
    page = ARCHITECTURE.read_text(encoding="utf-8")
    ARCHITECTURE.write_text(MARKED.sub(lambda found: found[1] + section + found[2], page), encoding="utf-8")


@translations_commands.command("collect")
def collect_command() -> None:
    """Collect new strings into the Chinese catalogue; lines that fell away are dropped, nothing is guessed."""
    template = TRANSLATIONS / "messages.pot"
    babel = [sys.executable, "-m", "babel.messages.frontend", "--quiet"]
    marks = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    shared = ["--no-location", "--sort-output", "--no-wrap"]
    # The dates of a collection would be a change in every commit; the header itself holds charset and plural rule.
    kept = ["--no-wrap", "--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date"]
    try:
        subprocess.run(
            [*babel, "extract", "-F", "babel.cfg", *marks, *shared, "-o", str(template), "."],
            cwd=ROOT,
            check=True,
        )
        subprocess.run(
            [*babel, "update", "-i", str(template), "-d", str(TRANSLATIONS), "-l", "zh", *kept],
            cwd=ROOT,
            check=True,
        )
    finally:
        template.unlink(missing_ok=True)
