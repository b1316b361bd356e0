"""The table of every page in a real browser: sound for each reader on each screen, light, and done in a few taps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser

from tests.support.axe_table import look_through, site_to_look_at, time_of
from tests.support.errands import ERRANDS, Errand
from tests.support.inspection import PHONE_WIDTH, Found, Scale, inspect
from tests.support.pages import LOOKS, Look
from tests.support.shots import LANGUAGES

pytestmark = pytest.mark.browser

MAIN = ("sign-in", "cadre-home", "desk", "dispatch", "review", "admin")
"""Where each role begins."""
MOST_TAPS = {"submit": 3, "answer a question": 2, "confirm": 1, "send back": 3, "answer and resolve": 5}
LONGEST_SECONDS = 20
BAD = """<html lang="en"><title>Bad</title><main><h1>Bad</h1><input name="unlabelled"><div style="width: 500px">wide</div>
<img src="http://127.0.0.1:9/x.png" alt=""></main></html>"""


def _faults(found: Sequence[Found]) -> list[str]:
    return [f"{each.look.name} ({each.lang}): {fault}" for each in found for fault in each.faults]


def test_main_page_of_each_role_is_sound_on_a_phone(browser: Browser) -> None:
    looks = [look for look in LOOKS if look.name in MAIN]
    assert len(looks) == len(MAIN)
    with site_to_look_at() as (app, address):
        found = list(look_through(browser, app, address, looks, ["zh_CN"], quick=True))
    assert _faults(found) == []


def test_inspection_names_what_is_wrong_with_a_bad_page(browser: Browser) -> None:
    page = browser.new_context(viewport={"width": PHONE_WIDTH[0], "height": PHONE_WIDTH[1]}).new_page()
    scale = Scale(page)
    page.set_content(BAD)
    scale.bytes = 200_000
    faults = inspect(page, Look("bad", "/", "hw"), "en", scale, "http://127.0.0.1:1", quick=True).faults
    page.context.close()
    text = "\n".join(faults)
    for expected in ("label: <input", "sideways at 360", "weight: 200000", "other host: http://127.0.0.1:9"):
        assert expected in text


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_state_and_role_is_sound_on_every_screen(browser: Browser, lang: str) -> None:
    with site_to_look_at() as (app, address):
        found = list(look_through(browser, app, address, LOOKS, [lang]))
    assert len(found) == len(LOOKS)
    assert _faults(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.name)
def test_errand_takes_few_taps_and_seconds_on_a_slow_line(browser: Browser, errand: Errand) -> None:
    took = time_of(browser, errand)
    assert took.taps <= MOST_TAPS[errand.name]
    assert took.slow_seconds < LONGEST_SECONDS
