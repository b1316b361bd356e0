"""The pictures of the README, out of a running demo county: `./start`, then `python -m tests.support.readme_pictures URL`.

Each is docs/pictures/NAME-LANG.png with at most 256 colours, so that it stays small.
"""

from __future__ import annotations

import io
import itertools
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from feedback.demo.county import PASSWORD
from tests.support.chromium import DESK, PHONE, arrived, running_browser

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
TYPED = "村口主水管漏水三天了，路面塌了一小块，晚上骑车的人看不见。"
LARGEST = 120 * 1024
SHOTS: tuple[tuple[str, str, str, tuple[int, int]], ...] = (
    ("home", "cun11", "/mine", PHONE),
    ("submit", "cun11", "/submit", PHONE),
    ("desk", "nongye-le", "/desk?tab=all", DESK),
    ("ticket", "nongye-le", "", DESK),
    ("review", "lingdao01", "/review", DESK),
)
"""Name, who looks, where, and how large; "" is the first ticket of the desk."""


def save_small(picture: bytes, path: Path) -> None:
    """Write a screenshot with a palette. ValueError where it is still too large for a README."""
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST}")


def _page_of(chromium: Browser, address: str, login: str, size: tuple[int, int], lang: str) -> Page:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, base_url=address, locale=lang.replace("_", "-")
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    arrived(page, r"^(?!.*/sign-in)")
    return page


def _first_ticket(page: Page) -> str:
    page.goto("/desk?tab=all")
    return page.locator("main a[href^='/tickets/']").first.get_attribute("href") or "/"


def main(address: str) -> None:
    """Take them all in both languages."""
    PICTURES.mkdir(exist_ok=True)
    with running_browser() as chromium:
        for lang, (name, login, path, size) in itertools.product(("zh_CN", "en"), SHOTS):
            page = _page_of(chromium, address, login, size, lang)
            where = path or _first_ticket(page)
            page.goto(f"{where}{'&' if '?' in where else '?'}lang={lang}")
            if name == "submit":
                page.fill("#submit-text", TYPED)
                page.locator(".chip-tap").first.wait_for()
            save_small(page.screenshot(), PICTURES / f"{name}-{lang[:2]}.png")
            page.context.close()


if __name__ == "__main__":
    main(sys.argv[1])
