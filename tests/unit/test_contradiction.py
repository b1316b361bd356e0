"""What somebody's words say of their matter, whatever they pressed: solved, not solved, or neither."""

from __future__ import annotations

import pytest

from feedback.confirmation.contradiction import Saying, contradicts, saying_of

NOT_SOLVED = (
    "还没修好",
    "没有解决",
    "问题并未得到解决",
    "还在漏水",
    "修好两天又坏了",
    "说是修好了，其实没人来过",
    "路灯还是黑的",
    "水管仍然漏",
    "根本没人来",
    "修不好",
    "不管用",
    "还是老样子",
    "没有完全修好",
    "又停水了",
    "It still leaks",
    "not fixed at all",
    "The lamp isn't working",
    "The lamp isn’t working",
    "Fixed for a day, and it drips again",
    "Nobody came",
    "Still no water",
    "NOT SOLVED",
)
SOLVED = (
    "已经修好了，谢谢",
    "问题解决了",
    "路灯亮了",
    "现在不漏了",
    "以前没人来，现在修好了",
    "水来了",
    "没问题了",
    "全部清理完了",
    "It is fixed now, thank you",
    "The lamp works again",
    "It still leaked on Monday, now it is repaired",
    "Solved.",
)
NEITHER = (
    "",
    "谢谢",
    "请尽快修好",
    "希望早日解决了这件事",
    "什么时候能修好了",
    "要是修好了就好了",
    "师傅很客气",
    "来了两个人，看了看",
    "还没来得及感谢你们",
    "Please have it fixed",
    "A friendly man came",
    "When will it be repaired",
    "🙂",
    "' OR 1=1 --",
)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        *(("not_solved", text) for text in NOT_SOLVED),
        *(("solved", text) for text in SOLVED),
        *((None, text) for text in NEITHER),
    ],
)
def test_a_submitters_words_are_heard_as_what_they_say(said: Saying | None, text: str) -> None:
    assert saying_of(text) == said


@pytest.mark.parametrize("text", NOT_SOLVED)
def test_pressing_solved_contradicts_words_that_say_it_is_not(text: str) -> None:
    assert contradicts("solved", text)
    assert not contradicts("not_solved", text)


@pytest.mark.parametrize("text", SOLVED)
def test_pressing_not_solved_contradicts_words_that_say_it_is(text: str) -> None:
    assert contradicts("not_solved", text)
    assert not contradicts("solved", text)


@pytest.mark.parametrize("text", NEITHER)
def test_words_that_say_neither_contradict_nothing(text: str) -> None:
    assert not contradicts("solved", text)
    assert not contradicts("not_solved", text)


def test_a_very_long_text_is_heard_in_good_time() -> None:
    assert saying_of("还在" * 10_000) is None
    assert saying_of("not " * 5_000) is None
    assert saying_of("希望" * 9_000 + "修好了") is None
