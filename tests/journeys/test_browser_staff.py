"""The pages of staff in a real browser: sound, narrow, walked by keys, without scripts, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import (
    DESK,
    NARROW,
    arrived,
    faults_of,
    scrolls_sideways,
    served,
    signed_in,
)
from tests.support.small_site import make_site

pytestmark = pytest.mark.browser

PAGES = {
    "hw": ("/desk", "/desk?tab=all&q=%E6%B0%B4&area=none", "/desk?tab=back", "/notices", "/help", "/help/admin"),
    "dp1": ("/dispatch",),
    "d": ("/dispatch",),
    "lr": (
        "/review",
        "/review/now/waiting",
        "/review/now/silent",
        "/review/list?from=2020-01-01&to=2029-01-01&by=unit&measure=declined&part=denominator",
    ),
    "su": ("/review",),
    "adm": (
        "/admin",
        "/admin/settings",
        "/admin/accounts",
        "/admin/accounts/hw",
        "/admin/add-account",
        "/admin/units",
        "/admin/units/water",
        "/admin/add-unit",
        "/admin/catalogue",
        "/admin/policies",
        "/admin/calendars",
        "/admin/official-days",
        "/admin/imports/policies",
        "/admin/jobs",
    ),
}
HEAVIEST = 150_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(site: Flask) -> Iterator[str]:
    with served(site) as found:
        yield found


def heard(page: Page) -> list[str]:
    """Collects script errors and blocked resources from now on."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    return faults


@pytest.mark.parametrize("lang", ["en", pytest.param("zh_CN", marks=pytest.mark.slow)])
@pytest.mark.parametrize("login", sorted(PAGES))
def test_every_page_of_staff_is_sound_and_fits_a_narrow_screen(
    browser: Browser, address: str, login: str, lang: str
) -> None:
    page = signed_in(browser, address, login, lang=lang)
    faults = heard(page)
    found = []
    for path in PAGES[login]:
        for size in (NARROW, DESK):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(path)
            found += [f"{path} at {size[0]}: {fault}" for fault in faults_of(page)]
            if scrolls_sideways(page):
                found.append(f"{path} at {size[0]}: scrolls sideways")
        if len(page.content().encode()) > HEAVIEST:
            found.append(f"{path}: {len(page.content().encode())} bytes")
    assert [*found, *faults] == []
    page.context.close()


@pytest.mark.parametrize("login", ["hw", "dp1", "lr"])
def test_pages_of_staff_fit_with_large_letters(browser: Browser, address: str, login: str) -> None:
    page = signed_in(browser, address, login, NARROW)
    for path in PAGES[login]:
        page.goto(f"{path}{'&' if '?' in path else '?'}text=large")
        assert not scrolls_sideways(page), path
    page.context.close()


def test_handler_walks_the_desk_by_keys_and_comes_back_to_the_same_row(browser: Browser, address: str) -> None:
    page = signed_in(browser, address, "hw", DESK)
    page.goto("/desk?tab=all")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("a[data-row]").nth(1)
    expect(second).to_be_focused()
    wanted = second.get_attribute("href")
    page.keyboard.press("Enter")
    arrived(page, f"{wanted}$")
    page.go_back()
    expect(page.locator(f'a[data-row][href="{wanted}"]')).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("no such words anywhere")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing fits these filters")
    page.context.close()


def test_dispatcher_without_scripts_sends_a_ticket_by_a_part_of_the_name(browser: Browser, address: str) -> None:
    page = signed_in(browser, address, "dp1", scripts=False)
    page.goto("/dispatch")
    row = page.locator("article").filter(has=page.locator("input[name=lead]:not([type=hidden])")).last
    row.locator("input[name=lead]:not([type=hidden])").fill("Water")
    row.locator("button", has_text="Send").last.click()
    expect(page.locator("[role=status]")).to_contain_text("was sent to Water Bureau")
    page.context.close()


def test_leader_prints_the_review_on_one_sheet(browser: Browser, address: str, tmp_path: Path) -> None:
    page = signed_in(browser, address, "lr", DESK)
    page.goto("/review?period=own&from=2020-01-01&to=2029-01-01")
    sheet = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1
    page.context.close()


def test_admin_invites_somebody_who_signs_in_and_brings_a_notice_in(browser: Browser, address: str) -> None:
    page = signed_in(browser, address, "adm", DESK)
    page.goto("/admin")
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Sign-in name").fill("newcomer")
    page.get_by_label("Name", exact=True).fill("Newcomer")
    page.get_by_label("Role").select_option("handler")
    page.get_by_label("Unit").fill("Roads")
    page.get_by_role("button", name="Add, and show the link").click()
    assert faults_of(page) == []
    link = page.get_by_label("The link").input_value()
    page.goto("/admin/official-days?year=2040")
    page.get_by_label("Days off").fill("10-01/10-07 National Day")
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator("main")).to_contain_text("Nothing is changed yet")
    assert faults_of(page) == []
    page.get_by_role("button", name="Yes, take it in").click()
    expect(page.locator("[role=status]")).to_contain_text("It is taken in")
    page.context.close()
    own = browser.new_context(base_url=address, locale="en-GB").new_page()
    own.goto(link[link.index("/choose-password") :])
    assert faults_of(own) == []
    own.get_by_label("New password", exact=True).fill("a quiet river at night")
    own.get_by_label("New password, again").fill("a quiet river at night")
    own.get_by_role("button", name="Set the password").click()
    own.get_by_label("Sign-in name").fill("newcomer")
    own.get_by_label("Password").fill("a quiet river at night")
    own.locator("main form button").click()
    expect(own).to_have_url(re.compile("/desk$"))
    own.context.close()
