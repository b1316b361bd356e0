"""The expected lifecycle, expanded from lifecycle_expected.csv into every cell.

The file is written by hand from the specification of the domain, never from feedback/tickets/lifecycle.py:
the two are held against each other by test_lifecycle.py. Here is only the reading of the file, no rule.

How the file was read from the specification:

- A cell is state x action x (role, relation). What no row allows is refused.
- States are the statuses, with the closure reason where it is closed, and `new` before submit.
- `decide` is one action per kind of request and decision, because its deciders and its next status differ.
  The decider is the nearest holder of the role upwards, else the leader at the root: so a leader stands
  beside the named role everywhere.
- `wake` is `answer` by the system; it brings no text.
- Relations say how the role is held towards this ticket: own (a seat on it), lead / assist / past (the unit's
  leg: open lead, open assist, only ended), office (dispatcher at the nearest office upwards from the area),
  scope (area or lead in the subtree, but not office or lead), decider (may decide this request), none.
- The state column of the specification is taken literally, also where a relation cannot arise in it
  (in `submitted` no leg is open).
- Windows ("within 30 days"), counts ("twice a round"), a pending request and other facts of the ticket are
  conditions outside the matrix: the cell is allowed, its note names the condition.
- Where the text leaves two readings, the one that protects the submitter is taken: an appeal after the
  second dispute cannot be shut out by a question, a suspension or a claim; whoever is asked whether they were
  pressed to withdraw is asked in every status after the dispatch; a request to decline is not decided while
  the submitter has been asked and has not answered.
- needs are the body's fields; `?` marks an optional one. next is a status, or stay, back (where waiting came
  from), before (where unjoin goes back to).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EXPECTED_FILE: Final = Path(__file__).with_name("lifecycle_expected.csv")

STATES: Final = (
    "new",
    "submitted",
    "dispatched",
    "in_progress",
    "waiting_for_submitter",
    "suspended",
    "resolved",
    "closed.confirmed",
    "closed.unanswered",
    "closed.declined",
    "closed.excluded",
    "closed.withdrawn",
    "closed.joined",
)
ROLES: Final = (
    "submitter",
    "handler",
    "unit_head",
    "dispatcher",
    "supervisor",
    "adjudicator",
    "leader",
    "auditor",
    "admin",
    "system",
)
RELATIONS: Final = ("own", "lead", "assist", "past", "office", "scope", "decider", "none")
PLAIN_ACTIONS: Final = (
    "submit",
    "comment",
    "note",
    "reclassify",
    "set_urgency",
    "decline",
    "dispatch",
    "assign",
    "unassign",
    "hand_over",
    "give_back",
    "acknowledge",
    "request_return",
    "refer",
    "adjudicate",
    "transfer",
    "ask_submitter",
    "answer",
    "reply",
    "answer_leg",
    "add_leg",
    "drop_leg",
    "request_extension",
    "request_suspension",
    "resume",
    "request_exclusion",
    "resolve",
    "withdraw_request",
    "confirm",
    "dispute",
    "lapse",
    "reopen",
    "appeal",
    "join",
    "unjoin",
    "add_seat",
    "drop_seat",
    "publish_summary",
    "withdraw_summary",
    "withdraw",
    "urge",
    "supervise",
    "answer_supervision",
    "record_callback",
)
REQUEST_KINDS: Final = (
    "return",
    "decline",
    "lower_urgency",
    "extension",
    "suspension",
    "exclusion",
    "appeal",
)
DECISIONS: Final = ("granted", "refused")
ACTIONS: Final = PLAIN_ACTIONS + tuple(f"decide:{kind}:{decision}" for kind in REQUEST_KINDS for decision in DECISIONS)
MOVES: Final = ("stay", "back", "before")
NEXTS: Final = frozenset(STATES) - {"new"} | frozenset(MOVES)
_FIELD_WORDS: Final = """
    text title kind category area urgency privacy occurred_at place about on_behalf_of reason reason_code
    instead lead assists assignee basis proposed_unit unit task due_at interim type milestone review_on
    grounds outcome planned_on override_reason request decision verdict rating comment pressed into asked_to
    wanted_by
