"""The help's pictures: one in each language for each part that has one, and small."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from PIL import Image

from feedback.web.guide import PICTURES, TOPICS
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.help_pictures import FOLDER, SHOWN

LARGEST = 40_000


def test_each_part_of_the_help_with_a_picture_has_it_in_both_languages() -> None:
    assert set(PICTURES) == set(SHOWN)
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{part}-{lang}.webp" for part in SHOWN for lang in ("zh", "en")
    }
    for path in FOLDER.iterdir():
        assert path.stat().st_size < LARGEST, path.name
        with Image.open(path) as picture:
            assert picture.format == "WEBP"


@pytest.mark.parametrize("topic", TOPICS)
def test_picture_of_a_part_is_served_as_large_as_the_page_says(app: Flask, county: County, topic: str) -> None:
    give_password(county.accounts["x"])
    for lang in ("en", "zh_CN"):
        browser = Browser(app)
        browser.sign_in("x")
        found = re.search(
            r'<img class="help-picture[^"]*" src="([^"]+)" alt="([^"]+)" loading="lazy" width="(\d+)" height="(\d+)"',
            browser.get(f"/help/{topic}?lang={lang}").text,
        )
        assert (found is not None) == (topic in PICTURES)
        if found:
            answer = browser.get(found[1])
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == "image/webp"
            with Image.open(FOLDER / f"{topic}-{lang[:2]}.webp") as picture:
                assert picture.size == (int(found[3]), int(found[4]))
