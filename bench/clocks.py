"""Times the deadline engine alone: working time beside the fastest libraries found for it, and sweeps over many open clocks.

    python -m pip install --target LIBS -r bench/clocks.txt
    PYTHONPATH=LIBS python -m bench.clocks --out clocks.json
    python -m bench.clocks --sweep 10000,100000,1000000 --out sweeps.json

Every library gets the same questions in one run, in its own kind of instants; an answer that differs is counted and shown.
Seconds are CPU time of this process, so that a busy machine does less harm.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from bench import many_clocks, servers
from feedback.calendars.definition import CalendarDefinition, DateRow, WeekRow
from feedback.calendars.holidays import official_days
from feedback.calendars.notation import parse_days, parse_windows
from feedback.calendars.worktime import Calendar, add_working_days, add_working_time, working_time_between

ZONE = ZoneInfo("Asia/Shanghai")
WINDOWS = ("09:00-12:00", "14:00-17:30")
YEARS = (2025, 2026)
LONG = timedelta(days=400)


@dataclass(frozen=True)
class Question:
    """A start on the wall clock of 2025, an amount in working minutes and in days, and an end up to 400 days later."""

    start: datetime
    minutes: int
    days: int
    end: datetime


@dataclass(frozen=True)
class Contender:
    """What a library answers, on the wall clock; None where it can't express the question."""

    name: str
    add: Callable[[Question], datetime] | None
    between: Callable[[Question], timedelta] | None
    days: Callable[[Question], date] | None
    most: int = 10_000


def questions(count: int) -> list[Question]:
    """The same for everybody, whenever it is run."""
    chance = random.Random(7)  # noqa: S311
    made = []
    for _ in range(count):
        start = datetime(2025, 1, 2) + timedelta(minutes=chance.randrange(300 * 1440))  # noqa: DTZ001
        span = timedelta(minutes=chance.randrange(60, 400 * 1440))
        made.append(Question(start, chance.randrange(15, 4800), chance.randrange(1, 15), start + span))
    return made


def days_of(kind: str) -> list[date]:
    return [day for year in YEARS for day, what in official_days(year).items() if what == kind]


def own(*, makeup: bool) -> Contender:
    """The engine; its answers are turned to the wall clock outside of what is timed."""
    rows = [DateRow("holiday", day, day) for day in days_of("holiday")]
    rows += [DateRow("workday", day, day) for day in days_of("workday")] if makeup else []
    week = WeekRow(parse_days("mon;tue;wed;thu;fri"), parse_windows(";".join(WINDOWS)))
    calendar = Calendar(CalendarDefinition("bench", (week,), tuple(rows)))

    def local(instant: datetime) -> datetime:
        return instant.replace(tzinfo=ZONE)

    return Contender(
        "zhida",
        lambda q: add_working_time(local(q.start), timedelta(minutes=q.minutes), calendar),
        lambda q: working_time_between(local(q.start), local(q.end), calendar),
        lambda q: add_working_days(local(q.start), q.days, calendar),
    )


def timegrid(*, makeup: bool) -> Contender:
    """Rust; wall clock without zones; its ranges are asked of a compiled timeline."""
    library = importlib.import_module("timegrid")
    calendar = library.TimeGridCalendar.create()
    windows = [[datetime.strptime(end, "%H:%M").time() for end in window.split("-")] for window in WINDOWS]  # noqa: DTZ007
    for opens, closes in windows:
        calendar = calendar.open_weekdays(opens, closes)
    for day in days_of("holiday"):
        calendar.add_holiday(day)
    for day in days_of("workday") if makeup else ():
        for opens, closes in windows:
            calendar.add_open_window(datetime.combine(day, opens), datetime.combine(day, closes))
    line = calendar.compile(datetime(2024, 12, 1), datetime(2027, 6, 1))  # noqa: DTZ001
    return Contender(
        "timegrid",
        lambda q: calendar.add_work_duration(q.start, library.minutes(q.minutes)),
        lambda q: line.get_working_duration(q.start, q.end),
        None,
    )


def businesstimedelta(*, makeup: bool) -> Contender:
    """Pure Python; has no make-up workdays."""
    library = importlib.import_module("businesstimedelta")
    pytz = importlib.import_module("pytz")
    zone = pytz.timezone("Asia/Shanghai")
    parts = [[datetime.strptime(end, "%H:%M").time() for end in window.split("-")] for window in WINDOWS]  # noqa: DTZ007
    rules = [library.WorkDayRule(start_time=a, end_time=b, working_days=[0, 1, 2, 3, 4], tz=zone) for a, b in parts]
    ahead = date(2029, 10, 1)  # it fails where no holiday lies ahead
    closed = library.HolidayRule({*days_of("holiday"), ahead}, tz=zone)
    every = library.Rules([*rules, closed])
    return Contender(
        "businesstimedelta",
        None if makeup else lambda q: zone.localize(q.start) + library.BusinessTimeDelta(every, seconds=q.minutes * 60),
        None if makeup else lambda q: every.difference(zone.localize(q.start), zone.localize(q.end)).timedelta,
        None,
        most=100,
    )


