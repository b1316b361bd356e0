"""Searching on both databases: what is found, by whom, by which words; and an index that follows every text."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, text, update

from feedback.intake.imports import import_tickets
from feedback.intake.ticket_rows import ImportOptions
from feedback.kernel.actor import SYSTEM
from feedback.kernel.db import db
from feedback.kernel.errors import Invalid
from feedback.kernel.transaction import transaction
from feedback.reading.queries import MOST_COUNTED, NEWEST, count_tickets, count_up_to, list_tickets
from feedback.reading.search import TicketFilters
from feedback.reports.invariants import find_faults
from feedback.tickets.models import Seat
from feedback.tickets.search_index import count_missing, index_tickets, reindex
from feedback.tickets.search_tables import TicketWords
from tests.support.county import START, County
from tests.support.search_ways import WAYS, ask_in_one_way
from tests.support.statements import counted_statements
from tests.support.story import Story

STRANGE = (
    "'", '"', '"""', "'''", "%", "_", "*", "\\", "^", "NEAR", "NEAR(", "NEAR(a b, 2)", "AND", "OR NOT", "a AND", "NOT a",
    "everyone:a", "{staff}: a", "- a", "a*", "a:*", "a & b", "a | !b", "a <-> b", "(", ")", "a)(", "'; DROP TABLE ticket; --",
    "\u202e路灯", "\u200b", "💧", "👩‍👩‍👧", "𠀀", "é", "ﷺ" * 11, "ß" * 200, "a" * 200, "路" * 200, "路 " * 100, "9" * 200, "\ue000",
    "ㇷ゚", "ก็", "क्षि", "ཀྵི", "½", "①", "İ", "ﬁ",
)  # fmt: skip


def found(county: County, login: str, query: str, **filters: str) -> list[str]:
    """What this person finds, the newest first; the count must say the same."""
    session = db.session()
    session.rollback()
    actor = SYSTEM if login == "system" else county.actor(login, START)
    asked = TicketFilters.parse({"q": query, **filters})
    page = list_tickets(session, actor, asked, now=START, sort=NEWEST, limit=200)
    references = [row.reference for row in page.items]
    assert count_tickets(session, actor, asked, now=START) == len(references)
    assert count_up_to(session, actor, asked, now=START) == len(references)
    return references


def snippets(county: County, login: str, query: str) -> list[str]:
    page = list_tickets(
        db.session(), county.actor(login, START), TicketFilters.parse({"q": query}), now=START, sort=NEWEST
    )
    return [str(row.snippet) for row in page.items]


