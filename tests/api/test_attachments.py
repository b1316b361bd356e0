"""Files over HTTP: sending, fetching, refusals in their order, and what others never get."""

from __future__ import annotations

import hashlib
import io
import re

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from feedback.files import uploads
from feedback.files.kinds import MOST_BYTES
from tests.api.conftest import CallAs
from tests.support import pictures
from tests.support.caller import Caller
from tests.support.files import nobody_cleans, on_disk, rows

NAME_IN_HEADER = re.compile(r'attachment; filename="ZD-[0-9A-Z]{5}-[0-9A-Z]{5}-\d+\.(jpg|png|webp|txt|csv)"')


def send(
    who: Caller,
    reference: str,
    data: bytes,
    name: str = "IMG_1.jpg",
    declared: str = "image/jpeg",
    headers: dict[str, str] | None = None,
) -> TestResponse:
    """Send one file."""
    form = {"file": (io.BytesIO(data), name, declared)}
    path = f"/tickets/{reference}/attachments"
    answer = who.call("POST", path, data=form, content_type="multipart/form-data", headers=headers or {})
    answer.request.environ["wsgi.input"].close()
    return answer


def test_a_cadres_photo_reaches_the_handler_without_place_or_owner(call_as: CallAs) -> None:
    s, hw = call_as("s"), call_as("hw")
    reference = s.submit("村口水管漏水三天了")["reference"]
    answer = send(s, reference, pictures.jpeg(), "张三13800138000.jpg")
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert {"name": f"{reference}-1.jpg", "type": "image/jpeg", "state": "clean"}.items() <= made.items()
    assert answer.headers["Location"] == f"/api/v1/attachments/{made['id']}"
    for who in (s, hw):
        got = who.get(f"/attachments/{made['id']}")
        assert got.status_code == 200
        assert hashlib.sha256(got.data).hexdigest() == made["sha256"]
        assert len(got.data) == made["size"]
        assert not [marker for marker in pictures.MARKERS if marker in got.data]
        assert Image.open(io.BytesIO(got.data)).size == (400, 640)
    assert got.headers["Content-Type"] == "image/jpeg"
    assert NAME_IN_HEADER.fullmatch(got.headers["Content-Disposition"])
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert got.headers["Cache-Control"] == "private, no-store"
    opened = hw.get(f"/tickets/{reference}").get_json()
    assert opened["attachments"] == [made]
    timeline = hw.get(f"/tickets/{reference}/timeline").get_json()["items"]
    assert [item["attachments"] for item in timeline] == [[made], []]
    assert "张三" not in str(opened) + str(timeline)


def test_nobody_else_gets_it_by_number_or_by_a_guessed_path(app: Flask, call_as: CallAs) -> None:
    s = call_as("s")
    reference = s.submit("村口水管漏水三天了")["reference"]
    made = send(s, reference, pictures.jpeg()).get_json()
    for login in ("hb", "x", "s2", "adm", "au"):
        unseen, unknown = call_as(login).get(f"/attachments/{made['id']}"), call_as(login).get("/attachments/999999")
        assert (unseen.status_code, unknown.status_code) == (404, 404), login
        assert unseen.get_json() == unknown.get_json()
        assert send(call_as(login), reference, pictures.jpeg()).status_code == 404
    stranger = app.test_client()
    assert stranger.get(f"/api/v1/attachments/{made['id']}").status_code == 401
    key = rows()[0].storage_key
    for place in ("static", "uploads", "media", "files", "instance/files", "attachments"):
        for path in (f"/{place}/{key}", f"/{place}/{made['name']}"):
            assert stranger.get(path).status_code in (302, 303, 401, 404), path
            assert b"\xff\xd8" not in stranger.get(path).data
    assert s.get(f"/attachments/{2**63}").status_code == 404
    assert s.get("/attachments/0").status_code == 404


