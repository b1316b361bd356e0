"""The form of a unit's common reply."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, StringField

from feedback.web.forms.base import ROWS_LONG, PageForm, SelectField, WordsField, needed, number_or_text


class ReplyTextForm(PageForm):
    """A name and the words; of which unit where somebody works at several."""

    slug = "reply"

    id = HiddenField()
    unit = SelectField(_("Of which unit?"), needed())
    title = StringField(_("Name"), needed())
    body = WordsField(_("Words to begin with"), needed(), rows=ROWS_LONG)

    def fields(self) -> dict[str, Any]:
        """The raw fields of the use-case."""
        raw = self.raw_fields(("id", "unit", "title", "body"))
        return raw | {"id": number_or_text(raw["id"])} if "id" in raw else raw
