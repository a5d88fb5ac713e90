"""An invoice as PDF/A-3b, by typst and the template beside this file.

Owns the call of typst: same invoice, same bytes. The invoice goes in as JSON data, so no text
in it is ever read as markup. Only typst's embedded fonts are used; a character that none of
them has is shown as `?`, since PDF/A forbids a glyph that is missing.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.resources import as_file, files
from typing import Any, Final, Literal

import typst

_DRAFT_DATE: Final = date(1980, 1, 1)  # a draft has no date of issue, and its bytes no clock
_NOT_DISPLAYED: Final = re.compile(r"could not be displayed")


def render_pdf(invoice: Mapping[str, Any]) -> bytes:
    """The document of one invoice of the shape that `invoice show` prints."""
    (pdf,) = _render(invoice, "pdf")
    return pdf


def render_png(invoice: Mapping[str, Any], ppi: float = 100) -> list[bytes]:
    """The same document as pictures, one a page."""
    return _render(invoice, "png", ppi)


def _render(
    invoice: Mapping[str, Any], kind: Literal["pdf", "png"], ppi: float | None = None
) -> list[bytes]:
    text = json.dumps(invoice, ensure_ascii=False, sort_keys=True)
    issued = invoice.get("issued_on")
    day = date.fromisoformat(issued) if issued else _DRAFT_DATE
    try:
        return _compile(text, day, kind, ppi)
    except typst.TypstError as error:
        if not _NOT_DISPLAYED.search(str(error)):
            raise
        return _compile(_displayable(text), day, kind, ppi)


def _compile(text: str, day: date, kind: Literal["pdf", "png"], ppi: float | None) -> list[bytes]:
    with as_file(files("billing.documents") / "invoice.typ") as template:
        pages = typst.Compiler(
            template,
            root=template.parent,
            ignore_system_fonts=True,
            sys_inputs={"invoice": text, "date": day.isoformat()},
        ).compile(
            format=kind,
            ppi=ppi,
            pdf_standards=["a-3b"] if kind == "pdf" else [],
            timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
        )
    assert pages is not None
    return pages if isinstance(pages, list) else [pages]


def _displayable(text: str) -> str:
    """Latin, Greek and Cyrillic stay, which the embedded fonts have; all else becomes `?`."""
    return "".join(
        char if _is_embedded(ord(char)) and char.isprintable() else "?"
        for char in unicodedata.normalize("NFC", text)
    )


def _is_embedded(point: int) -> bool:
    return point < 0x250 or 0x386 <= point < 0x460 or chr(point) in "–—‘’“”…€"
