"""Files of every kind for tests: pictures with what cameras write into them, and what nobody should send."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

MAKER = "MARKER-CAMERA-MAKER"
ARTIST = "MARKER-ARTIST-NAME"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf>MARKER-XMP-OWNER</rdf></x:xmpmeta>'
COMMENT = b"MARKER-JPEG-COMMENT"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x12\x1c\x02\x50\x00\x0dMARKER-BYLINE"
MARKERS = (b"MARKER", b"GPS", b"Exif", b"xmpmeta", b"8BIM", b"Photoshop")
GPS = 0x8825
TURN_RIGHT = 6


def jpeg(width: int = 640, height: int = 400, *, colour: str = "red") -> bytes:
    """A JPEG as a phone takes it: held sideways, with place, camera, owner, comment, IPTC and XMP in it."""
    image = Image.new("RGB", (width, height), colour)
    image.paste("blue", (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x010F], exif[0x013B], exif[0x0112] = MAKER, ARTIST, TURN_RIGHT
    place = exif.get_ifd(GPS)
    place.update({1: "N", 2: (29.0, 33.0, 12.5), 3: "E", 4: (106.0, 34.0, 1.5)})
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, exif=exif, comment=COMMENT, xmp=XMP)
    data = out.getvalue()
    segment = b"\xff\xed" + struct.pack(">H", len(IPTC) + 2) + IPTC
    return data[:2] + segment + data[2:]


def png(width: int = 40, height: int = 30) -> bytes:
    """A PNG with transparency and texts in it."""
    out = io.BytesIO()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", ARTIST)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    Image.new("RGBA", (width, height), (0, 200, 0, 128)).save(out, "PNG", pnginfo=texts)
    return out.getvalue()


def webp() -> bytes:
    """A WebP with EXIF and XMP."""
    exif = Image.Exif()
    exif[0x010F] = MAKER
    out = io.BytesIO()
    Image.new("RGB", (50, 50), "yellow").save(out, "WEBP", exif=exif, xmp=XMP)
    return out.getvalue()


def gif(frames: int = 2) -> bytes:
    """A GIF of so many frames, written block by block, since an encoder would be slow at ten thousand."""
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + b"\xff\x00\x00\x00\x00\xff"
    frame = b"\x21\xf9\x04\x00\x05\x00\x00\x00\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x34\x05\x00"
    note = b"\x21\xfe\x13MARKER-GIF-COMMENT!\x00"
    return head + note + frame * frames + b"\x3b"


def png_header_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG that says it is huge and holds rows of nothing: a few hundred kilobytes that would be gigabytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(90_001 * 2000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
HTML = b"<!doctype html><html><script>alert(1)</script></html>"
XHTML = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'
EXE = b"MZ\x90\x00" + bytes(200)
PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"
ZIP = b"PK\x03\x04" + bytes(100)
