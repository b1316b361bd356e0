"""What is measured over HTTP: each page or form as load.py wants it, with what speed.md aims for, out of a seeded database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench import county
from feedback.people.models import Unit
from feedback.tickets.models import Ticket

RESOLVED_EACH = 120
MOST_HELD = 3000


@dataclass(frozen=True)
class Measured:
    """A page or form. `aim` is the ratio to the bare page that is asked for; `connections` where only one number counts."""

    name: str
    target: dict[str, Any]
    aim: float | None = None
    connections: int | None = None


def login(base: str, name: str) -> dict[str, Any]:
    """How load.py signs somebody in."""
    return {
        "url": f"{base}/sign-in",
        "fields": {"login": name, "password": county.PASSWORD},
        "expect": "sign-out",
    }


def measured(base: str) -> list[Measured]:
    """Everything but `resolve`, which needs other tickets each time."""
    handler, writer = login(base, county.handler(1, 1)), login(base, county.writers(county.PATTERN_VILLAGE)[1])
    words = "{n}号门前的路面塌了一块，晚上看不见，请派人来看看。"
    return [
        Measured("list", {"url": f"{base}/desk?tab=all", "login": handler, "expect": "ZD-"}, 0.10),
        Measured("ticket", {"url": f"{base}/tickets/{{of:own}}", "login": handler, "expect": "ZD-"}, 0.10),
        Measured(
            "submit",
            {
                "url": f"{base}/submit",
                "login": writer,
                "prefetch": f"{base}/submit",
                "data": {
                    "text": f"第{{id:10-20}}类事：{words}",
                    "category": "matter/kind{id:10-20}",
                    "privacy": "named",
                    "idempotency_key": "bench-key-{n}",
                },
                "status": [303],
                "expect": "submit/done/ZD-",
            },
            0.15,
        ),
        Measured(
            "search common",
            {"url": f"{base}/desk?tab=all&q=%E6%BC%8F%E6%B0%B4", "login": handler, "expect": "ZD-"},
            0.03,
            1,
        ),
        Measured("search rare", {"url": f"{base}/desk?tab=all&q=%E5%A4%A9%E9%B9%85", "login": handler}, 0.03, 1),
        Measured(
            "leader's page",
            {"url": f"{base}/review", "login": login(base, "leader1"), "expect": "review/now"},
            0.10,
        ),
        Measured("submitter's home", {"url": f"{base}/mine", "login": writer, "expect": "ZD-"}),
        Measured("dispatcher's page", {"url": f"{base}/dispatch", "login": login(base, "dispatcher1")}),
    ]


def resolving(base: str, session: Session, number: int) -> Measured:
    """Answer and resolve tickets in work of one department (each ticket once)."""
    unit_id = session.scalar(select(Unit.id).where(Unit.code == county.department(number)))
    query = select(Ticket.reference).where(Ticket.status == "in_progress", Ticket.lead_unit_id == unit_id)
    references = list(session.scalars(query.order_by(Ticket.id).limit(RESOLVED_EACH + 40)))
    session.rollback()
    return Measured(
        "answer and resolve",
        {
            "url": f"{base}/tickets/{{next:todo}}/resolve",
            "login": login(base, county.handler(number, 1)),
            "prefetch": f"{base}/desk?tab=all",
            "data": {"outcome": "solved", "text": "已修好，试过没有问题。", "idempotency_key": "bench-key-{n}"},
            "status": [303],
            "expect": "sent=resolve",
            "max_requests": RESOLVED_EACH,
            "vars": references,
        },
        0.12,
    )


def own_references(session: Session) -> list[str]:
    """Tickets that the first department works or worked on, the newest first."""
    unit_id = session.scalar(select(Unit.id).where(Unit.code == county.department(1)))
    query = select(Ticket.reference).where(Ticket.lead_unit_id == unit_id).order_by(Ticket.id.desc())
    found = list(session.scalars(query.limit(MOST_HELD)))
    session.rollback()
    return found
