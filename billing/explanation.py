"""A line of a document, explained: the rows beneath it show how its amount came about.

Owns the words and the order of the rows, for the page and the terminal alike. Reads the JSON of
`billing.document`; the amounts beneath a line add up to its own before that is rounded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.money import currency_precision, decimal_text, round_half_up
from billing.wording import money, number, plural

Line = Mapping[str, Any]
_PLACES_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Texts of the columns; empty where there is nothing to say."""

    text: str
    quantity: str = ""
    unit: str = ""
    price: str = ""
    amount: str = ""


def explain(line: Line, document: Mapping[str, Any]) -> list[Row]:
    """The line itself, then what explains it. `document` gives currency and period. On a credit
    note, where every sign is turned, it is explained as charged and then turned.
    """
    if document["kind"] != "credit_note":
        return _explain(line, document)
    charged = _explain(turned(line), document)
    return [replace(row, amount=_turned_text(row.amount)) for row in charged]


def turned(line: Line) -> Line:
    """The line with the signs of its amounts turned; not of what an adjustment compares."""

    def negated(amount: str | None) -> str | None:
        return amount and _turned_text(amount)

    names = ("amount", "discount", "bound")
    tiers = [
        {**tier, "flat": negated(tier["flat"]), "amount": negated(tier["amount"])}
        for tier in line["tiers"]
    ]
    return {**line, **{name: negated(line[name]) for name in names}, "tiers": tiers}


def _turned_text(amount: str) -> str:
    if not any(digit in amount for digit in "123456789"):
        return amount
    return amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"


def _explain(line: Line, document: Mapping[str, Any]) -> list[Row]:
    currency = document["currency"]
    rows = [_head(line, currency)]
    days = _days(line, document["period"])
    if days and "owed" not in line["basis"]:  # what is owed now says for when
        rows.append(days)
    if line["included"] and Decimal(line["included"]):
        rows.append(_allowance(line))
    match line["kind"]:
        case "commitment":
            rows += _commitment(line, currency)
        case "adjustment":
            rows += _adjustment(line, document)
        case "usage":
            rows += _priced(line, currency)
            rows += _changed(line, currency)
    return rows


def _head(line: Line, currency: str) -> Row:
    text = line["description"] + (f" ({line['variant']})" if line["variant"] else "")
    amount = money(Decimal(line["amount"]), currency)
    if line["quantity"] is None:
        return Row(text, amount=amount)
    return Row(
        text, *_quantity(line["quantity"], line["unit"]), _unit_price(line, currency), amount
    )


def _quantity(quantity: str, unit: str | None) -> tuple[str, str]:
    count = Decimal(quantity)
    return number(count), plural(unit, count) if unit else ""


def _unit_price(line: Line, currency: str) -> str:
    basis, tiers = line["basis"], line["tiers"]
    if line["kind"] == "fee":
        return money(Decimal(basis["amount"]), currency)
    if len(tiers) == 1 and basis.get("model") == "per_unit":
        return money(Decimal(tiers[0]["unit_price"]), currency)
    return ""


def _days(line: Line, period: Mapping[str, str]) -> Row | None:
    """The line's own period where it is not the document's, and what part of a month it is."""
    if line["period"] == period:
        return None
    days = line["proration"].split("/") if line["proration"] else ()
    is_ahead = _moment(line["period"]["start"]) >= _moment(period["end"])
    ahead = "In advance, " if is_ahead else ""
    return Row(ahead + span(line["period"]), *(days and (days[0], f"of {days[1]} days")))


def _allowance(line: Line) -> Row:
    basis = line["basis"]
    included, whole = Fraction(line["included"]), Fraction(basis["included"])
    text = f"{number(Decimal(line['included']))} included free of charge"
    part = _of_month(line["proration"])
    told = Fraction(line["proration"] or 1) * whole
    if "seat_days" in basis:
        told = Fraction(basis["seat_days"]) * whole
        part = f" × {basis['seat_days']} days of seats"
    elif "seats" in basis:
        told *= int(basis["seats"])
        part = f" for each of {' '.join(_quantity(basis['seats'], 'seat'))}{part}"
    elif included == whole:
        part = ""
    if part:
        rounded = ", rounded up" if told < included else ""
        text += f": {number(Decimal(basis['included']))} a month{part}{rounded}"
    return Row(text, number(Decimal(decimal_text(_net(line)))), "charged")


