"""Photos in a real browser: made smaller on the phone, taken without scripts too, seen by the handler."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.support import pictures
from tests.support.chromium import DESK, PHONE, arrived, faults_of, scrolls_sideways, signed_in
from tests.support.files import rows, store

pytestmark = pytest.mark.browser

LEAK = "The water pipe at the school gate leaks since Sunday"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture with more pixels and bytes than a phone should send."""
    image = Image.frombytes("RGB", (400, 300), os.urandom(400 * 300 * 3)).resize((4000, 3000))
    path = tmp_path / "IMG_0001.jpg"
    image.save(path, quality=92)
    assert path.stat().st_size > 600_000
    return path


def _reference(page: Page) -> str:
    arrived(page, "/submit/done/")
    return page.locator(".reference").inner_text()


def test_a_cadres_photo_is_made_smaller_on_the_phone_and_the_handler_opens_it(
    browser: Browser, address: str, photo: Path
) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    with cadre.expect_request(lambda request: request.method == "POST" and request.url.endswith("/submit")) as sent:
        cadre.set_input_files("#submit-file", [photo])
        expect(cadre.get_by_text("made smaller to send:")).to_be_visible()
        assert faults_of(cadre) == []
        assert not scrolls_sideways(cadre)
        cadre.get_by_role("button", name="Send").click()
    assert int(sent.value.header_value("content-length") or 0) < photo.stat().st_size
    reference = _reference(cadre)
    (row,) = rows()
    data = store().get(row.storage_key)
    assert data is not None
    assert Image.open(io.BytesIO(data)).size == (2560, 1920)

    handler = signed_in(browser, address, "hw", DESK)
    handler.goto(f"/tickets/{reference}")
    assert faults_of(handler) == []
    with handler.expect_download() as saved:
        handler.get_by_role("link", name=f"{reference}-1.jpg").click()
    assert saved.value.suggested_filename == f"{reference}-1.jpg"


def test_photos_are_taken_without_scripts_too(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE, scripts=False)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    photo: FilePayload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg()}
    cadre.set_input_files("#submit-file", photo)
    cadre.get_by_role("button", name="Send").click()
    reference = _reference(cadre)
    cadre.goto(f"/tickets/{reference}")
    expect(cadre.get_by_role("link", name=f"{reference}-1.jpg")).to_be_visible()


def test_a_seventh_file_is_refused_before_it_is_sent(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    seven: list[FilePayload] = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg(20, 20)} for n in range(7)
    ]
    cadre.set_input_files("#submit-file", seven)
    expect(cadre.get_by_text("At most 6 files.", exact=True)).to_be_visible()
    assert cadre.locator("#submit-file").evaluate("input => input.files.length") == 0
