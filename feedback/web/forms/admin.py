"""The forms of the admin pages."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, SearchField

from feedback.web.forms.base import PageForm, WordsField, needed


class DangerWordsForm(PageForm):
    """One list of danger words, a word or phrase a line; `seen` holds the list as it was when the page was made."""

    words = WordsField(_("Words and phrases, one a line"), needed(), rows=12)
    seen = HiddenField()

    def __init__(self, level: str, *args: Any, **kwargs: Any) -> None:
        self.slug = f"words-{level}"
        super().__init__(*args, **kwargs)

    def listed(self) -> list[str]:
        """The words as typed, without empty lines."""
        return lines(self.words.data)

    def seen_words(self) -> list[str]:
        """The list that the writer saw."""
        return lines(self.seen.data)


def lines(text: str | None) -> list[str]:
    """The lines of a text that say something."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


class AccountFilterForm(PageForm):
    """What the list of accounts is narrowed by."""

    slug = "filter"

    q = SearchField(_("Login or name"), needed())
