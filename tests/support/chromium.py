"""A real browser for tests: Debian's Chromium against the application served on loopback, and axe on its pages."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.browser import PASSWORD

CHROMIUM = shutil.which("chromium")
PHONE, NARROW, DESK = (390, 844), (360, 740), (1366, 768)
PATIENCE_MS = 20_000
"""How long a test waits for what must come: a busy machine is no fault of a page."""
expect.set_options(timeout=PATIENCE_MS)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None:
        """Tests need no access log."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium; skips with a reason where there is none, unless BROWSER_REQUIRED is set."""
    if CHROMIUM is None:
        if os.environ.get("BROWSER_REQUIRED"):
            pytest.fail("BROWSER_REQUIRED is set, but there is no chromium on this machine")
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address at which the application answers on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed_in(
    browser: Browser,
    address: str,
    login: str,
    size: tuple[int, int] = PHONE,
    *,
    scripts: bool = True,
    lang: str = "en",
) -> Page:
    """A page of somebody's own browser, after signing in."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        locale={"en": "en-GB", "zh_CN": "zh-CN"}[lang],
        base_url=address,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    arrived(page, r"^(?!.*/sign-in)")
    return page


def arrived(page: Page, address: str) -> None:
    """Wait until a page whose address matches the expression is there whole.

    It looks again and again: a wait for one navigation fails where a second one (a double click) overtakes it.
    """
    expect(page).to_have_url(re.compile(address))
    page.wait_for_load_state()


def faults_of(page: Page) -> list[str]:
    """What axe finds on a page, a line each: rule and the element."""
    asked = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}  # what passes is a long list
    found = Axe().run(page, options=asked)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether anything makes the page wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
