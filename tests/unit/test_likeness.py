"""How like two texts are: what counts, what doesn't, and what can't be compared."""

from __future__ import annotations

import pytest

from feedback.tickets.likeness import folded, matter, split_title, wanted

PUMP = "幸福小区三栋的水泵坏了，高层住户每天停水。"
SAME = "反映幸福小区水泵损坏，三栋高层停水"
OTHER = "希望村里的活动室晚上也能开门。"


def even(_pair: str) -> float:
    return 1.0


def likeness(one: str, other: str) -> float:
    title, text = split_title(other)
    return matter(*split_title(one), even).likeness(title or other, text, 1.0)


def test_what_says_the_same_is_more_alike_than_what_does_not() -> None:
    assert likeness(PUMP, PUMP) > likeness(PUMP, SAME) > 0.3 > likeness(PUMP, OTHER)
    assert likeness("The pump at Hill Road is broken", "broken pump, Hill Road") > 0.4
    assert likeness("The pump at Hill Road is broken", OTHER) == 0


def test_a_rare_pair_weighs_more_than_a_common_one() -> None:
    weights = {"小区": 1.0, "停水": 1.0, "幸福": 5.0}
    found = matter(None, "幸福小区停水", lambda pair: weights.get(pair, 1.0))
    assert found.likeness("", "幸福路上有坑", 4.0) > found.likeness("", "小区停水", 4.0)


def test_a_word_is_found_whole_and_in_any_writing() -> None:
    found = wanted("ART centre ３号", even)
    assert found.share(folded("the party centre")) == pytest.approx(1 / 3)
    assert found.share(folded("Art, Centre; 3号")) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", " ", "。", "漏", "😀😀", "\u200b", "a"])
def test_what_says_nothing_is_like_nothing(text: str) -> None:
    assert likeness(text, PUMP) == 0
    assert likeness(PUMP, text) == 0


def test_ten_thousand_words_are_compared_by_their_beginning() -> None:
    assert 0 < likeness(PUMP + "又停水了" * 10_000, PUMP) <= 1


def test_a_short_first_line_is_the_title() -> None:
    assert split_title("停水\n三栋停水两天了") == ("停水", "三栋停水两天了")
    assert split_title("三栋停水两天了") == (None, "三栋停水两天了")
    assert split_title("停水\n ") == (None, "停水\n ")
    assert split_title(f"{'长' * 300}\n停水")[0] is None
