"""What all forms share: unique ids on a page with many forms, raw fields for a command, and its refusals at the fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import wtforms
from markupsafe import Markup, escape
from wtforms import (
    Field,
    Form,
    MultipleFileField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.meta import DefaultMeta
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, DateInput, DateTimeLocalInput, ListWidget, Select

from feedback.kernel.clock import site_zone
from feedback.kernel.text import Text
from feedback.web.translate import gettext

ROWS_SHORT, ROWS_LONG = 3, 6
PHOTOS, FILES = "image/*", "image/*,.txt,.csv"
"""What a file field offers to choose: on a phone the first opens the camera, the second the files too."""
LONGEST_NUMBER = 18


def option(value: str, label: Any, group: str | None = None) -> Any:
    """One choice of a select or radio field."""
    return SelectChoice(value, label, optgroup=group)


def needed() -> list[InputRequired]:
    """Marks a field as one that must be filled in (the mark alone: the command refuses)."""
    return [InputRequired()]


class PlainSelect(Select):
    """As WTForms' own; an option without attributes of its own is written at once, because lists of units are long."""

    @classmethod
    def render_option(cls, choice: Any, **kwargs: Any) -> Markup:  # type: ignore[override]
        """One option."""
        if choice.render_kw or kwargs:
            return super().render_option(choice, **kwargs)
        mark = "selected " if choice.selected else ""
        return Markup(f'<option {mark}value="{escape(choice.value)}">{escape(choice.label or choice.value)}</option>')  # noqa: S704


class SelectField(wtforms.SelectField):
    """A list of which one is chosen."""

    widget = PlainSelect()


class WordsField(TextAreaField):
    """Some sentences."""

    def __init__(self, label: Any = None, validators: Any = None, *, rows: int = ROWS_SHORT, **kwargs: Any) -> None:
        super().__init__(label, validators, render_kw={"rows": rows}, **kwargs)


class FilesField(MultipleFileField):
    """Files chosen on the device. They are not the form's to read (web/attachments.py does), and never shown again."""

    def __init__(self, label: Any, *, accept: str, **kwargs: Any) -> None:
        super().__init__(label, render_kw={"accept": accept, "data-shrink": "", "data-no-draft": ""}, **kwargs)


class DayField(StringField):
    """A day, as the browser's date field gives it; what it is not is said by the command."""

    widget = DateInput()


class LocalInstantField(StringField):
    """A date and time on the site's wall; `raw` gives it its offset."""

    widget = DateTimeLocalInput()

    def raw(self) -> Any:
        """The instant with the site's offset; what was typed where that is no date and time."""
        typed = (self.data or "").strip()
        try:
            found = datetime.fromisoformat(typed)
        except ValueError:
            return typed
        return found if found.tzinfo else found.replace(tzinfo=site_zone())


class YesNoField(RadioField):
    """Yes, no, or nothing said."""

    def raw(self) -> Any:
        """True, False, or what was sent instead."""
        return {"yes": True, "no": False}.get(self.data or "", self.data)


class NumberField(RadioField):
    """A small whole number, chosen."""

    def raw(self) -> Any:
        """The number, or what was sent instead."""
        return number_or_text(self.data)


class CodesField(SelectMultipleField):
    """Any number of codes, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NamesField(StringField):
    """Names or codes in one line, between commas, semicolons or enumeration marks."""

    def raw(self) -> list[str]:
        """The names one by one."""
        return [name.strip() for name in re.split(r"[,，;；、\n]", self.data or "") if name.strip()]


class PageForm(Form):
    """A form on a page. `slug` keeps the ids of its fields apart from those of the other forms there."""

    slug = "form"

    def __init__(self, *args: Any, slug: str = "", **kwargs: Any) -> None:
        self.slug = slug or self.slug
        super().__init__(*args, **kwargs)

    class Meta(DefaultMeta):
        """Ids that hold the form's slug."""

        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            return unbound_field.bind(form=form, id=f"{form.slug}-{options['name']}", **options)

    def raw_fields(self, known: Iterable[str]) -> dict[str, Any]:
        """What was filled in, for a command that knows these names; empty fields are left out."""
        raw = {name: raw_of(self[name]) for name in known if name in self}
        return {name: value for name, value in raw.items() if value not in (None, "", [])}

    def show_errors(self, errors: Mapping[str, Text]) -> None:
        """Put a command's refusals at their fields (`assists.0.unit` at `assists`), the others above the form."""
        for name, text in errors.items():
            sentence = gettext(text.msgid) if not text.values else text.render(gettext)
            field = self._fields.get(name) or self._fields.get(name.partition(".")[0])
            if field is None:
                self.form_errors = [*self.form_errors, sentence]
            else:
                field.errors = [*field.errors, sentence]


def offer(form: PageForm, name: str, options: list[Any]) -> None:
    """Fill the list of a select field whose choices the page knows."""
    field: Any = form[name]
    field.choices = options


def number_or_text(typed: str | None) -> int | str | None:
    """The whole number that was typed; the text itself where it is none, or longer than any number here."""
    return int(typed) if typed and typed.isdecimal() and len(typed) <= LONGEST_NUMBER else typed


def raw_of(field: Field) -> Any:
    """What a field says, as a command wants it; None for a text of nothing but spaces."""
    if isinstance(field, LocalInstantField | YesNoField | NumberField | NamesField):
        return field.raw()
    if isinstance(field.data, str):
        return field.data if field.data.strip() else None
    return field.data