def _net(line: Line) -> Fraction:
    """What is left after the allowance. Exact where tiers tell it."""
    if line["tiers"]:
        return sum((Fraction(tier["quantity"]) for tier in line["tiers"]), Fraction(0))
    return max(Fraction(line["quantity"]) - Fraction(line["included"]), Fraction(0))


def _priced(line: Line, currency: str) -> Iterator[Row]:
    """What the model came to, where the line itself does not show it."""
    basis, tiers = line["basis"], line["tiers"]
    match basis["model"]:
        case "package":
            yield _packages(line, currency)
        case "percentage":
            yield from _percentage(line, currency)
        case "flat" if "amount" in basis:
            yield Row(
                "Once a month, however much is used", amount=exact_money(basis["amount"], currency)
            )
        case "flat":
            yield Row("Owed with the last days of the month")
        case "per_unit":
            if _shown(line["discount"]) or _shown(line["bound"]):
                yield Row("At the unit price", *_rated(tiers[0], line["unit"], currency))
        case model:
            yield from _tiers(line, currency, is_volume=model == "volume")


def _tiers(line: Line, currency: str, *, is_volume: bool) -> Iterator[Row]:
    """Tiers that hold something. What one costs once, however little is in it, is a row."""
    lower = None
    for tier in line["tiers"]:
        within = reach(lower, tier["up_to"])
        if Decimal(tier["quantity"]):
            text = f"{within[0].upper()}{within[1:]}"
            text += ": one price for all" if is_volume else ""
            yield Row(text, *_rated(tier, line["unit"], currency))
        if Decimal(tier["flat"]):
            yield Row(f"Once, for {within}", amount=exact_money(tier["flat"], currency))
        lower = tier["up_to"]


def reach(lower: str | None, upper: str | None) -> str:
    """A tier by the quantities that it begins above and ends with, None where it has no end."""
    if lower is None:
        return "any quantity" if upper is None else f"the first {number(Decimal(upper))}"
    end = "" if upper is None else f" to {number(Decimal(upper))}"
    return f"above {number(Decimal(lower))}{end}"


def _rated(tier: Line, unit: str, currency: str) -> tuple[str, str, str, str]:
    """Quantity, unit, price and what they make, without what the tier costs once."""
    amount = Fraction(tier["amount"]) - Fraction(tier["flat"])
    price = money(Decimal(tier["unit_price"]), currency)
    return (*_quantity(tier["quantity"], unit), price, exact_money(amount, currency))


def _packages(line: Line, currency: str) -> Row:
    basis = line["basis"]
    size = " ".join(_quantity(basis["package_size"], line["unit"]))
    which = "a begun one counts whole" if basis["package_rounding"] == "up" else "full ones only"
    price = money(Decimal(basis["package_price"]), currency)
    packages = _quantity(line["packages"], "package")
    amount = exact_money(line["tiers"][0]["amount"], currency)
    return Row(f"Packages of {size}, {which}", *packages, price, amount)


def _percentage(line: Line, currency: str) -> Iterator[Row]:
    """The money that was counted, in the main unit, at the rate, and what each record costs."""
    basis = line["basis"]
    net = _net(line) * int(basis["unit_size"]) / 10 ** currency_precision(currency)
    counted = money(Decimal(decimal_text(net)), currency)
    rate = f"{number(Decimal(basis['rate_percent']))} %"
    part = net * Fraction(basis["rate_percent"]) / 100
    if not net and not basis["records"]:
        return
    yield Row(f"{rate} of the amount used", counted, currency, rate, exact_money(part, currency))
    fixed = Fraction(basis["fixed"])
    if fixed:
        price = money(Decimal(basis["fixed"]), currency)
        records = _quantity(str(basis["records"]), "record")
        amount = exact_money(fixed * basis["records"], currency)
        yield Row("For each record", *records, price, amount)


