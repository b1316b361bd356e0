"""The files that the checks read, as plain pairs of path and text: a check can be fed a bad example."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
NEVER: Final = frozenset({".git", ".venv", "instance", "__pycache__", "node_modules"})


@dataclass(frozen=True)
class Source:
    """A file: its path from the root of the repository, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file; SyntaxError where it is none."""
        return ast.parse(self.text, self.path)

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def module(self) -> str:
        """The dotted name; a package's own name for its __init__.py."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The room below feedback/ (settings*.py are one), `app` or `worker`, else the first folder."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return room_of(".".join(parts))

    def at(self, node: ast.AST) -> str:
        """Path and line of a node, for a finding."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def room_of(module: str) -> str:
    """The room a dotted name belongs to; settings and settings_file are one."""
    top, _, below = module.partition(".")
    room = below.partition(".")[0]
    if top != "feedback" or not room:
        return top
    return "settings" if room.startswith("settings") else room


Check = Callable[[Sequence[Source]], list[str]]


def read(*patterns: str, root: Path = ROOT) -> list[Source]:
    """The text files of the working tree that match the glob patterns, sorted by path."""
    paths = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return _sources(sorted(path for path in paths if not NEVER & set(path.relative_to(root).parts)), root)


@cache
def code() -> list[Source]:
    """The product's Python: the rooms, the doors and the two files at the root. Read and parsed once for all checks."""
    return read("feedback/**/*.py", "app.py", "serve.py", "worker.py", "family.py")


def pages() -> list[Source]:
    """Templates, and whatever static files are text."""
    return read("templates/**/*", "static/**/*")


def tracked(root: Path = ROOT) -> list[Source]:
    """Every text file under version control; where there is none (an unpacked archive), every file."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if answer.returncode != 0:
        return read("**/*", root=root)
    names = [name for name in answer.stdout.decode().split("\0") if name]
    return _sources([root / name for name in names if (root / name).is_file()], root)


def _sources(paths: Iterable[Path], root: Path) -> list[Source]:
    found: list[Source] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.append(Source(path.relative_to(root).as_posix(), text))
    return found
