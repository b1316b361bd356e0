"""Reading the files that calendars and policies come in: CSV and XLSX as every import, and YAML with the same columns."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from feedback.kernel.errors import Invalid
from feedback.kernel.imports import RowError
from feedback.kernel.tabular import MOST_ROWS, Row, Table, read_rows
from feedback.kernel.text import N_, Text

MOST_BYTES = 4 * 1024 * 1024


def read_sheet(source: Path | str | bytes, name: str, *, required: Collection[str], optional: Collection[str]) -> Table:
    """Rows of a file; one whose name ends in .yaml or .yml is a YAML list of rows, each a mapping of columns to values.

    A list in a cell is its parts with `;` between them. Raises Invalid (`file`) as `read_rows` does.
    """
    if not name.lower().endswith((".yaml", ".yml")):
        return read_rows(source, name, required=required, optional=optional)
    found = _load(source, name)
    columns = [*required, *optional]
    rows: list[Row] = []
    errors: list[RowError] = []
    ignored: dict[str, None] = {}
    for number, entry in enumerate(found, start=1):
        if not isinstance(entry, dict):
            errors.append(RowError(number, Text(N_("Must be a mapping of columns to values."))))
            continue
        cells = {str(key).strip().casefold(): _text(value) for key, value in entry.items()}
        ignored.update(dict.fromkeys(key for key in cells if key not in columns))
        rows.append(Row(number, {column: cells.get(column, "") for column in columns}))
    return Table(rows, tuple(ignored), tuple(errors))


def _load(source: Path | str | bytes, name: str) -> list[Any]:
    try:
        raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise _refusal(N_("%(name)s can't be read: %(reason)s."), name, reason=error.strerror or str(error)) from error
    if len(raw) > MOST_BYTES:
        raise _refusal(N_("%(name)s is larger than %(most)s MB. Split it."), name, most=MOST_BYTES // 1024 // 1024)
    try:
        found = yaml.safe_load(raw.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _refusal(N_("%(name)s can't be read as YAML."), name) from error
    if isinstance(found, dict) and len(found) == 1:
        found = next(iter(found.values()))
    if not isinstance(found, list) or not found or len(found) > MOST_ROWS:
        raise _refusal(N_("%(name)s must be a list of rows."), name)
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join("?" if isinstance(part, list | dict) else _text(part) for part in value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _refusal(msgid: str, name: str, **values: Any) -> Invalid:
    return Invalid({"file": Text(msgid, name=name, **values)})
