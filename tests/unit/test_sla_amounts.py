"""Amounts of time: what is read, what is refused, and that what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.kernel.errors import Invalid
from feedback.sla.amounts import Amount, format_amount, need_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("30min", 30, "min"),
        ("2h", 120, "min"),
        ("2d", 2880, "min"),
        ("90wmin", 90, "wmin"),
        ("4wh", 240, "wmin"),
        ("5wd", 5, "wd"),
        (" 15min ", 15, "min"),
    ],
)
def test_amount_is_read_in_its_own_unit(text: str, count: int, unit: str) -> None:
    assert parse_amount(text) == Amount(count, unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "  ", None])
def test_empty_amount_is_no_clock(text: str | None) -> None:
    """Case 28: empty means no clock."""
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "0min",
        "0wd",
        "-1h",
        "+1h",
        "1.5h",
        "1,5h",
        "4",
        "wh",
        "4 wh",
        "4WH",
        "1w",
        "1m",
        "4wh;",
        "１h",
        "99999999wd",
        "4wh 2h",
    ],
)
def test_anything_else_is_refused_with_its_field(text: str) -> None:
    """Case 28: zero is refused; so are an unknown unit, signs, fractions and what no calendar could count."""
    with pytest.raises(Invalid) as refused:
        parse_amount(text, "resolution")
    assert list(refused.value.errors) == ["resolution"]
    assert str(refused.value.errors["resolution"])


def test_missing_amount_is_refused_where_one_is_needed() -> None:
    with pytest.raises(Invalid):
        need_amount("")


@given(st.integers(1, 500_000), st.sampled_from(["min", "wmin", "wd"]))
def test_written_amount_is_read_back(count: int, unit: str) -> None:
    amount = Amount(count % 3000 + 1 if unit == "wd" else count, unit)  # type: ignore[arg-type]
    assert parse_amount(format_amount(amount)) == amount