def test_a_protected_tickets_file_is_its_senders_until_it_is_clean(
    call_as: CallAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, hw = call_as("s"), call_as("hw")
    reference = s.submit("村口水管漏水三天了", privacy="confidential")["reference"]
    with nobody_cleans(monkeypatch):
        made = send(s, reference, pictures.jpeg()).get_json()
    assert made["state"] == "pending"
    assert s.get(f"/attachments/{made['id']}").status_code == 200
    assert hw.get(f"/attachments/{made['id']}").status_code == 404
    assert hw.get(f"/tickets/{reference}").get_json()["attachments"] == []


@pytest.mark.parametrize(
    ("data", "name", "declared", "status", "code"),
    [
        (pictures.SVG, "a.svg", "image/svg+xml", 415, "wrong_type"),
        (pictures.HTML, "a.html", "text/html", 415, "wrong_type"),
        (pictures.EXE, "a.jpg", "image/jpeg", 415, "wrong_type"),
        (pictures.PDF, "a.pdf", "application/pdf", 415, "wrong_type"),
        (pictures.png(), "a.jpg", "image/jpeg", 415, "wrong_type"),
        (pictures.png_header_bomb(), "a.png", "image/png", 422, "invalid"),
        (pictures.gif(10_000), "a.gif", "image/gif", 422, "invalid"),
        (pictures.jpeg()[:900], "a.jpg", "image/jpeg", 422, "invalid"),
        (b"", "a.jpg", "image/jpeg", 422, "invalid"),
        (b"\xff\xd8\xff" + bytes(MOST_BYTES), "a.jpg", "image/jpeg", 413, "too_large"),
        (b"\xff\xd8\xff" + bytes(MOST_BYTES + 2_000_000), "a.jpg", "image/jpeg", 413, "too_large"),
    ],
    ids=["svg", "html", "exe", "pdf", "mislabelled", "pixels", "frames", "cut", "empty", "large", "larger"],
)
def test_what_is_not_taken_is_refused_in_words_and_nothing_is_kept(
    call_as: CallAs, data: bytes, name: str, declared: str, status: int, code: str
) -> None:
    s = call_as("s")
    reference = s.submit()["reference"]
    answer = send(s, reference, data, name, declared)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"
    assert len(answer.get_json()["errors"]["file"]) > 20
    assert (rows(), on_disk()) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x.jpg",
        "C:\\windows\\x.jpg",
        "/abs/x.jpg",
        "%2e%2e%2fx.jpg",
        "名" * 300 + ".jpg",
        'a";evil="1.jpg',
        "😀.jpg",
        "x\r\nSet-Cookie: a=1.jpg",
    ],
)
def test_no_name_gets_anywhere(call_as: CallAs, name: str) -> None:
    s = call_as("s")
    reference = s.submit()["reference"]
    answer = send(s, reference, pictures.jpeg(60, 40), name)
    assert answer.status_code in (201, 415, 422), answer.text
    if answer.status_code == 201:
        got = s.get(f"/attachments/{answer.get_json()['id']}")
        assert NAME_IN_HEADER.fullmatch(got.headers["Content-Disposition"])
        assert "Set-Cookie" not in got.headers
        assert len(on_disk()) == 1


def test_a_message_without_exactly_one_file_is_refused(call_as: CallAs) -> None:
    s = call_as("s")
    path = f"/tickets/{s.submit()['reference']}/attachments"
    assert s.post(path, {"file": "x"}).status_code == 415
    assert s.call("POST", path, data=b"x").status_code == 415
    no_file = s.call("POST", path, data={"file": "words"}, content_type="multipart/form-data")
    assert (no_file.status_code, list(no_file.get_json()["errors"])) == (422, ["file"])
    two = {"file": [(io.BytesIO(pictures.png()), "a.png"), (io.BytesIO(pictures.png()), "b.png")]}
    assert s.call("POST", path, data=two, content_type="multipart/form-data").status_code == 422
    many = s.call("POST", path, data={f"f{n}": "x" for n in range(10_001)}, content_type="multipart/form-data")
    many.request.environ["wsgi.input"].close()
    assert many.status_code in (400, 413)
    assert on_disk() == []


def test_the_right_to_send_is_looked_at_before_the_file(call_as: CallAs) -> None:
    s, hw = call_as("s"), call_as("hw")
    reference = s.submit("村口水管漏水三天了")["reference"]
    bad = b"MZ"
    assert send(call_as("hb"), reference, bad).status_code == 404
    assert send(call_as("lr"), "ZD-22222-22222", bad).status_code == 404
    assert send(call_as("s", scopes=("read",)), reference, bad).status_code == 403
    for who, action, fields in (
        (hw, "acknowledge", {}),
        (hw, "resolve", {"outcome": "solved", "text": "修好了。"}),
        (s, "confirm", {"verdict": "solved"}),
    ):
        assert who.act(reference, action, **fields).status_code == 200
    assert send(s, reference, bad).status_code == 409


def test_a_file_sent_twice_with_one_key_is_one_file(call_as: CallAs) -> None:
    s = call_as("s")
    reference = s.submit()["reference"]
    key = {"Idempotency-Key": "photo-0001"}
    first = send(s, reference, pictures.jpeg(60, 40), headers=key)
    again = send(s, reference, pictures.jpeg(60, 40), headers=key)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert send(s, reference, pictures.png(), "a.png", "image/png", headers=key).status_code == 422
    assert (len(rows()), len(on_disk())) == (1, 1)


def test_words_and_tables_stay_as_they_are(call_as: CallAs) -> None:
    s = call_as("s")
    reference = s.submit()["reference"]
    table = "名称,数量\r\n水管,3\r\n".encode("gb18030")
    made = send(s, reference, table, "清单.csv", "application/vnd.ms-excel").get_json()
    assert (made["type"], made["name"]) == ("text/csv", f"{reference}-1.csv")
    assert s.get(f"/attachments/{made['id']}").data == table


def test_a_full_disk_is_said_in_words_and_changes_nothing(call_as: CallAs, monkeypatch: pytest.MonkeyPatch) -> None:
    s = call_as("s")
    reference = s.submit()["reference"]

    def full(*_: object) -> str:
        return "not/a/key"

    monkeypatch.setattr(uploads, "new_key", full)
    answer = send(s, reference, pictures.jpeg(60, 40))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert (rows(), on_disk()) == ([], [])
