"""A found ticket as a row: what was asked for is marked, in the title and in the sentence that speaks of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from feedback.reading.queries import MOST_COUNTED
from feedback.reading.snippets import Part, mark
from feedback.reading.views import TicketRow
from feedback.tickets.bigrams import Phrase
from feedback.web.present.cells import name_of, ticket_url, unit_name, when_past
from feedback.web.present.desk import excerpt_of, place_words, text_after_title
from feedback.web.present.words import SHORT_STATE_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

Cell = dict[str, Any]


def marked(parts: Sequence[Part]) -> Markup:
    """The parts as markup, hits in <mark>. Every part is escaped first: it holds what people wrote."""
    return Markup("").join(Markup("<mark>{}</mark>").format(text) if is_hit else escape(text) for text, is_hit in parts)


def _excerpt(row: TicketRow, phrases: Sequence[Phrase]) -> Markup | str:
    """Where the ticket speaks of it; how it goes on after the title where the title says that already."""
    if row.snippet is None:
        return excerpt_of(row)
    said = "".join(text for text, _is_hit in row.snippet.parts)
    rest = text_after_title(row.title, said)
    return marked(row.snippet.parts) if rest == said else marked(mark(rest or excerpt_of(row), phrases))


def found_row(row: TicketRow, phrases: Sequence[Phrase], now: datetime) -> Cell:
    """A row of the list of what was found."""
    title = marked(mark(row.title, phrases)) if row.title else row.reference
    return {
        "id": row.reference,
        "title": {
            "text": title,
            "url": ticket_url(row.reference),
            "excerpt": _excerpt(row, phrases),
        },
        "reference": row.reference,
        "unit": unit_name(row.unit) or _("the dispatcher"),
        "place": place_words(row),
        "status": name_of(SHORT_STATE_NAMES, row.state),
        "at": when_past(row.submitted_at, now),
    }


def number_words(number: int, most: int = MOST_COUNTED) -> str:
    """How many were found; past `most` nobody counts on."""
    if number > most:
        return _("more than %(most)s tickets", most=f"{most:,}")
    return ngettext("%(num)d ticket", "%(num)d tickets", number)
