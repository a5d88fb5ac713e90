"""A document in the shape that `invoice show` prints, from the rows that are frozen with it.

Owns the fields of documents and lines, and how numerators become decimals. Computes no amount.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.money import decimal_text, minor_text
from billing.queries import SQL, TAX
from billing.taxes import rate_percent, told_taxes
from edge.instants import instant
from warehouse import Store

_AT_ONCE: Final = 2_000
_NO_ARITHMETIC: Final[Mapping[str, Any]] = {
    **{"quantity": None, "unit": None, "included": None, "tiers": []},
    **{"packages": None, "discount": None, "bound": None},
}
_AMOUNTS: Final = ("discount", "bound", "amount")
Row = Mapping[str, Any]
_Stretch = tuple[str, str, int, int]


def documents(
    books: Store, ids: Iterable[str], *, drafted: bool = False
) -> Iterator[dict[str, Any]]:
    """The documents of these ids, in their order. A few thousand are held at a time. `drafted`:
    those of `billing.drafts`, kept or not, within its block.
    """
    kind = "draft_document" if drafted else "document"
    heads_sql, lines_sql = SQL[f"{kind}_heads"], SQL[f"{kind}_lines"]
    left = list(ids)
    for start in range(0, len(left), _AT_ONCE):
        asked = left[start : start + _AT_ONCE]
        heads = {row["id"]: row for row in books.records(heads_sql, {"ids": asked})}
        lines: dict[str, list[Row]] = defaultdict(list)
        taxes: dict[str, list[Row]] = defaultdict(list)
        for row in books.records(lines_sql, {"ids": asked}):
            lines[row["invoice"]].append(row)
        for row in books.records(
            TAX["drafted_taxes_of" if drafted else "taxes_of"], {"ids": asked}
        ):
            taxes[row["invoice"]].append(row)
        yield from (_document(heads[id], lines[id], taxes[id]) for id in asked)


def _document(head: Row, lines: Sequence[Row], taxes: Sequence[Row]) -> dict[str, Any]:
    zone = ZoneInfo(head["zone"])
    currency = head["currency"]
    # What is stored is charged; a credit note says what is given back.
    sign = -1 if head["kind"] == "credit_note" else 1
    tax, prepaid = head["tax"], head["prepaid"]
    total = sign * (head["subtotal"] + (tax or 0))
    return {
        "id": head["id"],
        "kind": head["kind"],
        "status": head["status"],
        "number": head["number"],
        "issued_on": _day(head["issued_on"]),
        "due_on": _day(head["due_on"]),
        "corrects": head["corrected_number"],
        "corrects_issued_on": _day(head["corrected_issued_on"]),
        "credit": head["credit"],
        "reason": head["reason"],
        "apart": head["apart"],
        "account_id": head["account_id"],
        "currency": head["currency"],
        "plan": head["plan"],
        "period": _span(head["start_us"], head["end_us"], zone),
        "seller": json.loads(head["seller"]),
        "buyer": json.loads(head["buyer"]),
        "lines": _lines(lines, sign, currency, zone),
        "subtotal": minor_text(sign * head["subtotal"], currency),
        "taxes": told_taxes(taxes, sign, currency),
        "tax": None if tax is None else minor_text(sign * tax, currency),
        "tax_in": None if head["tax_in"] is None else _turned_tax(head["tax_in"], sign),
        "total": minor_text(total, currency),
        "prepaid": None if prepaid is None else minor_text(prepaid, currency),
        "due": minor_text(total - (prepaid or 0), currency),
    }


def _turned_tax(told: str, sign: int) -> dict[str, str | None]:
    """With no day and no source of the rate, where nobody told them."""
    found = {"rate_on": None, "rate_source": None, **json.loads(told)}
    return {**found, "tax": f"{sign * Decimal(found['tax']):f}"}


def _signed(row: Row, sign: int) -> Row:
    """The row with every amount turned where the sign is; what an adjustment was computed from
    stays as it is.
    """
    if sign > 0:
        return row
    if row["kind"] == "adjustment":
        return {**row, "amount": -row["amount"]}
    turned = {name: -row[name] for name in _AMOUNTS if row[name] is not None}
    tiers = [
        {**tier, "flat": -tier["flat"], "amount": -tier["amount"]} for tier in row["tiers"] or ()
    ]
    return {**row, **turned, "tiers": tiers or None}


def _lines(rows: Sequence[Row], sign: int, currency: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """`usage` is what the usage lines of each stretch came to, of which a commitment tells. As all
    that amounts were computed from, it keeps its sign on a credit note.
    """
    usage: Counter[_Stretch] = Counter()
    for row in rows:
        terms = _terms(row["content"])
        if row["kind"] == "usage":
            usage[_stretch(terms)] += row["amount"]
    return [_line(_signed(row, sign), currency, zone, usage) for row in rows]


def _stretch(terms: Row) -> _Stretch:
    return terms["book"], terms["plan"], *terms["period"]


def _line(row: Row, currency: str, zone: ZoneInfo, usage: Mapping[_Stretch, int]) -> dict[str, Any]:
    terms = _terms(row["content"])
    is_adjustment = row["kind"] == "adjustment"
    return {
        "id": _line_id(row["invoice"], row["line"]),
        "kind": row["kind"],
        "code": terms["code"],
        "description": terms["description"],
        "variant": row["variant"] or terms.get("variant"),
        "period": _span(terms["period"][0], terms["period"][1], zone),
        **(_NO_ARITHMETIC if is_adjustment else _arithmetic(row, terms)),
        "amount": minor_text(row["amount"], currency),
        "tax": None if row["tax"] is None else _told_tax(row["tax"]),
        "ledger_account": terms["basis"].get("ledger_account"),
        "origin": _origin(row, terms, zone),
        "credits": None if row["credits"] is None else _line_id(row["origin"], row["credits"]),
        "concession": terms["basis"].get("concession"),
        "proration": None if is_adjustment else terms["proration"],
        "basis": (
            _compared(row, terms, currency)
            if is_adjustment
            else _basis(terms, row, currency, usage)
        ),
    }


def _line_id(document: str, line: int) -> str:
    return f"{document}.{line:04}"


def _arithmetic(row: Row, terms: Row) -> dict[str, Any]:
    """From the quantity to the exact amount."""
    scales = {name: int(value) for name, value in terms.get("scales", {}).items()}
    included = terms["included"]
    return {
        "quantity": _quantity(terms, row["quantity"], scales),
        "unit": terms["unit"],
        "included": None if included is None else decimal_text(Fraction(included)),
        "tiers": _tiers(terms, row["tiers"] or (), scales),
        "packages": None if row["packages"] is None else str(row["packages"]),
        "discount": _over(row["discount"], scales) if terms.get("discounted") else None,
        "bound": _over(row["bound"], scales) if row["bound"] else None,
    }


def _compared(row: Row, terms: Row, currency: str) -> dict[str, Any]:
    """What an adjustment is the difference of; `now` is the whole line that is owed, as it would
    stand if everything had been known in time.
    """
    basis: dict[str, Any] = {
        name: minor_text(row[name], currency)
        for name in ("owed", "charged")
        if row[name] is not None
    }
    basis["advance"] = row["advance"]
    if row["owed"] is None or row["quantity"] is None:
        return basis
    now = {
        **_arithmetic(row, terms),
        "proration": terms["proration"],
        "basis": _basis(terms, row, currency, {}),
    }
    return {**basis, "now": now}


@lru_cache(1_000)
def _told_tax(decided: str) -> dict[str, str | None]:
    found = json.loads(decided)
    category = found["category"]
    return {"category": category, "rate_percent": rate_percent(category, found["ppm"])}


@lru_cache(10_000)
def _terms(content: str) -> Row:
    """Read once for all the lines under them; nobody changes it."""
    found: Row = json.loads(content)
    return found


def _quantity(terms: Row, grains: int | None, scales: Mapping[str, int]) -> str | None:
    if terms["quantity"] is not None or grains is None:
        return terms["quantity"]  # type: ignore[no-any-return]
    return decimal_text(Fraction(grains, scales["unit"]))


def _tiers(terms: Row, filled: Iterable[Row], scales: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "up_to": None if up_to is None else decimal_text(Decimal(up_to)),
            "quantity": decimal_text(Fraction(tier["quantity"], scales["unit"])),
            "unit_price": decimal_text(Decimal(price)),
            "flat": decimal_text(Fraction(tier["flat"], scales["flat"])),
            "amount": decimal_text(Fraction(tier["amount"], scales["tier"])),
        }
        for (up_to, price), tier in zip(terms.get("tiers", ()), filled, strict=True)
    ]


def _basis(terms: Row, row: Row, currency: str, usage: Mapping[_Stretch, int]) -> dict[str, Any]:
    """What the book says of the line, by the book's own keys, and whatever else its amount was
    computed from.
    """
    basis = dict(terms["basis"])
    if basis.get("model") == "percentage":
        basis["records"] = row["own"]
    if row["kind"] == "commitment":
        basis["usage"] = minor_text(usage.get(_stretch(terms), 0), currency)
    return basis


def _over(numerator: int, scales: Mapping[str, int]) -> str:
    return decimal_text(Fraction(numerator, scales["amount"]))


def _origin(row: Row, terms: Row, zone: ZoneInfo) -> dict[str, Any] | None:
    """What an adjustment corrects: the document that charged it, and for which period."""
    if row["origin"] is None:
        return None
    return {
        "number": row["origin_number"],
        "issued_on": _day(row["origin_issued_on"]),
        "period": _span(*_adjusted_period(row, terms), zone),
    }


def _adjusted_period(row: Row, terms: Row) -> tuple[int, int]:
    """That of the document that is corrected, or, of fees that it charged in advance, theirs."""
    if row["origin_month"] == row["month"]:
        return row["origin_start_us"], row["origin_end_us"]
    start_us, end_us = terms["period"]
    return start_us, end_us


def _span(start_us: int, end_us: int, zone: ZoneInfo) -> dict[str, str]:
    return {"start": _local(start_us, zone), "end": _local(end_us, zone)}


def _local(moment_us: int, zone: ZoneInfo) -> str:
    return instant(moment_us).astimezone(zone).isoformat()


def _day(day: Any) -> str | None:
    return None if day is None else day.isoformat()
