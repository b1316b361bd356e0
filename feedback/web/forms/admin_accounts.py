"""The forms of the admin's pages about people."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import EmailField, HiddenField, StringField, TelField

from feedback.kernel.actor import ROLES
from feedback.web.forms.base import LocalInstantField, PageForm, SelectField, needed, option
from feedback.web.present.words import ROLE_NAMES

LOCALES = (("", _("As the site")), ("zh_CN", "中文"), ("en", "English"))


def role_options() -> list[Any]:
    """Every role, nothing chosen yet."""
    return [option("", _("Choose one")), *(option(role, _(ROLE_NAMES[role])) for role in ROLES)]


class PersonForm(PageForm):
    """Name and addresses; `seen` is the account as the page showed it."""

    slug = "person"

    name = StringField(_("Name"), needed())
    email = EmailField(_("E-mail"))
    phone = TelField(_("Telephone"))
    locale = SelectField(_("Language of mails"), needed(), choices=[option(code, label) for code, label in LOCALES])
    seen = HiddenField()


class NewPersonForm(PageForm):
    """A new account with its first role."""

    slug = "new"

    login = StringField(_("Sign-in name"), needed())
    name = StringField(_("Name"), needed())
    role = SelectField(_("Role"), needed())
    unit = StringField(_("Unit"), needed())
    email = EmailField(_("E-mail"))
    phone = TelField(_("Telephone"))


class RoleForm(PageForm):
    """One more role at a unit."""

    slug = "role"

    role = SelectField(_("Role"), needed())
    unit = StringField(_("Unit"), needed())


class MoveForm(PageForm):
    """From one of the units where roles are held to another."""

    slug = "move"

    from_unit = SelectField(_("From"), needed())
    to_unit = StringField(_("To"), needed())


class DeputyForm(PageForm):
    """Who stands in, from when to when."""

    slug = "deputy"

    deputy = StringField(_("Sign-in name of who stands in"), needed())
    valid_from = LocalInstantField(_("From"))
    valid_to = LocalInstantField(_("Until"))
