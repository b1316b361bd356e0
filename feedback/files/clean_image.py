"""The child process that makes a picture anew: reads bytes from stdin, writes a clean picture to stdout, or says why not.

It knows nothing of the application and is started as a file of its own by cleaning.py. What it may use is bounded before
it looks at a byte: seconds, memory, and no file, socket or process of its own. Codes of refusal go to stderr.
Called as `clean_image.py CPU_SECONDS MEMORY_BYTES MOST_PIXELS MOST_FRAMES`.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps

LONGEST_SIDE = 4096
"""What is larger is made smaller: a page of paper stays readable at that size."""
QUALITY = 85
REFUSED = 3
ORIENTATION = 0x0112
OPENS = ("JPEG", "PNG", "WEBP", "GIF")


class Unfit(Exception):
    """A picture that isn't taken; its argument is the code."""


def limit_self(cpu_seconds: int, memory_bytes: int) -> None:
    """Bound this process. A limit that the system doesn't know (macOS: memory) is left out."""
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 2),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_NOFILE, 3, 3),
    ):
        try:
            resource.setrlimit(which, (soft, hard))
        except (OSError, ValueError):
            continue


def rehearse() -> None:
    """Clean a dot of each format, so that whatever Pillow loads only when it is needed is there before no file can be opened."""
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    for found in OPENS:
        out = io.BytesIO()
        Image.new("RGB", (2, 1)).save(out, found, exif=turned)
        clean(out.getvalue(), 10, 10)


def clean(data: bytes, most_pixels: int, most_frames: int) -> tuple[str, bytes]:
    """(kind, bytes) of a picture made from the first frame alone: upright, no metadata. Raises Unfit."""
    if data[:4] == b"GIF8" and any(number > most_frames for number, _ in enumerate(gif_frames(data), start=1)):
        raise Unfit("frames")
    with Image.open(io.BytesIO(data), formats=OPENS) as image:
        found = str(image.format)
        width, height = image.size
        if width * height > most_pixels or width < 1 or height < 1:
            raise Unfit("pixels")
        if getattr(image, "n_frames", 1) > most_frames and found != "GIF":
            raise Unfit("frames")
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        upright = turn_upright(image)
    upright = plain_mode(upright)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    upright.info.clear()
    return encode(upright, found)


def turn_upright(image: Image.Image) -> Image.Image:
    """The picture as its camera held it; EXIF that can't be read turns nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image.copy()


def plain_mode(image: Image.Image) -> Image.Image:
    """Grey, colour, or colour with transparency."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image if "transparency" not in image.info else image.convert("RGBA")
    has_alpha = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def encode(image: Image.Image, found: str) -> tuple[str, bytes]:
    """Write the picture in its own format; a GIF becomes a PNG."""
    out = io.BytesIO()
    if found == "JPEG":
        image.convert("RGB").save(out, "JPEG", quality=QUALITY, optimize=False)
        return "jpeg", out.getvalue()
    if found == "WEBP":
        image.save(out, "WEBP", quality=QUALITY, method=2)
        return "webp", out.getvalue()
    image.save(out, "PNG", compress_level=6)
    return "png", out.getvalue()


def gif_frames(data: bytes) -> Iterator[None]:
    """One for each frame of a GIF, found by skipping from block to block without decoding any."""
    at = 13 + (3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    while at < len(data):
        mark = data[at]
        if mark == 0x2C and at + 9 < len(data):
            yield
            colours = data[at + 9]
            at += 11 + (3 << ((colours & 7) + 1) if colours & 0x80 else 0)
        elif mark == 0x21:
            at += 2
        else:
            return
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1


def main() -> int:
    """Clean what is on stdin; 0 with `kind` in a line and the bytes on stdout, REFUSED with a code on stderr."""
    cpu_seconds, memory_bytes, most_pixels, most_frames = map(int, sys.argv[1:5])
    Image.MAX_IMAGE_PIXELS = most_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    data = sys.stdin.buffer.read()
    rehearse()
    limit_self(cpu_seconds, memory_bytes)
    try:
        kind, cleaned = clean(data, most_pixels, most_frames)
    except Unfit as unfit:
        code = str(unfit)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        code = "pixels"
    except Exception:
        code = "damaged"
    else:
        sys.stdout.buffer.write(kind.encode() + b"\n" + cleaned)
        sys.stdout.buffer.flush()
        return 0
    sys.stderr.write(code)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
