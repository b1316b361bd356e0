"""Checks of who imports whom: arrows between rooms, circles, local imports, libraries kept to their rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from tests.architecture.sources import Source, room_of

FAMILY: Final = "family"
"""The parts of one machine in one process tree: it has both the application and the supervisor's tools."""

LAYERS: Final = (
    ("kernel", "settings"),
    ("people", "calendars", "files"),
    ("sla", "routing"),
    ("tickets",),
    ("reading",),
    ("intake", "dispatch", "handling", "confirmation", "supervision", "coordination"),
    ("notifications", "reports"),
    ("demo",),
    ("web", "api", "jobs", "cli"),
    ("factory",),
    ("app", "serve", "worker", FAMILY),
)
RANK: Final = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}
DOORS: Final = frozenset({"web", "api", "jobs", "cli", "factory", "app", "serve", "worker", FAMILY})
RUNNER: Final = "runner"
"""The supervisor of ./start stands apart: it knows the settings, nobody knows it."""

DOOR_LIBRARIES: Final = frozenset({"flask", "werkzeug", "wtforms"})
QUEUE_LIBRARIES: Final = frozenset({"rq", "redis"})
QUEUE_ROOM: Final = "jobs"
TRAINING_LIBRARIES: Final = frozenset({"numpy", "scipy", "sklearn"})
TRAINING: Final = "feedback/routing/training.py"
"""A process of its own: no other of the program's files loads those libraries, or this one."""


def imports_of(source: Source, modules: frozenset[str] = frozenset()) -> Iterator[tuple[ast.AST, str]]:
    """Every import of the file, wherever it stands, as (node, dotted name).

    `from a import b` is a.b where that is one of `modules`, else a.
    """
    package = source.module if source.path.endswith("__init__.py") else source.module.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield node, whole if whole in modules or base == "feedback" else base


def room_arrows(sources: Sequence[Source]) -> list[str]:
    """An import goes only to the left; peers don't know each other; a room the house doesn't name is none."""
    findings: list[str] = []
    for source in sources:
        if source.path != "feedback/__init__.py" and source.room not in {*RANK, RUNNER}:
            findings.append(f"{source.path}: the house has no room {source.room!r}")
            continue
        for node, name in imports_of(source):
            if name in {"app", "serve", "worker", FAMILY}:
                findings.append(f"{source.at(node)}: nobody imports {name}")
            if name.partition(".")[0] != "feedback":
                continue
            target = room_of(name)
            if target == source.room or _leans_left(source.room, target):
                continue
            findings.append(f"{source.at(node)}: {source.room} must not import {target} ({name})")
    return findings


def _leans_left(room: str, target: str) -> bool:
    if room == RUNNER:
        return target == "settings"
    if room == FAMILY and target == RUNNER:
        return True
    return room in RANK and target in RANK and RANK[target] < RANK[room]


def import_circles(sources: Sequence[Source]) -> list[str]:
    """No circle of imports between modules, inside a room neither; typing-only imports count."""
    modules = frozenset(source.module for source in sources)
    arrows: dict[str, set[str]] = {module: set() for module in modules}
    for source in sources:
        for _node, name in imports_of(source, modules):
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                reached = ".".join(parts[:depth])
                is_around_it = source.module.startswith(f"{reached}.") and reached != name
                if reached in modules and reached != source.module and not is_around_it:
                    arrows[source.module].add(reached)
    return [f"circle of imports: {' -> '.join([*circle, circle[0]])}" for circle in _circles(arrows)]


def _circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """One circle through each back edge of a depth-first walk, without recursion limits in sight."""
    done: set[str] = set()
    circles: list[list[str]] = []

    def walk(module: str, trail: list[str]) -> None:
        if module in trail:
            circles.append(trail[trail.index(module) :])
            return
        if module in done:
            return
        for reached in sorted(arrows[module]):
            walk(reached, [*trail, module])
        done.add(module)

    for module in sorted(arrows):
        walk(module, [])
    return circles


def local_imports(sources: Sequence[Source]) -> list[str]:
    """No import inside a function or class, and none by name at run time."""
    findings: list[str] = []
    for source in sources:
        inner: set[ast.AST] = set()
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner |= {each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)}
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in {"import_module", "__import__"}:
                    findings.append(f"{source.at(node)}: {called}() hides an import")
        findings.extend(f"{source.at(node)}: an import inside a function or class" for node in inner)
    return findings


def door_libraries(sources: Sequence[Source]) -> list[str]:
    """Flask and its kin are for doors (flask_sqlalchemy for kernel/db.py), rq and redis for jobs/ alone."""
    findings: list[str] = []
    for source in sources:
        for node, name in imports_of(source):
            library = name.partition(".")[0]
            is_doors_own = library in DOOR_LIBRARIES or library.startswith("flask_")
            if library == "flask_sqlalchemy":
                if source.path != "feedback/kernel/db.py":
                    findings.append(f"{source.at(node)}: flask_sqlalchemy only in feedback/kernel/db.py")
            elif is_doors_own and source.room not in DOORS:
                findings.append(f"{source.at(node)}: {library} is for doors, not for {source.room}")
            elif library in QUEUE_LIBRARIES and source.room != QUEUE_ROOM:
                findings.append(f"{source.at(node)}: {library} is for jobs, not for {source.room}")
            elif source.path != TRAINING and (library in TRAINING_LIBRARIES or name == "feedback.routing.training"):
                findings.append(f"{source.at(node)}: {name} is for the process that trains alone")
    return findings
