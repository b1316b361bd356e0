"""Pictures of every page and state, on a phone and at a desk, in both languages: `python -m tests.support.shots DIR`.

The site is the small county of tests.support.small_site on loopback; what is looked at stands in tests.support.pages.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.chromium import CHROMIUM, DESK, PHONE, served, signed_in
from tests.support.pages import LOOKS, Look, references
from tests.support.small_site import make_site

SIZES = {"phone": PHONE, "desk": DESK}
LANGUAGES = ("zh_CN", "en")
PROPOSED_MS = 1500
"""After this long what the page proposes for a text stands there."""


def look_at(page: Page, look: Look, known: dict[str, str], lang: str) -> None:
    """Open a page in a language, and bring it into the state. AssertionError where it answers with another code."""
    page.emulate_media(media="print" if look.paper else "screen")
    address = look.address.format_map(known)
    answer = page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
    assert answer
    assert answer.status == look.status, f"{look.name}: {answer.status} at {address}"
    for _ in range(look.times if look.press else 0):
        _fill(page, look)
        _open_around(page, look.press)
        page.locator(look.press).first.click()
        page.wait_for_load_state()
    if not look.press and look.fill:
        _fill(page, look)
        page.wait_for_timeout(PROPOSED_MS)


def _fill(page: Page, look: Look) -> None:
    for selector, value in look.fill:
        _open_around(page, selector)
        control = page.locator(selector).first
        kind = control.get_attribute("type")
        if kind == "file":
            control.set_input_files({"name": "sent.csv", "mimeType": "text/csv", "buffer": value.encode()})
        elif kind in ("checkbox", "radio"):
            control.evaluate("box => { if (!box.checked) box.click(); }")
        else:
            control.fill(value)


def _open_around(page: Page, selector: str) -> None:
    """Open the boxes in which it lies, as a reader does first."""
    page.locator(selector).first.evaluate(
        "spot => { for (let box = spot.parentElement; box; box = box.parentElement)"
        " if (box.tagName === 'DETAILS' && spot !== box.firstElementChild) box.open = true }"
    )


def browser_page(browser: Browser, address: str, login: str, size: tuple[int, int], lang: str) -> Page:
    """A page of this person's browser; login "" is nobody's."""
    if login:
        return signed_in(browser, address, login, size, lang=lang)
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=address)
    return context.new_page()


def take(folder: Path, looks: list[Look], *, sizes: list[str], languages: list[str]) -> int:
    """Write NAME-SIZE-LANG.png of each into `folder`; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    with tempfile.TemporaryDirectory(prefix="zhida-shots-") as instance, sync_playwright() as playwright:
        app = make_site(Path(instance))
        known = references(app)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with served(app) as address:
            for size in sizes:
                for login in dict.fromkeys(look.login for look in looks):
                    page = browser_page(chromium, address, login, SIZES[size], languages[0])
                    for look in (look for look in looks if look.login == login):
                        for lang in languages:
                            look_at(page, look, known, lang)
                            page.screenshot(path=folder / f"{look.name}-{size}-{lang[:2]}.png", full_page=True)
                            taken += 1
                    page.context.close()
        chromium.close()
    return taken


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.shots", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="a regular expression that the page's name must match")
    parser.add_argument("--size", choices=SIZES, help="one size only")
    parser.add_argument("--lang", choices=LANGUAGES, help="one language only")
    asked = parser.parse_args(arguments)
    looks = [look for look in LOOKS if re.search(asked.only, look.name)]
    taken = take(
        asked.folder,
        looks,
        sizes=[asked.size] if asked.size else list(SIZES),
        languages=[asked.lang] if asked.lang else list(LANGUAGES),
    )
    print(f"{taken} pictures in {asked.folder}")  # noqa: T201


if __name__ == "__main__":
    main()
