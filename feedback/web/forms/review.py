"""The period picker of the leader's page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectField

from feedback.web.forms.base import DayField, PageForm, needed, option


class PeriodForm(PageForm):
    """A named period, or from one day to another; the days count only with the last choice."""

    slug = "period"

    period = SelectField(
        _("Period"),
        needed(),
        choices=[
            option("this_month", _("This month")),
            option("last_month", _("Last month")),
            option("last_90", _("The last 90 days")),
            option("own", _("From one day to another")),
        ],
    )
    first = DayField(_("From"), needed(), name="from")
    last = DayField(_("To"), needed(), name="to")

    def __init__(self, *, data: dict[str, Any]) -> None:
        super().__init__(data={"period": data["period"], "first": data["from"], "last": data["to"]})
