"""Every page in both languages: it answers, speaks the reader's language throughout, is light, and asks no other host.

The pages are those of tests.support.pages; a page that is a route without an id and isn't there fails too.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from feedback.calendars.models import BusinessCalendar
from feedback.cli.routes import list_routes
from feedback.kernel.db import db
from feedback.kernel.site import get_setting
from feedback.people.models import Account, Unit
from feedback.routing.danger import LISTS
from feedback.routing.models import CatalogueRow, Category
from feedback.sla.models import SlaPolicy
from feedback.tickets.models import Leg, Message, Ticket
from feedback.tickets.summaries import PublishedSummary
from tests.support.browser import Browser
from tests.support.pages import LOOKS, Look, references
from tests.support.small_site import make_site

HEAVIEST = 150 * 1024
FIRST_PAGE = 60 * 1024
NO_PAGES = re.compile(
    r"/(api/v1/|assets/|dev/|healthz|readyz|metrics|notices/unread|admin/exports/|admin/accounts\.csv)"
)
"""Routes that answer a program, not a reader."""
SAME = re.compile(
    r"(EN|English|中文|WeChat|DingTalk|Redis|Enter|REDIS_URL|SMTP_URL|CSV|[jk/]|OpenAPI|GET|POST|JSON|"
    r"(GET|POST) /\S*|/api/\S+|https?://\S+|ZD-[0-9A-Z-]+(\.[a-z]+)?|\S+@\S+|\d+ [KM]B|"
    r"[a-z_]+(, [a-z_]+)*|(\+?\d+\w*%?:\w+;?)+)"
)
"""What is the same in both languages by its nature: names, codes, addresses, keys."""
BREAK = re.compile(r" · |\d{4}-\d\d-\d\d( \d\d:\d\d)?( [+-]\d\d:\d\d)?")
LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]")
READ_ALOUD = ("aria-label", "placeholder", "title", "alt")


@dataclass
class Page(HTMLParser):
    """What a reader meets on a page, and what it makes the browser fetch."""

    html: str
    texts: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._tags: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tags.append(tag)
        found = {name: value or "" for name, value in attrs}
        self.texts |= {" ".join(found[name].split()) for name in READ_ALOUD if found.get(name)}
        if tag in ("link", "script", "img"):
            self.fetched.append(found.get("href") or found.get("src") or "")
        if tag == "style" or (tag == "script" and "src" not in found):
            self.faults.append(f"an inline {tag}")
        self.faults += [f"{name} on {tag}" for name in found if name == "style" or name.startswith("on")]
        links = (found.get(name, "") for name in ("src", "href", "action", "formaction"))
        self.faults += [f"another host: {link}" for link in links if re.match(r"(https?:)?//", link)]

    def handle_endtag(self, tag: str) -> None:
        while self._tags and self._tags.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "code", "pre", "kbd"} & set(self._tags[-3:]):
            self.texts.add(" ".join(data.split()))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = make_site(Path(tmp_path_factory.mktemp("every-page")))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def known(site: Flask) -> dict[str, str]:
    return references(site)


@pytest.fixture(scope="module")
def written(site: Flask) -> str:
    """All that people wrote or named, which no catalogue translates."""
    with site.app_context():
        session = db.session()
        said = [f"{message.title or ''} {message.body}" for message in session.query(Message)]
        said += [summary.text for summary in session.query(PublishedSummary)]
        said += [ticket.place or "" for ticket in session.query(Ticket)]
        said += [leg.task or "" for leg in session.query(Leg)]
        said += [f"{a.name} {a.login}" for a in session.query(Account)]
        said += [f"{u.code} {u.name} {u.name_en or ''}" for u in session.query(Unit)]
        said += [f"{' '.join(row.keywords)} {', '.join(row.keywords)}" for row in session.query(CatalogueRow)]
        said += [f"{category.path} {category.name}" for category in session.query(Category)]
        said += [calendar.code for calendar in session.query(BusinessCalendar)]
        said += [" ".join(get_setting(session, name)) for name in LISTS.values()]
        said += [policy.name for policy in session.query(SlaPolicy)]
        db.session.remove()
    return "\n".join(" ".join(text.split()) for text in said)


@pytest.fixture(scope="module")
def readers(site: Flask) -> dict[str, Browser]:
    """A browser of each person of the table, signed in."""
    found = {login: Browser(site) for login in {look.login for look in LOOKS}}
    for login, browser in found.items():
        if login:
            assert browser.sign_in(login).status_code in (302, 303)
    return found


def _shown(look: Look, readers: dict[str, Browser], known: dict[str, str], lang: str) -> Page:
    address = look.address.format_map(known)
    answer = readers[look.login].get(f"{address}{'&' if '?' in address else '?'}lang={lang}")
    assert answer.status_code == look.status, f"{address}: {answer.status_code}"
    return Page(answer.text)


PLAIN = [look for look in LOOKS if look.is_plain]


@pytest.mark.parametrize("look", PLAIN, ids=lambda look: look.name)
def test_a_reader_meets_their_own_language_throughout(
    look: Look, readers: dict[str, Browser], known: dict[str, str], written: str
) -> None:
    chinese, english = (_shown(look, readers, known, lang) for lang in ("zh_CN", "en"))
    same = {
        text
        for shared in chinese.texts & english.texts
        for text in (part.strip("…（）()· ") for part in BREAK.split(shared) if part)
        if LETTERS.search(text) and text not in written and not SAME.fullmatch(text)
    }
    assert not same, "the same in both languages, and neither a name nor a code: " + "; ".join(sorted(same))


@pytest.mark.parametrize("look", PLAIN, ids=lambda look: look.name)
def test_a_page_is_light_and_asks_no_other_host(
    look: Look, readers: dict[str, Browser], known: dict[str, str], site: Flask
) -> None:
    page = _shown(look, readers, known, "zh_CN")
    assert not page.faults
    weight = len(gzip.compress(page.html.encode())) + sum(
        _asset_weight(readers[look.login], name) for name in page.fetched
    )
    assert weight <= (FIRST_PAGE if look.name in ("sign-in", "cadre-first") else HEAVIEST)


@cache
def _asset_weight(browser: Browser, address: str) -> int:
    answer = browser.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200, address
    return len(answer.data)


def test_every_page_without_an_id_stands_in_the_table(site: Flask) -> None:
    looked_at = {look.address.split("?")[0] for look in LOOKS}
    missing = [
        route.line()
        for route in list_routes(site)
        if " GET " in route.line() and "<" not in route.line().split()[0] and not NO_PAGES.match(route.line())
        if route.line().split()[0] not in looked_at
    ]
    assert not missing, "add a line to tests/support/pages.py for: " + "; ".join(missing)
