"""Checks of what the code does where: one commit, one status writer, one clock; docstrings and names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from tests.architecture.import_checks import DOORS, RUNNER, imports_of
from tests.architecture.sources import Source

COMMIT_FILE: Final = "feedback/kernel/transaction.py"
STATUS_FILE: Final = "feedback/tickets/transition.py"
CLOCK_FILE: Final = "feedback/kernel/clock.py"
STATUS_FIELDS: Final = frozenset({"status", "closure_reason"})
_STATUS_IN_SQL: Final = re.compile(r"\bupdate\s+ticket\b.*\bset\b.*\b(status|closure_reason)\b", re.I | re.S)

BANNED_PREFIXES: Final = ("process_", "handle_")
FOREIGN_NAMES: Final = frozenset({"process_bind_param", "process_result_value", "process_literal_param"})
"""Methods that SQLAlchemy asks for by this name."""

BANNED_WORDS: Final = frozenset(
    {"manager", "managers", "helper", "helpers", "util", "utils", "misc", "cases", "issues"}
)
BANNED_NOUNS: Final = frozenset({"issue", "case", "data", "info"})
"""Refused as the noun a name ends in (`ticket_data`), not as a verb it begins with (`issue_token`)."""


def commits(sources: Sequence[Source]) -> list[str]:
    """`.commit` and whatever commits by itself (`.begin()`, autocommit) stand in one file only."""
    findings: list[str] = []
    for source in sources:
        if source.path == COMMIT_FILE:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in {"commit", "begin"}:
                findings.append(f"{source.at(node)}: .{node.attr} only in {COMMIT_FILE}")
            if isinstance(node, ast.Constant) and str(node.value).upper() == "AUTOCOMMIT":
                findings.append(f"{source.at(node)}: autocommit is a commit elsewhere")
    return findings


def status_writes(sources: Sequence[Source]) -> list[str]:
    """A ticket's status and closure reason are set in one file only, whatever the way of setting."""
    return [
        f"{source.at(node)}: {name} is set only in {STATUS_FILE}"
        for source in sources
        if source.path != STATUS_FILE
        for node in ast.walk(source.tree)
        for name in _statuses_set_by(node, source)
    ]


def _statuses_set_by(node: ast.AST, source: Source) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        is_own_field = isinstance(node.value, ast.Name) and node.value.id == "self"
        if node.attr in STATUS_FIELDS and not (is_own_field and source.room != "tickets"):
            yield node.attr
    elif isinstance(node, ast.Call):
        yield from _statuses_passed_to(node)
    elif isinstance(node, ast.Constant) and _STATUS_IN_SQL.search(str(node.value)):
        yield "status (in SQL)"


def _statuses_passed_to(call: ast.Call) -> Iterator[str]:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in {"setattr", "__setattr__"}:
        yield from (arg.value for arg in call.args if isinstance(arg, ast.Constant) and arg.value in STATUS_FIELDS)
    if called not in {"values", "update", "Ticket", "bulk_update_mappings", "bulk_insert_mappings"}:
        return
    yield from (keyword.arg for keyword in call.keywords if keyword.arg in STATUS_FIELDS)
    for argument in call.args:
        for part in ast.walk(argument):
            for key in part.keys if isinstance(part, ast.Dict) else []:
                name = key.value if isinstance(key, ast.Constant) else getattr(key, "attr", None)
                if name in STATUS_FIELDS:
                    yield str(name)


def wall_clocks(sources: Sequence[Source]) -> list[str]:
    """No naive datetime anywhere, and one file alone reads the wall clock (the database's own included).

    The runner may too: it must not know the kernel, and what it stamps are its own parts, no facts of a ticket.
    """
    findings: list[str] = []
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value).rpartition(".")[2]
            name = f"{owner}.{node.func.attr}"
            if name in {"datetime.utcnow", "datetime.utcfromtimestamp"}:
                findings.append(f"{source.at(node)}: {name} is naive")
            elif name in {"datetime.now", "datetime.fromtimestamp"} and not _has_zone(node):
                findings.append(f"{source.at(node)}: {name} without a zone is naive")
            elif name in WALL_CLOCKS and source.path != CLOCK_FILE and source.room != RUNNER:
                findings.append(f"{source.at(node)}: {name} reads the wall clock; only {CLOCK_FILE} does")
    return findings


WALL_CLOCKS: Final = frozenset(
    {
        "datetime.now",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
        "func.now",
        "func.current_timestamp",
    }
)


def _has_zone(call: ast.Call) -> bool:
    at_least = 1 if isinstance(call.func, ast.Attribute) and call.func.attr == "now" else 2
    zone = next((word.value for word in call.keywords if word.arg == "tz"), None)
    if zone is None and len(call.args) >= at_least:
        zone = call.args[at_least - 1]
    return zone is not None and not (isinstance(zone, ast.Constant) and zone.value is None)


def docstrings(sources: Sequence[Source]) -> list[str]:
    """Every room and module says what lives there, every public use-case what it does and when it refuses."""
    findings: list[str] = []
    for source in sources:
        if not ast.get_docstring(source.tree):
            findings.append(f"{source.path}: no docstring says what lives here")
        if not _holds_usecases(source):
            continue
        for node in source.tree.body:
            is_public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if isinstance(node, ast.FunctionDef) and is_public and not ast.get_docstring(node):
                findings.append(f"{source.at(node)}: the use-case {node.name} has no docstring")
    return findings


def _holds_usecases(source: Source) -> bool:
    if source.room in {*DOORS, RUNNER, "kernel"}:
        return False
    opens = any(name.startswith("feedback.kernel.transaction") for _node, name in imports_of(source))
    return opens or PurePosixPath(source.path).stem.startswith("usecases")


def names(sources: Sequence[Source]) -> list[str]:
    """No module, class or function bears a name of the house's list of words that say nothing."""
    return [
        f"{source.path}:{line}: {name!r} says nothing; see the house's names"
        for source in sources
        for line, name in _names_in(source)
        if name not in FOREIGN_NAMES and _is_empty_name(name)
    ]


def _names_in(source: Source) -> Iterator[tuple[int, str]]:
    yield 1, source.room
    yield 1, PurePosixPath(source.path).stem
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name


def _is_empty_name(name: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    words = snake.split("_")
    return snake.startswith(BANNED_PREFIXES) or bool(BANNED_WORDS & set(words)) or words[-1] in BANNED_NOUNS
