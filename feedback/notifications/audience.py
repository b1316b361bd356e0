"""Who is told of an event. Nobody who could not see the ticket, and never the one who acted. Words and channels are elsewhere.

A recipient is a text: `account:12` for staff, `seat:<submitter key>` for whoever raised or joined the ticket, so that no
row ties an account to a protected ticket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from feedback.notifications.circle import Circle

TOLD: dict[str, tuple[str, ...]] = {
    "ticket.submitted": ("waiting_office", "seats"),
    "ticket.commented": ("workers",),
    "ticket.answered": ("workers",),
    "ticket.urgency_set": ("workers",),
    "ticket.dispatched": ("newcomers", "seats"),
    "ticket.transferred": ("newcomers", "seats"),
    "ticket.adjudicated": ("newcomers", "seats"),
    "ticket.assigned": ("assignees",),
    "ticket.unassigned": ("heads",),
    "ticket.handed_over": ("workers", "seats"),
    "ticket.given_back": ("waiting_office", "seats"),
    "ticket.acknowledged": ("seats",),
    "ticket.referred": ("adjudicators",),
    "ticket.submitter_asked": ("seats",),
    "ticket.woken": ("workers", "seats"),
    "ticket.replied": ("seats",),
    "ticket.resumed": ("workers", "seats"),
    "ticket.resolved": ("seats",),
    "ticket.confirmed": ("workers",),
    "ticket.disputed": ("workers", "heads"),
    "ticket.lapsed": ("workers", "seats"),
    "ticket.reopened": ("workers", "heads", "seats"),
    "ticket.withdrawn": ("workers",),
    "ticket.urged": ("workers", "heads"),
    "ticket.joined": ("workers", "seats"),
    "ticket.unjoined": ("workers", "seats"),
    "ticket.supervised": ("workers", "heads"),
    "ticket.called_back": ("seats",),
    "seat.added": ("workers",),
    "supervision.answered": ("supervising",),
    "leg.added": ("newcomers",),
    "leg.dropped": ("leavers",),
    "leg.answered": ("workers",),
    "request.decline.granted": ("asker", "seats"),
    "request.return.granted": ("asker", "waiting_office"),
    "request.extension.granted": ("asker", "seats"),
    "request.suspension.granted": ("asker", "seats"),
    "request.exclusion.granted": ("asker", "seats"),
    "request.appeal.granted": ("asker", "workers"),
}
"""Groups of Circle by event. A request made goes to its deciders, one decided to who asked; what is not here tells nobody."""


def groups_for(event: str, payload: Mapping[str, object]) -> tuple[str, ...]:
    """The groups that an event tells: from TOLD, or by the shape of its name."""
    if event in TOLD:
        return TOLD[event]
    if event == "sla.alarm":
        return (f"alarm_{payload.get('audience')}",)
    if event.startswith("request."):
        if event.endswith(".made"):
            return ("deciders",)
        if event.endswith((".granted", ".refused")):
            return ("asker",)
    return ()


def recipients(circle: Circle) -> list[str]:
    """Everybody to be told of the circle's event now, each once: staff who see the ticket, deputies of theirs, seats.

    The actor is left out by account and by seat. Staff who raised a protected ticket themselves are told like their
    colleagues of what they did at it: the one handler who hears nothing would be known.
    """
    payload = circle.row.payload
    accounts: list[int] = []
    seats: list[str] = []
    for group in groups_for(circle.row.event, payload):
        for found in circle.members(group):
            if isinstance(found, int):
                accounts.append(found)
            else:
                seats.append(found)
    by_account = payload.get("by_account")
    acting_key = circle.key_of_seat(payload.get("by_seat"))
    staff = [a for a in _with_deputies(circle, accounts) if a != by_account]
    if acting_key and not circle.is_protected:
        staff = [a for a in staff if circle.key_of(a) != acting_key]
    own_keys = {acting_key, circle.key_of(by_account) if isinstance(by_account, int) else None}
    told = [f"account:{account_id}" for account_id in staff if circle.sees(account_id)]
    told += [f"seat:{key}" for key in seats if key not in own_keys]
    return list(dict.fromkeys(told))


def _with_deputies(circle: Circle, accounts: Iterable[int]) -> list[int]:
    unique = list(dict.fromkeys(accounts))
    return list(dict.fromkeys([*unique, *circle.deputies_of(unique)]))
