"""The search box and the filters beside it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import SearchField

from feedback.web.forms.base import PageForm, SelectField, needed, option
from feedback.web.present.words import SEARCHED_NAMES


class SearchForm(PageForm):
    """All may be left alone (`needed` only keeps the word "optional" away). Areas and categories are filled in by the page."""

    slug = "filter"

    q = SearchField(_("Search"), needed())
    status = SelectField(_("Status"), needed())
    area = SelectField(_("Area"), needed())
    category = SelectField(_("Category"), needed())

    def offer_statuses(self) -> None:
        """All, then what is open, ended, or from the old system."""
        self.status.choices = [option("", _("All")), *(option(code, _(name)) for code, name in SEARCHED_NAMES.items())]
