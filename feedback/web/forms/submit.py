"""The form in which a demand comes in: one needed field, the rest optional."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, StringField

from feedback.intake.particulars import SubmitTicket
from feedback.web.forms.base import (
    PHOTOS,
    FilesField,
    LocalInstantField,
    NamesField,
    PageForm,
    SelectField,
    WordsField,
    needed,
    option,
)
from feedback.web.present.words import KIND_NAMES, PRIVACY_NAMES

FOR_OTHERS = {"for_login": "login", "for_name": "name", "for_contact": "contact"}
"""Our field's name and the command's."""


class SubmitForm(PageForm):
    """What somebody has to say."""

    slug = "submit"

    text = WordsField(_("What is the matter?"), needed(), rows=5)
    file = FilesField(_("Photos"), accept=PHOTOS)
    kind = RadioField(
        _("What is it?"),
        choices=[option("", _("Not sure")), *(option(code, _(name)) for code, name in KIND_NAMES.items())],
        default="",
    )
    category = SelectField(_("What is it about?"), default="")
    urgency = RadioField(
        _("How urgent is it?"),
        choices=[option("", _("Normal")), option("urgent", _("Urgent")), option("critical", _("Danger to life"))],
        default="",
    )
    place = StringField(_("Where exactly?"))
    area = SelectField(_("In which area?"), default="")
    privacy = RadioField(
        _("Who may know that it was you?"),
        needed(),
        choices=[option(code, _(name)) for code, name in PRIVACY_NAMES.items()],
        default="named",
    )
    about = NamesField(_("Is it about a person or an office?"))
    occurred_at = LocalInstantField(_("When did it happen?"))
    join = HiddenField(default="")
    for_login = StringField(_("Their login, if they have one"))
    for_name = StringField(_("Or their name"))
    for_contact = StringField(_("and how to reach them"))

    def set_choices(self, categories: Iterable[Any], areas: Iterable[Any], home: str) -> None:
        """Fill the two selects; `home` names the area that counts when none is chosen."""
        self.category.choices = [option("", str(_("Let Zhida choose"))), *categories]
        self.area.choices = [option("", str(_("Where I work: %(unit)s", unit=home)) if home else "–"), *areas]

    def fields(self, *, may_write_for_others: bool) -> dict[str, Any]:
        """The raw fields of the use-case."""
        raw = self.raw_fields(SubmitTicket.model_fields)
        if may_write_for_others:
            wanted = {
                name: self[ours].data.strip() for ours, name in FOR_OTHERS.items() if (self[ours].data or "").strip()
            }
            if wanted:
                raw["on_behalf_of"] = wanted
        return raw

    @property
    def is_for_somebody_else(self) -> bool:
        """Whether one of the fields for another person is filled in."""
        return any((self[ours].data or "").strip() for ours in FOR_OTHERS)

    def touches(self, *names: str) -> bool:
        """Whether one of these fields is filled in or refused: its part of the page must be open then."""
        return any(self[name].errors or (self[name].data or "") != (self[name].default or "") for name in names)

    def show_refusal(self, errors: Any) -> None:
        """As `show_errors`; what concerns the other person goes to the fields that ask for them."""
        ours = {f"on_behalf_of.{name}": field for field, name in FOR_OTHERS.items()} | {"on_behalf_of": "for_login"}
        self.show_errors({ours.get(name, name): text for name, text in errors.items()})
