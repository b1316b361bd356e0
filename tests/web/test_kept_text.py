"""Kept parts of pages: the same text as made anew, whoever read it before, in either language, and within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from feedback.kernel.clock import utc_now
from feedback.kernel.text import N_, Text
from feedback.web.forms.actions import FORMS
from feedback.web.forms.base import option
from feedback.web.kept_text import KeptTexts, frozen, keeping, kept, texts
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

LANGUAGES = ("zh_CN", "en")
PLAIN = st.sampled_from(["", "a", "1", "True", "None", 0, 1, None, True, False, 1.0, Markup("a"), Markup("1")])
SHOWN = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "1"]), inner, max_size=2)
)


def told(value: Any) -> Any:
    """What a macro can tell apart."""
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items()}
    return [told(each) for each in value] if isinstance(value, list) else (type(value), value)


@given(SHOWN, SHOWN)
def test_values_that_may_be_shown_differently_have_different_keys(one: Any, other: Any) -> None:
    if frozen(one) == frozen(other):
        assert told(one) == told(other)


def test_what_was_not_wanted_for_longest_is_forgotten_first() -> None:
    held = KeptTexts(most=10)
    made: list[str] = []

    def ask(key: str) -> None:
        def make() -> Markup:
            made.append(key)
            return Markup(key * 4)

        held.get(key, make)

    for key in "abacab":  # c takes the place of b, then b that of c or a: a was wanted last
        ask(key)
    assert made == ["a", "b", "c", "b"]
    held.get("long", lambda: Markup("x" * 11))
    ask("a")
    assert made == ["a", "b", "c", "b", "a"]


def macros(app: Flask, template: str) -> Any:
    return app.jinja_env.get_template(template).module


def check(macro: Callable[..., Markup], *values: Any) -> None:
    """Kept twice (made, then found), and by its last value alone."""
    fresh = macro(*values)
    assert [kept(macro, *values), kept(macro, *values), keeping(macro, *values[:-1])(values[-1])] == [fresh] * 3


def some(random: Random) -> Any:
    """A text as people write it."""
    return random.choice(["", "漏水 <b>", 'a "word" & more', "村口", Markup("<mark>灯</mark>"), "x" * 40])


def when(random: Random) -> dict[str, Any]:
    found = {"words": some(random), "iso": f"2026-0{random.randint(1, 9)}-01", "exact": some(random)}
    return {**found, "live": "ago"} if random.random() < 0.3 else found


def row(random: Random) -> dict[str, Any]:
    due = {"tone": random.choice(["late", "soon", "ok"]), "words": some(random)}
    return {
        "id": some(random),
        "check": {"value": some(random), "label": some(random)},
        "due": {**due, "at": when(random)} if random.random() < 0.5 else due,
        "title": {"text": some(random), "url": "/x", "excerpt": some(random), "unread": random.random() < 0.5},
        "place": random.choice([None, some(random)]),
        "said": when(random),
        "share": {"words": some(random), "url": random.choice([None, "/y"]), "note": some(random)},
    }


KINDS = {"check": "check", "due": "due", "title": "title", "place": "text", "said": "time", "share": "rate"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_row_card_and_entry_is_as_made_anew(app: Flask, language: str) -> None:
    texts.clear()
    random = Random(7)
    cells = [(key, kind, Markup(f'<td class="{key}">'), Markup("<td>")) for key, kind in KINDS.items()]
    with app.test_request_context(f"/?lang={language}"):
        table, ticket = macros(app, "macros/table.html"), macros(app, "macros/ticket.html")
        for _ in range(150):
            check(table.table_row, cells, some(random), row(random))
            states = random.choices(["done", "now", "todo", "skipped", "closed"], k=5)
            steps = [
                {"state": state, "when": when(random)} if random.random() < 0.5 else {"state": state}
                for state in states
            ]
            check(ticket.steps, steps)
            status = {"tone": random.choice(["late", "ok"]), "sentence": some(random)}
            card = {"title": some(random), "url": "/x", "status": status, "steps": steps, "meta": [some(random)] * 2}
            check(ticket.card, {**card, "reference": some(random), "at": when(random)})
            said = {"kind": random.choice(["said", "step", "note"]), "who": some(random), "at": when(random)}
            check(ticket.entry, {**said, "title": some(random), "facts": [some(random)], "mine": random.random() < 0.5})


@pytest.mark.parametrize("name", FORMS)
def test_fields_of_an_action_are_as_made_anew(app: Flask, name: str) -> None:
    for language in LANGUAGES:
        with app.test_request_context(f"/?lang={language}"):
            inputs = macros(app, "ticket/_actions.html").inputs
            for offered in ([], [option("a", "A")], [option("a", "A"), option("b", "<B>")]):
                for typed in ({}, {"text": "said", "reason": "why <b>"}):
                    for errors in (
                        {},
                        {"text": Text(N_("Must not be empty.")), "reason": Text(N_("Must not be empty."))},
                    ):
                        form = FORMS[name](slug=name, data=typed)
                        for field in form:
                            if hasattr(field, "choices") and not field.choices:
                                field.choices = offered
                        form.show_errors(errors)
                        check(inputs, form)


@time_machine.travel(datetime(2026, 3, 10, 2, 0, tzinfo=UTC), tick=False)  # pages say how long ago, by the minute
def test_pages_are_the_same_bytes_with_what_others_left_behind(app: Flask, county: County) -> None:
    """Two handlers, a submitter and a leader read in both languages; then each page again with nothing kept."""
    readers = ("hw", "lw", "s", "lr")
    give_password(*(county.accounts[login] for login in readers))
    journey = Journey(county, now=utc_now() - timedelta(days=2))
    references = [journey.to(state) for state in ("in_progress", "waiting_for_submitter", "resolved", "dispatched")]
    asked = ["/desk?tab=all", "/mine", "/review", *(f"/tickets/{reference}" for reference in references)]
    browsers = {}
    for login in readers:
        for language in ("zh", "en"):
            browser = browsers[login, language] = Browser(app, **{"Accept-Language": language})
            browser.sign_in(login)

    def read_all() -> list[str]:
        found = []
        for browser in browsers.values():
            for path in asked:
                page = re.sub(r'name="csrf_token" value="[^"]+"', "token", browser.get(path).text)
                assert browser.token not in page
                found.append(page)
        return found

    read_all()
    warm = read_all()
    cold = []
    for browser in browsers.values():
        for path in asked:
            texts.clear()
            cold.append(re.sub(r'name="csrf_token" value="[^"]+"', "token", browser.get(path).text))
    assert warm == cold
