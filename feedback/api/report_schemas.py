"""The shape of the answers about figures, as the OpenAPI document gives it. What fills them is reports/documents.py."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from feedback.api.schemas import Answer, ClosureReason, Kind, Privacy, Status, Urgency
from feedback.kernel.text import N_


class LeftOut(Answer):
    """Tickets not counted among the dispatched, by reason."""

    joined: int
    excluded: int
    own_unit: int


class Figure(Answer):
    """A figure with its fraction. All numbers are null where it is suppressed; `small`: fewer than ten were counted."""

    numerator: float | None
    denominator: int | None
    left_out: LeftOut | None
    rate: float | None
    coverage: float | None
    suppressed: bool
    small: bool
    parts: dict[str, int] | None = Field(
        default=None, description=N_("Of confirmed closure: solved, partly, accepted.")
    )


class StageTimes(Answer):
    """Seconds of one stage."""

    median_seconds: int | None
    p90_seconds: int | None


class Times(StageTimes):
    """Seconds from submission to confirmation, and of each stage."""

    stages: dict[str, StageTimes]


class ReportRow(Answer):
    """One unit, area, category or month; the total's key is null. `final`: the month is closed."""

    key: str | None
    name: str
    name_en: str | None
    measures: dict[str, Figure]
    times: Times
    hatches: dict[str, Figure]
    final: bool


class ClosureReport(Answer):
    """The figures of a period, with what each means."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Literal["unit", "area", "category", "month"]
    unit: str | None
    timezone: str
    as_of: AwareDatetime
    definitions: dict[str, str]
    rows: list[ReportRow]
    total: ReportRow


class CountedTicket(Answer):
    """A ticket behind a number, and what it adds to it."""

    reference: str
    title: str
    status: Status
    closure_reason: ClosureReason | None
    kind: Kind
    urgency: Urgency
    privacy: Privacy
    unit: str | None
    area: str | None
    category: str | None
    submitted_at: AwareDatetime
    original_due_at: AwareDatetime | None
    first_resolved_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    counts: float


class CountedTickets(Answer):
    """A page of the tickets behind a number; empty where the number is suppressed."""

    items: list[CountedTicket]
    next: str | None
    suppressed: bool
