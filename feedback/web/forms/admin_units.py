"""The forms of the admin's pages about units."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, StringField

from feedback.web.forms.base import PageForm, SelectField, needed, option
from feedback.web.present.words import LEVEL_NAMES, UNIT_KIND_NAMES


class UnitForm(PageForm):
    """What a unit is; `seen` is the unit as the page showed it."""

    slug = "unit"

    name = StringField(_("Name"), needed())
    name_en = StringField(_("Name in English"))
    kind = SelectField(_("Kind"), needed())
    level = SelectField(_("Level"), needed())
    calendar = SelectField(_("Calendar"), needed())
    seen = HiddenField()

    def offer(self, calendars: list[str]) -> None:
        """Fill the lists; `calendars` are codes."""
        self.kind.choices = [option(code, _(name)) for code, name in UNIT_KIND_NAMES.items()]
        self.level.choices = [option(code, _(name)) for code, name in LEVEL_NAMES.items()]
        kept = self.calendar.data
        codes = calendars if not kept or kept in calendars else [*calendars, kept]
        self.calendar.choices = [option("", _("That of the unit above")), *(option(code, code) for code in codes)]


class NewUnitForm(UnitForm):
    """A new unit, with its code and place."""

    slug = "new"

    code = StringField(_("Code"), needed())
    parent = StringField(_("Below which unit"), needed())


class UnitPlaceForm(PageForm):
    """Another unit above it."""

    slug = "place"

    parent = StringField(_("Below which unit"), needed())
    seen = HiddenField()


class UnitEndForm(PageForm):
    """Who follows, if anybody."""

    slug = "end"

    successor = StringField(_("Which unit has its people from then on"))
    seen = HiddenField()
