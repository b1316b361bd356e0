"""Reads of policies and clocks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.sla.models import SlaClock, SlaPause, SlaPolicy


@dataclass(frozen=True)
class Facts:
    """What a policy is chosen by, and whose calendar counts.

    `category` is a path (a policy of `water` also fits `water/leak`); `area_codes` are the area and the units above it,
    nearest first; `area_id` is where the submitter's calendar is looked up.
    """

    kind: str
    urgency: str
    category: str | None
    area_codes: tuple[str, ...]
    area_id: int


def current_policies(session: Session) -> list[SlaPolicy]:
    """The policies in force, in the order in which they are asked."""
    return list(
        session.scalars(
            select(SlaPolicy).where(SlaPolicy.superseded_at.is_(None)).order_by(SlaPolicy.order, SlaPolicy.id)
        )
    )


def is_fitting(policy: SlaPolicy, facts: Facts) -> bool:
    """Whether every condition the policy names holds; one that names none fits all."""
    category = facts.category or ""
    return (
        policy.kind in (None, "", facts.kind)
        and policy.urgency in (None, "", facts.urgency)
        and (not policy.category or category == policy.category or category.startswith(f"{policy.category}/"))
        and (not policy.unit_code or policy.unit_code in facts.area_codes)
    )


def match_policy(session: Session, facts: Facts) -> SlaPolicy:
    """The first policy in force that fits. RuntimeError where none does (the defaults fit everything)."""
    for policy in current_policies(session):
        if is_fitting(policy, facts):
            return policy
    raise RuntimeError("no SLA policy fits: run `flask setup defaults`")


def newest_resolution(session: Session, ticket_id: int) -> SlaClock | None:
    """The resolution clock of the ticket's newest round, running or ended."""
    return session.scalars(
        select(SlaClock)
        .where(SlaClock.ticket_id == ticket_id, SlaClock.kind == "resolution")
        .order_by(SlaClock.round.desc(), SlaClock.id.desc())
        .limit(1)
    ).first()


def open_clocks(
    session: Session,
    ticket_id: int,
    kind: str | None = None,
    *,
    leg_id: int | None = None,
    request_id: int | None = None,
) -> list[SlaClock]:
    """The ticket's running clocks (of that kind, leg, request), a resolution before the legs that follow it."""
    query = select(SlaClock).where(
        SlaClock.ticket_id == ticket_id, SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None)
    )
    if kind:
        query = query.where(SlaClock.kind == kind)
    if leg_id is not None:
        query = query.where(SlaClock.leg_id == leg_id)
    if request_id is not None:
        query = query.where(SlaClock.request_id == request_id)
    return sorted(session.scalars(query), key=lambda clock: (clock.kind == "leg", clock.id))


def list_pauses(session: Session, ticket_id: int) -> list[SlaPause]:
    """The ticket's pauses, the eldest first."""
    return list(session.scalars(select(SlaPause).where(SlaPause.ticket_id == ticket_id).order_by(SlaPause.started_at)))
