"""What the page of the programming interface says out of docstrings, for the translators; babel.cfg names the files."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

from babel.messages.extract import extract_python

ROOTS = frozenset({"Answer", "BaseModel", "Command"})
"""What a body or an answer of the interface is made from; a class of the same file that is made from one counts too."""
ACTION = "ticket_action"

Found = tuple[Any, ...]
"""Line, name of the call, text or texts, comments: as Babel passes them on."""


def extract(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[Found]:
    """Babel's extractor: what it finds in any Python file, and the docstrings that the OpenAPI document takes over.

    Those are the whole docstring of a body or an answer, and the first line of an action's.
    """
    yield from extract_python(file, keywords, comment_tags, options)  # type: ignore[arg-type]
    file.seek(0)
    shapes = set(ROOTS)
    for node in ast.parse(file.read()).body:
        said = (
            inspect.cleandoc(ast.get_docstring(node) or "") if isinstance(node, ast.ClassDef | ast.FunctionDef) else ""
        )
        if isinstance(node, ast.ClassDef) and shapes & {ast.unparse(base) for base in node.bases}:
            shapes.add(node.name)
        elif isinstance(node, ast.FunctionDef) and any(map(_makes_action, node.decorator_list)):
            said = said.partition("\n")[0]
        else:
            continue
        if said:
            yield node.lineno, None, said, []


def _makes_action(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == ACTION
