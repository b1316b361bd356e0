"""Rates, suppression and neutral cells: the plain arithmetic of the figures."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from feedback.reports.documents import to_csv
from feedback.reports.metrics import HATCHES, MEASURES, Measure
from feedback.reports.suppression import FEWEST, Cell, hide


def test_reader_sees_a_rate_with_its_fraction() -> None:
    assert Measure(38, 41).rate == 0.9268
    assert Measure(0, 0).rate is None
    assert Measure(4.5, 6).rate == 0.75


def test_reader_is_warned_below_ten() -> None:
    assert [Measure(1, size).is_small for size in (0, 1, 9, 10)] == [False, True, True, False]


def test_every_figure_says_what_it_counts() -> None:
    for definition in {**MEASURES, **HATCHES}.values():
        assert definition.name
        assert definition.sentence.endswith(".")


def test_leader_sees_small_cells_that_hold_nobody_confidential() -> None:
    hidden = hide({"a": Cell(1, 0), "b": Cell(40, 2)})
    assert hidden.keys == frozenset()
    assert not hidden.total


def test_leader_can_not_work_out_a_hidden_cell_from_the_total() -> None:
    hidden = hide({"a": Cell(2, 1), "b": Cell(9, 0), "c": Cell(30, 3)})
    assert hidden.keys == {"a", "b"}
    assert not hidden.total


def test_leader_sees_no_total_where_nothing_else_covers_the_cell() -> None:
    assert hide({"a": Cell(4, 4)}).total
    assert hide({"a": Cell(1, 1), "b": Cell(2, 0)}).total


def test_two_small_cells_that_together_are_still_few_are_covered_by_a_third() -> None:
    hidden = hide({"a": Cell(1, 1), "b": Cell(2, 1), "c": Cell(6, 0), "d": Cell(7, 0)})
    assert hidden.keys == {"a", "b", "c"}


cells = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.integers(0, 12).flatmap(lambda size: st.builds(Cell, st.just(size), st.integers(0, size))),
)


@given(cells)
def test_nothing_small_and_confidential_is_shown_or_can_be_subtracted(given_cells: dict[str, Cell]) -> None:
    hidden = hide(given_cells)
    for key, cell in given_cells.items():
        if key not in hidden.keys:
            assert not (cell.protected and cell.size < FEWEST)
    if hidden.total:
        return
    left = [given_cells[key] for key in given_cells if key in hidden.keys and given_cells[key].size]
    if any(cell.protected for cell in left):
        assert len(left) >= 2
        assert sum(cell.size for cell in left) >= FEWEST


def test_spreadsheet_gets_no_formula_from_a_cell() -> None:
    dangerous = ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "漏水"]
    text = to_csv([dangerous, [1, 0.5, None, -3]])
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows[0] == ["'=1+1", "'+86", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "漏水"]
    assert rows[1] == ["1", "0.5", "", "-3"]
