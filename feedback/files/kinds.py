"""Which kinds of file are taken: told by their first bytes, and only where name and declared type say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import filetype

from feedback.files.refusals import FileTooLarge, UnfitFile, WrongFileType
from feedback.kernel.text import N_, Text

MOST_BYTES = 10_000_000
"""A file, as it came and as it is kept."""
MOST_FILES = 6
"""Files with one entry."""
MOST_BYTES_A_DAY = 60_000_000
"""All files of one person within 24 hours, as they are kept."""
LARGEST_FORM = MOST_FILES * MOST_BYTES + 4_000_000
"""Bytes of a whole form with its files."""

ENDINGS = "JPG, PNG, WebP, GIF, TXT, CSV"
_ANY_TYPE = ("", "application/octet-stream")
_LOOK_AT = 4096
_MARKUP = re.compile(
    rb"<\s*(?:[?!]|(?:svg|html|head|body|script|iframe|object|embed|img|meta|style|link|x:|a)\b)", re.I
)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_LONGEST_ENDING = 8


@dataclass(frozen=True)
class Kind:
    """A kind of file. `endings` and `declared` are what its name and Content-Type may say; `is_image`: re-encoded."""

    name: str
    content_type: str
    ending: str
    endings: tuple[str, ...]
    declared: tuple[str, ...]
    is_image: bool = True


JPEG = Kind("jpeg", "image/jpeg", "jpg", ("jpg", "jpeg", "jpe", "jfif"), ("image/jpeg", "image/jpg", "image/pjpeg"))
PNG = Kind("png", "image/png", "png", ("png",), ("image/png", "image/x-png", "image/apng"))
WEBP = Kind("webp", "image/webp", "webp", ("webp",), ("image/webp",))
GIF = Kind("gif", "image/gif", "gif", ("gif",), ("image/gif",))
CSV = Kind("csv", "text/csv", "csv", ("csv",), ("text/csv", "text/plain", "application/vnd.ms-excel"), is_image=False)
TEXT = Kind("text", "text/plain", "txt", ("txt",), ("text/plain",), is_image=False)
KINDS = {kind.name: kind for kind in (JPEG, PNG, WEBP, GIF, CSV, TEXT)}
_SNIFFED = {"image/jpeg": JPEG, "image/png": PNG, "image/apng": PNG, "image/webp": WEBP, "image/gif": GIF}
_DOCUMENTS = ("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "wps", "et", "ofd", "rtf", "odt", "ods")


def check_size(data: bytes) -> None:
    """Raise UnfitFile for an empty file, FileTooLarge for one above MOST_BYTES."""
    if not data:
        raise UnfitFile(Text(N_("This file is empty. Look whether it opens on your device, then choose it again.")))
    if len(data) > MOST_BYTES:
        most = MOST_BYTES // 1_000_000
        raise FileTooLarge(Text(N_("A file may have %(most)s MB at most. Take a smaller picture."), most=most))


def kind_of(data: bytes, name: str, declared: str) -> Kind:
    """What kind of file this is. Its content decides; raises WrongFileType where that isn't taken, or name or type differ."""
    ending = _ending(name)
    if ending in _DOCUMENTS:
        raise WrongFileType(
            Text(
                N_(
                    "PDF, Word and Excel files hide who wrote them, so they aren't taken. Send a photo or screenshot of the page."
                )
            )
        )
    kind = _sniff(data, ending)
    if kind is None:
        raise WrongFileType(Text(N_("This kind of file isn't taken. Send one of these: %(endings)s."), endings=ENDINGS))
    said = declared.partition(";")[0].strip().lower()
    if (ending and ending not in kind.endings) or (said not in _ANY_TYPE and said not in kind.declared):
        raise WrongFileType(
            Text(
                N_(
                    "The file's name or type says something else than what is in it (%(found)s). Save it anew, then send it."
                ),
                found=kind.ending.upper(),
            )
        )
    return kind


def _sniff(data: bytes, ending: str) -> Kind | None:
    guess = filetype.guess(data[:_LOOK_AT])
    if guess is not None:
        return _SNIFFED.get(guess.mime)
    if ending not in (*TEXT.endings, *CSV.endings) or not _is_plain_text(data):
        return None
    return CSV if ending in CSV.endings else TEXT


def _is_plain_text(data: bytes) -> bool:
    """Text in UTF-8 or GB18030 without control characters, and nothing that a browser could take for a page."""
    if _MARKUP.search(data[:_LOOK_AT]):
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return _CONTROLS.search(data.decode(encoding)) is None
        except UnicodeDecodeError:
            continue
    return False


def _ending(name: str) -> str:
    ending = PurePosixPath(name.replace("\\", "/")).suffix[1:].lower()
    return ending if len(ending) <= _LONGEST_ENDING and ending.isalnum() else ("" if not ending else "?")
