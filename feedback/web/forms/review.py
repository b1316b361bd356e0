"""From one day to another, on the leader's page; the named periods are links beside it."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from feedback.web.forms.base import DayField, PageForm, needed


class PeriodForm(PageForm):
    """The first and the last day, both included. `args` is the period shown, as it stands in an address."""

    slug = "period"

    first = DayField(_("From"), needed(), name="from")
    last = DayField(_("To"), needed(), name="to")

    def __init__(self, args: Mapping[str, str]) -> None:
        super().__init__(data={"first": args["from"], "last": args["to"]})
