"""How many taps and seconds an errand takes in a real browser: to submit, to answer, to confirm, to send back, to resolve.

Typing is done at once and not counted: what stands here is what the page itself asks of somebody. `slow` makes the line
that of a village: 400 kbit/s both ways and 400 ms until an answer begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page

from tests.support.chromium import signed_in
from tests.support.pages import LEAK

PHONE, DESK = (360, 740), (1280, 800)
SLOW_LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}

SAID = "main .note-done[role=status]"
"""The word that it is done, on the next page."""


@dataclass
class Walk:
    """Somebody's way through pages: every tap is counted."""

    page: Page
    taps: int = 0

    def tap(self, spot: Locator) -> None:
        """Press it, as a finger does."""
        self.taps += 1
        spot.click()

    def write(self, spot: Locator, words: str) -> None:
        """Tap into a box and type."""
        self.tap(spot)
        self.page.keyboard.insert_text(words)


@dataclass(frozen=True)
class Errand:
    """What somebody comes for: who, on what, the page they begin on, the way, and what then stands on the page."""

    name: str
    login: str
    start: str
    size: tuple[int, int]
    way: Callable[[Walk], None]
    done: str


@dataclass(frozen=True)
class Took:
    """What an errand took, from the first page's opening on."""

    name: str
    taps: int
    seconds: float
    slow_seconds: float


def _submit(walk: Walk) -> None:
    walk.tap(walk.page.locator("main a[href='/submit']"))
    walk.write(walk.page.locator("#submit-text"), LEAK)
    walk.tap(walk.page.locator(".send-bar button"))


def _answer(walk: Walk) -> None:
    form = walk.page.locator("main form[action$='/answer']").first
    walk.write(form.locator("textarea"), "村东第二户先发现的，上月二十号换的表。")
    walk.tap(form.locator("button:not([name])").last)


def _confirm(walk: Walk) -> None:
    walk.tap(walk.page.locator("main form[action$='/confirm'] .btn-primary").first)


def _dispute(walk: Walk) -> None:
    box = walk.page.locator("main details:has(form[action$='/dispute'])").first
    walk.tap(box.locator("summary").first)
    walk.write(box.locator("textarea").first, "只拉走了一半，昨天又满了。")
    walk.tap(box.locator("form[action$='/dispute'] button:not([name])").last)


def _resolve(walk: Walk) -> None:
    walk.tap(walk.page.locator("tbody a[data-row]").last)
    box = walk.page.locator("details:has(form[action$='/resolve'])").first
    if not box.evaluate("box => box.open"):
        walk.tap(box.locator("summary").first)
    outcome = box.locator("label[for^='resolve-outcome']").first
    walk.tap(outcome)
    walk.write(box.locator("textarea").first, "已更换水表并复核读数，多收的水费下月退还。")
    walk.tap(box.locator("button:not([name])").last)


ERRANDS = (
    Errand("submit", "s", "/mine", PHONE, _submit, ".reference"),
    Errand("answer a question", "s", "/mine", PHONE, _answer, SAID),
    Errand("confirm", "s", "/mine", PHONE, _confirm, SAID),
    Errand("send back", "s", "/mine", PHONE, _dispute, SAID),
    Errand("answer and resolve", "hw", "/desk?tab=work", DESK, _resolve, SAID),
)


def run(browser: Browser, address: str, errand: Errand, *, slow: bool = False) -> tuple[int, float]:
    """Taps and seconds, from opening the page on. The site must hold what the errand is about."""
    page = signed_in(browser, address, errand.login, errand.size, lang="zh_CN")
    page.set_default_timeout(30_000)
    if slow:
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.emulateNetworkConditions", SLOW_LINE)
    walk = Walk(page)
    began = time.monotonic()
    page.goto(errand.start)
    errand.way(walk)
    page.locator(errand.done).first.wait_for()
    took = time.monotonic() - began
    page.context.close()
    return walk.taps, took
