"""What an admin sets about routing: whether and how surely tickets are dispatched by themselves, and the words that mean danger.

The catalogue itself comes from files (imports.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from feedback.kernel.actor import Actor
from feedback.kernel.command import Command, ShortText
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.site import change_setting, get_setting
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.rights import check_site_admin
from feedback.routing.danger import LISTS
from feedback.routing.keywords import fold
from feedback.routing.served_model import PRECISION

SELF_DISPATCH = "self_dispatch"
PRECISIONS = (80, 85, 90, 95, 97, 98, 99)
"""Of a hundred tickets, so many right ones: what an admin may ask of the category model."""
MOST_WORDS, LONGEST_WORD = 1000, 60


class SetSelfDispatch(Command):
    """Whether the catalogue dispatches by itself where it is sure."""

    on: bool


class SetDispatchPrecision(Command):
    """Of a hundred tickets that the category model sends on by itself, how many must go to the right category."""

    precision: Annotated[int, Field(ge=50, le=99)]


class SetDangerWords(Command):
    """The words that raise the urgency to a level. `seen` is the list as the writer saw it, so that no one undoes another's."""

    level: Literal["critical", "urgent"]
    words: Annotated[list[ShortText], Field(max_length=MOST_WORDS)]
    seen: Annotated[list[str], Field(max_length=MOST_WORDS)] | None = None


def set_self_dispatch(cmd: SetSelfDispatch, *, actor: Actor, now: datetime) -> None:
    """Switch it on or off for tickets submitted from now on. Forbidden for who is no admin."""
    check_site_admin(actor)
    with transaction() as session:
        before = bool(get_setting(session, SELF_DISPATCH))
        if before != cmd.on:
            change_setting(session, SELF_DISPATCH, cmd.on, actor=actor, now=now)


def set_dispatch_precision(cmd: SetDispatchPrecision, *, actor: Actor, now: datetime) -> None:
    """Set it for tickets submitted from now on; the threshold follows at once. Forbidden for who is no admin."""
    check_site_admin(actor)
    with transaction() as session:
        if get_setting(session, PRECISION) != cmd.precision:
            change_setting(session, PRECISION, cmd.precision, actor=actor, now=now)


def set_danger_words(cmd: SetDangerWords, *, actor: Actor, now: datetime) -> list[str]:
    """Replace a level's list, for tickets submitted from now on, and give it back as it is kept: each word once.

    Forbidden for who is no admin; Invalid for a word of one letter or a very long one; Conflict where somebody else
    changed the list since it was read.
    """
    check_site_admin(actor)
    words = _each_once(cmd.words)
    with transaction() as session:
        name = LISTS[cmd.level]
        before = list(get_setting(session, name))
        if cmd.seen is not None and cmd.seen != before:
            raise Conflict(Text(N_("Somebody changed this list while you were writing. Look at it again, then save.")))
        added, taken = set(words) - set(before), set(before) - set(words)
        if added or taken:
            facts = {"added": sorted(added), "taken_out": sorted(taken)}
            change_setting(session, name, words, actor=actor, now=now, facts=facts)
    return words


def _each_once(words: list[str]) -> list[str]:
    found: dict[str, str] = {}
    for word in words:
        folded = fold(word)
        if len(folded) < 2:
            raise Invalid(
                {"words": Text(N_("“%(word)s” is too short: a single letter is in nearly every text."), word=word)}
            )
        if len(word) > LONGEST_WORD:
            raise Invalid({"words": Text(N_("A word or phrase has at most %(limit)s letters."), limit=LONGEST_WORD)})
        found.setdefault(folded, word)
    return list(found.values())
