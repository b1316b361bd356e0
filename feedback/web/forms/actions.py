"""The form of each action on a ticket, by the action's name. Choices that depend on the ticket are filled in by its page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, StringField

from feedback.web.forms.base import (
    FILES,
    PHOTOS,
    ROWS_LONG,
    CodesField,
    DayField,
    FilesField,
    LocalInstantField,
    NumberField,
    PageForm,
    SelectField,
    WordsField,
    YesNoField,
    needed,
    number_or_text,
    option,
)
from feedback.web.present.words import DECLINE_REASON_NAMES, KIND_NAMES, OUTCOME_NAMES, URGENCY_NAMES


def _yes_no() -> list[Any]:
    return [option("yes", _("Yes")), option("no", _("No"))]


def _with_number(raw: dict[str, Any]) -> dict[str, Any]:
    """The fields with the id of a request as the number it is."""
    return {**raw, "request": number_or_text(raw["request"])} if "request" in raw else raw


class NothingForm(PageForm):
    """Nothing needs to be said."""


class CommentForm(PageForm):
    text = WordsField(_("What you want to add"), needed())
    file = FilesField(_("Photos"), accept=PHOTOS)


class NoteForm(PageForm):
    text = WordsField(_("Your note"), needed())
    file = FilesField(_("Files"), accept=FILES)


class AnswerForm(PageForm):
    text = WordsField(_("Your answer"), needed())
    file = FilesField(_("Photos"), accept=PHOTOS)


class ReplyForm(PageForm):
    text = WordsField(_("Your reply"), needed(), rows=ROWS_LONG)
    file = FilesField(_("Files"), accept=FILES)


class AskForm(PageForm):
    text = WordsField(_("Your question"), needed())


class AnswerLegForm(PageForm):
    text = WordsField(_("What you found or did"), needed())
    file = FilesField(_("Files"), accept=FILES)


class ReclassifyForm(PageForm):
    kind = SelectField(_("Kind"))
    category = SelectField(_("Category"))
    area = SelectField(_("Area"))
    reason = WordsField(_("Why?"), needed())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [option(code, _(name)) for code, name in KIND_NAMES.items()]
        self.kind.choices = [option("", _("As it is")), *names]


class UrgencyForm(PageForm):
    urgency = RadioField(
        _("How urgent is it?"), needed(), choices=[option(code, _(name)) for code, name in URGENCY_NAMES.items()]
    )
    reason = WordsField(_("Why?"), needed())


class DeclineForm(PageForm):
    reason_code = RadioField(
        _("Why can't it be taken?"),
        needed(),
        choices=[option(code, _(name)) for code, name in DECLINE_REASON_NAMES.items()],
    )
    instead = WordsField(_("Where should they go instead?"), needed())


class DecideForm(PageForm):
    request = HiddenField(_("Request"))
    decision = HiddenField(_("Decision"))
    text = WordsField(_("Your grounds"), needed())

    def raw_fields(self, known: Any) -> dict[str, Any]:
        """As of all forms, the request as the number it is."""
        return _with_number(super().raw_fields(known))


class DispatchForm(PageForm):
    lead = SelectField(_("Which unit takes it?"), needed())
    assists = CodesField(_("Which units assist?"))

    def raw_fields(self, known: Any) -> dict[str, Any]:
        """As of all forms, each assisting unit as a part of its own."""
        raw = super().raw_fields(known)
        if "assists" in raw:
            raw["assists"] = [{"unit": code} for code in raw["assists"]]
        return raw


class AssignForm(PageForm):
    assignee = SelectField(_("Who works on it?"), needed())


class TransferForm(PageForm):
    unit = SelectField(_("To which unit?"), needed())
    reason = WordsField(_("Why?"), needed())


class AddLegForm(PageForm):
    unit = SelectField(_("Which unit should assist?"), needed())
    task = WordsField(_("With what?"))
    due_at = LocalInstantField(_("By when, if earlier than usual?"))


class DropLegForm(PageForm):
    unit = SelectField(_("Which unit is no longer needed?"), needed())
    reason = WordsField(_("Why?"), needed())


class ExtensionForm(PageForm):
    due_at = LocalInstantField(_("By when will it be done?"), needed())
    reason = WordsField(_("Why is the time too short?"), needed())
    interim = WordsField(_("What is done for the people until then?"), needed())


class TakeBackForm(PageForm):
    request = SelectField(_("Which request?"), needed())

    def raw_fields(self, known: Any) -> dict[str, Any]:
        """As of all forms, the request as the number it is."""
        return _with_number(super().raw_fields(known))


class ResolveForm(PageForm):
    outcome = RadioField(
        _("What came of it?"), needed(), choices=[option(code, _(name)) for code, name in OUTCOME_NAMES.items()]
    )
    text = WordsField(_("What was found, and what was done?"), needed(), rows=ROWS_LONG)
    file = FilesField(_("Files"), accept=FILES)
    basis = WordsField(_("Not possible: by which rule or fact?"), rows=2)
    planned_on = DayField(_("Planned: for which day?"))
    override_reason = WordsField(_("An assisting unit has not answered: why go on without it?"), rows=2)


class ConfirmForm(PageForm):
    verdict = RadioField(_("What do you say of it?"), needed(), choices=[])
    rating = NumberField(
        _("How content are you?"), choices=[option(str(number), str(number)) for number in range(1, 6)]
    )
    comment = WordsField(_("A word about it"), rows=2)
    pressed = YesNoField(_("Did anybody press you to say it is solved?"), choices=_yes_no())


class DisputeForm(PageForm):
    reason = WordsField(_("What is still missing?"), needed())
    file = FilesField(_("Photos"), accept=PHOTOS)


class ReopenForm(PageForm):
    reason = WordsField(_("What happened again, or what is missing?"), needed())
    file = FilesField(_("Photos"), accept=PHOTOS)


class WithdrawForm(PageForm):
    reason = WordsField(_("Why do you withdraw it?"), needed(), rows=2)
    asked_to = YesNoField(_("Did anybody ask you to withdraw it?"), choices=_yes_no())


class SummaryForm(PageForm):
    text = WordsField(_("What is it, without naming anybody?"), needed(), rows=2)
    area = SelectField(_("Who may read it and join?"))


class JoinForm(PageForm):
    into = StringField(_("Number of the elder ticket"), needed())


class UnjoinForm(PageForm):
    reason = WordsField(_("Why is it another matter?"), needed(), rows=2)


FORMS: dict[str, type[PageForm]] = {
    "acknowledge": NothingForm,
    "add_leg": AddLegForm,
    "answer": AnswerForm,
    "answer_leg": AnswerLegForm,
    "ask_submitter": AskForm,
    "assign": AssignForm,
    "comment": CommentForm,
    "confirm": ConfirmForm,
    "decide": DecideForm,
    "decline": DeclineForm,
    "dispatch": DispatchForm,
    "dispute": DisputeForm,
    "drop_leg": DropLegForm,
    "join": JoinForm,
    "note": NoteForm,
    "publish_summary": SummaryForm,
    "reclassify": ReclassifyForm,
    "reopen": ReopenForm,
    "reply": ReplyForm,
    "request_extension": ExtensionForm,
    "resolve": ResolveForm,
    "set_urgency": UrgencyForm,
    "transfer": TransferForm,
    "unjoin": UnjoinForm,
    "urge": NothingForm,
    "withdraw": WithdrawForm,
    "withdraw_request": TakeBackForm,
    "withdraw_summary": NothingForm,
}
"""The actions that a page offers, and their forms."""

UNIT_FIELDS = {"dispatch": ("lead", "assists"), "transfer": ("unit",), "add_leg": ("unit",)}
"""Fields in which any unit at work may be chosen."""
