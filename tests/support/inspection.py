"""What a real browser finds on one page of the table: faults that axe names, sideways scrolling, and what it weighed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.support.chromium import faults_of, scrolls_sideways
from tests.support.pages import FIRST, Look

PHONE_WIDTH, DESK_WIDTH, WIDEST = (360, 740), (1280, 800), (1920, 1080)
FIRST_PAGE, HEAVIEST = 60 * 1024, 150 * 1024
LONGEST = 12_000
SUBMITTERS = ("s", "v0", "")
"""Whose pages are read on a phone in the sun: they hold with letters twice as large, too."""


@dataclass
class Scale:
    """Counts the bytes that cross the wire for the page as it stands: its own and those of everything it fetched."""

    page: Page
    bytes: int = 0
    requests: int = 0
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        wire = self.page.context.new_cdp_session(self.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.requestWillBeSent", self._begin)
        wire.on("Network.loadingFinished", self._add)

    def _begin(self, event: dict[str, Any]) -> None:
        if event.get("type") == "Document":
            self.bytes = self.requests = 0
        url: str = event["request"]["url"]
        if url.startswith("http"):
            self.hosts.add("/".join(url.split("/")[:3]))

    def _add(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
        self.requests += 1


@dataclass(frozen=True)
class Found:
    """One page in one language: its faults, and how many bytes and requests it took with an empty cache."""

    look: Look
    lang: str
    faults: tuple[str, ...]
    bytes: int
    requests: int


def inspect(page: Page, look: Look, lang: str, scale: Scale, address: str, *, quick: bool = False) -> Found:
    """Look at the page that stands in the window on a phone and a desktop. `quick` is the phone alone."""
    faults = []
    _widen(page, PHONE_WIDTH)
    weight, requests = scale.bytes, scale.requests
    if weight > (FIRST_PAGE if look.name.startswith(FIRST) else HEAVIEST):
        faults.append(f"weight: {weight} bytes")
    faults += [f"other host: {host}" for host in scale.hosts - {address}]
    if not look.paper:
        faults += _sideways(page, PHONE_WIDTH, "closed")
        _open_boxes(page)
        faults += _sideways(page, PHONE_WIDTH, "open")
    faults += [f"phone: {fault}" for fault in _faults_unscrolled(page, PHONE_WIDTH)]
    if look.login in SUBMITTERS and not look.paper:
        faults += _at_twice_the_letters(page)
    if not quick:
        faults += [f"desk: {fault}" for fault in _faults_unscrolled(page, DESK_WIDTH)]
        for size in (DESK_WIDTH, WIDEST):
            faults += _sideways(page, size, "open")
    return Found(look, lang, tuple(faults), weight, requests)


def _widen(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def _faults_unscrolled(page: Page, size: tuple[int, int]) -> list[str]:
    """What axe finds in a window as long as the page: where nothing scrolls, no bar lies over what it would measure."""
    _widen(page, size)
    length: int = page.evaluate("document.documentElement.scrollHeight")
    _widen(page, (size[0], min(max(length, size[1]), LONGEST)))
    return faults_of(page)


def _open_boxes(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(box => { box.open = true; })")


def _at_twice_the_letters(page: Page) -> list[str]:
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    faults = _sideways(page, PHONE_WIDTH, "letters twice as large")
    faults += _cut_off(page)
    page.evaluate("document.documentElement.style.fontSize = ''")
    return faults


def _sideways(page: Page, size: tuple[int, int], state: str) -> list[str]:
    _widen(page, size)
    if not scrolls_sideways(page):
        return []
    widest: str = page.evaluate(
        "() => { const far = [...document.body.querySelectorAll('*')].filter(e => !e.closest('thead, .visually-hidden') &&"
        " e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1).map(e => e.outerHTML.slice(0, 120));"
        " return far[far.length - 1] || ''; }"
    )
    return [f"sideways at {size[0]} ({state}): {widest}"]


def _cut_off(page: Page) -> list[str]:
    """Words of buttons and chips that their box hides."""
    cut: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('.btn, .chip, .chip-tap, .choice, summary, h1, h2, h3, label')].filter("
        "e => e.offsetWidth > 1 && getComputedStyle(e).overflow !== 'visible' && !e.closest('.visually-hidden') &&"
        " (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)).map(e => e.outerHTML.slice(0, 120))"
    )
    return [f"cut off with letters twice as large: {words}" for words in cut]
