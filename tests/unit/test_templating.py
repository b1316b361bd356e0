"""Templates escape whatever they put out, exactly as MarkupSafe does."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string
from flask_babel import LazyString
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from feedback.web.templating import PageEnvironment, to_html


class _Piece:
    def __html__(self) -> str:
        return "<i>safe</i>"


class _Word(str):
    """A text of a class of its own is no plain text: it may know its HTML better."""

    def __html__(self) -> str:
        return "<b>word</b>"


@given(st.text())
def test_any_text_is_escaped_as_by_markupsafe(text: str) -> None:
    assert to_html(text) == escape(text)


@pytest.mark.parametrize(
    "value", [Markup("<b>"), _Piece(), _Word("x"), 7, None, 1.5, True, LazyString(lambda: "<a>"), ["<"]]
)
def test_other_values_come_out_as_by_markupsafe(value: object) -> None:
    assert str(to_html(value)) == str(escape(value))


TEMPLATE = """
{%- macro quoted(x) %}“{{ x }}”{% endmacro -%}
{%- set caught %}{{ bad }}{% endset -%}
{{ bad }}|{{ quoted(bad) }}|{{ caught }}|{{ bad ~ "<" }}|{{ bad|safe }}|{{ (bad|e)|e }}|{{ [bad, bad]|join("<br>"|safe) }}
{%- autoescape false %}|{{ bad }}{% endautoescape %}"""


def test_a_page_is_escaped_once_wherever_a_value_stands() -> None:
    pages = []
    for environment in (PageEnvironment, Flask.jinja_environment):
        app = Flask("tried")
        app.jinja_environment = environment
        with app.app_context():
            pages.append(render_template_string(TEMPLATE, bad="<script>'&\""))
    assert pages[0] == pages[1]
    assert "&lt;script&gt;" in pages[0]
    assert pages[0].count("<script>") == 2  # `safe`, and where escaping is off
