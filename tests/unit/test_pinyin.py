"""Units found by how their names are typed: full pinyin, first letters, every reading."""

from __future__ import annotations

import pytest

from feedback.kernel.errors import Invalid
from feedback.people.models import Unit
from feedback.web.pinyin import is_spelt, spellings
from feedback.web.unit_picker import UnitPicker

NAMES = {
    "water": "水务局",
    "roads": "交通运输局",
    "edu": "教育局",
    "town": "长乐镇",
    "gas": "Gas Works",
    "env": "生态环境局",
}


@pytest.fixture
def picker() -> UnitPicker:
    return UnitPicker([Unit(code=code, name=name, level="county", path="/1/") for code, name in NAMES.items()])


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("shuiwuju", "water"),
        ("swj", "water"),
        ("SWJ", "water"),
        ("shui wu", "water"),
        ("jtysj", "roads"),
        ("jiaotong", "roads"),
        ("jyj", "edu"),
        ("changlezhen", "town"),
        ("zhangle", "town"),
        ("clz", "town"),
        ("zlz", "town"),
        ("sth", "env"),
    ],
)
def test_dispatcher_finds_a_unit_by_pinyin(picker: UnitPicker, typed: str, code: str) -> None:
    assert picker.code_of(typed, "lead") == code


def test_dispatcher_is_told_which_units_several_letters_could_mean(picker: UnitPicker) -> None:
    with pytest.raises(Invalid) as refused:
        picker.code_of("ji", "lead")
    assert "(roads)" in str(refused.value)
    assert "(edu)" in str(refused.value)
    assert "(water)" not in str(refused.value)


@pytest.mark.parametrize("typed", ["w", "sj", "xyz", "", "水", "' OR 1=1", "🙂"])
def test_letters_that_begin_no_spelling_find_nothing(typed: str) -> None:
    assert is_spelt("卫生局", "wsj")
    assert not is_spelt("卫生局", typed)


def test_a_name_has_each_reading_but_never_more_than_a_few() -> None:
    assert spellings("水务局")[0] == "shuiwuju"
    assert "swj" in spellings("水务局")
    assert spellings("Gas Works") == ()
    assert spellings("第3办公室")[0] == "di3bangongshi"
    assert len(spellings("长" * 60)) <= 32


def test_offers_can_be_found_while_typing(picker: UnitPicker) -> None:
    offers = dict(picker.spelt_offers())
    assert offers["水务局 (water)"] == "水务局 shuiwuju swj"
    assert offers["Gas Works (gas)"] == ""
