"""Bodies of writes: JSON objects of at most a megabyte. What can't be read is refused where its fields would be checked,

so that every refusal keeps its order: 404 before 403 before 409 before whatever is wrong with the body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from feedback.api.errors import Malformed, TooLarge, WrongType
from feedback.kernel.errors import Invalid, Refused
from feedback.kernel.text import N_, Text

MOST_BYTES = 1_000_000
LARGEST_VERSION = 2**31 - 1


class UnreadFields(Mapping[str, Any]):
    """The fields of a body that can't be taken: asking for all of them raises why, asking for one gives none."""

    def __init__(self, why: Refused) -> None:
        self._why = why

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        raise self._why

    def __len__(self) -> int:
        raise self._why


@dataclass(frozen=True)
class Body:
    """A body: its fields without `version`, the version its writer saw, and a digest for Idempotency-Key."""

    fields: Mapping[str, Any]
    version: int | None
    digest: str


def read_body(*, takes_version: bool = False) -> Body:
    """The body of this request. It never raises: what is wrong is raised when the fields are asked for."""
    raw = b""
    try:
        raw = _read_bytes()
        fields = _parse(raw)
    except Refused as why:
        return Body(UnreadFields(why), None, _digest(raw))
    digest = _digest(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    if not takes_version or "version" not in fields:
        return Body(fields, None, digest)
    version = fields.pop("version")
    if version is not None and (type(version) is not int or not 0 <= version <= LARGEST_VERSION):
        return Body(UnreadFields(Invalid({"version": Text(N_("Must be a whole number."))})), None, digest)
    return Body(fields, version, digest)


def _read_bytes() -> bytes:
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLarge from error
    except BadRequest as error:
        raise Malformed from error


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    if not request.is_json:
        raise WrongType
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(fields, dict):
        raise Invalid({"body": Text(N_('Must be a JSON object, such as {"text": "…"}.'))})
    return fields


def _digest(raw: bytes) -> str:
    seen = hashlib.sha256(f"{request.method} {request.path}\n".encode("utf-8", "backslashreplace"))
    seen.update(raw)
    return seen.hexdigest()
