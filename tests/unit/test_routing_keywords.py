"""Which words are heard in a text, word by word."""

from __future__ import annotations

import pytest

from feedback.routing.keywords import Keyword, fold, hear


def words(*pairs: tuple[str, int]) -> list[Keyword]:
    return [Keyword(fold(word), word, owner) for word, owner in pairs]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("村里的路灯坏了", {1: ("路灯",)}),
        ("ＧＡＳ　ＬＥＡＫ in the yard", {2: ("gas leak",)}),
        ("Gas\nleaks since noon", {2: ("gas leak",)}),
        ("Las Vegas leak", {}),
        ("", {}),
    ],
)
def test_words_are_heard_in_any_width_and_case(text: str, heard: dict[int, tuple[str, ...]]) -> None:
    assert hear(text, words(("路灯", 1), ("gas leak", 2))) == heard


def test_longer_word_silences_the_one_inside_it_only_there() -> None:
    catalogue = words(("道路", 1), ("道路绿化", 2), ("绿化", 3))
    assert hear("道路绿化", catalogue) == {2: ("道路绿化",)}
    assert hear("道路绿化和道路", catalogue) == {2: ("道路绿化",), 1: ("道路",)}


def test_words_that_overlap_without_one_holding_the_other_are_both_heard() -> None:
    assert set(hear("自来水管网", words(("自来水管", 1), ("水管网", 2)))) == {1, 2}


def test_same_word_of_two_owners_speaks_for_both() -> None:
    assert hear("垃圾", words(("垃圾", 1), ("垃圾", 2))) == {1: ("垃圾",), 2: ("垃圾",)}


def test_owner_with_more_of_the_text_comes_first() -> None:
    assert list(hear("路灯 路灯 水管", words(("水管", 1), ("路灯", 2)))) == [2, 1]
