"""Slowing down those who guess passwords: failures are counted per sign-in name and per source, in the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from feedback.kernel import keyring
from feedback.kernel.errors import Throttled
from feedback.kernel.text import N_, Text
from feedback.people.models import SignInAttempt

WINDOW = timedelta(minutes=15)
MOST_PER_LOGIN = 5
MOST_PER_SOURCE = 30
"""A whole office may stand behind one address; one person guessing at many names still ends here."""

KEPT = timedelta(days=30)


def subject_of(kind: str, value: str) -> str:
    """A keyed digest of a `login` or a `source`: neither stands in the table."""
    return keyring.mac(f"sign-in.{kind}", value)


def check_throttle(session: Session, login: str, source: str, now: datetime) -> None:
    """Throttled with `retry_after` (seconds) after 5 failures of the name or 30 of the source in 15 minutes.

    Nobody waits longer than 15 minutes, because a try that is refused here is not counted.
    """
    for subject, most in (
        (subject_of("login", login), MOST_PER_LOGIN),
        (subject_of("source", source), MOST_PER_SOURCE),
    ):
        latest = session.scalars(
            select(SignInAttempt.at)
            .where(SignInAttempt.subject == subject, SignInAttempt.at > now - WINDOW, SignInAttempt.at <= now)
            .order_by(SignInAttempt.at.desc())
            .limit(most)
        ).all()
        if len(latest) == most:
            seconds = int((latest[-1] + WINDOW - now).total_seconds()) + 1
            raise Throttled(
                Text(N_("Too many tries. Please wait %(minutes)s minutes, then try again."), minutes=-(-seconds // 60)),
                retry_after=seconds,
            )


def count_failure(session: Session, login: str, source: str, now: datetime) -> int:
    """Write down a failure in the present transaction; how many of this name there are now."""
    session.add_all(
        [
            SignInAttempt(subject=subject_of("login", login), at=now),
            SignInAttempt(subject=subject_of("source", source), at=now),
        ]
    )
    session.flush()
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - KEPT))
    return failures_of(session, login)


def failures_of(session: Session, login: str) -> int:
    """Failures of this name within 30 days, since it was last right."""
    counted = select(func.count()).select_from(SignInAttempt)
    return session.scalar(counted.where(SignInAttempt.subject == subject_of("login", login))) or 0


def forget_failures(session: Session, login: str) -> int:
    """Start the name afresh in the present transaction: it was right, or a password was set. How many there were."""
    failures = failures_of(session, login)
    session.execute(delete(SignInAttempt).where(SignInAttempt.subject == subject_of("login", login)))
    return failures
