"""The demo as a whole: defaults, county, and tickets with a past, made through the use-cases in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from feedback.demo import plots, texts
from feedback.demo.county import demo_accounts, load_county
from feedback.demo.defaults import install_site_defaults
from feedback.demo.plots import BURDEN_LEADS, VAGUE_LEADS
from feedback.demo.programme import Act, choose_acts
from feedback.demo.replay import Performance, Replay, awake
from feedback.demo.texts import Story, stories, tell
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import DONE, Outbox
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.routing.models import CatalogueRow, Category

BEGINS_BEFORE = timedelta(days=62)
TOLD_BEFORE = timedelta(days=2)
"""What happened longer ago than this is not told to anybody any more when the demo starts."""
CONFIDENTIAL = 0.15
USUAL, USUAL_WEIGHT = ("water/", "roads/", "farming/", "sanitation/"), 3
"""What a county hears most of."""
ABOUT_UNITS = ("qs-slj", "qs-mzj", "hh", "qs-jyj", "jh")


@dataclass(frozen=True)
class Loaded:
    """What was made: people, tickets, steps by action, and steps left out because a ticket stood otherwise."""

    accounts: int
    tickets: int
    steps: Counter[str]
    left_out: Counter[str]


def load_demo(*, tickets: int, seed: int, now: datetime, progress: Callable[[int], None] | None = None) -> Loaded:
    """Fill an empty site with the demo as it would stand at `now`. Conflict where units are there already.

    Equal seeds and instants give equal stories. `progress` is called with the number of steps after each.
    """
    session = current_session()
    begin = now - BEGINS_BEFORE
    install_site_defaults(now=begin)
    load_county(session, now=begin)
    replay = Replay(session, now)
    draw = Random(seed)  # noqa: S311 (a story, not a secret)
    for performance in _cast(session, draw, tickets, now):
        replay.add(performance)
    for steps in replay.play():
        if progress:
            progress(steps)
    with transaction() as writing:
        writing.execute(update(Outbox).where(Outbox.available_at < now - TOLD_BEFORE).values(state=DONE))
    return Loaded(len(demo_accounts(session)), tickets, replay.done, replay.left_out)


def _cast(session: Session, draw: Random, tickets: int, now: datetime) -> list[Performance]:
    """A performance for each ticket: its act, words, submitter and beginning."""
    homes = {a.login: a.unit for a in demo_accounts(session) if a.role == "submitter"}
    writers = [a.login for a in demo_accounts(session) if a.role == "handler" and "-zongguan-" in a.login]
    leads = _leads(session)
    decks: dict[str, list[Story]] = {}
    found: list[Performance] = []
    for act in choose_acts(tickets):
        story = _deal(decks, act.voice, draw)
        submitter = draw.choice(sorted(homes))
        lead = draw.choice(BURDEN_LEADS if act.voice == "burden" else VAGUE_LEADS)
        own = Random(draw.random())  # noqa: S311
        performance = Performance(
            session=session,
            draw=own,
            story=story,
            lead=leads.get(story.category or "", lead),
            plot=act.plot,
            begins=_begin(act, draw, now),
            submitter=submitter,
            fields={"text": tell(story.text, own)},
        )
        _give_voice(performance, act, draw, writers)
        if act.plot is plots.joined:
            _say_the_same(performance, found, homes, sorted(homes), draw)
        found.append(performance)
    return found


def _say_the_same(
    performance: Performance, earlier: list[Performance], homes: dict[str, str], logins: list[str], draw: Random
) -> None:
    """Let it tell of a matter that somebody else raised some hours before and that is still open."""
    elder = draw.choice([each for each in earlier if each.plot is plots.neglected] or earlier)
    others = [login for login in logins if login != elder.submitter]
    near = [login for login in others if homes[login] == homes[elder.submitter]]
    performance.story, performance.lead = elder.story, elder.lead
    performance.submitter = draw.choice(near or others)
    performance.begins = elder.begins + timedelta(hours=draw.uniform(2, 8))
    text = tell(elder.story.text, performance.draw)
    performance.fields = {"text": text, "area": homes[elder.submitter], **_kept(elder.fields)}


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in ("kind", "category") if name in fields}


def _deal(decks: dict[str, list[Story]], voice: str, draw: Random) -> Story:
    """The next story of a shuffled deck, so that all come before any comes too often."""
    kind = voice if voice in ("vague", "burden") else "plain"
    deck = decks.setdefault(kind, [])
    if not deck:
        for story in stories():
            if _kind_of(story) == kind:
                deck += [story] * (USUAL_WEIGHT if (story.category or "").startswith(USUAL) else 1)
        draw.shuffle(deck)
    return deck.pop()


def _kind_of(story: Story) -> str:
    if story.is_vague:
        return "vague"
    return "burden" if story.kind == "burden_lead" else "plain"


def _begin(act: Act, draw: Random, now: datetime) -> datetime:
    begins = now - timedelta(days=draw.uniform(*act.age))
    return begins if act.age[1] <= 1 else min(awake(begins), now - timedelta(minutes=30))


def _give_voice(performance: Performance, act: Act, draw: Random, writers: list[str]) -> None:
    """Kind, privacy, urgency, whom it is about, for whom it is written."""
    fields, story = performance.fields, performance.story
    if story.kind != "demand":
        fields["kind"] = story.kind
    if draw.random() < CONFIDENTIAL or act.voice == "about":
        fields["privacy"] = "confidential"
    if act.voice == "urgent":
        fields["urgency"] = "urgent"
    if act.voice == "about":
        text, _category = draw.choice(texts.ABOUT)
        fields["text"] = tell(text, performance.draw)
        fields["about"] = [draw.choice([unit for unit in ABOUT_UNITS if unit != "qs-bgs"])]
        performance.lead = "qs-bgs"
    if act.voice == "on_behalf" and writers:
        performance.writer = draw.choice(writers)
        fields.pop("privacy", None)
        fields["on_behalf_of"] = {"login": performance.submitter}
    elif story.category and act.voice == "plain" and draw.random() < 0.4:
        fields["category"] = story.category


def _leads(session: Session) -> dict[str, str]:
    """The county's lead for each category, by path."""
    query = (
        select(Category.path, Unit.code)
        .join(CatalogueRow, CatalogueRow.category_id == Category.id)
        .join(Unit, Unit.id == CatalogueRow.lead_id)
        .where(CatalogueRow.area_id.is_(None))
    )
    return {row.path: row.code for row in session.execute(query)}
