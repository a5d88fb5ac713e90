"""The demo's tables: what the month came to, by meter and by plan. Prints nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

Row = dict[str, Any]
_GB: Final = 1_000_000_000


def meter_rows(records: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Usage by meter. What a meter counts besides time is shown where it is bytes, as GB."""
    return [
        {**row, "GB": _gigabytes(row) if row["meter"] == "recording" else ""} for row in records
    ]


def _gigabytes(row: Mapping[str, Any]) -> str:
    return f"{Decimal(row['quantity']) / _GB:.1f}"


def plan_rows(documents: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Money by plan and currency and by what it is for, then the sums of each currency."""
    codes = list(dict.fromkeys(_code(line) for one in documents for line in one["lines"]))
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    money: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in documents:
        for key in ((one["plan"], one["currency"]), ("all", one["currency"])):
            counts[key]["nil" if one["status"] == "nil" else "invoices"] += 1
            money[key]["total"] += Decimal(one["total"])
            for line in one["lines"]:
                money[key][_code(line)] += Decimal(line["amount"])
    return [
        {
            "plan": key[0],
            "invoices": counts[key]["invoices"],
            "nil": counts[key]["nil"],
            **{code: f"{money[key][code]:,f}" if code in money[key] else "–" for code in codes},
            "total": f"{money[key]['total']:,f}",
            "currency": key[1],
        }
        for key in sorted(counts, key=lambda at: (at[0] == "all", at))
    ]


def largest(documents: Iterable[Mapping[str, Any]], count: int) -> list[Row]:
    found = sorted(documents, key=lambda one: (-Decimal(one["total"]), one["id"]))[:count]
    return [{**one, "customer": one["buyer"]["name"]} for one in found]


def _code(line: Mapping[str, Any]) -> str:
    return "fees" if line["kind"] == "fee" else str(line["code"])
