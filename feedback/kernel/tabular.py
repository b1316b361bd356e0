"""The one reader of tables that people bring: CSV (UTF-8 with or without a mark, GB18030) and XLSX, as rows of texts.

What the columns mean, and which values are right, is the importing room's business.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback.kernel.errors import Invalid
from feedback.kernel.imports import RowError
from feedback.kernel.text import N_, Text

MOST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED = 512 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 200
MOST_IN_CELL = 100_000
WORKBOOK_SECONDS = 120.0
"""How long the reading of a workbook may take."""
FORMULA_MARKS = ("=", "+", "-", "@")

_WORKBOOK_READER = str(Path(__file__).resolve().with_name("read_workbook.py"))
_ZIP, _OLD_EXCEL, _UTF16 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Row:
    """One row: its number as a spreadsheet shows it (the header is 1), and a stripped text for each known column."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True)
class Table:
    """The rows that can be read, columns nobody asked for, and rows that can't be read."""

    rows: list[Row]
    ignored: tuple[str, ...]
    errors: tuple[RowError, ...] = ()


class _Unreadable(Exception):
    """A row that can't be taken apart; it says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


Cells = Sequence[str] | _Unreadable


def read_rows(
    source: Path | str | bytes,
    name: str,
    *,
    required: Collection[str],
    optional: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> Table:
    """Read a file (a path) or its bytes; `name` is what people call it, for messages.

    Headers are compared without regard to case and outer spaces. `renamed` maps a known column to the file's header.
    Wholly empty rows are passed over, but counted. Raises Invalid on `file`: not there, too large, not a table, no such
    encoding, a required column missing or a column twice. A single bad row is in `errors` instead.
    """
    raw = source if isinstance(source, bytes) else _read_file(Path(source), name)
    if len(raw) > MOST_BYTES:
        raise _refusal(N_("%(name)s is larger than %(most)s MB. Split it."), name=name, most=MOST_BYTES // 1024 // 1024)
    records = _xlsx_records(raw, name) if raw.startswith(_ZIP) else _csv_records(raw, name)
    header = next(records, None)
    if header is None or isinstance(header, _Unreadable) or not any(header):
        raise _refusal(N_("%(name)s has no header. Its first row must name the columns."), name=name)
    columns, ignored = _match_columns(header, name, list(required), list(optional), renamed or {})
    rows: list[Row] = []
    errors: list[RowError] = []
    for number, cells in enumerate(records, start=2):
        if len(rows) + len(errors) >= MOST_ROWS:
            raise _refusal(N_("%(name)s has more than %(most)s rows. Split it."), name=name, most=MOST_ROWS)
        if isinstance(cells, _Unreadable):
            errors.append(RowError(number, cells.text))
        elif any(cells[len(header) :]):
            text = Text(N_("Has more cells than there are columns. Put quotes round a value that holds a comma."))
            errors.append(RowError(number, text))
        elif any(cells):
            rows.append(Row(number, {c: cells[at] if at < len(cells) else "" for c, at in columns.items()}))
    return Table(rows, ignored, tuple(errors))


def _read_file(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refusal(N_("%(name)s can't be read: %(reason)s."), name=name, reason=reason) from error


def _refusal(msgid: str, **values: Any) -> Invalid:
    return Invalid({"file": Text(msgid, **values)})


def _match_columns(
    header: Sequence[str],
    name: str,
    required: list[str],
    optional: list[str],
    renamed: Mapping[str, str],
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each known column stands (one that is absent: past the end), and the columns that are ignored."""
    places: dict[str, int] = {}
    for at, title in enumerate(header):
        if title and places.setdefault(title.casefold(), at) != at:
            raise _refusal(N_("%(name)s has the column %(column)s twice."), name=name, column=title)
    wanted = {column: renamed.get(column, column).strip().casefold() for column in required + optional}
    missing = [renamed.get(c, c) for c in wanted if (c in required or c in renamed) and wanted[c] not in places]
    if missing:
        raise _refusal(
            N_("%(name)s lacks the column %(missing)s. It has: %(found)s."),
            name=name,
            missing=tuple(missing),
            found=tuple(title for title in header if title),
        )
    known = set(wanted.values())
    ignored = tuple(title for title in header if title and title.casefold() not in known)
    return {column: places.get(title, MOST_COLUMNS) for column, title in wanted.items()}, ignored


def _csv_records(raw: bytes, name: str) -> Iterator[Cells]:
    """Records of a CSV file. A broken one is given as what is wrong with it, and reading goes on after it."""
    reader = csv.reader(io.StringIO(_decode(raw, name), newline=""), strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = N_("Can't be read as CSV (%(reason)s). Look for a quotation mark that is not closed.")
            yield _Unreadable(Text(text, reason=str(error)))
        else:
            yield _limited([_plain(cell.strip()) for cell in cells])


def _plain(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from reading it as a formula (exports put it there)."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_MARKS) else cell


def _decode(raw: bytes, name: str) -> str:
    advice = N_("%(name)s can't be read as a table. Save it as CSV (UTF-8) or XLSX.")
    if raw.startswith((_OLD_EXCEL, *_UTF16)):
        raise _refusal(advice, name=name)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refusal(advice, name=name)


def _xlsx_records(raw: bytes, name: str) -> Iterator[Cells]:
    """Rows of the first sheet, cells as texts, read by a process of its own (read_workbook.py)."""
    refusal = _refusal(N_("%(name)s can't be read as a table. Save it as CSV (UTF-8) or XLSX."), name=name)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise refusal from error
    if size > MOST_UNPACKED:
        raise _refusal(N_("%(name)s unpacks to more than can be read. Split it."), name=name)
    call = (sys.executable, "-I", _WORKBOOK_READER, str(MOST_ROWS + 2), str(MOST_COLUMNS))
    with tempfile.TemporaryFile() as rows:
        try:
            done = subprocess.run(
                call, input=raw, stdout=rows, stderr=subprocess.DEVNULL, timeout=WORKBOOK_SECONDS, env={}, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise refusal from error
        if done.returncode != 0:
            raise refusal
        rows.seek(0)
        for line in rows:
            yield _limited(json.loads(line))


def _limited(cells: list[str]) -> Cells:
    if any(len(cell) > MOST_IN_CELL for cell in cells):
        return _Unreadable(Text(N_("A cell holds more than %(most)s characters."), most=MOST_IN_CELL))
    return cells