def _changed(line: Line, currency: str) -> Iterator[Row]:
    """Discount and bound. A bound is a part of the book's by the days of the line's own period."""
    basis = line["basis"]
    if _shown(line["discount"]):
        percent = number(Decimal(basis["discount_percent"]))
        yield Row(f"Discount of {percent} %", amount=exact_money(line["discount"], currency))
    if _shown(line["bound"]):
        is_raised = Decimal(line["bound"]) > 0
        text, key = ("Made up to", "minimum") if is_raised else ("Cut down to", "maximum")
        whole = money(Decimal(basis[key]), currency)
        days = _of_month(basis.get("bound_days"))
        yield Row(
            f"{text} the {key}, {whole} a month{days}", amount=exact_money(line["bound"], currency)
        )


def _of_month(proration: str | None) -> str:
    return f" × {proration} days" if proration else ""


def _commitment(line: Line, currency: str) -> Iterator[Row]:
    basis = line["basis"]
    whole = Fraction(basis["amount"])
    least = whole * Fraction(line["proration"] or 1)
    text = f"At least {money(Decimal(basis['amount']), currency)} a month"
    yield Row(text + _of_month(line["proration"]), amount=exact_money(least, currency))
    yield Row("Usage came to", amount=exact_money(-Fraction(basis["usage"]), currency))


def _adjustment(line: Line, document: Mapping[str, Any]) -> Iterator[Row]:
    """What is owed now, with its arithmetic, less what was charged."""
    basis, origin, currency = line["basis"], line["origin"], document["currency"]
    if "owed" in basis:
        yield Row(_comes_to(line, document), amount=exact_money(basis["owed"], currency))
    if now := basis.get("now"):
        yield from _now({**line, **now, "kind": "usage"}, currency)
    number_of = origin["number"] if origin else None
    where = f" in {number_of}" if number_of else ""
    if "charged" in basis:
        charged = exact_money(-Fraction(basis["charged"]), currency)
        when = "in advance" if basis["advance"] else "before"
        yield Row(f"Charged {when}{where}", amount=charged)
    elif number_of:
        yield Row(f"From {number_of}")


def _comes_to(line: Line, document: Mapping[str, Any]) -> str:
    """Of the days that are adjusted, which are over once the document that does it is final."""
    end, until = (_moment(one["period"]["end"]) for one in (line, document))
    is_over = end < until or (end == until and document["status"] != "draft")
    return f"{span(line['period'])} {'came' if is_over else 'comes'} to"


def _now(line: Line, currency: str) -> Iterator[Row]:
    """How the amount owed comes about; its rows add up to it, so they have no sum of their own."""
    quantity = _quantity(line["quantity"], line["unit"])
    yield Row("As known now", *quantity, _unit_price(line, currency))
    if line["included"] and Decimal(line["included"]):
        yield _allowance(line)
    yield from _priced(line, currency)
    yield from _changed(line, currency)


def _shown(amount: str | None) -> bool:
    return amount is not None and Decimal(amount) != 0


def exact_money(amount: Fraction | str, currency: str) -> str:
    """As it is before the line is rounded, to eight places where it has more."""
    scaled = round_half_up(Fraction(amount) * 10**_PLACES_MAX)
    return money(Decimal(decimal_text(Fraction(scaled, 10**_PLACES_MAX))), currency)


def span(period: Mapping[str, str]) -> str:
    """From the first day to the last one that is meant; periods are half-open."""
    first = _moment(period["start"]).date()
    last = _moment(period["end"]).date() - timedelta(days=1)
    if first >= last:
        return _day(first)
    is_one_month = (first.year, first.month) == (last.year, last.month)
    return f"{first.day if is_one_month else _day(first)} – {_day(last)}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
