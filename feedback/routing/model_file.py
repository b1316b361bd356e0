"""A category model as bytes and back: plain numbers under a digest. Reading one never executes anything.

Layout: MAGIC, length of the header (4 bytes), the header (JSON), the arrays in the order of ARRAYS (little end first), and
the SHA-256 of all that. What is cut, altered, of another format or of other features is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from feedback.routing.features import FEATURES

MAGIC = b"ZDCATEGORY1\n"
MOST_BYTES = 64 * 1024 * 1024
MOST_LABELS = 2000
_DIGEST = 32


class UnfitModel(Exception):
    """These bytes are no model that this program can use; it says why."""


@dataclass(frozen=True)
class ModelParts:
    """A trained model as numbers.

    `keys` are the features, ascending; `scales` weigh each in a text; `weights` hold one number for each feature and
    label, feature by feature; `biases` one for each label. `margins` and `rights` are what it decided on texts it had not
    been trained on: by how much the best label led, the largest first, and whether it was right (1) or not (0).
    `slope` and `offset` turn a margin into the share of right decisions, `sharpness` scores into shares of the others.
    """

    labels: tuple[str, ...]
    keys: Sequence[int]
    scales: Sequence[float]
    weights: Sequence[float]
    biases: Sequence[float]
    margins: Sequence[float]
    rights: bytes
    slope: float
    offset: float
    sharpness: float
    figures: dict[str, Any]


def pack(parts: ModelParts) -> bytes:
    """The bytes of a model."""
    header = {
        "features": FEATURES,
        "labels": list(parts.labels),
        "keys": len(parts.keys),
        "margins": len(parts.margins),
        "slope": parts.slope,
        "offset": parts.offset,
        "sharpness": parts.sharpness,
        "figures": parts.figures,
    }
    told = json.dumps(header, ensure_ascii=False).encode()
    arrays = [_little(array("I", parts.keys))]
    arrays += [_little(array("f", each)) for each in (parts.scales, parts.weights, parts.biases, parts.margins)]
    body = b"".join([MAGIC, struct.pack("<I", len(told)), told, *arrays, parts.rights])
    return body + hashlib.sha256(body).digest()


def unpack(raw: bytes) -> ModelParts:
    """The model in these bytes. Raises UnfitModel."""
    if not raw.startswith(MAGIC):
        raise UnfitModel("it is no category model of this format")
    if len(raw) > MOST_BYTES:
        raise UnfitModel("it is too large")
    body, digest = memoryview(raw)[:-_DIGEST], raw[-_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise UnfitModel("it was cut or altered: its digest differs")
    try:
        (length,) = struct.unpack_from("<I", body, len(MAGIC))
        start = len(MAGIC) + 4
        header = json.loads(bytes(body[start : start + length]))
        return _parts(header, body[start + length :])
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnfitModel(f"it can't be read ({error})") from error


def _parts(header: dict[str, Any], rest: memoryview) -> ModelParts:
    if header["features"] != FEATURES:
        raise UnfitModel("it was trained by another version of the program")
    labels = tuple(str(label) for label in header["labels"])
    if not 1 < len(labels) <= MOST_LABELS or len(set(labels)) != len(labels):
        raise UnfitModel("its labels are not fit")
    number, decided = int(header["keys"]), int(header["margins"])
    sizes = (number, number, number * len(labels), len(labels), decided)
    if min(sizes) < 0 or len(rest) != 4 * sum(sizes) + decided:
        raise UnfitModel("its parts have other lengths than it says")
    arrays: list[array[Any]] = []
    for kind, size in zip("Iffff", sizes, strict=True):
        arrays.append(_taken(kind, rest[: 4 * size]))
        rest = rest[4 * size :]
    keys, scales, weights, biases, margins = arrays
    if any(a >= b for a, b in pairwise(keys)):
        raise UnfitModel("its features are not in order")
    slope, offset, sharpness = (float(header[name]) for name in ("slope", "offset", "sharpness"))
    if not all(math.isfinite(sum(each)) for each in (*arrays, (slope, offset, sharpness))):
        raise UnfitModel("it holds a number that is none")
    figures = header["figures"]
    if not isinstance(figures, dict):
        raise UnfitModel("its figures are missing")
    return ModelParts(labels, keys, scales, weights, biases, margins, bytes(rest), slope, offset, sharpness, figures)


def _taken(kind: str, part: memoryview) -> array[Any]:
    found = array(kind)
    if found.itemsize != 4:
        raise UnfitModel("this machine counts in other sizes")
    found.frombytes(part)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _little(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
