"""Every sentence of the code stands in the Chinese catalogue, with the same places to fill. How well it reads is for people."""

from __future__ import annotations

import ast
import gettext
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from feedback.cli.documents import KEYWORDS
from feedback.kernel.text import Text

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "feedback" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
COLLECT = (
    "Run `flask translations collect`, then write the Chinese into feedback/translations/zh/LC_MESSAGES/messages.po."
)
PLACE = re.compile(r"%\((\w+)\)([+#0 -]*[a-z])")
SAME = {"Redis"}
"""Names that are the same in both languages."""
TRANSLATORS = {*DEFAULT_KEYWORDS, *KEYWORDS}
"""What a call must be named for its string to be collected."""

Key = tuple[str | None, str]


@cache
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def entries() -> Iterator[Message]:
    return (message for message in catalogue() if message.id)


@cache
def collected() -> frozenset[Key]:
    """What the code asks to be translated, by context and (first) msgid, found as the command finds it."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's own gap
    keywords = {**DEFAULT_KEYWORDS, **dict.fromkeys(KEYWORDS)}
    found = extract_from_dir(str(ROOT), methods, options, keywords=keywords)
    return frozenset((context, forms_of(texts)[0]) for _file, _line, texts, _comments, context in found)


def forms_of(texts: object) -> tuple[str, ...]:
    """One form, or one for each grammatical number."""
    return tuple(str(text) for text in texts) if isinstance(texts, list | tuple) else (str(texts),)


def places(texts: object) -> set[tuple[str, str]]:
    """The places to fill, with how each is written."""
    return {(name, kind) for form in forms_of(texts) for name, kind in PLACE.findall(form)}


def bare(text: str) -> str:
    """The text without its places."""
    return PLACE.sub("", text)


def test_translator_finds_every_string_of_the_code_in_chinese() -> None:
    written = {
        (message.context, forms_of(message.id)[0])
        for message in entries()
        if all(map(str.strip, forms_of(message.string)))
    }
    missing = sorted(text for _context, text in collected() - written)
    assert not missing, f"{len(missing)} without Chinese: {missing[:20]}. {COLLECT}"


def test_translator_finds_no_string_that_the_code_has_dropped() -> None:
    gone = sorted(text for _context, text in {(m.context, forms_of(m.id)[0]) for m in entries()} - collected())
    assert not gone, f"Nobody says this any more: {gone[:20]}. {COLLECT}"


def test_reader_of_chinese_gets_every_place_filled() -> None:
    differing = [
        f"{message.id!r} against {message.string!r}"
        for message in entries()
        if any(places(form) != places(message.id) for form in forms_of(message.string))
    ]
    assert not differing


def test_reader_of_chinese_meets_no_stray_per_cent_sign() -> None:
    for message in entries():
        if not places(message.id):
            continue
        values = dict.fromkeys((name for name, _kind in places(message.id)), 3)
        for form in (*forms_of(message.id), *forms_of(message.string)):
            try:
                form % values
            except (TypeError, ValueError) as wrong:
                pytest.fail(f"{form!r} can't be filled: {wrong}. Write %% for a per cent sign.")


def test_translator_leaves_no_guess_in_the_catalogue() -> None:
    assert not [message.id for message in entries() if message.fuzzy]
    assert not catalogue().obsolete


def test_reader_of_chinese_meets_no_english_sentence() -> None:
    english = [
        forms_of(message.id)[0]
        for message in entries()
        if re.search("[A-Za-z]", bare(forms_of(message.id)[0]))
        and forms_of(message.id)[0] not in SAME
        and not all(re.search(r"[\u4e00-\u9fff]", form) for form in forms_of(message.string) if bare(form).strip())
    ]
    assert not english


def test_reader_of_chinese_meets_chinese_punctuation_only() -> None:
    mixed = [
        form
        for message in entries()
        for form in forms_of(message.string)
        if re.search(r"[\u4e00-\u9fff](?:[,;?!]|\.(?![A-Za-z0-9]))|[\u4e00-\u9fff]\"|\"[\u4e00-\u9fff]", form)
    ]
    assert not mixed


def test_reader_of_chinese_gets_one_form_for_every_number() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    compiled.seek(0)
    chinese = gettext.GNUTranslations(compiled)
    one, many = "%(num)d minute ago", "%(num)d minutes ago"
    assert {chinese.ngettext(one, many, number) for number in (0, 1, 2, 21)} == {"%(num)d 分钟前"}
    assert chinese.gettext("Sign in") == "登录"


def test_words_in_a_refusal_are_listed_as_the_language_does() -> None:
    text = Text("%(name)s lacks the column %(missing)s. It has: %(found)s.", name="x", missing=("a", "b"), found=())
    assert str(text) == "x lacks the column a, b. It has: ."
    chinese = {"%(name)s lacks the column %(missing)s. It has: %(found)s.": "%(missing)s", ", ": "、"}
    assert text.render(chinese.__getitem__) == "a、b"


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product, parsed, with its path."""
    for path in sorted((ROOT / "feedback").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_programmer_hides_no_string_behind_a_name_that_is_not_collected() -> None:
    hidden = [
        f"{path}:{node.lineno} {name.asname}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name.removeprefix("lazy_") in DEFAULT_KEYWORDS and name.asname and name.asname not in TRANSLATORS
    ]
    assert not hidden, "Give it a name of Babel's, or add it to KEYWORDS in feedback/cli/documents.py."


def test_programmer_hides_no_string_inside_an_f_string() -> None:
    """Before Python 3.12 an f-string is one token to Babel, so that a call inside it is never collected."""
    hidden = [
        f"{path}:{call.lineno}"
        for path, tree in trees()
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in TRANSLATORS
        and any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in call.args)
    ]
    assert not hidden