@pytest.fixture(params=WAYS)
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query is asked in one way where its hits are few, in others where they are many."""
    ask_in_one_way(monkeypatch, request.param)


@pytest.fixture
def story(any_county: County) -> Story:
    return Story(any_county).submit(
        text="村口的水管损坏了，三天没亮。井边也漏水。", title="Street lamp 12 broken", place="东风路3号楼"
    )


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("水管", True),
        ("水管损坏", True),
        ("管损", True),
        ("损", True),
        ("了", True),
        ("水", True),
        ("管水", False),
        ("水管漏水", False),
        ("水管 漏水", True),
        ("漏水 水管 lamp", True),
        ("水管 井盖", False),
        ("lamp", True),
        ("LAM", True),
        ("ｌａｍｐ", True),
        ("amp", False),
        ("street lamp", True),
        ("street-lamp", True),
        ("lamp-street", False),
        ("12", True),
        ("0", False),
        ("3号楼", True),
        ("东风路", True),
        ("13号楼", False),
        ("损坏了三天", False),
        ("亮井边", False),
        ("broken东风", False),
        ("%", False),
        ("水_管", False),
        ("水%", True),
    ],
)
def test_handler_finds_a_part_of_a_word_and_no_other(story: Story, query: str, is_found: bool) -> None:
    assert found(story.county, "hw", query) == ([story.reference] if is_found else [])


def test_ticket_is_found_by_its_reference_in_every_spelling(story: Story) -> None:
    reference = story.reference
    for query in (reference, reference.lower(), reference.replace("-", ""), reference[:8], f" {reference} "):
        assert found(story.county, "hw", query) == [reference]


@pytest.mark.usefixtures("either_way")
def test_words_are_found_only_by_whoever_may_read_them(story: Story) -> None:
    county, reference = story.county, story.reference
    story.act("hw", "acknowledge").act("hw", "note", text="内部核查：承包商拖延。")
    story.act("hw", "reply", text="已经安排电工检修。").act("s", "comment", text="昨晚又熄火一次。")
    story.act("hw", "resolve", outcome="solved", text="更换了镇流器。")
    story.act("s", "confirm", verdict="solved", rating=2, comment="态度敷衍", pressed=False)
    everybody = ("s", "hw", "lw", "dp1", "d", "lp", "lr", "su")
    for query, finders in (
        ("水管", everybody),
        ("电工检修", everybody),
        ("镇流器", everybody),
        ("熄火", everybody),
        ("承包商", everybody[1:]),
        ("承包商 水管", everybody[1:]),
        ("敷衍", ()),
        ("solved", ()),
    ):
        for login in (*everybody, "s2", "ha", "hb", "hr", "au", "adm", "x"):
            assert found(county, login, query) == ([reference] if login in finders else []), (login, query)
    assert snippets(county, "s", "检修") == ["已经安排电工检修。"]
    assert snippets(county, "hw", "承包") == ["内部核查：承包商拖延。"]


@pytest.mark.usefixtures("either_way")
def test_other_seat_on_the_ticket_finds_by_public_words_alone(story: Story) -> None:
    county = story.county
    story.act("s", "comment", text="我家住在祠堂旁边。").act("hw", "acknowledge").act("hw", "reply", text="已经安排。")
    with transaction() as session:
        own = session.query(Seat).filter_by(ticket_id=story.ticket.id).one()
        session.add(
            Seat(
                ticket_id=own.ticket_id,
                origin_ticket_id=own.ticket_id,
                alias="S-2",
                privacy="named",
                submitter_key=county.actor("s2", START).submitter_key,
                joined_at=START,
            )
        )
    assert found(county, "s2", "水管") == found(county, "s2", "安排") == [story.reference]
    assert found(county, "s2", "祠堂") == []
    assert found(county, "hw", "祠堂") == [story.reference]
    assert snippets(county, "s2", "我家") == []


def test_nobody_finds_a_ticket_by_who_raised_it(any_county: County) -> None:
    any_county.add_person("quokka", "submitter@village")
    for privacy in ("named", "confidential"):
        story = Story(any_county).submit("quokka", privacy=privacy)
        seat = any_county.session.query(Seat).filter_by(ticket_id=story.ticket.id).one()
        for login in ("quokka", "hw", "dp1", "d", "lr", "su", "system"):
            for query in ("quokka", "Person quokka", seat.alias, seat.submitter_key):
                assert found(any_county, login, query) == [], (privacy, login, query)


@pytest.mark.usefixtures("either_way")
def test_ticket_about_somebody_is_found_by_none_of_theirs(any_county: County) -> None:
    story = Story(any_county).submit(text="水管漏水，局里推诿。", about=["water"])
    assert found(any_county, "d", "推诿") == [story.reference]
    for login in ("hw", "hw2", "lw", "hb"):
        assert found(any_county, login, "推诿") == []


@pytest.mark.usefixtures("either_way")
def test_filters_and_pages_narrow_what_was_found(any_county: County) -> None:
    story = Story(any_county)
    made = [story.submit(text=f"路灯坏了，第{number}盏。", area="village").reference for number in range(5)]
    story.act("s", "withdraw", reason="It burns again", asked_to=False)
    assert set(found(any_county, "d", "路灯", status="open")) == set(made[:-1])
    assert set(found(any_county, "d", "路灯", area="p1")) == set(made)
    assert found(any_county, "d", "路灯", area="p2") == []
    walked: list[str] = []
    cursor: str | None = None
    while True:
        page = list_tickets(
            db.session(),
            any_county.actor("d", START),
            TicketFilters.parse({"q": "路灯"}),
            now=START,
            sort=NEWEST,
            limit=2,
            cursor=cursor,
        )
        walked += [row.reference for row in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert walked == found(any_county, "d", "路灯")
    assert sorted(walked) == sorted(made)


def test_strange_queries_are_literal_and_quick(story: Story) -> None:
    for query in STRANGE:
        began = time.process_time()
        for login in ("s", "hw", "d"):
            found(story.county, login, query)
        assert time.process_time() - began < 2, query
    assert found(story.county, "hw", "\u202e水管") == [story.reference]


def test_strange_texts_are_taken_and_found_again(any_county: County) -> None:
    story = Story(any_county)
    for mark, body in (
        ("𠀀𠀁井", "𠀀𠀁井\u202e\u200b' \" % _ * \\ 💧 ﷺ İ ß ﬁ"),
        ("zzz", ("a" * 9_000 + " ") * 2 + "zzz"),
        ("尾声", "字" * 15_000 + "尾声"),
        ("各不", " ".join(f"w{n}x" for n in range(2_500)) + " 各不相同"),
    ):
        story.submit(text=body)
        assert found(any_county, "d", mark) == [story.reference], mark
    assert found(any_county, "d", "w2499x") == [story.reference]


def test_signs_letters_from_right_to_left_and_one_character_are_found(any_county: County) -> None:
    made = Story(any_county).submit(text="💧 المياه مقطوعة منذ يومين، פנס רחוב שבור، 井")
    for query in ("المياه", "المي", "مقطوعة منذ", "פנס", "רחוב שבור", "井", "💧 井", "\u202eالمياه\u202c"):
        assert found(any_county, "d", query) == [made.reference], query
    for query in ("💧", "👩‍👩‍👧", "هايملا", "桥"):
        assert found(any_county, "d", query) == [], query


@pytest.mark.parametrize("query", ["路" * 10_000, "a" * 10_000, "💧" * 10_000, "' OR 1=1 --" * 1_000, "مياه " * 2_000])
def test_ten_thousand_characters_are_refused_in_words(query: str) -> None:
    with pytest.raises(Invalid) as refused:
        TicketFilters.parse({"q": query})
    assert {field: str(words) for field, words in refused.value.errors.items()} == {
        "q": "Must be at most 200 characters."
    }


TALK = "路灯损坏水管漏水道路坑洼井盖丢失垃圾清运噪音扰民树枝倒伏公交站牌学校门口"


def corpus() -> Iterator[str]:
    """200 small texts out of few characters, so that nearly everything stands in several."""
    draw = random.Random(7)
    words = ["lamp", "Lamps", "pipe", "WATER", "12", "120", "A座", "3号", "𠀀", "ﬁre"]
    for _number in range(200):
        pieces = [
            draw.choice(words) if draw.random() < 0.3 else "".join(draw.choices(TALK, k=draw.randint(1, 6)))
            for _piece in range(draw.randint(2, 6))
        ]
        yield draw.choice(["，", " ", "、", "。"]).join(pieces)


def _each_way_and_database() -> list[Any]:
    """Every way on each database; the quick run takes each way once and each database twice."""
    quick = set(zip(WAYS, ("sqlite", "postgres") * 2, strict=True))
    return [
        pytest.param(way, database, marks=[*([pytest.mark.postgres] if database == "postgres" else ()), *slow])
        for way in WAYS
        for database in ("sqlite", "postgres")
        for slow in [() if (way, database) in quick else (pytest.mark.slow,)]
    ]


@pytest.mark.parametrize(("either_way", "any_app"), _each_way_and_database(), indirect=True)
def test_both_databases_find_what_the_texts_hold(either_way: None, any_county: County, tmp_path: Path) -> None:
    texts = list(corpus())
    lines = [f'c{n},legacy,"{body}",t{n},water,2025-03-03T09:00:00+08:00' for n, body in enumerate(texts)]
    file = tmp_path / "corpus.csv"
    file.write_text("\n".join(["source_id,status,text,title,unit,created_at", *lines]), encoding="utf-8")
    result = import_tickets(file, ImportOptions(zone=ZoneInfo("Asia/Shanghai"), source="corpus"), now=START)
    assert result.added == 200
    actor, session = any_county.actor("d", START), db.session()
    draw = random.Random(11)
    queries = {"".join(draw.choices(TALK, k=size)) for size in (1, 1, 2, 2, 2, 3) for _again in range(40)}
    queries |= {body[at : at + 2] for body in texts for at in range(3) if set(body[at : at + 2]) <= set(TALK)}
    hits = 0
    for query in sorted(queries):
        page = list_tickets(session, actor, TicketFilters.parse({"q": query, "status": "legacy"}), now=START, limit=200)
        expected = sorted(f"t{n}" for n, body in enumerate(texts) if query in body)
        assert sorted(row.title for row in page.items) == expected, query
        assert all(query in str(row.snippet) for row in page.items)
        hits += len(expected)
    assert hits > 1_000, "the corpus must be such that agreement means something"
    for query, parts in (("lamp", ("lamp", "Lamp")), ("WATE", ("WATER",)), ("fire", ("ﬁre",)), ("120", ("120",))):
        numbers = {n for n, body in enumerate(texts) if any(part in body for part in parts)}
        page = list_tickets(session, actor, TicketFilters.parse({"q": query, "status": "legacy"}), now=START, limit=200)
        assert {int(row.title[1:]) for row in page.items} == numbers, query


def test_page_of_hits_costs_the_same_number_of_statements_however_long(any_county: County) -> None:
    costs = []
    for more in (1, 6):
        for _each in range(more):
            Story(any_county).submit(text="水管漏水，井盖也坏。").act("hw", "note", text="井盖另报。")
        actor, session = any_county.actor("hw", START), db.session()
        session.rollback()
        session.expire_all()
        list_tickets(session, actor, now=START)  # what the process keeps is read once
        session.expire_all()
        with counted_statements() as sent:
            page = list_tickets(session, actor, TicketFilters.parse({"q": "井盖"}), now=START, limit=100)
        costs.append(len([each for each in sent if each.startswith("SELECT")]))
    assert len(page.items) == 7
    assert costs[0] == costs[1] <= 13


def test_search_asks_the_index(any_county: County) -> None:
    for number in range(3):
        Story(any_county).submit(text=f"水管漏水{number}")
    session, actor = db.session(), any_county.actor("hw", START)
    session.rollback()
    with counted_statements() as sent:
        found(any_county, "hw", "漏水")
    searching = [statement for statement in sent if "ticket_search" in statement or "ticket_words" in statement]
    assert len(searching) == 2, (
        "one look at how common it is, one at the list: its page and its counts take what that found"
    )
    if session.get_bind().dialect.name == "sqlite":
        plan = _plan(session, "EXPLAIN QUERY PLAN SELECT rowid FROM ticket_search WHERE ticket_search MATCH '\"漏水\"'")
        assert "VIRTUAL TABLE INDEX" in plan
    else:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        condition = "everyone @@ '''漏水'''::tsquery OR seats @@ '''漏水'''::tsquery OR staff @@ '''漏水'''::tsquery"
        plan = _plan(session, f"EXPLAIN SELECT ticket_id FROM ticket_words WHERE {condition}")
        assert plan.count("Bitmap Index Scan on ix_ticket_words_full_text") == 3
        assert "Seq Scan" not in plan
    assert actor.grants


def _plan(session: object, statement: str) -> str:
    return "\n".join(" ".join(str(part) for part in row) for row in db.session().execute(text(statement)))


def test_index_follows_a_text_that_is_changed_or_emptied(story: Story) -> None:
    county, ticket_id = story.county, story.ticket.id
    with transaction() as session:
        session.execute(text("UPDATE message SET body = '井盖丢失', title = 'Manhole'"))
        index_tickets(session, [ticket_id])
    assert found(county, "hw", "水管") == found(county, "hw", "lamp") == []
    assert found(county, "hw", "井盖") == found(county, "hw", "manhole") == [story.reference]
    with transaction() as session:
        session.execute(text("UPDATE message SET body = '', title = NULL"))
        index_tickets(session, [ticket_id])
    assert found(county, "hw", "井盖") == []
    assert found(county, "hw", "东风路") == [story.reference]
    _is_whole()


def test_reindex_finds_again_what_was_lost_and_check_says_what_is_missing(any_county: County) -> None:
    references = [Story(any_county).submit(text="路灯坏了").reference for _each in range(3)]
    assert not list(find_faults(db.session()))
    with transaction() as session:
        session.execute(delete(TicketWords))
    assert found(any_county, "d", "路灯") == []
    assert count_missing(db.session()) == 3
    faults = [str(fault) for fault in find_faults(db.session())]
    assert faults == ["search: 3 tickets are in no index; run: flask search reindex"]
    assert list(reindex()) == [3]
    assert list(reindex()) == []
    assert sorted(found(any_county, "d", "路灯")) == sorted(references)
    with transaction() as session:
        session.execute(update(TicketWords).values(everyone="'x':1" if _is_postgres() else "x"))
    assert found(any_county, "d", "路灯") == []
    assert list(reindex(everything=True)) == [3]
    assert sorted(found(any_county, "d", "路灯")) == sorted(references)
    _is_whole()


def test_search_counts_no_further_than_a_cap(any_county: County) -> None:
    for _each in range(4):
        Story(any_county).submit(text="路灯坏了")
    actor, filters = any_county.actor("d", START), TicketFilters.parse({"q": "路灯"})
    assert count_up_to(db.session(), actor, filters, now=START, most=2) == 3
    assert count_up_to(db.session(), actor, filters, now=START) == 4
    assert MOST_COUNTED == 1_000


def _is_postgres() -> bool:
    return db.session().get_bind().dialect.name == "postgresql"


def _is_whole() -> None:
    """SQLite's index holds exactly the words of the table (an error otherwise)."""
    if not _is_postgres():
        with transaction() as session:
            session.execute(text("INSERT INTO ticket_search(ticket_search, rank) VALUES('integrity-check', 1)"))
