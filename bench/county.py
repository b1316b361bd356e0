"""The county that is measured: 20 departments, 40 handlers, villages; and tickets with every kind of past to be copied from.

The people and the patterns are made through the use-cases, as any site's would be; bench/seed.py multiplies the patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import update
from sqlalchemy.orm import Session

from feedback.demo import plots
from feedback.demo.defaults import install_site_defaults
from feedback.demo.plots import Plot, Step
from feedback.demo.replay import Performance, Replay, awake
from feedback.demo.texts import Story
from feedback.kernel.actor import SYSTEM
from feedback.kernel.imports import ImportResult
from feedback.kernel.tabular import read_rows
from feedback.kernel.transaction import transaction
from feedback.people import account_import, unit_import
from feedback.people.account_import import import_accounts
from feedback.people.models import Account
from feedback.people.passwords import hash_password
from feedback.people.unit_import import import_units
from feedback.routing.imports import import_catalogue

DEPARTMENTS, HANDLERS_EACH = 20, 2
TOWNS, VILLAGES_EACH, WRITERS_EACH = 5, 4, 5
PASSWORD = "only-on-a-bench-2026"  # noqa: S105 (a database that is thrown away)
ROOT = "bx"
PATTERN_DEPARTMENT = f"{ROOT}-d01"
PATTERN_VILLAGE = f"{ROOT}-t01-v1"


def department(number: int) -> str:
    """The code of a department, from 1."""
    return f"{ROOT}-d{number:02}"


def villages() -> list[str]:
    """The codes of all villages."""
    return [f"{ROOT}-t{town:02}-v{village}" for town in range(1, TOWNS + 1) for village in range(1, VILLAGES_EACH + 1)]


def handler(number: int, which: int) -> str:
    """The login of a department's handler, both from 1; the first is also its head."""
    return f"handler{number:02}{which}"


def writers(village: str) -> list[str]:
    """The logins of those who write from a village."""
    return [f"writer-{village[3:]}-{which}" for which in range(1, WRITERS_EACH + 1)]


def load_people(*, now: datetime) -> None:
    """Defaults, units, accounts and catalogue of an empty database, as files that an administrator would bring."""
    install_site_defaults(now=now)
    _whole(import_units(read_rows(_units(), "units.csv", required=unit_import.REQUIRED), actor=SYSTEM, now=now))
    accounts = read_rows(_accounts(), "accounts.csv", required=account_import.REQUIRED)
    _whole(import_accounts(accounts, actor=SYSTEM, now=now))
    _whole(import_catalogue(_catalogue(), "catalogue.csv", actor=SYSTEM, now=now))
    with transaction() as session:
        session.execute(update(Account).values(password_hash=hash_password(PASSWORD)))


def _whole(result: ImportResult) -> None:
    if not result.is_clean:
        raise RuntimeError(f"the bench's own file is wrong: {result.errors[:3]}")


def _units() -> bytes:
    rows = ["code,name,parent,kind,level", f"{ROOT},测试县,,region,county"]
    rows += [f"{department(n)},第{n}局,{ROOT},department,county" for n in range(1, DEPARTMENTS + 1)]
    for town in range(1, TOWNS + 1):
        rows.append(f"{ROOT}-t{town:02},第{town}镇,{ROOT},region,town")
        rows += [
            f"{ROOT}-t{town:02}-v{village},第{town}镇{village}村,{ROOT}-t{town:02},region,village"
            for village in range(1, VILLAGES_EACH + 1)
        ]
    return "\n".join(rows).encode()


def _accounts() -> bytes:
    rows = ["login,name,roles"]
    for number in range(1, DEPARTMENTS + 1):
        for which in range(1, HANDLERS_EACH + 1):
            roles = ["handler", "unit_head"] if which == 1 else ["handler"]
            held = ";".join(f"{role}@{department(number)}" for role in roles)
            rows.append(f"{handler(number, which)},经办{number}-{which},{held}")
    for village in villages():
        rows += [f"{login},村干部{login[7:]},submitter@{village}" for login in writers(village)]
    for role in ("dispatcher", "leader", "supervisor", "adjudicator", "admin"):
        rows += [f"{role}{which},{role}{which},{role}@{ROOT}" for which in (1, 2)]
    return "\n".join(rows).encode()


