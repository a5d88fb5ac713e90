"""The lines of a document as lines of EN 16931.

Owns which line is quantity times price. A line with one price is, where that comes to its amount;
any other is one piece at its amount, and the note says how that came about.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.documents.code_lists import ONE, PACKAGE, unit_code
from billing.documents.semantic_invoice import Days, Line, Price, TaxCategory
from billing.documents.xml_text import clean
from billing.explanation import Row, explain
from billing.language import Language
from billing.money import currency_precision, decimal_text

# What the quantity times the price may be off the amount: rounding, but no more than Peppol lets.
_SLACK: Final = Fraction(2, 100)
_Priced = tuple[Decimal, str, Price]
_Told = Mapping[str, Any]


def semantic_lines(document: _Told, language: Language) -> tuple[Line, ...]:
    """All of them, numbered from 1. Every one must have its `tax`."""
    told = enumerate(document["lines"], 1)
    return tuple(_line(number, line, document, language) for number, line in told)


def line_days(period: Mapping[str, str]) -> Days:
    """The days of a half-open period, in the account's zone."""
    start = datetime.fromisoformat(period["start"]).date()
    end = datetime.fromisoformat(period["end"]) - timedelta(microseconds=1)
    return Days(start, max(start, end.date()))


def whole_days(lines: Sequence[Line]) -> Days:
    """The days that all of them span."""
    return Days(min(line.days.first for line in lines), max(line.days.last for line in lines))


def category(tax: Mapping[str, Any]) -> TaxCategory:
    """Of a line or of the document's taxes."""
    code = tax["category"]
    return TaxCategory(code, None if code == "O" else Decimal(tax["rate_percent"] or 0))


def _line(number: int, line: _Told, document: _Told, language: Language) -> Line:
    amount = Decimal(line["amount"])
    head, *rows = explain(line, document, language)
    quantity, unit, price = _priced(line, amount, document["currency"]) or _one(amount)
    if head.unit and (unit == ONE or abs(quantity) != Decimal(line["quantity"])):
        rows.insert(0, Row(language.text("quantity"), head.quantity, head.unit))
    return Line(
        id=str(number),
        note=clean("\n".join(_words(row, language) for row in rows)),
        quantity=quantity,
        unit=unit,
        amount=amount,
        days=line_days(line["period"]),
        price=price,
        category=category(line["tax"]),
        name=clean(head.text) or clean(line["code"]) or "-",
        item=clean(line["code"]),
    )


def _one(amount: Decimal) -> _Priced:
    return Decimal(-1 if amount < 0 else 1), ONE, Price(abs(amount))


def _words(row: Row, language: Language) -> str:
    """`The first 10,000: 10,000 minutes at 0.004 = 40.00`."""
    text, counted = row.text, " ".join(filter(None, (row.quantity, row.unit)))
    if counted:
        text = language.text("counted", text=text, counted=counted)
    if row.price:
        text = language.text("priced", text=text, price=row.price)
    return language.text("makes", text=text, amount=row.amount) if row.amount else text


def _priced(line: _Told, amount: Decimal, currency: str) -> _Priced | None:
    """Quantity, unit and price, where the one times the other is the amount. A price is never
    negative, so the sign is the quantity's.
    """
    found = _price(line)
    if found is None:
        return None
    quantity, unit, price = found
    signed = quantity.copy_sign(amount)
    off = abs(Fraction(signed) * Fraction(price.net) - Fraction(amount))
    half = Fraction(1, 2 * 10 ** currency_precision(currency))
    if quantity and price.net >= 0 and off <= min(half, _SLACK):
        return signed, unit, price
    return None


def _price(line: _Told) -> _Priced | None:
    """The one price that the line may have, with what it is the price of."""
    basis, quantity = line["basis"], line["quantity"]
    if quantity is None:
        return None
    match basis.get("model", line["kind"]):
        case "fee" | "flat" if "amount" in basis:
            return _at(quantity, unit_code(line["unit"]), basis["amount"], line)
        case "package":
            return _at(line["packages"], PACKAGE, basis["package_price"], line)
        case "per_unit" | "graduated" | "volume":
            filled = [tier for tier in line["tiers"] if Decimal(tier["quantity"])]
            if len(filled) == 1:
                unit = unit_code(line["unit"])
                return _at(filled[0]["quantity"], unit, filled[0]["unit_price"], line)
    return None


def _at(quantity: str, unit: str, told: str, line: _Told) -> _Priced:
    gross = Decimal(told)
    if not line["discount"] or not Decimal(line["discount"]):
        return Decimal(quantity), unit, Price(gross)
    off = Fraction(gross) * Fraction(line["basis"]["discount_percent"]) / 100
    net, discount = (Decimal(decimal_text(part)) for part in (Fraction(gross) - off, off))
    return Decimal(quantity), unit, Price(net, discount, gross)
