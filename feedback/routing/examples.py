"""Labelled texts to learn from: read from files people bring, looked through for what contradicts. No database."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from feedback.kernel.errors import Invalid
from feedback.kernel.imports import RowError
from feedback.kernel.tabular import MOST_BYTES, read_rows
from feedback.kernel.text import N_, Text
from feedback.routing.features import join_tokens
from feedback.routing.keywords import fold

LONGEST_LABEL = 200


@dataclass(frozen=True)
class Example:
    """A text and the category path that is right for it. Those of one `group` stay on one side of every split.

    `is_whole`: written as people write; else put together from words that were cut before.
    """

    label: str
    text: str
    title: str = ""
    group: str = ""
    is_whole: bool = True


@dataclass(frozen=True)
class ReadExamples:
    """What a file holds: the examples, and its bad rows with their reasons."""

    examples: list[Example]
    errors: list[RowError]


def read_examples(path: Path, name: str) -> ReadExamples:
    """Read a CSV or XLSX file, or one packed with gzip: label, and text or tokens; title and group (or group_id) may be there.

    Raises Invalid on `file` where it is none of these; a single bad row is in `errors` instead.
    """
    table = read_rows(
        _plain_bytes(path, name), name, required=("label",), optional=("text", "tokens", "title", "group", "group_id")
    )
    examples, errors = [], list(table.errors)
    for row in table.rows:
        label, text, tokens = row.values["label"], row.values["text"], row.values["tokens"]
        title = row.values["title"]
        if not label or len(label) > LONGEST_LABEL:
            errors.append(RowError(row.number, Text(N_("Has no label, or a very long one.")), "label"))
        elif not (text or tokens or title):
            errors.append(RowError(row.number, Text(N_("Has no text: fill text or tokens.")), "text"))
        else:
            group = row.values["group"] or row.values["group_id"]
            example = Example(label, text or join_tokens(tokens), title, group, bool(text or title))
            examples.append(example)
    return ReadExamples(examples, errors)


def _plain_bytes(path: Path, name: str) -> bytes | Path:
    try:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                return path
        with gzip.open(path) as packed:
            return packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Invalid({"file": Text(N_("%(name)s can't be read: %(reason)s."), name=name, reason=reason)}) from error


def group_of(example: Example) -> str:
    """What keeps near-duplicates together: the group that was given, else what the text says."""
    return example.group or hashlib.sha256(fold(f"{example.title}\n{example.text}").encode()).hexdigest()[:16]


def conflicting(examples: Sequence[Example]) -> list[tuple[str, ...]]:
    """Texts that are there with several labels: those labels, one entry for each such text."""
    labels: dict[str, dict[str, None]] = {}
    for example in examples:
        said = hashlib.sha256(fold(f"{example.title}\n{example.text}").encode()).hexdigest()
        labels.setdefault(said, {})[example.label] = None
    return [tuple(each) for each in labels.values() if len(each) > 1]


def count_labels(examples: Iterable[Example]) -> dict[str, int]:
    """How many examples each label has, the most first."""
    return dict(Counter(example.label for example in examples).most_common())


def write_lines(examples: Iterable[Example]) -> bytes:
    """The examples as lines of JSON, for the process that trains and for keeping."""
    return b"".join(json.dumps(asdict(each), ensure_ascii=False).encode() + b"\n" for each in examples)


def read_lines(raw: bytes) -> list[Example]:
    """What `write_lines` wrote."""
    return [Example(**json.loads(line)) for line in io.BytesIO(raw)]
