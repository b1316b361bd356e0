"""How texts and queries are cut into words, and where a hit is marked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.reading.snippets import BEFORE, mark, sentence_around
from feedback.tickets.bigrams import LONGEST_WORD, MOST_PHRASES, phrases_of, words_of
from feedback.tickets.search_index import Said, words_row


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("路灯损坏", ["路灯", "灯损", "损坏", "坏"]),
        ("路", ["路"]),
        ("路灯,坏了", ["路灯", "灯", "坏了", "了"]),
        ("在3号楼", ["在", "3", "号楼", "楼"]),
        ("ＷＡＴＥＲ Pipe's", ["water", "pipe", "s"]),
        ("ZD-7K3MQ-9QXAB", ["zd", "7k3mq", "9qxab"]),
        ("Straße Ünal", ["strasse", "ünal"]),
        ("𠀀𠀁", ["𠀀𠀁", "𠀁"]),
        ("道路ガ한국", ["道路", "路ガ", "ガ한", "한국", "국"]),
        ("", []),
        ("%_*'\"()-…💧\u202e\u200b", []),
    ],
)
def test_text_is_cut_into_pairs_and_whole_words(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ("路灯", [(("路灯",), False)]),
        ("路灯损坏", [(("路灯", "灯损", "损坏"), False)]),
        ("坏", [(("坏",), True)]),
        ("leak 路灯", [(("leak",), True), (("路灯",), False)]),
        ("3号楼", [(("3", "号楼"), False)]),
        ("路灯A", [(("路灯", "灯", "a"), True)]),
        ("zd-7k3", [(("zd", "7k3"), True)]),
        ("NEAR(a b)", [(("near", "a"), True), (("b",), True)]),
        ("路灯 路灯", [(("路灯",), False)]),
        ("% ' *", []),
        ("\u3000", []),
    ],
)
def test_query_asks_for_phrases(query: str, phrases: list[tuple[tuple[str, ...], bool]]) -> None:
    assert [(phrase.words, phrase.is_begun) for phrase in phrases_of(query)] == phrases


def test_query_and_text_are_bounded() -> None:
    assert len(phrases_of(" ".join(f"w{i}" for i in range(100)))) == MOST_PHRASES
    assert list(words_of("a" * 100_000)) == ["a" * LONGEST_WORD]
    long = [Said(1, None, "路灯坏了" * 25_000, "submit", is_public=True, seat_id=1)]
    assert len(words_row("sqlite", 1, "ZD-1", None, long)["everyone"]) < 60_000


@settings(max_examples=200)
@given(st.text(max_size=60), st.integers(0, 59), st.integers(1, 20))
def test_any_part_of_chinese_and_any_beginning_of_a_word_is_found_in_its_words(text: str, at: int, size: int) -> None:
    words = list(words_of(text))
    for phrase in phrases_of(text):
        assert _stands(phrase.words, words, is_begun=phrase.is_begun), phrase
    for phrase in phrases_of("修好路灯损坏了吗"[at % 8 :][:size]):
        assert _stands(phrase.words, list(words_of("请修好路灯损坏了吗")), is_begun=phrase.is_begun), phrase


def _stands(asked: tuple[str, ...], words: list[str], *, is_begun: bool) -> bool:
    """What both databases do with a phrase."""
    size = len(asked)
    for at in range(len(words) - size + 1):
        *before, last = words[at : at + size]
        fits = last.startswith(asked[-1]) if is_begun else last == asked[-1]
        if fits and tuple(before) == asked[:-1]:
            return True
    return False


def test_hit_is_marked_in_its_sentence_and_nothing_else() -> None:
    snippet = sentence_around("前天报过。村口的路灯损坏了，路灯不亮！请来修。", phrases_of("路灯"))
    assert snippet is not None
    assert str(snippet) == "村口的路灯损坏了，路灯不亮！"
    assert [text for text, is_hit in snippet.parts if is_hit] == ["路灯", "路灯"]
    assert sentence_around("别的事情。", phrases_of("路灯")) is None


def test_long_sentence_is_shortened_around_the_hit() -> None:
    snippet = sentence_around("甲" * 300 + "路灯" + "乙" * 300, phrases_of("路灯"))
    assert snippet is not None
    assert str(snippet).startswith("…" + "甲" * BEFORE + "路灯乙")
    assert str(snippet).endswith("乙…")
    assert len(str(snippet)) < 200


@pytest.mark.parametrize(
    ("text", "query", "hits"),
    [
        ("The Pipes leak", "pipe", ["Pipe"]),
        ("windpipe", "pipe", []),
        ("…ＷＡＴＥＲ", "water", ["ＷＡＴＥＲ"]),
        ("…路灯……损坏", "路灯 损坏", ["路灯", "损坏"]),
        ("在3号楼和13号楼", "3号楼", ["3号楼"]),
        ("water  -- pipe", "water-pipe", ["water  -- pipe"]),
        ("a<b>c", "b", ["b"]),
    ],
)
def test_mark_falls_where_the_words_stand(text: str, query: str, hits: list[str]) -> None:
    parts = mark(text, phrases_of(query))
    assert [part for part, is_hit in parts if is_hit] == hits
    assert "".join(part for part, _is_hit in parts) == text
