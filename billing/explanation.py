"""A line of a document, explained: the rows beneath it show how its amount came about.

Owns which rows there are and their order, for the page in the customer's language and the terminal
in English alike. Reads the JSON of `billing.document`; the amounts beneath a line add up to its own
before that is rounded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.described import described
from billing.language import ENGLISH, Language, moment
from billing.money import currency_precision, decimal_text, round_half_up

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


@dataclass(frozen=True, slots=True)
class _Voice:
    """The language and the currency in which a line is told."""

    language: Language
    currency: str

    def text(self, key: str, **values: str) -> str:
        return self.language.text(key, **values)

    def number(self, value: str) -> str:
        return self.language.number(Decimal(value))

    def money(self, amount: str) -> str:
        return self.language.money(Decimal(amount), self.currency)

    def exact(self, amount: Fraction | str) -> str:
        return exact_money(amount, self.currency, self.language)

    def quantity(self, quantity: str, unit: str | None) -> tuple[str, str]:
        count = Decimal(quantity)
        return self.language.number(count), self.language.unit(unit, count) if unit else ""


def explain(line: Line, document: Mapping[str, Any], language: Language = ENGLISH) -> list[Row]:
    """The line itself, then what explains it. `document` gives currency and period. On a credit
    note, where every sign is turned, it is explained as charged and then turned.
    """
    voice = _Voice(language, document["currency"])
    if document["kind"] != "credit_note":
        return _explain(line, document, voice)
    charged = _explain(turned(line), document, voice)
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


def _explain(line: Line, document: Mapping[str, Any], voice: _Voice) -> list[Row]:
    rows = [_head(line, voice)]
    days = _days(line, document["period"], voice)
    if days and "owed" not in line["basis"]:  # what is owed now says for when
        rows.append(days)
    if line["included"] and Decimal(line["included"]):
        rows.append(_allowance(line, voice))
    match line["kind"]:
        case "commitment":
            rows += _commitment(line, voice)
        case "adjustment":
            rows += _adjustment(line, document, voice)
        case "usage":
            rows += _priced(line, voice)
            rows += _changed(line, voice)
    return rows


def _head(line: Line, voice: _Voice) -> Row:
    text = described(line, voice.currency, voice.language)
    text += f" ({line['variant']})" if line["variant"] else ""
    amount = voice.money(line["amount"])
    if line["quantity"] is None:
        return Row(text, amount=amount)
    quantity = voice.quantity(line["quantity"], line["unit"])
    return Row(text, *quantity, _unit_price(line, voice), amount)


def _unit_price(line: Line, voice: _Voice) -> str:
    basis, tiers = line["basis"], line["tiers"]
    if line["kind"] == "fee":
        return voice.money(basis["amount"])
    if len(tiers) == 1 and basis.get("model") == "per_unit":
        return voice.money(tiers[0]["unit_price"])
    return ""


def _days(line: Line, period: Mapping[str, str], voice: _Voice) -> Row | None:
    """The line's own period where it is not the document's, and what part of a month it is."""
    if line["period"] == period:
        return None
    days = line["proration"].split("/") if line["proration"] else ()
    is_ahead = moment(line["period"]["start"]) >= moment(period["end"])
    span = voice.language.span(line["period"])
    text = voice.text("in_advance", span=span) if is_ahead else span
    return Row(text, *(days and (days[0], voice.text("of_days", days=days[1]))))


def _allowance(line: Line, voice: _Voice) -> Row:
    basis = line["basis"]
    included, whole = Fraction(line["included"]), Fraction(basis["included"])
    told = Fraction(line["proration"] or 1) * whole
    parts = _of_month(line["proration"], voice)
    if "seat_days" in basis:
        told = Fraction(basis["seat_days"]) * whole
        parts = voice.text("days_of_seats", days=basis["seat_days"])
    elif "seats" in basis:
        told *= int(basis["seats"])
        seats = " ".join(voice.quantity(basis["seats"], "seat"))
        parts = voice.text("for_each_seat", seats=seats) + parts
    elif included == whole:
        parts = ""
    of_line = voice.number(line["included"])
    if parts:
        parts += voice.text("rounded_up") if told < included else ""
        monthly = voice.number(basis["included"])
        text = voice.text("included_of_month", included=of_line, monthly=monthly, parts=parts)
    else:
        text = voice.text("included", included=of_line)
    return Row(text, voice.number(decimal_text(_net(line))), voice.text("charged"))


def _net(line: Line) -> Fraction:
    """What is left after the allowance. Exact where tiers tell it."""
    if line["tiers"]:
        return sum((Fraction(tier["quantity"]) for tier in line["tiers"]), Fraction(0))
    return max(Fraction(line["quantity"]) - Fraction(line["included"]), Fraction(0))


def _priced(line: Line, voice: _Voice) -> Iterator[Row]:
    """What the model came to, where the line itself does not show it."""
    basis, tiers = line["basis"], line["tiers"]
    match basis["model"]:
        case "package":
            yield _packages(line, voice)
        case "percentage":
            yield from _percentage(line, voice)
        case "flat" if "amount" in basis:
            yield Row(voice.text("flat"), amount=voice.exact(basis["amount"]))
        case "flat":
            yield Row(voice.text("flat_with_last_days"))
        case "per_unit":
            if _shown(line["discount"]) or _shown(line["bound"]):
                yield Row(voice.text("at_unit_price"), *_rated(tiers[0], line["unit"], voice))
        case model:
            yield from _tiers(line, voice, is_volume=model == "volume")


def _tiers(line: Line, voice: _Voice, *, is_volume: bool) -> Iterator[Row]:
    """Tiers that hold something. What one costs once, however little is in it, is a row."""
    lower = None
    for tier in line["tiers"]:
        within = reach(lower, tier["up_to"], voice.language)
        if Decimal(tier["quantity"]):
            text = f"{within[0].upper()}{within[1:]}"
            text = voice.text("volume", tier=text) if is_volume else text
            yield Row(text, *_rated(tier, line["unit"], voice))
        if Decimal(tier["flat"]):
            yield Row(voice.text("once", tier=within), amount=voice.exact(tier["flat"]))
        lower = tier["up_to"]


def reach(lower: str | None, upper: str | None, language: Language = ENGLISH) -> str:
    """A tier by the quantities that it begins above and ends with, None where it has no end."""
    edges = {"lower": lower, "upper": upper}
    told = {name: language.number(Decimal(edge)) for name, edge in edges.items() if edge}
    if lower is None:
        return language.text("tier_any" if upper is None else "tier_first", **told)
    return language.text("tier_above" if upper is None else "tier_between", **told)


def _rated(tier: Line, unit: str, voice: _Voice) -> tuple[str, str, str, str]:
    """Quantity, unit, price and what they make, without what the tier costs once."""
    amount = Fraction(tier["amount"]) - Fraction(tier["flat"])
    price = voice.money(tier["unit_price"])
    return (*voice.quantity(tier["quantity"], unit), price, voice.exact(amount))


def _packages(line: Line, voice: _Voice) -> Row:
    basis = line["basis"]
    size = " ".join(voice.quantity(basis["package_size"], line["unit"]))
    key = "packages_up" if basis["package_rounding"] == "up" else "packages_down"
    price = voice.money(basis["package_price"])
    packages = voice.quantity(line["packages"], "package")
    amount = voice.exact(line["tiers"][0]["amount"])
    return Row(voice.text(key, size=size), *packages, price, amount)


def _percentage(line: Line, voice: _Voice) -> Iterator[Row]:
    """The money that was counted, in the main unit, at the rate, and what each record costs."""
    basis = line["basis"]
    net = _net(line) * int(basis["unit_size"]) / 10 ** currency_precision(voice.currency)
    counted = voice.money(decimal_text(net))
    rate = voice.language.percent(Decimal(basis["rate_percent"]))
    part = net * Fraction(basis["rate_percent"]) / 100
    if not net and not basis["records"]:
        return
    text = voice.text("percentage", rate=rate)
    yield Row(text, counted, voice.currency, rate, voice.exact(part))
    fixed = Fraction(basis["fixed"])
    if fixed:
        price = voice.money(basis["fixed"])
        records = voice.quantity(str(basis["records"]), "record")
        amount = voice.exact(fixed * basis["records"])
        yield Row(voice.text("for_each_record"), *records, price, amount)


def _changed(line: Line, voice: _Voice) -> Iterator[Row]:
    """Discount and bound. A bound is a part of the book's by the days of the line's own period."""
    basis = line["basis"]
    if _shown(line["discount"]):
        percent = voice.language.percent(Decimal(basis["discount_percent"]))
        text = voice.text("discount", percent=percent)
        yield Row(text, amount=voice.exact(line["discount"]))
    if _shown(line["bound"]):
        key = "minimum" if Decimal(line["bound"]) > 0 else "maximum"
        days = _of_month(basis.get("bound_days"), voice)
        text = voice.text(key, whole=voice.money(basis[key]), days=days)
        yield Row(text, amount=voice.exact(line["bound"]))


def _of_month(proration: str | None, voice: _Voice) -> str:
    return voice.text("days_of_month", days=proration) if proration else ""


def _commitment(line: Line, voice: _Voice) -> Iterator[Row]:
    basis = line["basis"]
    least = Fraction(basis["amount"]) * Fraction(line["proration"] or 1)
    days = _of_month(line["proration"], voice)
    text = voice.text("at_least", amount=voice.money(basis["amount"]), days=days)
    yield Row(text, amount=voice.exact(least))
    yield Row(voice.text("usage_came_to"), amount=voice.exact(-Fraction(basis["usage"])))


def _adjustment(line: Line, document: Mapping[str, Any], voice: _Voice) -> Iterator[Row]:
    """What is owed now, with its arithmetic, less what was charged."""
    basis, origin = line["basis"], line["origin"]
    if "owed" in basis:
        yield Row(_comes_to(line, document, voice), amount=voice.exact(basis["owed"]))
    if now := basis.get("now"):
        yield from _now({**line, **now, "kind": "usage"}, voice)
    number_of = None
    if origin and origin["number"]:
        number_of = dated(origin["number"], origin["issued_on"], voice.language)
    if "charged" in basis:
        key = "charged_in_advance" if basis["advance"] else "charged_before"
        text = voice.text(f"{key}_in", number=number_of) if number_of else voice.text(key)
        yield Row(text, amount=voice.exact(-Fraction(basis["charged"])))
    elif number_of:
        yield Row(voice.text("from_document", number=number_of))


def dated(number: str, day: str | None, language: Language) -> str:
    """A document by its number and its day of issue."""
    return f"{number} ({language.day_of(day)})" if day else number


def _comes_to(line: Line, document: Mapping[str, Any], voice: _Voice) -> str:
    """Of the days that are adjusted, which are over once the document that does it is final."""
    end, until = (moment(one["period"]["end"]) for one in (line, document))
    is_over = end < until or (end == until and document["status"] != "draft")
    key = "came_to" if is_over else "comes_to"
    return voice.text(key, span=voice.language.span(line["period"]))


def _now(line: Line, voice: _Voice) -> Iterator[Row]:
    """How the amount owed comes about; its rows add up to it, so they have no sum of their own."""
    quantity = voice.quantity(line["quantity"], line["unit"])
    yield Row(voice.text("as_known_now"), *quantity, _unit_price(line, voice))
    if line["included"] and Decimal(line["included"]):
        yield _allowance(line, voice)
    yield from _priced(line, voice)
    yield from _changed(line, voice)


def _shown(amount: str | None) -> bool:
    return amount is not None and Decimal(amount) != 0


def exact_money(amount: Fraction | str, currency: str, language: Language = ENGLISH) -> str:
    """As it is before the line is rounded, to eight places where it has more."""
    scaled = round_half_up(Fraction(amount) * 10**_PLACES_MAX)
    return language.money(Decimal(decimal_text(Fraction(scaled, 10**_PLACES_MAX))), currency)
