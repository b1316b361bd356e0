"""The reader of tables: encodings, spreadsheets, headers, and rows that can't be read."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from feedback.kernel import tabular
from feedback.kernel.errors import Invalid
from feedback.kernel.tabular import Table, read_rows

TEXT = "code,name,parent\nwater,水务局,root\n"


def read(raw: bytes | str) -> Table:
    source = raw.encode() if isinstance(raw, str) else raw
    return read_rows(source, "units.csv", required=("code", "name"), optional=("parent", "calendar"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_of_each_encoding_gives_the_same_rows(encoding: str) -> None:
    table = read(TEXT.encode(encoding))
    assert [(row.number, row.values) for row in table.rows] == [
        (2, {"code": "water", "name": "水务局", "parent": "root", "calendar": ""})
    ]


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_xlsx_gives_texts_of_numbers_dates_and_empty_cells() -> None:
    raw = sheet(
        ("code", "name", "parent", "calendar"),
        (7, 1.5, date(2026, 3, 2), datetime(2026, 3, 2, 9, 30)),  # noqa: DTZ001  (a cell has no zone)
        (None, None, None, None),
        ("b", True, None, None),
    )
    first, second = read(raw).rows
    assert first.values == {
        "code": "7",
        "name": "1.5",
        "parent": "2026-03-02T00:00:00",
        "calendar": "2026-03-02T09:30:00",
    }
    assert (second.number, second.values["name"], second.values["parent"]) == (4, "yes", "")


def test_header_is_matched_whatever_its_case_and_extra_columns_are_named() -> None:
    table = read(" Code ,NAME,Remark\na,A,x\n")
    assert table.rows[0].values["name"] == "A"
    assert table.ignored == ("Remark",)


def test_cells_keep_line_breaks_inside_quotes_and_lose_outer_spaces() -> None:
    assert read('code,name\r\na,"  first\nsecond "\r\n').rows[0].values["name"] == "first\nsecond"


def test_a_row_with_too_many_cells_is_reported_and_loses_no_good_one() -> None:
    table = read("code,name\na,A\nb,B,C\n\nd,D\n")
    assert [(row.number, row.values["code"]) for row in table.rows] == [(2, "a"), (5, "d")]
    assert [error.number for error in table.errors] == [3]


def test_a_broken_quote_is_reported_with_its_row() -> None:
    table = read('code,name\na,A\nb,"B"x\nc,C\n')
    assert [row.values["code"] for row in table.rows] == ["a", "c"]
    assert [error.number for error in table.errors] == [3]


def test_a_short_row_has_empty_values() -> None:
    assert read("code,name,parent\na\n").rows[0].values["name"] == ""


def test_own_headers_can_stand_for_known_columns() -> None:
    table = read_rows(
        "编号,正文,x\n7,漏水\n".encode(), "t.csv", required=("id", "text"), renamed={"id": "编号", "text": "正文"}
    )
    assert table.rows[0].values == {"id": "7", "text": "漏水"}
    assert table.ignored == ("x",)


def test_a_mapped_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(Invalid, match="编号"):
        read_rows(b"id,text\n7,a\n", "t.csv", required=("text",), optional=("id",), renamed={"id": "编号"})


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no header"),
        (b"\n", "no header"),
        (b"code,parent\na,b\n", "lacks the column name"),
        (b"code,name,Code\na,b,c\n", "twice"),
        (b"\xd0\xcf\x11\xe0old", "XLSX"),
        (TEXT.encode("utf-16"), "XLSX"),
        (b"code,name\n\xff\xff\xff,x\n", "XLSX"),
        (b"PK\x03\x04 no zip at all", "XLSX"),
        (sheet(("code", "name"), ("a", "A"))[:-200], "XLSX"),
    ],
)
def test_what_is_no_table_is_refused_in_words(raw: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(raw)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read_rows(tmp_path / "none.csv", "none.csv", required=("code",))


def test_more_rows_than_can_be_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MOST_ROWS", 2)
    assert len(read("code,name\na,A\nb,B\n").rows) == 2
    with pytest.raises(Invalid, match="more than 2 rows"):
        read("code,name\na,A\nb,B\nc,C\n")


def test_an_oversized_cell_is_reported_by_row() -> None:
    table = read("code,name\na," + "x" * (tabular.MOST_IN_CELL + 1) + "\nb,B\n")
    assert [error.number for error in table.errors] == [2]
    assert [row.values["code"] for row in table.rows] == ["b"]
