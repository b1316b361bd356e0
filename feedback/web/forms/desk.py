"""The filters of the handler's desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SearchField

from feedback.web.forms.base import PageForm, SelectField, needed, option
from feedback.web.present.words import URGENCY_NAMES


class DeskFilterForm(PageForm):
    """All may be left alone (`needed` only keeps the word "optional" away). Areas and categories are filled in by the page."""

    slug = "filter"

    q = SearchField(_("Search"), needed())
    area = SelectField(_("Area"), needed())
    category = SelectField(_("Category"), needed())
    urgency = SelectField(_("Urgency"), needed())
    overdue = BooleanField(_("Late only"), needed(), false_values=("", "no", "false", "0"), render_kw={"value": "yes"})

    def offer_urgencies(self) -> None:
        """All, then each urgency."""
        self.urgency.choices = [option("", _("All")), *(option(code, _(name)) for code, name in URGENCY_NAMES.items())]
