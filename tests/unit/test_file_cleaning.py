"""What is taken, what is left of it, and what it may cost: sniffing and the cleaning child."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from feedback.files import cleaning
from feedback.files.cleaning import Busy, clean_file
from feedback.files.kinds import CSV, GIF, JPEG, MOST_BYTES, PNG, TEXT, WEBP, Kind, check_size, kind_of
from feedback.files.refusals import FileTooLarge, UnfitFile, WrongFileType
from tests.support import pictures


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def assert_says_nothing(data: bytes) -> None:
    assert [marker for marker in pictures.MARKERS if marker in data] == []


@pytest.mark.parametrize(
    ("data", "name", "declared", "kind"),
    [
        (pictures.jpeg(), "IMG_1.JPG", "image/jpeg", JPEG),
        (pictures.jpeg(), "张三13800138000.jpeg", "", JPEG),
        (pictures.jpeg(), "blob", "application/octet-stream", JPEG),
        (pictures.png(), "shot.png", "image/png", PNG),
        (pictures.webp(), "a.webp", "image/webp", WEBP),
        (pictures.gif(), "a.gif", "image/gif", GIF),
        ("名称,数量\n水管,3\n".encode("gb18030"), "list.csv", "application/vnd.ms-excel", CSV),
        ("漏水三天".encode(), "note.txt", "text/plain; charset=utf-8", TEXT),
        (b"a < b and c > d", "math.txt", "text/plain", TEXT),
    ],
)
def test_a_file_is_known_by_its_content(data: bytes, name: str, declared: str, kind: object) -> None:
    assert kind_of(data, name, declared) is kind


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (pictures.SVG, "a.svg", "image/svg+xml"),
        (pictures.SVG, "a.txt", "text/plain"),
        (b"   \n\xef\xbb\xbf" + pictures.SVG, "a.txt", "text/plain"),
        (pictures.HTML, "a.html", "text/html"),
        (pictures.HTML, "a.csv", "text/csv"),
        (pictures.XHTML, "a.txt", "text/plain"),
        (pictures.EXE, "a.exe", "application/octet-stream"),
        (pictures.EXE, "a.jpg", "image/jpeg"),
        (pictures.EXE, "a.txt", "text/plain"),
        (pictures.PDF, "a.pdf", "application/pdf"),
        (pictures.PDF, "a.jpg", "image/jpeg"),
        (pictures.ZIP, "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (pictures.ZIP, "a.txt", "text/plain"),
        (pictures.jpeg(), "a.png", "image/png"),
        (pictures.png(), "a.png", "image/jpeg"),
        (pictures.jpeg(), "a.jpg.exe", "image/jpeg"),
        (pictures.jpeg(), "a.html", ""),
        (b"\xff\xfe\x00\x01binary", "a.txt", "text/plain"),
        ("说".encode(), "a.js", "text/javascript"),
        ("说".encode(), "noending", "text/plain"),
    ],
)
def test_what_is_not_taken_or_lies_about_itself_is_refused(data: bytes, name: str, declared: str) -> None:
    with pytest.raises(WrongFileType):
        kind_of(data, name, declared)


def test_an_empty_file_and_one_byte_too_many_are_refused() -> None:
    with pytest.raises(UnfitFile, match="empty"):
        check_size(b"")
    check_size(bytes(MOST_BYTES))
    with pytest.raises(FileTooLarge, match="10 MB"):
        check_size(bytes(MOST_BYTES + 1))


def test_a_phones_photo_comes_out_upright_and_says_nothing() -> None:
    raw = pictures.jpeg()
    assert all(marker in raw for marker in (b"MARKER-BYLINE", b"MARKER-XMP", b"MARKER-CAMERA", b"MARKER-JPEG"))
    assert dict(opened(raw).getexif().get_ifd(pictures.GPS)), "the test's photo has a place in it"
    cleaned = clean_file(raw, JPEG)
    image = opened(cleaned.data)
    assert_says_nothing(cleaned.data)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert image.size == (400, 640), "turned as the camera was held"
    red, _green, blue = image.getpixel((390, 10))  # type: ignore[misc]
    assert blue > 200 > 60 > red, "its left upper corner is now at the right"


@pytest.mark.parametrize(
    ("data", "kind", "becomes", "mode"),
    [(pictures.png(), PNG, PNG, "RGBA"), (pictures.webp(), WEBP, WEBP, "RGB"), (pictures.gif(3), GIF, PNG, "RGB")],
    ids=["png", "webp", "gif"],
)
def test_other_pictures_are_made_anew_too(data: bytes, kind: Kind, becomes: object, mode: str) -> None:
    cleaned = clean_file(data, kind)
    assert cleaned.kind is becomes
    assert_says_nothing(cleaned.data)
    assert opened(cleaned.data).mode == mode


def test_bytes_behind_the_picture_are_gone() -> None:
    cleaned = clean_file(pictures.jpeg() + b"PK\x03\x04MARKER" + pictures.HTML, JPEG)
    assert_says_nothing(cleaned.data)
    assert b"html" not in cleaned.data


def test_a_picture_larger_than_a_page_of_paper_is_made_smaller() -> None:
    assert opened(clean_file(pictures.jpeg(6000, 3000), JPEG).data).size == (2048, 4096)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (pictures.png_header_bomb(), PNG, "too many pixels"),
        (pictures.png_header_bomb(2_000_000_000, 2_000_000_000), PNG, "too many pixels"),
        (pictures.gif(10_000), GIF, "moves too much"),
        (pictures.jpeg()[:900], JPEG, "damaged"),
        (pictures.jpeg(3000, 3000)[:-5000], JPEG, "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(5000), JPEG, "damaged"),
        (pictures.png()[:40], PNG, "damaged"),
        (b"GIF89a", GIF, "damaged"),
    ],
    ids=["30000x30000", "beyond-int", "10000-frames", "cut", "cut-at-the-end", "zeros", "cut-png", "no-gif"],
)
def test_bombs_and_broken_pictures_cost_little(data: bytes, kind: Kind, says: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    # A child counts as large as the process it was forked from until it runs its own program, and the largest is kept.
    most = max(400_000, before + 50_000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    with pytest.raises(UnfitFile, match=says):
        clean_file(data, kind)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - spent < 2, "seconds of work"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes here"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= most, "kilobytes in the child"


def test_a_child_that_works_too_long_or_takes_too_much_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "_LIMITS", ("0", "700000000", "40000000", "200"))
    with pytest.raises((UnfitFile, Busy)):
        clean_file(pictures.jpeg(5000, 5000), JPEG)
    monkeypatch.setattr(cleaning, "_LIMITS", ("8", "60000000", "40000000", "200"))
    with pytest.raises(UnfitFile, match="pixels"):
        clean_file(pictures.png(4000, 4000), PNG)


def test_the_child_can_open_no_file_and_no_socket(tmp_path: object) -> None:
    script = (
        "import socket, sys; sys.argv[1:] = ['8', '700000000', '1', '1'];"
        f"sys.path.insert(0, {str(cleaning._CHILD).rpartition('/')[0]!r});"
        "import clean_image; clean_image.rehearse(); clean_image.limit_self(8, 700000000)\n"
        "for name, act in (('socket', lambda: socket.socket()), ('file', lambda: open('/etc/hostname'))):\n"
        "    try: act()\n"
        "    except OSError: print(name, 'refused')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, env={}, check=True)
    assert done.stdout.split("\n")[:2] == ["socket refused", "file refused"]


def test_whoever_finds_no_turn_is_told_to_wait_not_refused() -> None:
    taken = [cleaning._turns.acquire(timeout=1) for _ in range(cleaning.AT_ONCE)]
    try:
        assert all(taken)
        started = time.monotonic()
        with pytest.raises(Busy):
            clean_file(pictures.jpeg(), JPEG, wait=0.2)
        assert time.monotonic() - started < 2
        assert clean_file(b"words", TEXT).data == b"words", "words need no turn"
    finally:
        for _ in taken:
            cleaning._turns.release()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the child in /proc")
def test_a_child_that_somebody_ends_says_nothing_of_its_picture() -> None:
    with ThreadPoolExecutor(1) as pool:
        cleaned = pool.submit(clean_file, pictures.jpeg(4000, 3000), JPEG)
        task = Path(f"/proc/{os.getpid()}/task")
        while not (found := [word for path in task.glob("*/children") for word in path.read_text().split()]):
            assert not cleaned.done()
        (child,) = map(int, found)
        while os.getsid(child) == os.getsid(0):
            assert not cleaned.done(), "it stands in its parent's group"
        os.kill(child, signal.SIGTERM)
        with pytest.raises(Busy):
            cleaned.result(timeout=20)
