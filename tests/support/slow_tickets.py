"""What each step does to the clocks of a ticket, written down once more from the rules alone, for histories by chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.support.slow_calendar import SlowCalendar
from tests.support.slow_clocks import PAUSED, SlowClock, Span, count_due, count_granted, merge

Policies = dict[tuple[str, str], dict[str, str]]
CALENDAR_OF = {"water": "pumps"}
"""Units with hours of their own; all others and the submitter's clocks go by the site's."""


@dataclass
class Pause:
    begins: datetime
    wake: datetime
    ended: datetime | None = None


@dataclass
class Wish:
    """More time, asked for and not yet decided: until when, and the clock of the decision."""

    until: datetime
    decision: SlowClock


@dataclass
class SlowTicket:
    """A ticket's clocks, pauses and lead, moved step by step."""

    policies: Policies
    calendars: dict[str, SlowCalendar]
    kind: str = "demand"
    urgency: str = "normal"
    lead: str | None = None
    clocks: list[SlowClock] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    asked: int = 0
    wish: Wish | None = None
    decided: int = 0

    @property
    def policy(self) -> dict[str, str]:
        """That of the newest resolution."""
        return next(c.policy for c in reversed(self.clocks) if c.kind == "resolution")

    def submit(self, now: datetime, lead: str | None) -> None:
        self._start(SlowClock("resolution", now, "resolution", self.policies[self.kind, self.urgency], "site"), now)
        for kind in ("first_response", "dispatch"):
            self.begin(kind, now)
        if lead:
            self.dispatch(now, lead)

    def dispatch(self, now: datetime, lead: str) -> None:
        self.end("dispatch", now)
        self.take_lead(now, lead)

    def transfer(self, now: datetime, unit: str) -> None:
        self.end("leg", now, self.lead, is_met=False)
        self.end("signing", now, is_met=False)
        self.take_lead(now, unit)
        self.drop_wish(now)

    def reach(self) -> tuple[datetime, datetime]:
        """When the resolution is due, and the latest date that may be asked for: its time again, 10 working days at most."""
        clock = self.resolution()
        assert clock
        assert clock.due
        amounts = (clock.amount, "10wd")
        return clock.due, min(count_due(clock.due, amount, self.calendars["site"], []) for amount in amounts)

    def make_wish(self, now: datetime, until: datetime) -> None:
        self.wish = Wish(until, self.begin("decision", now))

    def drop_wish(self, now: datetime) -> None:
        """It was taken back, or the ticket went on without it."""
        if self.wish:
            self.wish.decision.end(now, is_met=False)
        self.wish = None

    def may_be_granted(self, now: datetime) -> bool:
        due, latest = self.reach()
        return self.wish is not None and max(now, due) < self.wish.until <= latest

    def decide_wish(self, now: datetime, *, is_granted: bool) -> None:
        """What was reached before is not undone; the date that was granted stands from now on."""
        wish, clock = self.wish, self.resolution()
        assert wish
        assert clock
        wish.decision.end(now, is_met=True)
        self.wish, self.decided = None, self.decided + 1
        if is_granted:
            self.pass_to(now)
            clock.granted = (now, wish.until)
            self.lay(now)

    def take_lead(self, now: datetime, unit: str) -> None:
        """The unit's own leg goes on if it led before, the time between as a gap; an assist that leads starts anew."""
        self.lead = unit
        self.end("leg", now, unit, is_met=False)
        former = [c for c in self.clocks if c.unit == unit and c.name == "leg_floor"]
        if former and former[-1].dropped:
            clock = former[-1]
            clock.gaps.append((clock.dropped or now, now))
            clock.dropped, clock.policy, clock.follows = None, self.policy, self.resolution()
            self._lay(clock, now)
        else:
            self.begin("leg", now, "leg_floor", unit)
        self.begin("signing", now, unit=unit)

    def begin(self, kind: str, now: datetime, name: str = "", unit: str | None = None) -> SlowClock:
        clock = SlowClock(kind, now, name or kind, self.policy, CALENDAR_OF.get(unit or "", "site"), unit)
        if name == "leg_floor":
            clock.follows = self.resolution()
        self._start(clock, now)
        return clock

    def _start(self, clock: SlowClock, now: datetime) -> None:
        self.clocks.append(clock)
        self._lay(clock, now)

    def resolution(self) -> SlowClock | None:
        return next((c for c in reversed(self.clocks) if c.kind == "resolution" and c.is_open), None)

    def open(self, kind: str | None = None) -> list[SlowClock]:
        return [c for c in self.clocks if c.is_open and kind in (None, c.kind)]

    def assists(self) -> list[str]:
        return [c.unit or "" for c in self.open("leg") if c.name == "assist"]

    def end(self, kind: str, now: datetime, unit: str | None = None, *, is_met: bool = True) -> None:
        for clock in self.open(kind):
            if unit in (None, clock.unit):
                clock.end(now, is_met=is_met)

    def stop(self, now: datetime) -> None:
        for clock in self.open():
            clock.end(now, is_met=False)
        self._end_pauses(now)

    def restart(self, now: datetime) -> None:
        """A dispute or a reopening: a round of its own."""
        self.end("confirmation", now, is_met=False)
        self.asked = 0
        self.begin("resolution", now, "rework")
        self.begin("leg", now, "leg_floor", self.lead)

    def resolve(self, now: datetime) -> None:
        self.end("first_response", now)
        self.end("resolution", now)
        self.end("leg", now, self.lead)
        self.begin("confirmation", now)
        self.drop_wish(now)

    def ask(self, now: datetime) -> None:
        """The question is a human word, and then the clocks of the work stand still."""
        self.end("first_response", now)
        self.pass_to(now)
        self.pauses.append(Pause(now, count_due(now, self.policy["wait"], self.calendars["site"], [])))
        self.asked += 1
        self.lay(now)

    def wake(self, now: datetime) -> None:
        self._end_pauses(now)
        self.lay(now)

    def _end_pauses(self, now: datetime) -> None:
        for pause in self.pauses:
            if pause.ended is None:
                pause.ended = min(now, pause.wake)

    def raised(self) -> None:
        """What was granted in calmer days counts no longer; whoever calls chooses the policy anew."""
        clock = self.resolution()
        if clock:
            clock.granted = None

    def repolicy(self, now: datetime) -> None:
        """The policy is chosen anew; clocks that run are laid from their own start, verdicts stay."""
        self.pass_to(now)
        for clock in self.open():
            clock.policy = self.policies[self.kind, self.urgency]
        self.lay(now)

    def pass_to(self, now: datetime) -> None:
        for clock in self.open():
            clock.pass_to(now)

    def spans(self, clock: SlowClock) -> list[Span]:
        paused: list[Span] = [(p.begins, p.ended or p.wake) for p in self.pauses] if clock.kind in PAUSED else []
        return [*paused, *clock.gaps]

    def lay(self, now: datetime) -> None:
        for clock in sorted(self.open(), key=lambda c: c.follows is not None):
            self._lay(clock, now)

    def _lay(self, clock: SlowClock, now: datetime) -> None:
        calendar, spans = self.calendars[clock.calendar], self.spans(clock)
        due = clock.fixed or count_due(clock.start, clock.amount, calendar, spans)
        if clock.granted:
            due = max(due, count_granted(*clock.granted, clock.amount, calendar, spans))
        if clock.follows and clock.follows.due:
            due = max(due, clock.follows.due)
        clock.lay(due, calendar, merge(spans, clock.start), now)

    def sweep(self, now: datetime, status: str) -> str | None:
        """Alarms and breaches, then what ends by itself: the step that the system takes, if any."""
        self.pass_to(now)
        for clock in self.open("signing"):
            if clock.due and clock.due <= now and status == "dispatched":
                clock.end(now, is_met=True)
                return "acknowledge"
        for clock in self.open("confirmation"):
            if clock.due and clock.due <= now:
                return self._silence(clock, now)
        if any(pause.ended is None and pause.wake <= now for pause in self.pauses):
            self.wake(now)
            return "wake"
        return None

    def _silence(self, clock: SlowClock, now: datetime) -> str | None:
        """A reminder that only came when the time was over gives one working day more, once."""
        assert clock.due is not None
        is_lost = any(at >= clock.due for (_, version), at in clock.noted.items() if version == clock.version)
        if clock.fixed is None and is_lost:
            clock.fixed = clock.due = self.calendars[clock.calendar].add_days(now, 1)
            clock.version += 1
            clock.pending = []
            return None
        self.stop(now)
        return "lapse"