def numpy(*, makeup: bool) -> Contender:
    """Whole days only, of dates; has no make-up workdays and no hours."""
    library = importlib.import_module("numpy")
    days = library.busdaycalendar(holidays=[day.isoformat() for day in days_of("holiday")])
    return Contender(
        "numpy.busday_offset",
        None,
        None,
        None
        if makeup
        else lambda q: library.busday_offset(q.start.date(), q.days, roll="forward", busdaycal=days).astype(object),
    )


def measure(asked: Sequence[Question], *, makeup: bool) -> dict[str, Any]:
    """Calls a second of each library, and how many of its answers differ from the engine's."""
    found: dict[str, Any] = {}
    ours = own(makeup=makeup)
    for make in (own, timegrid, businesstimedelta, numpy):
        try:
            contender = make(makeup=makeup)
        except ImportError:
            found[make.__name__] = "not installed"
            continue
        for what in ("add", "between", "days"):
            ask, right = getattr(contender, what), getattr(ours, what)
            if ask is None:
                continue
            some = asked[: contender.most]
            if what == "days":  # a start after closing counts from the next day here and from the same in numpy
                some = [q for q in some if 9 <= q.start.hour < 17 and q.start.hour not in (12, 13)]
            for question in some[:50]:
                ask(question)
            began = time.process_time()
            answers = [ask(question) for question in some]
            seconds = time.process_time() - began
            wrong = sum(not is_same(a, right(q)) for a, q in zip(answers, some, strict=True))
            found.setdefault(contender.name, {})[what] = {
                "per_second": round(len(some) / seconds),
                "microseconds": round(seconds / len(some) * 1e6, 2),
                "asked": len(some),
                "differ": wrong,
            }
    return found


def is_same(answer: Any, right: Any) -> bool:
    """Wall clock against instant, date against instant, duration against duration."""
    if isinstance(right, datetime):
        local = right.astimezone(ZONE)
        if isinstance(answer, datetime):
            at = answer if answer.tzinfo else answer.replace(tzinfo=ZONE)
            return at == right
        return bool(answer == local.date())
    return bool(answer == right)


def long_span() -> dict[str, float]:
    """Microseconds of each calculation over 400 days: warm, and with a calendar that was never asked before."""
    question = Question(datetime(2025, 1, 6, 9), 100_000, 270, datetime(2025, 1, 6, 9) + LONG)  # noqa: DTZ001
    contender = own(makeup=True)
    told = {}
    for what in ("add", "between", "days"):
        ask: Callable[[Question], Any] = getattr(contender, what)
        ask(question)
        began = time.process_time()
        for _ in range(2000):
            ask(question)
        told[what] = round((time.process_time() - began) / 2000 * 1e6, 2)
    began = time.process_time()
    ask = getattr(own(makeup=True), "between")  # noqa: B009
    ask(question)
    told["first_time"] = round((time.process_time() - began) * 1e6)
    return told


def sweeps(sizes: Sequence[int], due: int, rounds: int, *, on_postgres: bool) -> list[dict[str, Any]]:
    """Sweeps over `due` clocks among each number of open ones, by turns, on a database for each number."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhida-clocks-")))
        urls: dict[int, str | None] = dict.fromkeys(sizes)
        if on_postgres:
            cluster = stack.enter_context(servers.postgres(folder))
            urls = {size: new_database(cluster, f"clocks_{size}") for size in sizes}
        sites = [many_clocks.fill(folder / str(size), size, due, urls[size]) for size in sizes]
        taken: list[list[dict[str, float]]] = [[] for _ in sites]
        for _ in range(rounds):
            for site, times in zip(sites, taken, strict=True):
                times.append(many_clocks.sweep_once(site, due))
    first = statistics.median(each["cpu_seconds"] for each in taken[0])
    return [
        {
            "open_clocks": size,
            "due": due,
            "cpu_seconds": round(statistics.median(each["cpu_seconds"] for each in times), 4),
            "seconds": round(statistics.median(each["seconds"] for each in times), 4),
            "alarms_per_second": round(due / statistics.median(each["seconds"] for each in times)),
            "growth": round(statistics.median(each["cpu_seconds"] for each in times) / first, 3),
        }
        for size, times in zip(sizes, taken, strict=True)
    ]


def new_database(url: str, name: str) -> str:
    """The URL of a new database beside that of `url`."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload, arg-type, unused-ignore]
    return url.replace("/zhida?", f"/{name}?")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.clocks", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="how many questions")
    parser.add_argument("--sweep", help="numbers of open clocks, such as 10000,100000,1000000")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="of the sweeps")
    parser.add_argument("--due", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    told: dict[str, Any] = {}
    if options.sweep:
        sizes = [int(size) for size in options.sweep.split(",")]
        told["sweeps"] = sweeps(sizes, options.due, options.rounds, on_postgres=options.database == "postgres")
    else:
        asked = questions(options.count)
        told["plain"] = measure(asked, makeup=False)
        told["with_makeup_workdays"] = measure(asked, makeup=True)
        told["span_of_400_days_microseconds"] = long_span()
    text = json.dumps(told, indent=2)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
