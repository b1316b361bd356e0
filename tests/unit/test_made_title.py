"""The title that a text gets where none was given."""

from __future__ import annotations

import pytest

from feedback.intake.submission import made_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The lamp at the school is out. Please come.", "The lamp at the school is out"),
        (
            "The bridge between the two villages has been closed since Monday",
            "The bridge between the two villages has…",
        ),
        ("村口主管接头漏水三天了。请派人。", "村口主管接头漏水三天了"),
        ("水" * 60, "水" * 39 + "…"),
        ("x" * 60, "x" * 39 + "…"),
        ("The lamp at the school, broken, is out, again", "The lamp at the school, broken, is out…"),
    ],
)
def test_title_is_the_first_sentence_and_cuts_no_word(text: str, title: str) -> None:
    assert made_title(text) == title
