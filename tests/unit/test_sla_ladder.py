"""The ladder of alarms: how it is written, what is refused, when each level is reached."""

from __future__ import annotations

import pytest

from feedback.kernel.errors import Invalid
from feedback.sla.amounts import need_amount
from feedback.sla.clock import due_at
from feedback.sla.ladder import ladder, parse_ladder
from tests.support.calendars import CHINA, at, calendar, week

TOWN = calendar(week(), base=CHINA)
USUAL = "50%:handler;80%:unit_head;100%:supervisor;+1wd:leader"


def test_usual_ladder_is_reached_in_its_order() -> None:
    start, amount = at("2026-10-12 09:00"), need_amount("4wh")
    levels = ladder(parse_ladder(USUAL), start, due_at(start, amount, TOWN), amount, TOWN)
    assert [(level.level, level.label, level.audience) for level in levels] == [
        (1, "50%", "handler"),
        (2, "80%", "unit_head"),
        (3, "100%", "supervisor"),
        (4, "+1wd", "leader"),
    ]
    assert [level.at for level in levels] == [
        at(f"2026-10-{time}") for time in ("12 11:00", "12 14:12", "12 15:00", "13 15:00")
    ]


def test_levels_are_sorted_by_when_they_are_reached_and_never_before_the_start() -> None:
    start, amount = at("2026-10-12 09:00"), need_amount("2h")
    levels = ladder(
        parse_ladder("100%:supervisor;-3h:unit_head;50%:handler"), start, at("2026-10-12 11:00"), amount, TOWN
    )
    assert [(level.level, level.at) for level in levels] == [
        (2, start),
        (3, at("2026-10-12 10:00")),
        (1, at("2026-10-12 11:00")),
    ]


@pytest.mark.parametrize(
    "text",
    ["50%", "50%:", "50%:mayor", "half:handler", "0%:handler", "+0wd:leader", "+1w:leader", "1wd:leader", "50:handler",
     "50%:handler;50%:handler", "-:handler", ";".join(f"{n}%:handler" for n in range(1, 20))],
)  # fmt: skip
def test_ladder_that_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_ladder(text)
    assert str(refused.value.errors["alarms"])


def test_empty_ladder_has_no_levels_and_a_written_one_is_read_back() -> None:
    assert parse_ladder("") == ()
    assert ";".join(str(rung) for rung in parse_ladder(f" {USUAL} ;")) == USUAL
