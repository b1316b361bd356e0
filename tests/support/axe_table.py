"""Every page, state and role in a real browser, as one table: `python -m tests.support.axe_table [--out F]`.

Each is opened in both languages on a phone (360 px) and a desktop (1280 px): axe looks at it (WCAG 2.0 to 2.2, A and AA,
and its best practices) with all boxes open; no page may scroll sideways from 360 to 1920 px, a submitter's page neither
with letters twice as large; and every byte over the wire is counted with an empty cache. Then the errands are walked.
Ends with 1 where there is a fault. F ends in .json or .md; without it Markdown goes to the screen.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from feedback.kernel.db import db
from tests.support.browser import Browser as PlainBrowser
from tests.support.chromium import running_browser, served
from tests.support.errands import ERRANDS, Errand, Took, run
from tests.support.inspection import DESK_WIDTH, PHONE_WIDTH, Found, Scale, inspect
from tests.support.pages import LOOKS, Look, references
from tests.support.shots import LANGUAGES, look_at
from tests.support.small_site import make_site

SIZES = (PHONE_WIDTH, DESK_WIDTH)


@contextmanager
def site_to_look_at() -> Iterator[tuple[Flask, str]]:
    """The small county served from a folder that goes afterwards, and its address."""
    logging.getLogger("feedback.web.errors").setLevel(logging.CRITICAL)  # the page of a fault is one of those looked at
    with tempfile.TemporaryDirectory(prefix="zhida-axe-") as folder:
        app = make_site(Path(folder))
        with served(app) as address:
            yield app, address
        with app.app_context():
            db.engine.dispose()


def look_through(
    browser: Browser, app: Flask, address: str, looks: Sequence[Look], languages: Iterable[str], *, quick: bool = False
) -> Iterator[Found]:
    """What is found on each page, in each language. `quick` looks on the phone alone."""
    known = references(app)
    languages = list(languages)
    width, height = PHONE_WIDTH
    page = browser.new_context(viewport={"width": width, "height": height}, base_url=address).new_page()
    page.set_default_timeout(20_000)
    scale = Scale(page)
    for login in dict.fromkeys(look.login for look in looks):
        _be(page, app, address, login)
        for look, lang in itertools.product((look for look in looks if look.login == login), languages):
            page.set_viewport_size({"width": width, "height": height})
            try:
                look_at(page, look, known, lang)
            except (AssertionError, PlaywrightError) as error:
                yield Found(look, lang, (f"not reached: {str(error).splitlines()[0]}",), 0, 0)
                continue
            page.wait_for_load_state("networkidle")
            yield inspect(page, look, lang, scale, address, quick=quick)
    page.context.close()


def _be(page: Page, app: Flask, address: str, login: str) -> None:
    """Let the browser be this person's, with the session that a plain client began; login "" is nobody."""
    page.context.clear_cookies()
    if login:
        name = app.config["SESSION_COOKIE_NAME"]
        client = PlainBrowser(app)
        client.sign_in(login)
        page.context.add_cookies([{"name": name, "value": client.cookie(name), "url": address}])


def time_of(browser: Browser, errand: Errand) -> Took:
    """An errand on a quick and on a slow line, each on a site where nobody did it yet."""
    with site_to_look_at() as (_app, address):
        taps, seconds = run(browser, address, errand)
    with site_to_look_at() as (_app, address):
        _taps, slow_seconds = run(browser, address, errand, slow=True)
    return Took(errand.name, taps, seconds, slow_seconds)


def as_markdown(found: Sequence[Found], took: Sequence[Took]) -> str:
    """The table as people read it."""
    pages = len(found) * len(SIZES)
    faults = sum(len(each.faults) for each in found)
    lines = [
        f"{len({each.look.name for each in found})} pages and states, {pages} views, {faults} faults.",
        "",
        "| page | who | language | faults | KB over the wire | requests |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        kilobytes = f"{each.bytes / 1024:.1f}"
        who = each.look.login or "–"
        lines.append(f"| {each.look.name} | {who} | {each.lang} | {len(each.faults)} | {kilobytes} | {each.requests} |")
    if took:
        lines += ["", "| errand | taps | seconds | seconds on a slow line |", "|---|---|---|---|"]
        lines += [f"| {each.name} | {each.taps} | {each.seconds:.1f} | {each.slow_seconds:.1f} |" for each in took]
    if faults:
        lines += ["", "Faults:", ""]
        lines += [f"- {each.look.name} ({each.lang}): `{fault}`" for each in found for fault in each.faults]
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Found], took: Sequence[Took]) -> str:
    """The same for a program."""
    rows = [
        {
            "page": each.look.name,
            "who": each.look.login,
            "language": each.lang,
            "faults": list(each.faults),
            "bytes": each.bytes,
            "requests": each.requests,
        }
        for each in found
    ]
    errands = [
        {"errand": each.name, "taps": each.taps, "seconds": each.seconds, "slow_seconds": each.slow_seconds}
        for each in took
    ]
    return json.dumps({"pages": rows, "errands": errands}, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.axe_table", description=__doc__)
    parser.add_argument("--out", type=Path, help="a file for the table, .md or .json")
    parser.add_argument("--only", default="", help="a regular expression that the page's name must match; no errands")
    parser.add_argument("--lang", choices=LANGUAGES, help="one language only")
    asked = parser.parse_args(arguments)
    looks = [look for look in LOOKS if re.search(asked.only, look.name)]
    languages = [asked.lang] if asked.lang else LANGUAGES
    with site_to_look_at() as (app, address), running_browser() as browser:
        found = []
        for each in look_through(browser, app, address, looks, languages):
            found.append(each)
            print(f"{each.look.name} {each.lang}: {len(each.faults)}", file=sys.stderr)  # noqa: T201
            for fault in each.faults:
                print(f"    {fault}", file=sys.stderr)  # noqa: T201
    with running_browser() as browser:
        took = [] if asked.only else [time_of(browser, errand) for errand in ERRANDS]
    text = (as_json if asked.out and asked.out.suffix == ".json" else as_markdown)(found, took)
    if asked.out:
        asked.out.write_text(text, "utf-8")
    else:
        print(text)  # noqa: T201
    return 1 if any(each.faults for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
