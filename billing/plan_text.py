"""A plan as a customer would read it: a sentence for each fee, charge and commitment.

Owns the words. Amounts are before tax and shown with all the digits of the book.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing.pricebook import (
    REST,
    Charge,
    Commitment,
    Fee,
    Flat,
    Package,
    Percentage,
    PerUnit,
    PerVariant,
    Plan,
    Rounding,
    Tier,
    Tiered,
)
from billing.wording import money, number, plural

_TIMES: Final = ((3600, "hour"), (60, "minute"), (1, "second"))
_MODES: Final = {
    "up": "rounded up to",
    "nearest": "rounded to the nearest",
    "down": "rounded down to",
}
_MEASURED: Final = {
    "duration": "time of {}",
    "count": "number of records of {}",
    "quantity": "quantity of {}",
    "maximum": "largest quantity of {}",
    "unique": "different participants of {}",
    "peak": "most records of {} open at one instant",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, and what it is about. Kind: fee, charge, commitment or free."""

    kind: str
    code: str
    text: str


def plan_lines(plan: Plan, currency: str) -> Iterator[Line]:
    """In the order in which an invoice has them."""
    for fee in plan.fees:
        yield Line("fee", fee.code, fee_text(fee, currency))
    for charge in plan.charges:
        yield Line("charge", charge.code, charge_text(charge, currency))
    if plan.commitment:
        yield Line("commitment", "commitment", commitment_text(plan.commitment, currency))
    if plan.free:
        yield Line("free", "free", f"Free of charge: {', '.join(plan.free)}.")


def fee_text(fee: Fee, currency: str) -> str:
    each = " for each seat" if fee.per == "seat" else ""
    when = "in advance" if fee.timing == "advance" else "in arrears"
    part = "by days" if fee.prorate else "whole"
    amount = f"{_money(fee.amount, currency)} a month{each}"
    return f"{fee.description}: {amount}, {when}; {part} in a part of a month."


def commitment_text(commitment: Commitment, currency: str) -> str:
    return (
        f"{commitment.description}: usage comes to at least {_money(commitment.amount, currency)} "
        "a month, or the shortfall is owed; by days in a part of a month."
    )


def charge_text(charge: Charge, currency: str) -> str:
    price = _pricing(charge, currency)
    if charge.included:
        each = " for each seat" if charge.included_per == "seat" else ""
        price = f"first {_units(charge.included, charge.unit)}{each} free, then {price}"
    parts = (*_use(charge), price, *_bounds(charge, currency), *_part_of_month(charge))
    return f"{charge.description}: {'; '.join(parts)}."


def _use(charge: Charge) -> Iterator[str]:
    """What is measured, and how that is rounded."""
    if charge.meter is None or charge.measure is None:
        return
    measured = _MEASURED[charge.measure].format(charge.meter + _of_variants(charge))
    if charge.measure in ("quantity", "maximum"):
        size = f" of {charge.unit_size:,}" if charge.unit_size != 1 else ""
        measured += f", in {plural(charge.unit)}{size}"
    yield measured + (", besides what else is charged for it" if charge.also else "")
    if charge.rounding:
        yield _rounding(charge.rounding, charge)


def _of_variants(charge: Charge) -> str:
    if isinstance(charge.pricing, PerVariant) or not charge.variants:
        return ""
    named = [one for one in charge.variants if one != REST]
    rest = ["every variant with no charge of its own"] if REST in charge.variants else []
    noun = "variant" if len(named) == 1 else "variants"
    return f" ({' and '.join([*([f'{noun} {_listed(named)}'] if named else []), *rest])})"


def _rounding(rounding: Rounding, charge: Charge) -> str:
    record = "connection" if charge.meter == "participant" else "record"
    what = {
        "record": f"each {record}",
        "participant": "each participant's sum in a meeting",
        "period": "the sum of the month",
    }[rounding.scope]
    if rounding.mode == "none":
        text = f"{what} taken exactly"
    else:
        step = _step(rounding.quantum, charge)
        text = f"{what} {_MODES[rounding.mode]} {step}"
    return text + (f", at least {_span(rounding.minimum, charge)}" if rounding.minimum else "")


def _step(quantum: Decimal, charge: Charge) -> str:
    whole = _span(quantum, charge)
    return f"the {whole.removeprefix('1 ')}" if whole.startswith("1 ") else whole


def _span(value: Decimal, charge: Charge) -> str:
    """A rounding's own measure: seconds for durations, in the largest unit that holds them."""
    if charge.measure != "duration":
        return _units(value, charge.unit)
    size, unit = next((size, unit) for size, unit in _TIMES if value % size == 0)
    return _units(value / size, unit)


def _pricing(charge: Charge, currency: str) -> str:
    match charge.pricing:
        case PerUnit(unit_price):
            return f"{_money(unit_price, currency)} per {charge.unit}"
        case PerVariant(prices):
            told = (f"{_variant(name)} {_money(price, currency)}" for name, price in prices)
            return f"per {charge.unit}, by variant: {', '.join(told)}"
        case Tiered() as tiered:
            return _tiered(tiered, charge, currency)
        case Package(size, price, rounding):
            begun = "begun" if rounding == "up" else "full"
            units = _units(size, charge.unit).removeprefix("1 ")
            return f"{_money(price, currency)} for each {begun} {units}"
        case Flat(amount):
            return f"{_money(amount, currency)} once a month, whole in a part of one too"
        case Percentage(rate, fixed):
            each = f", and {_money(fixed, currency)} for each record" if fixed else ""
            return f"{number(rate)} % of the amount used{each}"


def _variant(name: str) -> str:
    return "any other" if name == REST else name


def _tiered(tiered: Tiered, charge: Charge, currency: str) -> str:
    start = "all at the price of the quantity reached: " if tiered.model == "volume" else ""
    tiers = [
        _tier(tier, f" per {charge.unit}" if at == 0 else "", currency)
        for at, tier in enumerate(tiered.tiers)
    ]
    if len(tiers) > 1:
        tiers[-1] += " beyond"
        tiers[-1] += " (counted after the free ones)" if charge.included else ""
    zero = ", the first sum without usage too" if tiered.flat_at_zero else ""
    return start + ", ".join(tiers) + zero


def _tier(tier: Tier, each: str, currency: str) -> str:
    """A sum that comes once with a tier stands behind its price."""
    once = f" and {_money(tier.flat, currency)} once" if tier.flat else ""
    end = "" if tier.up_to is None else f" up to {number(tier.up_to)}"
    return f"{_money(tier.unit_price, currency)}{each}{once}{end}"


def _bounds(charge: Charge, currency: str) -> Iterator[str]:
    if charge.discount_percent:
        yield f"less {number(charge.discount_percent)} %"
    if charge.minimum is not None:
        yield f"at least {_money(charge.minimum, currency)} a month"
    if charge.maximum is not None:
        yield f"at most {_money(charge.maximum, currency)} a month"


def _part_of_month(charge: Charge) -> Iterator[str]:
    amounts = {
        "free units": charge.included or None,
        "minimum": charge.minimum,
        "maximum": charge.maximum,
    }
    names = [name for name, amount in amounts.items() if amount is not None]
    if names:
        part = "by days" if charge.prorate else "whole"
        yield f"{_listed(names)} {part} in a part of a month"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _units(value: Decimal, unit: str) -> str:
    return f"{number(value)} {plural(unit, value)}"


def _money(amount: Decimal, currency: str) -> str:
    return f"{money(amount, currency)} {currency}"
