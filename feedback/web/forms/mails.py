"""The form of what somebody wants mails about."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

from feedback.web.forms.base import PageForm, SelectField, needed, option


def _choices() -> list[Any]:
    return [
        option("at_once", _("At once")),
        option("daily", _("Once a day, at 8 in the morning")),
        option("never", _("No mail")),
    ]


class MailChoicesForm(PageForm):
    """A choice for each topic."""

    slug = "mails"

    own = SelectField(_("Tickets that I raised"), needed(), choices=_choices())
    work = SelectField(_("Tickets of my unit or office"), needed(), choices=_choices())
    requests = SelectField(_("Requests to decide, and decisions on mine"), needed(), choices=_choices())
    alarms = SelectField(_("Time limits that come near or have passed"), needed(), choices=_choices())
