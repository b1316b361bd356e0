"""Pages are packed for a browser that takes them so, and for no other; nobody learns their exact length."""

from __future__ import annotations

import gzip

from flask import Flask

from feedback.web.compression import SHORTEST, pack


def test_browser_that_takes_gzip_gets_the_same_page_in_fewer_bytes(app: Flask) -> None:
    client = app.test_client()
    plain = client.get("/api/docs")
    packed = client.get("/api/docs", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Vary"] == plain.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 4


def test_browser_that_refuses_gzip_and_answers_to_programs_stay_as_they_are(app: Flask) -> None:
    client = app.test_client()
    assert "Content-Encoding" not in client.get("/api/docs", headers={"Accept-Encoding": "gzip;q=0"}).headers
    document = client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert len(document.data) > SHORTEST
    assert "Content-Encoding" not in document.headers


def test_length_of_a_packed_page_varies_from_answer_to_answer() -> None:
    page = b"<p>the same page</p>" * 500
    packed = [pack(page) for _ in range(30)]
    assert {gzip.decompress(each) for each in packed} == {page}
    assert len({len(each) for each in packed}) > 5
