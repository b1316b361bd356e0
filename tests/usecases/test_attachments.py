"""Files on tickets: with words and by themselves, who gets them, what happens to them by itself; on both databases."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest
from sqlalchemy import select

from feedback.files.refusals import UnfitFile
from feedback.files.uploads import PENDING, REFUSED, Upload, kept_files
from feedback.intake import file_care
from feedback.intake.attachments import attach_file, check_may_attach
from feedback.intake.file_care import clean_waiting, missing_files, orphans, remove_orphans
from feedback.intake.submission import submit_ticket
from feedback.kernel import audit
from feedback.kernel.audit import AuditEntry
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from feedback.reports.file_faults import find_file_faults
from feedback.tickets import attachments as ticket_files
from feedback.tickets.actions import run_action
from feedback.tickets.attachments import find_file, list_files
from feedback.tickets.models import TimelineEntry
from tests.support import pictures
from tests.support.county import START, County
from tests.support.files import kept, nobody_cleans, on_disk, rows, store
from tests.support.story import LEAK, Story

PROTECTED = {"privacy": "confidential"}


def attach(story: Story, login: str, *data: bytes) -> int:
    (file,) = kept(*data)
    return attach_file(story.reference, file, actor=story.county.actor(login, story.now), now=story.now).id


def may_have(story: Story, login: str, number: int) -> bool:
    db.session.rollback()
    try:
        find_file(db.session(), number, story.county.actor(login, story.now), story.now)
    except NotFound:
        return False
    return True


def test_a_cadres_photos_come_with_the_words_and_the_unit_gets_them(any_county: County) -> None:
    files = kept(pictures.jpeg(60, 40), pictures.png())
    ref = submit_ticket({"text": LEAK}, actor=any_county.actor("s"), now=START, files=files)
    story = Story(any_county, reference=ref.reference)
    assert [row.name for row in rows()] == [f"{ref.reference}-1.jpg", f"{ref.reference}-2.png"]
    assert {row.state for row in rows()} == {"clean"}
    (view, _) = list_files(db.session(), story.ticket, any_county.actor("hw"), START)
    assert view.version == 1
    _found, key = find_file(db.session(), view.id, any_county.actor("hw"), START)
    assert store().get(key)
    assert stat.S_IMODE(on_disk()[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(store().root.stat().st_mode) == 0o700
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "submit")).one()
    assert entry.facts["files"] == [file.sha256 for file in files]
    assert not list(audit.verify(db.session()))


def test_a_refused_submission_leaves_neither_row_nor_file(any_county: County) -> None:
    uploads = [Upload("a.jpg", "", pictures.jpeg(60, 40))]

    def send() -> None:
        with kept_files(store(), uploads) as files:
            assert len(on_disk()) == 1
            submit_ticket({"text": ""}, actor=any_county.actor("s"), now=START, files=files)

    with pytest.raises(Invalid):
        send()
    assert (rows(), on_disk()) == ([], [])


def test_one_bad_file_among_good_ones_is_named_and_none_is_kept(any_county: County) -> None:
    uploads = [Upload("a.jpg", "", pictures.jpeg(60, 40)), Upload("b.exe", "", pictures.EXE)]
    with pytest.raises(UnfitFile, match=r"File 2: .*isn't taken"), kept_files(store(), uploads):
        pytest.fail("the block must not be reached")
    with pytest.raises(UnfitFile, match="At most 6"), kept_files(store(), uploads[:1] * 7):
        pytest.fail("the block must not be reached")
    assert on_disk() == []


def test_a_comment_may_be_a_file_alone_but_not_nothing(any_county: County) -> None:
    story = Story(any_county).submit()
    actor = any_county.actor("s")
    with pytest.raises(Invalid, match="needed"):
        run_action("comment", story.reference, {}, actor=actor, now=START)
    run_action("comment", story.reference, {}, actor=actor, now=START, files=kept())
    assert story.actions()[-1] == "comment"
    assert [row.name for row in rows()] == [f"{story.reference}-1.jpg"]


def test_a_photo_alone_answers_a_question(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge").act("hw", "ask_submitter", text="哪一段？请拍照。")
    attach(story, "s")
    assert story.state == "in_progress"
    assert story.actions()[-1] == "comment"


def test_a_file_joins_what_its_sender_just_said_and_is_a_word_of_its_own_later(any_county: County) -> None:
    story = Story(any_county).submit()
    attach(story, "s")
    assert story.ticket.version == 2, "submitted and dispatched; the file is no step"
    story.now += timedelta(hours=2)
    attach(story, "s", pictures.jpeg(50, 40))
    assert story.actions()[-1] == "comment"
    assert [list_entry(row.timeline_id) for row in rows()] == ["submit", "comment"]


def list_entry(timeline_id: int) -> str:
    return db.session.get_one(TimelineEntry, timeline_id).action


def test_staff_who_said_nothing_attach_an_internal_note(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    number = attach(story, "hw")
    assert story.actions()[-1] == "note"
    assert may_have(story, "hw2", number)
    assert not may_have(story, "s", number), "an internal file is not for the submitter"


def test_a_file_to_a_reply_is_for_the_submitter_too(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge").act("hw", "reply", text="我们明天上午到现场。")
    assert may_have(story, "s", attach(story, "hw"))


def test_the_same_bytes_are_kept_once(any_county: County) -> None:
    story = Story(any_county).submit()
    assert attach(story, "s") == attach(story, "s")
    assert len(rows()) == 1


@pytest.mark.parametrize(
    ("login", "error"), [("hb", NotFound), ("x", NotFound), ("adm", NotFound), ("s2", NotFound), ("au", NotFound)]
)
def test_whoever_does_not_see_the_ticket_neither_sends_nor_gets(
    any_county: County, login: str, error: type[Exception]
) -> None:
    story = Story(any_county).submit()
    number = attach(story, "s")
    with pytest.raises(error):
        check_may_attach(db.session(), story.reference, any_county.actor(login), START)
    assert not may_have(story, login, number)


def test_a_closed_ticket_takes_no_file(county: County) -> None:
    story = Story(county).resolved().act("s", "confirm", verdict="solved")
    with pytest.raises(Conflict):
        check_may_attach(db.session(), story.reference, county.actor("s", story.now), story.now)


def test_a_past_unit_may_look_but_not_send(county: County) -> None:
    story = Story(county).submit().act("hw", "acknowledge")
    number = attach(story, "s")
    story.act("dp1", "transfer", unit="roads", reason="是道路的事。")
    assert may_have(story, "hw", number)
    with pytest.raises(Forbidden):
        check_may_attach(db.session(), story.reference, county.actor("hw", story.now), story.now)


def test_nobody_but_its_sender_gets_a_file_that_was_not_cleaned_yet(
    any_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(any_county).submit(**PROTECTED)
    with nobody_cleans(monkeypatch):
        number = attach(story, "s", pictures.jpeg())
        assert rows()[0].state == PENDING
        assert may_have(story, "s", number)
        for login in ("hw", "d", "lr"):
            assert not may_have(story, login, number), login
            assert list_files(db.session(), story.ticket, any_county.actor(login), START) == []
    raw = on_disk()
    assert clean_waiting(db.session(), store(), now=story.now) == 1
    assert may_have(story, "hw", number)
    (row,) = rows()
    data = store().get(row.storage_key)
    assert data is not None
    assert len(data) == row.size
    assert b"MARKER" not in data
    assert not raw[0].exists(), "the bytes as they came are gone"
    assert clean_waiting(db.session(), store(), now=story.now) == 0


def test_a_file_that_turns_out_unfit_later_is_refused_in_words(
    any_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(any_county).submit()
    with nobody_cleans(monkeypatch):
        number = attach(story, "s", pictures.jpeg()[:900])
    assert clean_waiting(db.session(), store(), now=START) == 1
    assert [(row.state, row.problem) for row in rows()] == [(REFUSED, "damaged")]
    assert on_disk() == []
    assert not may_have(story, "s", number)
    (view,) = list_files(db.session(), story.ticket, any_county.actor("s"), START)
    assert view.problem == "damaged"
    assert list_files(db.session(), story.ticket, any_county.actor("hw"), START) == []


def test_what_nobody_can_clean_for_a_day_is_given_back(any_county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(any_county).submit()
    monkeypatch.setattr(file_care, "WAIT", 0.05)
    with nobody_cleans(monkeypatch):
        attach(story, "s")
        assert clean_waiting(db.session(), store(), now=START + timedelta(hours=23)) == 0
        assert rows()[0].state == PENDING
        assert clean_waiting(db.session(), store(), now=START + timedelta(hours=25)) == 1
    assert [(row.state, row.problem) for row in rows()] == [(REFUSED, "unchecked")]
    assert on_disk() == []


def test_files_that_no_ticket_names_are_removed_after_an_hour(any_county: County) -> None:
    story = Story(any_county).submit()
    attach(story, "s")
    kept(pictures.jpeg(30, 30))
    unfinished = on_disk()[0].with_name(".unfinished-0011223344556677")
    unfinished.write_bytes(b"half")
    assert len(on_disk()) == 3
    assert remove_orphans(db.session(), store(), now=utc_now()) == 0, "a fresh file may be on its way to its row"
    assert remove_orphans(db.session(), store(), now=utc_now() + timedelta(hours=2)) == 2
    assert [path.name for path in on_disk()] == [rows()[0].storage_key.partition("/")[2]]
    assert not list(orphans(db.session(), store(), now=utc_now() + timedelta(hours=2)))
    assert not list(missing_files(db.session(), store()))
    on_disk()[0].unlink()
    (fault,) = find_file_faults(db.session(), store(), utc_now())
    assert str(fault) == f"{story.reference}: the file {story.reference}-1.jpg is not in the store"


def test_a_persons_files_of_a_day_have_a_limit_that_hurts_nobody_else(
    any_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(any_county).submit()
    size = kept()[0].size
    monkeypatch.setattr(ticket_files, "MOST_BYTES_A_DAY", size + size // 2)
    attach(story, "s")
    with pytest.raises(Throttled) as refused:
        attach(story, "s", pictures.jpeg(62, 44))
    assert 0 < refused.value.details["retry_after"] <= 24 * 3600
    assert len(rows()) == 1
    attach(story, "hw", pictures.jpeg(62, 44))
    story.now += timedelta(hours=25)
    attach(story, "s", pictures.jpeg(62, 44))


def test_an_entry_takes_six_files(any_county: County) -> None:
    story = Story(any_county).submit()
    for number in range(6):
        attach(story, "s", pictures.jpeg(40 + number, 30))
    with pytest.raises(UnfitFile, match="6 files are the most"):
        attach(story, "s", pictures.jpeg(20, 20))


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "aa/../../../x", "C:\\x", "", "aa", "%2e%2e/x"])
def test_nothing_outside_the_store_can_be_named(county: County, key: str) -> None:
    assert store().get(key) is None
    with pytest.raises(OSError, match="not a key"):
        store().put(key, b"x")
    store().delete(key)
