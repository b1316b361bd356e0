"""What a site has before anybody is there: default policies, the site's calendar, danger words. No people, no tickets."""

from __future__ import annotations

from datetime import datetime

from feedback.kernel.transaction import transaction
from feedback.routing.danger import install_danger_words
from feedback.sla.defaults import install_deadline_defaults


def install_site_defaults(*, now: datetime) -> None:
    """Install what is missing; what an admin has set stays. Safe to run again, two transactions."""
    install_deadline_defaults(now=now)
    with transaction() as session:
        install_danger_words(session, now)
