"""The forms of the admin pages."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SearchField, StringField
from wtforms.widgets import TimeInput

from feedback.web.forms.base import PageForm, SelectField, WordsField, needed


class ClockField(StringField):
    """A time of day, as the browser's field gives it; what it is not is said by the command."""

    widget = TimeInput()


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

    q = SearchField(_("Login, name or unit"), needed())


class CatalogueFilterForm(PageForm):
    """What the duty catalogue is narrowed by."""

    slug = "filter"

    q = SearchField(_("Category or unit"), needed())


class PrecisionForm(PageForm):
    """Of a hundred tickets, how many right ones."""

    slug = "precision"

    precision = SelectField(_("Right ones of a hundred"), needed())


class QuietHoursForm(PageForm):
    """From when to when."""

    slug = "quiet"

    begins = ClockField(_("From"))
    ends = ClockField(_("Until"))
    days_off = BooleanField(_("On days off too, the whole day"))


class DefaultCalendarForm(PageForm):
    """Which calendar."""

    slug = "calendar"

    calendar = SelectField(_("Calendar"), needed())


class RootDispatchersForm(PageForm):
    """Their sign-in names, one a line; `seen` holds the list as it was when the page was made."""

    slug = "root"

    logins = WordsField(_("Sign-in names, one a line"))
    seen = HiddenField()

    def listed(self) -> list[str]:
        """The names as typed, without empty lines."""
        return lines(self.logins.data)

    def seen_logins(self) -> list[str]:
        """The list that the writer saw."""
        return lines(self.seen.data)
