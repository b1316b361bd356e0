"""The shape of every answer, as the OpenAPI document gives it. What fills them is render.py's."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Status = Literal[
    "submitted", "dispatched", "in_progress", "waiting_for_submitter", "suspended", "resolved", "closed", "legacy"
]
ClosureReason = Literal["confirmed", "unanswered", "declined", "excluded", "withdrawn", "joined"]
Kind = Literal["demand", "suggestion", "question", "burden_lead"]
Urgency = Literal["critical", "urgent", "normal", "complex"]
Privacy = Literal["named", "confidential", "anonymous"]
ClockKind = Literal[
    "resolution",
    "first_response",
    "dispatch",
    "signing",
    "leg",
    "confirmation",
    "decision",
    "adjudication",
    "appeal",
    "supervision",
]


class Answer(BaseModel):
    """Base of every answer: exactly these members."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class NamedSubmitter(Answer):
    """Who raised it and chose to be named; no login where somebody without an account was written for."""

    login: str | None
    name: str


class ProtectedSubmitter(Answer):
    """Who raised it in confidence: an alias and the town (a unit's code), nothing else."""

    alias: str
    town: str | None


class Lead(Answer):
    """The unit that leads, by code, and who works on it, by login."""

    unit: str
    assignee: str | None


class Assist(Answer):
    """A unit that helps the lead."""

    unit: str
    assignee: str | None
    answered_at: AwareDatetime | None


class Clock(Answer):
    """One time limit of a ticket or of a unit's part in it."""

    id: int
    kind: ClockKind
    unit: str | None
    round: int
    started_at: AwareDatetime
    due_at: AwareDatetime
    original_due_at: AwareDatetime
    met_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    dropped_at: AwareDatetime | None
    paused: bool
    provisional: bool
    policy: str | None
    policy_version: int | None
    calendar: str | None
    calendar_version: int | None


class TicketInList(Answer):
    """A ticket in a list. Units and areas are codes, the category is a path, persons are logins."""

    reference: str
    status: Status
    closure_reason: ClosureReason | None
    kind: Kind
    category: str | None
    area: str | None
    place: str | None
    urgency: Urgency
    title: str
    privacy: Privacy
    channel: str
    submitter: NamedSubmitter | ProtectedSubmitter | None
    unit: str | None
    lead: Lead | None
    assists: list[Assist]
    round: int
    reopen_count: int
    outcome: Literal["solved", "partly", "not_possible", "planned"] | None
    planned_on: date | None
    occurred_at: AwareDatetime | None
    submitted_at: AwareDatetime
    dispatched_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    due_at: AwareDatetime | None
    original_due_at: AwareDatetime | None
    overdue: bool
    version: int


class Attachment(Answer):
    """A file: `sha256` is of the bytes as they are kept, which the download equals; `version` that of its entry."""

    id: int
    name: str
    type: str
    size: int
    sha256: str
    state: Literal["pending", "clean", "refused"]
    at: AwareDatetime
    version: int


class Ticket(TicketInList):
    """A ticket as this caller may see it, with the actions they may take now.

    `raised_by` counts those who hold a seat; `joined_into` is the elder, `joined` are the younger ones, by reference.
    """

    text: str
    raised_by: int
    joined_into: str | None
    joined: list[str]
    clocks: list[Clock]
    attachments: list[Attachment]
    allowed_actions: list[str]


class TicketOutOfSight(Answer):
    """What is left to say of a ticket that the caller's own act took out of their sight."""

    reference: str
    status: Status
    channel: str
    version: int


class TimelineActor(Answer):
    """Who took a step: staff by role, unit and name, a submitter by name or alias, or the system."""

    role: str
    unit: str | None
    name: str | None
    alias: str | None
    system: bool


class TimelineItem(Answer):
    """One step of a ticket's history. `from` and `to` are statuses, a closed one with its reason after a dot."""

    at: AwareDatetime
    action: str
    from_: str | None = Field(alias="from")
    to: str
    round: int
    actor: TimelineActor
    public: bool
    text: str | None
    edited: bool
    facts: dict[str, Any]
    attachments: list[Attachment]
    version: int


class RoleAtUnit(Answer):
    """A role held at a unit."""

    role: str
    unit: str | None


class Request(Answer):
    """Something that needs a second person, and what they decided."""

    id: int
    kind: Literal["return", "decline", "lower_urgency", "extension", "suspension", "exclusion", "appeal"]
    state: Literal["pending", "granted", "refused", "withdrawn", "overtaken"]
    by: RoleAtUnit
    at: AwareDatetime
    reason: str | None
    basis: str | None
    wanted: dict[str, Any]
    decided_by: RoleAtUnit | None
    decided_at: AwareDatetime | None
    text: str | None


class Unit(Answer):
    """A region or department."""

    code: str
    name: str
    name_en: str | None
    kind: Literal["region", "department"]
    level: Literal["county", "town", "village"]
    parent: str | None


class Category(Answer):
    """A kind of matter in the duty catalogue."""

    path: str
    name: str
    name_en: str | None


class Me(Answer):
    """Whose token it is, and in which roles it acts."""

    login: str
    name: str
    locale: str | None
    roles: list[RoleAtUnit]
    scopes: list[str]
    acting_as: RoleAtUnit | None


class Notice(Answer):
    """Something the caller should know of."""

    id: int
    event: str
    reference: str | None
    text: str
    created_at: AwareDatetime
    read_at: AwareDatetime | None


class TicketFound(TicketInList):
    """A ticket in a list; `snippet` is the sentence that speaks of `q`, as plain text, or null."""

    snippet: str | None


class TicketList(Answer):
    """A page of tickets; `next` is the cursor of the page after it."""

    items: list[TicketFound]
    next: str | None


class Timeline(Answer):
    """The whole history; `next` is always null."""

    items: list[TimelineItem]
    next: str | None


class Requests(Answer):
    """All requests; `next` is always null."""

    items: list[Request]
    next: str | None


class Clocks(Answer):
    """All clocks; `next` is always null."""

    items: list[Clock]
    next: str | None


class TraceStep(Answer):
    """One step on the way to a due time; `counted_seconds` is how much of the amount it used up or added."""

    kind: str
    text: str
    from_: AwareDatetime | None = Field(alias="from")
    to: AwareDatetime | None
    counted_seconds: float | None


class RuleVersion(Answer):
    """A policy by its name or a calendar by its code, and which version of it counted."""

    name: str
    version: int


class Trace(Answer):
    """Why a clock is due when it is, in the reader's language and the calendar's zone."""

    due_at: AwareDatetime
    provisional: bool
    policy: RuleVersion
    calendar: RuleVersion
    trace: list[TraceStep]


class Units(Answer):
    """All units in force, from the root down; `next` is always null."""

    items: list[Unit]
    next: str | None


class Categories(Answer):
    """All categories in use; `next` is always null."""

    items: list[Category]
    next: str | None


class Notices(Answer):
    """A page of notices, the newest first."""

    items: list[Notice]
    next: str | None
    unread: int


class Problem(BaseModel):
    """RFC 9457. `code` is for programs; `errors` names each field that can't be taken and what would be right."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: dict[str, str] | None = None
    version: int | None = None
