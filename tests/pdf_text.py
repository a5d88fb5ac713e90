"""The text of a PDF as typst writes it: what a reader would select and copy, row by row.

Owns the little of PDF that this needs: deflated streams, fonts of two-byte glyphs and the maps from
these to characters, and where a run of glyphs begins.
"""

import re
import zlib
from collections.abc import Iterator

_OBJECT = re.compile(rb"\n(\d+) 0 obj\b(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"\bstream\r?\n(.*)\r?\nendstream", re.DOTALL)
_CHARS = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n")
# A string is in brackets, in which balanced brackets may stand as they are, or in hex.
_INNER = rb"(?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*"
_STRING = re.compile(rb"\((%s)\)|<([0-9A-F]*)>" % _INNER, re.DOTALL)
# Where a run begins, its font, its glyphs.
_STEP = re.compile(
    rb"1 0 0 -1 [-.\d]+ ([-.\d]+) cm|/(f\d+) [-.\d]+ Tf|"
    rb"(\[(?:\(%s\)|[^\]()])*\]TJ|\(%s\)Tj|<[0-9A-F]*>Tj)" % (_INNER, _INNER),
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pdf_rows(pdf: bytes) -> list[str]:
    """The rows of all pages, top down; cells of a row are parted by two spaces."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    rows = []
    for body in objects.values():
        if b"/Type/Page/" in body:
            fonts = _fonts(objects, objects[_reference(body, "Resources")])
            rows += _rows(_runs(_data(objects[_reference(body, "Contents")]), fonts))
    return rows


def pdf_pages(pdf: bytes) -> list[bytes]:
    """What draws each page."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    pages = [body for body in objects.values() if b"/Type/Page/" in body]
    return [_data(objects[_reference(body, "Contents")]) for body in pages]


def _rows(runs: Iterator[tuple[float, str]]) -> Iterator[str]:
    at, cells = None, []
    for y, text in runs:
        if y != at and cells:
            yield "  ".join(cells)
            cells = []
        at = y
        cells.append(text)
    yield "  ".join(cells)


def _runs(page: bytes, fonts: dict[bytes, dict[int, str]]) -> Iterator[tuple[float, str]]:
    y, chars = 0.0, {}
    for down, font, glyphs in _STEP.findall(page):
        if down:
            y = float(down)
        elif font:
            chars = fonts[font]
        else:
            codes = b"".join(map(_codes, _STRING.finditer(glyphs)))
            pairs = zip(codes[::2], codes[1::2], strict=True)
            yield y, "".join(chars[256 * high + low] for high, low in pairs)


def _codes(string: re.Match[bytes]) -> bytes:
    if string[1] is None:
        return bytes.fromhex(string[2].decode())
    return _ESCAPED.sub(_unescaped, string[1])


def _unescaped(match: re.Match[bytes]) -> bytes:
    told = match[1]
    return bytes([int(told, 8)]) if told.isdigit() else _NAMED.get(told, told)


def _fonts(objects: dict[int, bytes], resources: bytes) -> dict[bytes, dict[int, str]]:
    found = {}
    for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources):
        cmap = _data(objects[_reference(objects[int(number)], "ToUnicode")])
        found[name] = {
            int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
            for code, text in _CHARS.findall(cmap)
        }
    return found


def _reference(body: bytes, key: str) -> int:
    (number,) = re.findall(rb"/%s (\d+) 0 R" % key.encode(), body)
    return int(number)


def _data(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found
    return zlib.decompress(found[1])