def _catalogue() -> bytes:
    rows = ["category,keywords,area,lead,assists,grounds,not_below"]
    rows += [f"matter/kind{n:02},第{n:02}类事,,{department(n)},,," for n in range(1, DEPARTMENTS + 1)]
    return "\n".join(rows).encode()


def _worked_on(s: plots.Scene) -> Iterator[Step]:
    """Taken up, and not done yet."""
    yield from plots.taken_up(s)


def _given_out(s: plots.Scene) -> Iterator[Step]:
    """The head gave it to a handler, who works on it."""
    yield from plots.dispatched(s)
    yield Step("60wmin", "head", "acknowledge", {}, ("dispatched",))
    yield Step("20wmin", "head", "assign", {"assignee": "@handler"}, ("in_progress",))
    yield Step("90wmin", "handler", "reply", {"text": s.story.reply}, ("in_progress",))


def _waiting(s: plots.Scene) -> Iterator[Step]:
    """The unit has asked its submitter."""
    yield Step("60wmin", "handler", "acknowledge", {}, ("dispatched",))
    yield Step("30wmin", "handler", "ask_submitter", {"text": "请问具体在哪个位置？"}, ("in_progress",))


PATTERNS: tuple[tuple[Plot, int, tuple[float, float]], ...] = (
    (plots.confirmed, 14, (14, 60)),
    (plots.confirmed_without_rating, 3, (14, 60)),
    (plots.unanswered, 5, (30, 60)),
    (plots.disputed, 4, (25, 60)),
    (plots.reopened, 2, (35, 60)),
    (plots.asked, 4, (20, 60)),
    (plots.late_but_done, 4, (25, 60)),
    (plots.assigned, 2, (15, 60)),
    (plots.withdrawn, 1, (12, 60)),
    (_worked_on, 5, (25, 60)),
    (plots.neglected, 4, (25, 60)),
    (plots.disputed_and_quiet, 2, (30, 60)),
    (_given_out, 3, (25, 60)),
    (_worked_on, 3, (1, 4)),
    (_given_out, 2, (1, 3)),
    (_waiting, 1, (0.8, 1.5)),
    (plots.sent_only, 1, (0.1, 0.2)),
)
"""Plots, how many of each, and their age in days: 39 of 60 are closed at the end (65 %); of those still open 14 have passed
every alarm. Only what has nothing before it may be copied into the past as it is (bench/seed.py)."""


def play_patterns(session: Session, *, now: datetime, seed: int = 1) -> int:
    """Play one ticket of each pattern at one department through the use-cases; answers how many."""
    replay = Replay(session, now)
    draw = Random(seed)  # noqa: S311
    number = 0
    for plot, count, age in PATTERNS:
        for _ in range(count):
            number += 1
            begins = awake(now - timedelta(days=draw.uniform(*age)))
            story = Story("matter/kind01", "demand", f"第01类事：{_TEXT}", _REPLY, _DONE, "还是老样子。")
            fields = {"text": story.text, "category": story.category}
            replay.add(
                Performance(
                    session=session,
                    draw=Random(draw.random()),  # noqa: S311
                    story=story,
                    lead=PATTERN_DEPARTMENT,
                    plot=plot,
                    begins=min(begins, now - timedelta(hours=1)),
                    submitter=writers(PATTERN_VILLAGE)[0],
                    fields=fields,
                )
            )
    for _steps in replay.play():
        pass
    return number


_TEXT = "村口主管接头漏水三天了，路边一直淌，下面两户院子里都是湿的，请派人来看看，晚上都有人在家。"
_REPLY = "我们今天下午派人去看，先把上面的阀门关小。"
_DONE = "接头胶圈老化，已换新管箍，试压半小时不漏，路面已回填。"
