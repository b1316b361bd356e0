"""Photos and files on pages: chosen, refused in words, shown where they belong, handed out to be saved."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
from flask import Flask

from feedback.files.kinds import LARGEST_FORM, MOST_BYTES
from feedback.kernel.db import db
from feedback.tickets.models import Ticket
from tests.support import pictures
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.files import nobody_cleans, on_disk, rows
from tests.support.journey import Journey

LEAK = "The water pipe at the school gate leaks since Sunday."
LINK = re.compile(r'<a href="(/attachments/\d+)">(ZD-[\w-]+\.\w+)</a>')


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_person("zhenming", "submitter@village")
    for number in range(5):
        county.add_person(f"v{number}", "submitter@village")
    give_password(*county.accounts.values())
    return Journey(county)


def _browser(app: Flask, login: str, lang: str = "en") -> Browser:
    browser = Browser(app, **{"Accept-Language": lang})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def photos(*data: bytes, name: str = "IMG_1.jpg") -> dict[str, Any]:
    """The file field of a form."""
    return {"file": [(io.BytesIO(each), name) for each in data]}


def test_a_cadre_sends_two_photos_with_one_sentence_and_the_handler_sees_them(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    form = browser.get("/submit").text
    assert 'enctype="multipart/form-data"' in form
    (field,) = re.findall(r'<input[^>]*type="file"[^>]*>', form)
    assert 'accept="image/*"' in field
    assert " multiple" in field
    answer = browser.post("/submit", {"text": LEAK, **photos(pictures.jpeg(), pictures.jpeg(60, 40))})
    assert answer.status_code == 303, answer.text
    page = _browser(app, "hw").get(f"/tickets/{db.session.query(Ticket).one().reference}").text
    matter = page.split("The matter</h2>")[1].split("</section>")[0]
    found = LINK.findall(matter)
    assert [name.rpartition("-")[2] for _url, name in found] == ["1.jpg", "2.jpg"]
    got = _browser(app, "hw").get(found[0][0])
    assert got.status_code == 200
    assert not [marker for marker in pictures.MARKERS if marker in got.data]
    assert got.headers["Content-Disposition"] == f'attachment; filename="{found[0][1]}"'
    assert got.headers["Content-Security-Policy"].startswith("sandbox")
    assert got.headers["Cache-Control"] == "private, no-store"
    assert _browser(app, "hb").get(found[0][0]).status_code == 404
    assert "/sign-in" in Browser(app).get(found[0][0]).headers["Location"]


def test_a_form_without_files_is_sent_as_ever(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    assert browser.post("/submit", {"text": LEAK, "file": (io.BytesIO(b""), "")}).status_code == 303
    assert (rows(), on_disk()) == ([], [])


def test_a_bad_file_is_refused_at_its_field_and_the_words_are_still_there(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", {"text": LEAK, **photos(pictures.PDF, name="申请.pdf")})
    assert answer.status_code == 422
    assert "PDF, Word and Excel files hide who wrote them" in answer.text
    assert LEAK in answer.text
    assert re.search(r'<a href="#submit-file">Photos</a>', answer.text)
    assert db.session.query(Ticket).count() == 0


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "a.jpg", "empty"),
        (pictures.jpeg()[:900], "a.jpg", "damaged"),
        (pictures.png(), "a.jpg", "says something else than what is in it"),
        (b"\xff\xd8\xff" + bytes(MOST_BYTES), "a.jpg", "10 MB"),
        (pictures.png_header_bomb(), "a.png", "too many pixels"),
        (pictures.gif(10_000), "a.gif", "moves too much"),
        (pictures.SVG, "a.svg", "This kind of file isn't taken. Send one of these: JPG"),
        (pictures.HTML, "a.html", "This kind of file isn't taken. Send one of these: JPG"),
    ],
    ids=["empty", "cut", "mislabelled", "huge", "pixels", "frames", "svg", "html"],
)
def test_every_wrong_file_gets_a_clear_word_and_the_text_stays(
    app: Flask, journey: Journey, data: bytes, name: str, says: str
) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", {"text": LEAK, **photos(data, name=name)})
    answer.request.environ["wsgi.input"].close()
    said = re.search(r'id="submit-file-error">([^<]+)<', answer.text)
    assert said, answer.status_code
    assert says in html.unescape(said[1])
    assert LEAK in answer.text
    assert (rows(), on_disk(), db.session.query(Ticket).count()) == ([], [], 0)


def test_files_of_a_refused_form_are_asked_for_again_and_leave_nothing(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", {"text": "", **photos(pictures.jpeg(60, 40))})
    assert answer.status_code == 422
    assert "Please choose your files once more" in answer.text
    assert (rows(), on_disk()) == ([], [])


def test_a_form_with_photos_sent_twice_is_one_ticket_with_its_photos_once(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    for _ in range(2):
        fields = {"text": LEAK, "idempotency_key": "0123456789abcdef", **photos(pictures.jpeg(60, 40))}
        assert browser.post("/submit", fields).status_code == 303
    assert db.session.query(Ticket).count() == 1
    assert (len(rows()), len(on_disk())) == (1, 1)


def test_a_handler_resolves_with_a_photo_and_the_cadre_sees_it_with_the_words(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler, cadre = _browser(app, "hw"), _browser(app, "s")
    version = str(journey.ticket(reference).version)
    fields = {"outcome": "solved", "text": "A new pipe was put in", "version": version, **photos(pictures.jpeg())}
    assert handler.post(f"/tickets/{reference}/resolve", fields).status_code == 303
    page = cadre.get(f"/tickets/{reference}").text
    said = page.split('<p class="entry-text">A new pipe was put in')[1]
    assert LINK.search(said.split('class="entry-')[0]), "the file stands with the words it came with"
    note = {
        "text": "For us only",
        "version": str(journey.ticket(reference).version),
        **photos(pictures.png(), name="a.png"),
    }
    assert handler.post(f"/tickets/{reference}/note", note).status_code == 303
    assert "-2.png" in handler.get(f"/tickets/{reference}").text
    assert "-2.png" not in cadre.get(f"/tickets/{reference}").text


def test_a_photo_is_answer_enough_from_the_home_page(app: Flask, journey: Journey) -> None:
    reference = journey.to("waiting_for_submitter")
    cadre = _browser(app, "s")
    assert 'type="file"' in cadre.get("/mine").text
    version = str(journey.ticket(reference).version)
    fields = {"text": "", "version": version, "back": "home", **photos(pictures.jpeg(60, 40))}
    assert cadre.post(f"/tickets/{reference}/answer", fields).status_code == 303
    assert journey.ticket(reference).status == "in_progress"


def test_a_stale_form_keeps_no_file(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    answer = _browser(app, "hw").post(
        f"/tickets/{reference}/reply", {"text": "We come today", "version": "1", **photos(pictures.jpeg(60, 40))}
    )
    assert answer.status_code in (400, 409)
    handler = _browser(app, "hw")
    handler.get(f"/tickets/{reference}")
    answer = handler.post(
        f"/tickets/{reference}/reply", {"text": "We come today", "version": "1", **photos(pictures.jpeg(60, 40))}
    )
    assert answer.status_code == 409
    assert "We come today" in answer.text
    assert on_disk() == []


def test_whoever_sees_no_ticket_makes_nobody_clean_a_file(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    stranger = _browser(app, "hb")
    stranger.get("/desk")
    assert stranger.post(f"/tickets/{reference}/reply", {"text": "x", **photos(pictures.EXE)}).status_code == 404


def test_a_sender_reads_that_a_file_is_still_being_checked(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    with nobody_cleans(monkeypatch):
        assert browser.post("/submit", {"text": LEAK, **photos(pictures.jpeg(60, 40))}).status_code == 303
    reference = db.session.query(Ticket).one().reference
    assert "being checked; only you see it yet" in browser.get(f"/tickets/{reference}").text
    assert "being checked" not in _browser(app, "hw").get(f"/tickets/{reference}").text


def test_a_form_larger_than_six_files_is_refused_before_it_is_read(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", environ_overrides={"CONTENT_LENGTH": str(LARGEST_FORM + 1)})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_the_cadre_reads_it_in_chinese_too(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s", "zh")
    assert "照片" in browser.get("/submit").text
    answer = browser.post("/submit", {"text": LEAK, **photos(pictures.png_header_bomb(), name="a.png")})
    assert "像素" in answer.text
