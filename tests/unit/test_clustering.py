"""Texts in groups that raise the same matter: neither chained together nor torn apart."""

from __future__ import annotations

import pytest

from feedback.kernel.apart import ChildFailed
from feedback.supervision import grouping
from feedback.supervision.clustering import Said, cluster

WHERE = ("幸福小区", "东风路口", "红旗中学", "桃园市场", "向阳大桥", "新华书店")
WHAT = (
    "水泵坏了高层停水",
    "路灯不亮晚上很黑",
    "门口堵车接送困难",
    "摊位占道无法通行",
    "桥面破损颠簸严重",
    "油烟扰民臭味难闻",
)
HOW = ("请派人来看看。", "已经反映多次，没有答复。", "希望尽快解决。", "居民意见很大。")


def said(where: str, what: str, how: str) -> Said:
    return Said(f"{where}{what[:4]}", f"{where}{what}，{how}")


def test_texts_on_the_same_matter_come_together_and_no_others() -> None:
    texts = [said(where, what, how) for where, what in zip(WHERE, WHAT, strict=True) for how in HOW]
    assert cluster(texts) == [list(range(at, at + 4)) for at in range(0, 24, 4)]


def test_a_chain_of_half_alike_texts_is_no_heap() -> None:
    texts = [Said("", f"{WHERE[at % 6]}{WHERE[(at + 1) % 6]}{WHAT[at % 6]}{WHAT[(at + 1) % 6]}") for at in range(6)]
    assert max(map(len, cluster(texts))) <= 3


def test_what_says_nothing_stays_alone() -> None:
    assert cluster([]) == []
    assert cluster([Said("", ""), Said("", ""), Said("😀", "。"), Said("", "水")]) == [[0], [1], [2], [3]]
    assert cluster([Said("", "a" * 5_000), Said("", "漏水" * 9_000), Said("", "")]) == [[0], [1], [2]]


def test_the_same_words_are_one_matter_however_many_say_them() -> None:
    texts = [said(WHERE[0], WHAT[0], HOW[0])] * 40 + [said(WHERE[1], WHAT[1], HOW[1])] * 3
    assert [len(group) for group in cluster(texts)] == [40, 3]


@pytest.mark.parametrize("few", [0, 300])
def test_groups_of_another_process_are_the_same(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(grouping, "FEW", few)
    said = [Said(f"第{n}号井盖", "井盖丢失，晚上看不见" if n % 2 else "学校门口的路灯不亮了") for n in range(6)]
    assert grouping.group(said) == cluster(said)
    assert grouping.group([]) == []


def test_process_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    monkeypatch.setattr(grouping, "MODULE", "feedback.no_such_module")
    with pytest.raises(ChildFailed, match="no_such_module"):
        grouping.group([Said("a", "b")] * 3)