"""
FIELDS: Final = frozenset(_FIELD_WORDS.split())
_COLUMNS: Final = ["action", "states", "who", "needs", "next", "note"]


class MatrixError(Exception):
    """The file says something that is no word of its vocabulary, or says one cell twice."""


@dataclass(frozen=True, order=True)
class Cell:
    """One question to the lifecycle: may this role, standing so to the ticket, do this in this state?"""

    state: str
    action: str
    role: str
    relation: str


@dataclass(frozen=True)
class Allowed:
    """The answer yes: the fields the body must and may have, the status after it, the line of the file."""

    needs: frozenset[str]
    optional: frozenset[str]
    next: str
    note: str
    line: int


@dataclass(frozen=True)
class CellCounts:
    """How large the matrix is; per_action counts the allowed cells."""

    total: int
    allowed: int
    refused: int
    per_action: dict[str, int]


class Matrix:
    """Every cell of the product, each allowed or refused (None)."""

    def __init__(self, allowed: dict[Cell, Allowed]) -> None:
        self._allowed = allowed

    def expected(self, cell: Cell) -> Allowed | None:
        """What the file says for the cell; None is refused."""
        return self._allowed.get(cell)

    def cells(self) -> Iterator[tuple[Cell, Allowed | None]]:
        """Every cell of the product with its expected answer, allowed and refused ones."""
        for state in STATES:
            for action in ACTIONS:
                for role in ROLES:
                    for relation in RELATIONS:
                        cell = Cell(state, action, role, relation)
                        yield cell, self._allowed.get(cell)

    def counts(self) -> CellCounts:
        """The size of the matrix in cells."""
        total = sum(1 for _ in self.cells())
        per_action = Counter(cell.action for cell in self._allowed)
        return CellCounts(total, len(self._allowed), total - len(self._allowed), dict(per_action))


def read_matrix(file: Path = EXPECTED_FILE) -> Matrix:
    """Read and check the file; MatrixError with the line for an unknown word or a cell said twice."""
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        if reader.fieldnames != _COLUMNS:
            raise MatrixError(f"{file.name}: the columns must be {','.join(_COLUMNS)}")
        return expand(enumerate(reader, start=2))


def expand(rows: Iterable[tuple[int, dict[str, str]]]) -> Matrix:
    """Make the cells of numbered rows; MatrixError as in read_matrix."""
    allowed: dict[Cell, Allowed] = {}
    for line, row in rows:
        if None in row or None in row.values():
            raise MatrixError(f"line {line}: not {len(_COLUMNS)} columns")
        action, after = row["action"], row["next"]
        _known(line, "action", [action], ACTIONS)
        _known(line, "next", [after], NEXTS)
        states = _words(line, "states", row["states"])
        _known(line, "state", states, STATES)
        fields = _words(line, "needs", row["needs"]) if row["needs"] else []
        _known(line, "field", [field.removesuffix("?") for field in fields], FIELDS)
        answer = Allowed(
            needs=frozenset(field for field in fields if not field.endswith("?")),
            optional=frozenset(field.removesuffix("?") for field in fields if field.endswith("?")),
            next=after,
            note=row["note"],
            line=line,
        )
        for role, relation in _who(line, row["who"]):
            for state in states:
                cell = Cell(state, action, role, relation)
                if cell in allowed:
                    raise MatrixError(f"line {line}: {cell} is already said on line {allowed[cell].line}")
                allowed[cell] = answer
    silent = set(ACTIONS) - {cell.action for cell in allowed}
    if silent:
        raise MatrixError(f"no row for {', '.join(sorted(silent))}")
    return Matrix(allowed)


def _who(line: int, text: str) -> list[tuple[str, str]]:
    """role@relation pairs, `any` spread over all relations."""
    pairs: list[tuple[str, str]] = []
    for word in _words(line, "who", text):
        role, at, relation = word.partition("@")
        if not at:
            raise MatrixError(f"line {line}: who is role@relation, not {word!r}")
        _known(line, "role", [role], ROLES)
        _known(line, "relation", [relation], (*RELATIONS, "any"))
        pairs.extend((role, each) for each in (RELATIONS if relation == "any" else (relation,)))
    return pairs


def _words(line: int, column: str, text: str) -> list[str]:
    words = text.split(";")
    if "" in words or len(set(words)) != len(words):
        raise MatrixError(f"line {line}: empty or double word in {column}: {text!r}")
    return words


def _known(line: int, what: str, words: Iterable[str], vocabulary: Iterable[str]) -> None:
    unknown = [word for word in words if word not in vocabulary]
    if unknown:
        raise MatrixError(f"line {line}: unknown {what} {', '.join(map(repr, unknown))}")
