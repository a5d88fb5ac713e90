"""The usage statement as an annex: the rows of `billing.statement` as a table for the page.

Owns which columns the page has. Computes nothing: rows and their words come made.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from billing.documents.sums import minus
from billing.language import Language

Rows = Iterable[Mapping[str, Any]]
# The texts of the columns, and whether they hold numbers.
_COLUMNS: Final = (
    *(("line", True), ("day", False), ("meeting", False), ("meter", False), ("records", True)),
    *(("time", True), ("quantity", True), ("note", False)),
)


def annex_table(rows: Rows, language: Language) -> dict[str, Any]:
    """`head`, `rows` and, of each column, whether it stands to the right."""
    return {
        "head": [language.text(key) for key, _ in _COLUMNS],
        "right": [is_number for _, is_number in _COLUMNS],
        "rows": [_cells(row, language) for row in rows],
    }


def _cells(row: Mapping[str, Any], language: Language) -> list[str]:
    quantity, unit = row["quantity"], row["unit"]
    shown = ""
    if quantity not in (None, ""):
        count = Decimal(quantity)
        parts = (minus(language.number(count)), language.unit(unit, count) if unit else "")
        shown = " ".join(filter(None, parts))
    meter = language.meter(row["meter"]) if row["meter"] else ""
    records = row["records"]
    return [
        str(row["line"]),
        _when(row["date"]),
        row["meeting"] or "",
        f"{meter} ({row['variant']})" if row["variant"] else meter,
        "" if records is None else language.number(Decimal(records)),
        row["time"] or "",
        shown,
        row["note"] or "",
    ]


def _when(text: str | None) -> str:
    """`2026-10-05` or `2026-10-05 10:00:00`: in a list the form that sorts, in every language."""
    return (text or "")[:19].replace("T", " ")
