"""One-off items as lines of a document.

Owns which month's document carries an item and what its line says. Which items there are is
`billing.items`'.
"""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from billing.layout import Layout
from billing.money import decimal_text, round_line
from billing.period import day_start_us
from billing.queries import SQL
from billing.rows import load_rows
from billing.terms import Terms
from warehouse import Store

_TEXTS: Final = ("account_id", "kind", "month", "term", "content", "amount")


def add_item_lines(books: Store, layout: Layout) -> None:
    """Adds those of the month to `extra_lines`, after all else."""
    if found := books.records(SQL["items_of_month"], {"month": str(layout.month)}):
        lay_items(books, found)


def lay_items(books: Store, found: Sequence[dict[str, Any]]) -> None:
    """Adds lines for these items, each with its account, zone and currency, in this order."""
    types = {**dict.fromkeys(_TEXTS, pa.string()), "place": pa.int64(), "advance": pa.bool_()}
    rows = ({**_line(item), "place": 10_000_000 + at} for at, item in enumerate(found))
    load_rows(books, "item_lines", rows, types, {"term": "UUID", "amount": "HUGEINT"})
    books.execute(SQL["add_item_lines"])


def _basis(item: dict[str, Any], amount: Fraction) -> dict[str, str | None]:
    """What only some items have is told where they have it: terms of before are without."""
    told = {"amount": decimal_text(amount), "tax_category": item["tax_category"]}
    some = {name: item[name] for name in ("ledger_account", "concession") if item[name] is not None}
    return {**told, **some}


def _line(item: dict[str, Any]) -> dict[str, Any]:
    zone, day = ZoneInfo(item["zone"]), item["on_day"]
    amount = Fraction(item["amount"])
    month = f"{day:%Y-%m}"
    terms = Terms(
        {
            "kind": "item",
            "book": None,
            "plan": None,
            "code": item["item"],
            "description": item["description"],
            "period": [day_start_us(day, zone), day_start_us(day + timedelta(1), zone)],
            "month": month,
            "advance": False,
            "quantity": None,
            "unit": None,
            "included": None,
            "proration": None,
            "basis": _basis(item, amount),
        }
    )
    return {
        "account_id": item["account_id"],
        "kind": "item",
        "month": month,
        "advance": False,
        "term": str(terms.id),
        "content": terms.text,
        "amount": str(round_line(amount, item["currency"], "half_up")),
    }
