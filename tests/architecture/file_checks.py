"""Checks of files as text: sizes, paths of a machine, other hosts and inline code in pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.architecture.sources import ROOT, Source

PYTHON_LINES: Final = 400
TEMPLATE_LINES: Final = 250

_HOST: Final = r"(?:https?:)?//(?=[\w\[{])"
_FROM_ELSEWHERE: Final = (
    re.compile(rf"""\b(?:src|href|srcset|action|formaction|poster|data)\s*=\s*["']?\s*{_HOST}""", re.I),
    re.compile(rf"""\burl\(\s*["']?\s*{_HOST}""", re.I),
    re.compile(rf"""@import\s+["']{_HOST}""", re.I),
    re.compile(rf"""\b(?:fetch|import|importScripts|Worker|open)\s*\(\s*["'`]{_HOST}""", re.I),
    re.compile(rf"""\bfrom\s+["']{_HOST}""", re.I),
)
_EVENTS: Final = (
    "click|dblclick|change|input|invalid|submit|reset|load|unload|beforeunload|error|focus|blur|focusin|focusout"
    "|key(?:down|up|press)|mouse\\w+|pointer\\w+|touch\\w+|drag\\w*|drop|scroll|resize|toggle|wheel|copy|cut|paste"
    "|contextmenu|animation\\w+|transition\\w+|select|search|play|pause|message|hashchange|popstate|online|offline"
)
_TAG: Final = re.compile(r"<(?!/)([a-zA-Z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.S)
_INLINE_ATTRIBUTE: Final = re.compile(rf"(?:^|[\s\"'/])(style|on(?:{_EVENTS}))\s*=", re.I)
_INLINE_ARGUMENT: Final = re.compile(rf"\b(style|on(?:{_EVENTS}))[\"']?\s*[=:](?!=)", re.I)
_DATA_BLOCK: Final = re.compile(r"\btype\s*=\s*[\"']?application/(?:ld\+)?json", re.I)
_EXPRESSION: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.S)
_COMMENT: Final = re.compile(r"\{#.*?#\}|<!--.*?-->", re.S)

_MACHINE_PATH: Final = re.compile(
    r"(?<![\w.:/-])/(?:[w]ork|[r]oot|home/[a-z][\w-]*|[U]sers/\w+)/[\w.]|(?<![\w.])/tmp/[z]hida|\b[A-Z]:\\[U]sers\\"
)


def sizes(sources: Sequence[Source]) -> list[str]:
    """No Python file above 400 lines, no template above 250."""
    findings: list[str] = []
    for source in sources:
        limit = PYTHON_LINES if source.is_python else TEMPLATE_LINES if _is_template(source) else None
        lines = len(source.text.splitlines())
        if limit is not None and lines > limit:
            findings.append(f"{source.path}: {lines} lines; above {limit} two things share a room")
    return findings


def other_hosts(sources: Sequence[Source]) -> list[str]:
    """Pages, styles and scripts load and link nothing from another host."""
    return [
        f"{_place(source, match.start())}: from another host: {match[0]}"
        for source in sources
        for pattern in _FROM_ELSEWHERE
        for match in pattern.finditer(_without_comments(source.text))
    ]


def inline_code(sources: Sequence[Source]) -> list[str]:
    """No script or style element without a nonce, no style or on* attribute, no javascript: link in a template."""
    return [finding for source in sources if _is_template(source) for finding in _inline_in(source)]


def _inline_in(source: Source) -> Iterator[str]:
    text = _without_comments(source.text)
    for expression in _EXPRESSION.finditer(text):
        for match in _INLINE_ARGUMENT.finditer(expression[0]):
            yield f"{_place(source, expression.start())}: {match[1]}= given to a tag by an expression"
    plain = _EXPRESSION.sub(_blank_expression, text)
    for tag in _TAG.finditer(plain):
        name, attributes = tag[1].lower(), tag[2]
        place = _place(source, tag.start())
        bare = re.sub(r"=\s*(\"[^\"]*\"|'[^']*')", "= ", attributes)
        has_nonce = re.search(r"\bnonce\s*=", bare, re.I)
        if name == "style" and not has_nonce:
            yield f"{place}: a style element without a nonce"
        is_loaded = re.search(r"\bsrc\s*=", bare, re.I) or _DATA_BLOCK.search(attributes)
        if name == "script" and not has_nonce and not is_loaded:
            yield f"{place}: an inline script without a nonce"
        for match in _INLINE_ATTRIBUTE.finditer(bare):
            yield f"{place}: an inline {match[1]}="
        if re.search(r"=\s*[\"']?\s*javascript:", attributes, re.I):
            yield f"{place}: a javascript: link"


def machine_paths(sources: Sequence[Source]) -> list[str]:
    """No tracked file names a path of somebody's machine, this checkout's least of all."""
    here = str(ROOT) + "/"
    findings = [
        f"{_place(source, match.start())}: a path of one machine: {match[0]}"
        for source in sources
        for match in _MACHINE_PATH.finditer(source.text)
    ]
    findings += [f"{source.path}: names {here}" for source in sources if len(here) > 6 and here in source.text]
    return findings


def _is_template(source: Source) -> bool:
    return source.path.startswith("templates/")


def _place(source: Source, offset: int) -> str:
    return f"{source.path}:{source.text.count(chr(10), 0, offset) + 1}"


def _without_comments(text: str) -> str:
    """Comments blanked out, so that places stay right."""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _blank_expression(match: re.Match[str]) -> str:
    """An expression as a word and a statement as space, of the same length and lines."""
    return re.sub(r"[^\n]", "x" if match[0].startswith("{{") else " ", match[0])
