"""The values of a line's row in the words of the document: numerators as money and quantities.

Owns how what stands on a line is told where no document shows it, such as a line that differs. The
row may be spoilt: what its own terms do not explain is told as it is stored.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.explanation import exact_money, reach
from billing.money import decimal_text, minor_text
from billing.wording import money, number, plural
from edge.instants import instant
from edge.output import plain

Row = Mapping[str, Any]
_MINOR: Final = ("amount", "owed", "charged")
_EXACT: Final = ("discount", "bound")
_WITHIN: Final = ("basis", "measured")
_SPOILT: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def value_text(row: Row, name: str) -> str:
    """A column of a row of `invoice_lines`, with `currency` and `terms` beside it."""
    value, currency = row[name], row["currency"]
    if value is None:
        return "none"
    if name in _MINOR:
        return f"{minor_text(value, currency)} {currency}"
    try:
        return _scaled(name, value, row["terms"], currency)
    except _SPOILT:
        return _stored(value)


def _scaled(name: str, value: Any, terms: Row, currency: str) -> str:
    scales = {key: int(scale) for key, scale in terms["scales"].items()}
    if name in _EXACT:
        return f"{exact_money(Fraction(value, scales['amount']), currency)} {currency}"
    if name == "quantity":
        return _quantity(Fraction(value, scales["unit"]), terms)
    if name == "tiers":
        return ", ".join(_filled(value, terms, scales, currency)) or "none"
    return _stored(value)


def terms_told(terms: Row, currency: str) -> dict[str, str]:
    """What terms say, by name, each as it is compared, what stands within others by both names. The
    scales are left out: they are what the rest is written over.
    """
    told: dict[str, str] = {}
    for name, value in terms.items():
        if name in _WITHIN and isinstance(value, Mapping):
            told |= {f"{name} {key}": _stored(one) for key, one in value.items()}
        elif name != "scales":
            try:
                told[name] = _term(name, value, currency)
            except _SPOILT:
                told[name] = _stored(value)
    return told


def _term(name: str, value: Any, currency: str) -> str:
    if name == "tiers" and value:
        return f"{', '.join(_prices(value, currency))} {currency}"
    if name == "period":
        return " to ".join(str(plain(instant(moment_us))) for moment_us in value)
    return _stored(value)


def _quantity(value: Fraction, terms: Row) -> str:
    count = Decimal(decimal_text(value))
    unit = terms.get("unit")
    return f"{number(count)} {plural(unit, count)}" if unit else number(count)


def _filled(
    tiers: Sequence[Row], terms: Row, scales: Mapping[str, int], currency: str
) -> Iterator[str]:
    """The tiers that hold or cost something."""
    prices = [tuple(one) for one in terms.get("tiers") or ()]
    prices += [(None, None)] * (len(tiers) - len(prices))
    lower = None
    for tier, (upper, price) in zip(tiers, prices, strict=False):
        if tier["quantity"] or tier["flat"]:
            quantity = _quantity(Fraction(tier["quantity"], scales["unit"]), terms)
            at = f" at {money(Decimal(price), currency)}" if price is not None else ""
            once = Fraction(tier["flat"], scales["flat"])
            flat = f" and {exact_money(once, currency)} once" if once else ""
            amount = exact_money(Fraction(tier["amount"], scales["tier"]), currency)
            within = f"{reach(lower, upper)}: " if len(tiers) > 1 else ""
            yield f"{within}{quantity}{at}{flat} make {amount} {currency}"
        lower = upper


def _prices(tiers: Sequence[Sequence[str | None]], currency: str) -> Iterator[str]:
    lower = None
    for upper, price in tiers:
        yield f"{reach(lower, upper)} at {money(Decimal(price or 0), currency)}"
        lower = upper


def _stored(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)
