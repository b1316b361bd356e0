"""The policies in force as lines of a policies file, so that what is taken away can be changed and brought back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from feedback.sla.policies import AMOUNTS, OPTIONAL, REQUIRED
from feedback.sla.queries import live_policies


def export_policies(session: Session) -> Iterator[list[str]]:
    """Every policy in force in the order in which they are tried, the header first."""
    yield [*REQUIRED, *OPTIONAL]
    for policy in live_policies(session):
        narrowed = (policy.kind, policy.urgency, policy.category, policy.unit_code, policy.calendar_code)
        amounts = [policy.amounts.get(name) or "" for name in AMOUNTS]
        yield [policy.name, str(policy.order), *(value or "" for value in narrowed), *amounts, policy.alarms]
