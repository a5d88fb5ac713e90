"""An invoice as PDF/A-3b, by typst and the template beside this file.

Owns the call of typst: same invoice, same bytes. What stands on it is `billing.documents.page`'s.
That goes in as JSON data, so no text in it is ever read as markup. Fonts are typst's own and
Noto's from packages of pinned versions, never the machine's; a character that none of them has is
shown as `?`, since PDF/A forbids a glyph that is missing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import typst

from billing.documents.annex import Rows
from billing.documents.page import issued, page
from edge import Fault

_FONTS: Final = ("manimgx_fonts", "manimgx_fonts_cjk")
# Typst escapes what cannot be seen as Rust does: `\u{378}`.
_NOT_DISPLAYED: Final = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}")
# What moves a cursor or is no character at all; what ends a line or a cell is a space.
_BLANK: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Printed:
    """The pages, one PDF or a picture of each, and a fault for each character that is not on them
    as it was written.
    """

    pages: list[bytes]
    faults: list[Fault]


def render_pdf(document: Document, annex: Rows | None = None) -> bytes:
    """The document of one invoice of the shape that `invoice show` prints; as an annex rows of
    `billing.statement`.
    """
    (pdf,) = print_document(document, annex).pages
    return pdf


def render_png(document: Document, ppi: float = 100, annex: Rows | None = None) -> list[bytes]:
    """The same document as pictures, one a page."""
    return print_document(document, annex, kind="png", ppi=ppi).pages


def print_document(
    document: Document,
    annex: Rows | None = None,
    *,
    kind: Literal["pdf", "png"] = "pdf",
    ppi: float | None = None,
) -> Printed:
    """With what could not be printed as it was written, which is `?` on the page."""
    shown, unseen = _seen(page(document, annex))
    text = json.dumps(shown, ensure_ascii=False, sort_keys=True)
    when = datetime.combine(issued(document), datetime.min.time(), UTC)
    while True:
        try:
            pages = _compiler().compile(
                sys_inputs={"page": text},
                format=kind,
                ppi=ppi,
                pdf_standards=["a-3b"] if kind == "pdf" else [],
                timestamp=when,
                pdf_tags=annex is None,  # of a long table they are twenty times all the rest
            )
        except typst.TypstError as error:
            absent = _not_displayed(error) & set(text)
            if not absent:
                raise
            unseen |= absent
            text = text.translate(dict.fromkeys(map(ord, absent), "?"))
        else:
            assert pages is not None
            place = document["number"] or document["id"]
            faults = [_fault(char, place) for char in sorted(unseen)]
            return Printed(pages if isinstance(pages, list) else [pages], faults)


@cache
def _compiler() -> typst.Compiler:
    """Kept, with the fonts: a scan of their files costs more than a page."""
    paths = [str(files(name)) for name in _FONTS]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=paths)
    folder = Path(str(files("billing.documents")))
    return typst.Compiler(folder / "invoice.typ", root=folder, font_paths=fonts)


def _seen(value: Any) -> tuple[Any, set[str]]:
    """`value` with texts of one line and without control characters; and these."""
    if isinstance(value, str):
        text = _BLANK.sub(" ", value)
        unseen = set(_CONTROL.findall(text))
        return _CONTROL.sub("?", text) if unseen else text, unseen
    if isinstance(value, Mapping):
        keys, values = list(value), list(value.values())
        shown, unseen = _seen(values)
        return dict(zip(keys, shown, strict=True)), unseen
    if isinstance(value, list | tuple):
        found = [_seen(one) for one in value]
        return [one for one, _ in found], set().union(*(unseen for _, unseen in found))
    return value, set()


def _not_displayed(error: typst.TypstError) -> set[str]:
    """The characters that the error says no font has."""
    found = "".join(_NOT_DISPLAYED.findall(str(error.diagnostic)))
    return set(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), found))


def _fault(char: str, place: str) -> Fault:
    message = f"U+{ord(char):04X} is in no font and stands as ? on the page: write it otherwise"
    return Fault("GLYPH_MISSING", place, message)
