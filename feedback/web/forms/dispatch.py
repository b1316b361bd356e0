"""The forms of the dispatcher's page: where one ticket goes, and what the list is narrowed by."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SearchField, StringField

from feedback.web.forms.base import NamesField, PageForm, SelectField, needed, option
from feedback.web.present.words import URGENCY_NAMES


class DispatchForm(PageForm):
    """One lead and, where needed, units that assist; each ticket of the page has its own."""

    lead = StringField(_("Responsible unit"), needed())
    assists = NamesField(_("Assisting units"))

    def __init__(self, reference: str, *args: Any, **kwargs: Any) -> None:
        self.slug = f"to-{reference.lower()}"
        super().__init__(*args, **kwargs)


class DispatchFilterForm(PageForm):
    """All may be left alone. Areas are filled in by the page."""

    slug = "filter"

    q = SearchField(_("Search"), needed())
    area = SelectField(_("Area"), needed())
    urgency = SelectField(_("Urgency"), needed())

    def offer_urgencies(self) -> None:
        """All, then each urgency."""
        self.urgency.choices = [option("", _("All")), *(option(code, _(name)) for code, name in URGENCY_NAMES.items())]
