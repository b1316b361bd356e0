"""What the page of the programming interface says out of docstrings, for the translators; babel.cfg names the files."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

from babel.messages.extract import extract_python

SHAPES = frozenset({"Answer", "BaseModel", "Command"})
"""What bodies, answers and their parts are made from; a class of the same file that is made from one counts too."""
ACTION = "ticket_action"

Found = tuple[Any, ...]
"""Line, name of the call, text or texts, comments: as Babel passes them on."""


def extract(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[Found]:
    """Babel's extractor: what it finds in any Python file, and the docstrings that the OpenAPI document takes over.

    Those are the whole docstring of a body or an answer, and the first line of an action's. With the option `of = actions`
    a file without an action says nothing there: its commands are not of the interface.
    """
    yield from extract_python(file, keywords, comment_tags, options)  # type: ignore[arg-type]
    file.seek(0)
    shapes, found, has_action = set(SHAPES), [], False
    for node in ast.parse(file.read()).body:
        if isinstance(node, ast.ClassDef) and shapes & {ast.unparse(base) for base in node.bases}:
            shapes.add(node.name)
            found.append((node.lineno, inspect.cleandoc(ast.get_docstring(node) or "")))
        elif isinstance(node, ast.FunctionDef) and any(map(_makes_action, node.decorator_list)):
            has_action = True
            found.append((node.lineno, (ast.get_docstring(node) or "").partition("\n")[0]))
    if has_action or options.get("of") != "actions":
        yield from ((line, None, said, []) for line, said in found if said)


def _makes_action(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == ACTION
