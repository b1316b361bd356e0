"""Rows of a tickets file as keys and fields, with instants read. It knows the columns' names, not yet what is right."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from feedback.intake.instants import read_instant
from feedback.kernel.errors import Invalid
from feedback.kernel.tabular import MOST_BYTES, Row, Table, read_rows
from feedback.kernel.text import N_, Text

LOOP_COLUMNS = ("title", "kind", "category", "area", "urgency", "privacy", "occurred_at", "place")
LEGACY_COLUMNS = (
    "unit",
    "created_at",
    "due_at",
    "first_response_at",
    "resolved_at",
    "outcome",
    "department",
    "raised_by",
    "on_time",
)
COLUMNS = ("source", "source_id", "text", "status", "submitter", *LOOP_COLUMNS, *LEGACY_COLUMNS)
LEGACY = "legacy"

_INSTANTS = ("occurred_at", "created_at", "due_at", "first_response_at", "resolved_at")
_LONGEST_SOURCE, _LONGEST_ID = 60, 120

Key = tuple[str, str]
"""A row's source and its id there: what makes it the same row in every run."""


@dataclass(frozen=True)
class ImportOptions:
    """How a file is read. `source` stands for the column of that name; `renamed` maps our column to the file's header.

    `zone` is meant where a time has no offset; `submitter` is the login to whom rows of the loop without one belong.
    """

    zone: ZoneInfo
    source: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    submitter: str | None = None
    is_dry_run: bool = False


@dataclass(frozen=True)
class TicketRow:
    """One row of the file: its number as a spreadsheet shows it, its key, and the fields that are not empty."""

    number: int
    key: Key
    fields: dict[str, Any]
    submitter: str | None
    is_legacy: bool


def read_table(path: Path, options: ImportOptions) -> Table:
    """The rows of a CSV or XLSX file, or of one packed by gzip. Raises Invalid for a file that is none, or lacks a column."""
    needed = ("source_id", "text") if options.source else ("source", "source_id", "text")
    unknown = sorted(set(options.renamed) - set(COLUMNS))
    if unknown:
        text = Text(
            N_("There is no column %(name)s to fill. The columns are: %(columns)s."),
            name=unknown[0],
            columns=tuple(COLUMNS),
        )
        raise Invalid({"map": text})
    optional = [column for column in COLUMNS if column not in needed and not (column == "source" and options.source)]
    source = _unpacked(path) if path.suffix == ".gz" else path
    return read_rows(source, path.name, required=needed, optional=optional, renamed=options.renamed)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as packed:
            return packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        text = Text(N_("%(name)s can't be unpacked: %(reason)s."), name=path.name, reason=str(error))
        raise Invalid({"file": text}) from error


def key_of(row: Row, options: ImportOptions) -> Key:
    """The row's key as it stands in the file."""
    return options.source or row.values.get("source", ""), row.values["source_id"]


def read_row(row: Row, options: ImportOptions) -> TicketRow:
    """The row taken apart. Raises Invalid naming each bad column."""
    fields: dict[str, Any] = {column: value for column, value in row.values.items() if value}
    errors: dict[str, Text] = {}
    key = key_of(row, options)
    for column, value, most in zip(("source", "source_id"), key, (_LONGEST_SOURCE, _LONGEST_ID), strict=True):
        fields.pop(column, None)
        if not 0 < len(value) <= most:
            errors[column] = Text(N_("Must be a text of 1 to %(most)s characters."), most=most)
    for column in _INSTANTS:
        if column in fields:
            try:
                fields[column] = read_instant(fields[column], options.zone)
            except (ValueError, OverflowError):
                errors[column] = Text(N_("Must be a date and time, such as 2026-03-02 09:00."))
    status = fields.pop("status", "")
    if status not in ("", LEGACY):
        errors["status"] = Text(N_("Must be empty, or legacy for history that is only kept."))
    if "text" not in fields:
        errors["text"] = Text(N_("This is needed."))
    if errors:
        raise Invalid(errors)
    submitter = fields.pop("submitter", None)
    if status != LEGACY:
        fields = {column: value for column, value in fields.items() if column not in LEGACY_COLUMNS}
    return TicketRow(row.number, key, fields, submitter, status == LEGACY)
