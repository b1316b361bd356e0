"""Edge cases of the processes that look at the clocks: crashes, clocks that disagree, what is held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import event, func, select

from feedback.kernel.db import db
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import drain
from feedback.people.models import Account
from feedback.sla.models import SlaAlarm
from feedback.sla.sweep import fire_due
from tests.jobs.sink import Sink
from tests.support.calendars import at
from tests.support.clocks import Clocks
from tests.support.county import START, County
from tests.support.story import Story


def test_crash_between_the_record_and_its_message_leaves_neither(county: County) -> None:
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    now = at("2026-03-04 15:00")

    class Killed(BaseException):
        pass

    def die(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "INSERT INTO outbox" in statement:
            raise Killed

    event.listen(db.engine, "before_cursor_execute", die)
    with pytest.raises(Killed):
        fire_due(now, 50)
    event.remove(db.engine, "before_cursor_execute", die)
    assert clocks.session.scalar(select(func.count()).select_from(SlaAlarm)) == 0
    assert fire_due(now, 50).alarms == 1
    assert len(clocks.sent()) == clocks.session.scalar(select(func.count()).select_from(SlaAlarm)) == 1


def test_hosts_whose_clocks_disagree_write_each_level_once(county: County) -> None:
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    due = at("2026-03-09 09:00")
    for minutes in (-5, 5, -5, 0, 5, -90, 90):
        fire_due(due + timedelta(minutes=minutes), 50)
    assert clocks.labels("resolution") == ["50%", "80%", "100%"]
    assert clocks.get("resolution").breached_at == due
    assert len({row.unique_key for row in clocks.sent()}) == len(clocks.sent())


def test_sweep_looks_only_at_what_is_due_however_many_run(county: County) -> None:
    """Its statement reads the due rows by the index, not the open ones."""
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    fire_due(at("2026-03-02 09:00"), 50)
    event.remove(db.engine, "before_cursor_execute", note)
    (look,) = [statement for statement in asked if "FROM sla_clock" in statement]
    plan = db.session().connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {look}", ("2026", 50, 0)).fetchall()
    assert "ix_sla_clock_next_alarm_at (next_alarm_at<?)" in " ".join(str(row) for row in plan)


def test_quiet_hours_before_a_holiday_deliver_once_when_the_next_working_day_opens(
    county: County, sink: Callable[..., Sink]
) -> None:
    server = sink()
    eve, opens = at("2026-09-30 22:30"), at("2026-10-08 07:00")
    with transaction() as session:
        put_setting(session, "quiet_hours", "22:00-07:00", now=START)
        put_setting(session, "quiet_days_off", True, now=START)
        session.get_one(Account, county.accounts["lw"].id).email = "lw@people.test"
    settings = replace(current_app.config["SETTINGS"], smtp_url=server.url)
    Story(county, now=eve).submit()
    for now in (eve, at("2026-10-01 10:00"), at("2026-10-05 07:00"), opens - timedelta(seconds=1)):
        assert drain(now=now, settings=settings).sent == 0
    assert [drain(now=opens, settings=settings).sent for _ in range(3)] == [1, 0, 0]
    assert len(server.taken) == 1
    Story(county, now=eve).submit(urgency="urgent")
    assert drain(now=eve, settings=settings).sent == 1, "what is urgent is never held"
