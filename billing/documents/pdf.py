"""An invoice as PDF/A-3b, by typst and the template beside this file.

Owns the call of typst: same invoice, same bytes. What its lines say is `billing.explanation`'s.
The invoice goes in as JSON data, so no text in it is ever read as markup. Fonts are typst's own and
Noto's from packages of pinned versions, never the machine's; a character that none of them has is
shown as `?`, since PDF/A forbids a glyph that is missing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Final, Literal

import typst
from babel import Locale

from billing.explanation import explain

_DRAFT_DATE: Final = date(1980, 1, 1)  # a draft has no date of issue, and its bytes no clock
_FONTS: Final = ("manimgx_fonts", "manimgx_fonts_cjk")
# Typst escapes what cannot be seen as Rust does: `\u{378}`.
_NOT_DISPLAYED: Final = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}")


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
    lines = [[asdict(row) for row in explain(line, invoice)] for line in invoice["lines"]]
    text = json.dumps({**invoice, "lines": lines}, ensure_ascii=False, sort_keys=True)
    issued = invoice.get("issued_on")
    day = date.fromisoformat(issued) if issued else _DRAFT_DATE
    inputs = {"invoice": text, "date": day.isoformat(), "countries": _countries(invoice)}
    while True:
        try:
            return _compile(inputs, day, kind, ppi)
        except typst.TypstError as error:
            shown = _displayable(inputs["invoice"], error)
            if shown == inputs["invoice"]:
                raise
            inputs["invoice"] = shown


def _countries(invoice: Mapping[str, Any]) -> str:
    """The English names of the countries on it, by their codes, as JSON."""
    known = Locale("en").territories
    codes = {invoice[party].get("country") for party in ("seller", "buyer")} & known.keys()
    return json.dumps({code: known[code] for code in sorted(codes)}, ensure_ascii=False)


def _compile(
    inputs: Mapping[str, str], day: date, kind: Literal["pdf", "png"], ppi: float | None
) -> list[bytes]:
    with as_file(files("billing.documents") / "invoice.typ") as template:
        pages = typst.Compiler(
            template,
            root=template.parent,
            font_paths=_fonts(),
            sys_inputs=dict(inputs),
        ).compile(
            format=kind,
            ppi=ppi,
            pdf_standards=["a-3b"] if kind == "pdf" else [],
            timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
        )
    assert pages is not None
    return pages if isinstance(pages, list) else [pages]


@cache
def _fonts() -> typst.Fonts:
    """Read once: a scan of the files costs more than a page."""
    paths = [str(files(name)) for name in _FONTS]
    return typst.Fonts(include_system_fonts=False, font_paths=paths)


def _displayable(text: str, error: typst.TypstError) -> str:
    """`text` with `?` for each character that the error says no font has."""
    for found in _NOT_DISPLAYED.findall(str(error.diagnostic)):
        for char in _ESCAPE.sub(lambda match: chr(int(match[1], 16)), found):
            text = text.replace(json.dumps(char, ensure_ascii=False)[1:-1], "?")
    return text
