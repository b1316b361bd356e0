"""Histories by chance through the use-cases on a real database, each clock held against the plain oracle after every step."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import feedback.sla
from feedback.calendars.queries import calendar_by_id
from feedback.calendars.worktime import working_time_between
from feedback.kernel.actor import SYSTEM
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.reports.recount import find_differences
from feedback.sla.calendar_import import import_calendars
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.sla.policy_import import import_policies
from feedback.supervision.escalation import run_sweep
from feedback.supervision.open_tickets import OpenTickets
from feedback.tickets.models import TicketRequest
from tests.support.county import START, County, build_county
from tests.support.slow_clocks import Counting, SlowClock, slow_calendar
from tests.support.slow_tickets import Policies, SlowTicket
from tests.support.story import LEAK, PLAIN, Story

HANDS = {"water": "hw", "roads": "hr", "a": "ha", "b": "hb"}
DECIDERS = {"water": ("d", "lr"), "roads": ("d", "lr"), "a": ("dp1", "lp"), "b": ("dp1", "lp")}
"""Who decides on more time for each unit: the first time, and the second."""
SITE, PUMPS = ((540, 720), (780, 1080)), ((480, 720), (840, 1080))
DEFAULTS = Path(feedback.sla.__file__).with_name("default_policies.csv")
URGENCIES = ("normal", "urgent", "critical")


@dataclass
class World:
    """Some tickets, what the oracle says of them, and chance."""

    county: County
    chance: random.Random
    now: datetime = START
    rows: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    policies: Policies = field(default_factory=dict)
    holidays: dict[str, set[date]] = field(default_factory=lambda: {"site": set(), "pumps": set()})
    calendars: dict[str, Any] = field(default_factory=dict)
    tickets: list[tuple[Story, SlowTicket]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    is_swept: bool = False

    def __post_init__(self) -> None:
        with DEFAULTS.open(encoding="utf-8") as file:
            self.rows = {(row["kind"], row["urgency"]): row for row in csv.DictReader(file)}
        self.policies.update(self.rows)
        rows = "pumps,week,mon;tue;wed;thu;fri,,08:00-12:00;14:00-18:00,,cn,\n"
        self._take_calendar(rows)
        with transaction() as session:
            session.get_one(Unit, self.county.units["water"].id).calendar_code = "pumps"
        self._count()

    def _count(self) -> None:
        for code, windows in (("site", SITE), ("pumps", PUMPS)):
            self.calendars[code] = Counting(slow_calendar(*windows, holidays=tuple(self.holidays[code])))

    def _take_calendar(self, rows: str, *, is_dry_run: bool = False) -> None:
        raw = f"calendar,rule,days,date,windows,timezone,base,note\n{rows}".encode()
        done = import_calendars(raw, "c.csv", actor=SYSTEM, now=self.now, tickets=OpenTickets(), is_dry_run=is_dry_run)
        assert done.result.is_clean, done.result.errors

    def play(self, steps: int) -> None:
        for _ in range(steps):
            minutes = self.chance.choice((1, 7, 30, 60, 180, 480, 1440, 2880))
            if self.chance.random() < 0.03:
                minutes = 9 * 1440  # the clock jumps ahead, and nobody was there in between
            self.now += timedelta(minutes=minutes)
            self.is_swept = False
            self._step()
            if self.chance.random() < 0.6:  # else nobody sweeps for a while
                self._sweep(self.now)
            self.compare()
        self.now += timedelta(days=40)
        self._sweep(self.now)
        self.compare()

    def _step(self) -> None:
        dice = self.chance.random()
        if len(self.tickets) < 3 and dice < 0.5:
            self._submit()
        elif dice < 0.06:
            self._edit_policy()
        elif dice < 0.12:
            self._edit_calendar()
        elif dice < 0.16:
            self._sweep(self.now - timedelta(hours=2))  # a host whose clock has jumped back
            self.is_swept = False
        elif dice < 0.19:
            self._sweep(self.now + timedelta(hours=2))  # a host whose clock has jumped ahead
        elif self.tickets:
            story, slow = self.chance.choice(self.tickets)
            offered = self._offered(story, slow)
            if offered:
                wanted = [name for name in ("ask_for_time", "decide_time") if name in offered]
                is_wanted = wanted and self.chance.random() < 0.4  # else more time would hardly ever be granted
                name = wanted[0] if is_wanted else self.chance.choice(sorted(offered))
                self._say(f"{story.reference} {name}")
                offered[name]()

    def _say(self, what: str) -> None:
        self.steps.append(f"{self.now.isoformat()} {what}")

    def _submit(self) -> None:
        is_sure = self.chance.random() < 0.7
        slow = SlowTicket(self.policies, self.calendars)
        slow.submit(self.now, "water" if is_sure else None)
        story = Story(self.county, now=self.now).submit(text=LEAK if is_sure else PLAIN)
        self.tickets.append((story, slow))
        self._say(f"{story.reference} submit")

    def _offered(self, story: Story, slow: SlowTicket) -> dict[str, Callable[[], None]]:
        """What is legal now: each changes the ticket and then the oracle."""
        now, lead, state = self.now, slow.lead or "", story.state

        def act(login: str, name: str, tell: Callable[[], object], **fields: Any) -> Callable[[], None]:
            def run() -> None:
                story.now = now
                story.act(login, name, hours=0, **fields)
                tell()

            return run

        hand = HANDS.get(lead, "")
        other = self.chance.choice([unit for unit in HANDS if unit != lead])
        found: dict[str, Callable[[], None]] = {}
        if state == "submitted":
            found["dispatch"] = act("dp1", "dispatch", lambda: slow.dispatch(now, other), lead=other)
            if slow.asked < 2:
                found["ask"] = act("dp1", "ask_submitter", lambda: slow.ask(now), text="请问是哪一处？")
        if state == "dispatched":
            found["acknowledge"] = act(hand, "acknowledge", lambda: slow.end("signing", now))
        if state in ("dispatched", "in_progress"):
            found["transfer"] = act("dp1", "transfer", lambda: slow.transfer(now, other), unit=other, reason="职责不符")
            if not any(c.unit == other and c.name == "assist" and c.dropped is None for c in slow.clocks):
                found["add_leg"] = act(
                    "dp1", "add_leg", lambda: slow.begin("leg", now, "assist", other), unit=other, task="请配合核实"
                )
            if slow.assists():
                unit = slow.assists()[0]
                found["answer_leg"] = act(
                    HANDS[unit], "answer_leg", lambda: slow.end("leg", now, unit), text="已到现场核实清楚"
                )
                found["drop_leg"] = act(
                    "dp1", "drop_leg", lambda: slow.end("leg", now, unit, is_met=False), unit=unit, reason="不再需要"
                )
        if state in ("submitted", "dispatched", "in_progress"):
            kind = "question" if slow.kind == "demand" else "demand"
            found["reclassify"] = act(
                "dp1", "reclassify", lambda: self._anew(slow, kind=kind), kind=kind, reason="性质不同"
            )
        if state in ("submitted", "dispatched", "in_progress", "waiting_for_submitter"):
            rank = URGENCIES.index(slow.urgency)
            if rank < 2:
                raised = URGENCIES[rank + 1]
                found["raise"] = act(
                    "dp1", "set_urgency", lambda: self._raised(slow, raised), urgency=raised, reason="影响出行"
                )
            if rank > 0:
                found["lower"] = lambda: self._lower(story, slow, URGENCIES[rank - 1])
        if slow.lead and state in ("in_progress", "waiting_for_submitter"):
            found |= self._about_more_time(story, slow, act)
        if state == "in_progress":
            found["reply"] = act(hand, "reply", lambda: slow.end("first_response", now), text="已派人到现场查看处理")
            if slow.asked < 2:
                found["ask"] = act(hand, "ask_submitter", lambda: slow.ask(now), text="请问是哪一处？")
            if not slow.assists():
                found["resolve"] = act(
                    hand, "resolve", lambda: slow.resolve(now), outcome="solved", text="已更换一段水管，试水不漏。"
                )
        if state == "waiting_for_submitter":
            found["answer"] = act("s", "answer", lambda: slow.wake(now), text="村委会门口那一段")
        if state == "resolved":
            found["dispute"] = act("s", "dispute", lambda: slow.restart(now), reason="还在漏水")
            found["confirm"] = act("s", "confirm", lambda: self._confirmed(slow), verdict="solved")
        if state in ("closed.confirmed", "closed.unanswered") and now < (story.ticket.closed_at or now) + timedelta(29):
            found["reopen"] = act("s", "reopen", lambda: slow.restart(now), reason="又漏了")
        return found

    def _about_more_time(self, story: Story, slow: SlowTicket, act: Any) -> dict[str, Callable[[], None]]:
        """Asking for it before the due time, deciding it (in time or too late), taking it back."""
        now, hand, found = self.now, HANDS[slow.lead or ""], dict[str, Callable[[], None]]()
        is_worked_on = story.state == "in_progress"
        running = slow.resolution()
        if is_worked_on and slow.wish is None and slow.decided < 2 and running and running.due and now < running.due:
            due, latest = slow.reach()
            until = max(due + timedelta(minutes=1), due + (latest - due) * self.chance.choice((0, 25, 100)) // 100)
            until = until.replace(second=0, microsecond=0)
            fields: dict[str, Any] = {"reason": "要等配件", "due_at": until.isoformat(), "interim": "每天送水"}
            found["ask_for_time"] = act(hand, "request_extension", lambda: slow.make_wish(now, until), **fields)
        elif slow.wish is not None:
            request = self._newest_request(story, "extension")
            found["take_back"] = act(hand, "withdraw_request", lambda: slow.drop_wish(now), request=request)
            if is_worked_on:
                is_granted = slow.may_be_granted(now) and self.chance.random() < 0.8
                found["decide_time"] = act(
                    DECIDERS[slow.lead or ""][slow.decided],
                    "decide",
                    lambda: slow.decide_wish(now, is_granted=is_granted),
                    request=request,
                    decision="granted" if is_granted else "refused",
                    text="情况属实",
                )
        return found

    def _newest_request(self, story: Story, kind: str) -> int | None:
        asked = select(TicketRequest.id).where(TicketRequest.ticket_id == story.ticket.id, TicketRequest.kind == kind)
        return self.county.session.scalars(asked.order_by(TicketRequest.id.desc())).first()

    def _raised(self, slow: SlowTicket, urgency: str) -> None:
        slow.raised()
        self._anew(slow, urgency=urgency)

    def _confirmed(self, slow: SlowTicket) -> None:
        slow.end("confirmation", self.now)
        slow.stop(self.now)

    def _anew(self, slow: SlowTicket, **changes: str) -> None:
        for name, value in changes.items():
            setattr(slow, name, value)
        slow.repolicy(self.now)

    def _lower(self, story: Story, slow: SlowTicket, urgency: str) -> None:
        """Two people: one asks, another decides ten minutes later."""
        story.now = self.now
        story.act("dp1", "set_urgency", hours=0, urgency=urgency, reason="已有临时措施")
        decision = slow.begin("decision", self.now)
        self.now += timedelta(minutes=10)
        story.now = self.now
        request = self._newest_request(story, "lower_urgency")
        story.act("su", "decide", hours=0, request=request, decision="granted", text="情况属实")
        decision.end(self.now, is_met=True)
        self._anew(slow, urgency=urgency)

    def _edit_policy(self) -> None:
        key = (self.chance.choice(("demand", "question")), self.chance.choice(URGENCIES[:2]))
        row = {**self.rows[key], "resolution": self.chance.choice(("3wd", "20wh", "36h", "7wd"))}
        row["leg_floor"] = self.chance.choice(("2h", "2wd", "10wh"))
        is_for_open, is_tried = self.chance.random() < 0.6, self.chance.random() < 0.3
        raw = "\n".join([",".join(row), ",".join(row.values()), ""]).encode()
        self._say(f"policy {key} {row['resolution']} {row['leg_floor']} open={is_for_open} tried={is_tried}")
        done = import_policies(
            raw,
            "p.csv",
            actor=SYSTEM,
            now=self.now,
            tickets=OpenTickets(),
            apply_to_open=is_for_open,
            is_dry_run=is_tried,
        )
        assert done.result.is_clean, done.result.errors
        if is_tried:
            return
        self.rows[key] = self.policies[key] = row
        for _, slow in self.tickets if is_for_open else ():
            slow.repolicy(self.now)

    def _edit_calendar(self) -> None:
        code = self.chance.choice(("site", "pumps"))
        day = (self.now + timedelta(days=self.chance.randint(1, 9))).date()
        is_tried = self.chance.random() < 0.3
        self._say(f"holiday {code} {day} tried={is_tried}")
        self._take_calendar(f"{code},holiday,,{day},,,,\n", is_dry_run=is_tried)
        if is_tried or day in self.holidays[code]:
            return
        self.holidays[code].add(day)
        self._count()
        for _, slow in self.tickets:
            if any(clock.calendar == code for clock in slow.open()):
                slow.pass_to(self.now)
                slow.lay(self.now)

    def _sweep(self, now: datetime) -> None:
        self._say(f"sweep {now.isoformat()}")
        before = [(slow, story.ticket.status) for story, slow in self.tickets]
        assert run_sweep(now, by="test").failures == 0
        for slow, status in before:
            slow.sweep(now, status)
        self.is_swept = True
        sent = select(SlaAlarm.clock_id, SlaAlarm.deadline_version).where(SlaAlarm.fired_at == now, SlaAlarm.is_sent)
        clocks = self.county.session.execute(sent).all()
        assert len(clocks) == len(set(clocks)), "of several levels only the highest is sent"

    def compare(self) -> None:
        codes = {unit.id: code for code, unit in self.county.units.items()}
        session = self.county.session
        for story, slow in self.tickets:
            rows, expected = defaultdict(list), defaultdict(list)
            ticket = story.ticket
            for row in session.scalars(select(SlaClock).where(SlaClock.ticket_id == ticket.id).order_by(SlaClock.id)):
                rows[row.kind, codes.get(row.unit_id or 0)].append(row)
            for clock in slow.clocks:
                expected[clock.kind, clock.unit].append(clock)
            assert {key: len(found) for key, found in rows.items()} == {k: len(f) for k, f in expected.items()}, (
                self.said()
            )
            for key, found in rows.items():
                for row, clock in zip(found, expected[key], strict=True):
                    self._compare_clock(row, clock, key)
            running = slow.resolution()
            assert ticket.due_at == (running.due if running else None), self.said()

    def _compare_clock(self, row: SlaClock, clock: SlowClock, key: tuple[str, str | None]) -> None:
        told = f"{key}\n{self.said()}"
        assert (row.due_at, row.met_at, row.dropped_at) == (clock.due, clock.met, clock.dropped), told
        if self.is_swept or not clock.is_open:
            assert row.breached_at == clock.breached, told
            alarms = select(SlaAlarm.label, SlaAlarm.deadline_version, SlaAlarm.due_at).where(
                SlaAlarm.clock_id == row.id
            )
            found = {(label, version): at for label, version, at in self.county.session.execute(alarms)}
            assert found == clock.alarms, told
        if clock.is_open and row.due_at > self.now:
            left = working_time_between(self.now, row.due_at, calendar_by_id(self.county.session, row.calendar_id))
            assert left == self.calendars[clock.calendar].between(self.now, row.due_at) * timedelta(minutes=1), told

    def said(self) -> str:
        return "\n".join(self.steps[-40:])


def play(county: County, seed: int, steps: int) -> None:
    World(county, random.Random(seed)).play(steps)
    county.session.rollback()
    assert [str(one) for one in find_differences(county.session)] == []


@pytest.mark.parametrize("seed", [108])
def test_clocks_of_a_random_history_are_those_of_the_oracle(county: County, seed: int) -> None:
    play(county, seed, 45)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(200, 220))
def test_clocks_of_random_histories_are_those_of_the_oracle_on_the_other_database(
    postgres_app: Flask, seed: int
) -> None:
    play(build_county(db.session()), seed, 120)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_clocks_of_many_random_histories_are_those_of_the_oracle(county: County, seed: int) -> None:
    play(county, seed, 120)
