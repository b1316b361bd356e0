"""What a file does or would do, in words: counts, rows that are not taken, and open tickets whose due times move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.kernel.imports import ImportResult
from feedback.sla.rollout import Move
from feedback.web.present.cells import name_of
from feedback.web.present.time import exact
from feedback.web.present.words import CLOCK_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import listed, ngettext

Part = dict[str, Any]
MOST_SHOWN = 200


def result_facts(result: ImportResult) -> list[Part]:
    """The counts of rows, for the facts macro."""
    refused = len({error.number for error in result.errors})
    facts = [
        {"label": _("New"), "text": str(result.added)},
        {"label": _("Changed"), "text": str(result.updated)},
        {"label": _("As before"), "text": str(result.unchanged)},
        {"label": _("Not taken"), "text": str(refused)},
    ]
    if result.ignored:
        facts.append({"label": _("Columns passed over"), "text": listed(result.ignored)})
    return facts


def error_rows(result: ImportResult) -> list[Part]:
    """Each row that is not taken, with its column and the reason."""
    errors = sorted(result.errors, key=lambda error: error.number)[:MOST_SHOWN]
    return [
        {
            "id": f"e{place}",
            "row": str(error.number),
            "column": error.column,
            "reason": error.text.render(_),
        }
        for place, error in enumerate(errors)
    ]


def move_rows(moves: Sequence[Move], now: datetime) -> list[Part]:
    """Open tickets whose due times move, those that become late first."""
    first = sorted(moves, key=lambda move: not (move.is_breach and move.due_before > now))[:MOST_SHOWN]
    return [
        {
            "id": f"m{place}",
            "reference": move.reference,
            "clock": name_of(CLOCK_NAMES, move.kind),
            "before": exact(move.due_before),
            "after": exact(move.due_after),
            "late": {"tone": "late", "words": _("late by then")}
            if move.is_breach
            else {"tone": "ok", "words": _("in time")},
        }
        for place, move in enumerate(first)
    ]


def moves_words(moves: Sequence[Move], *, is_done: bool) -> str:
    """How many due times move, and how many of them would be over; empty for none."""
    if not moves:
        return ""
    number, late = len(moves), sum(move.is_breach for move in moves)
    if is_done:
        told = ngettext("%(num)d due time has moved.", "%(num)d due times have moved.", number)
    else:
        told = ngettext("%(num)d due time would move.", "%(num)d due times would move.", number)
    over = ngettext("%(num)d of them is over by its new time.", "%(num)d of them are over by their new times.", late)
    return f"{told} {over}" if late else told
