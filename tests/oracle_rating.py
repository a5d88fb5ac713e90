"""The slow, obvious rating: what a charge costs, in fractions and plain loops.

An oracle for tests of billing's set-based rating; it shares no code with it. Owns no plan, period
or proration: it is given one charge, its allowance and bounds as they are for one stretch, and
the records of that stretch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle_book import REST, Charge
from tests.oracle_measure import UsageRecord, chargeable
from tests.oracle_text import PLACES

__all__ = ["RatedLine", "TierLine", "UsageRecord", "rate"]
ZERO = Fraction(0)


@dataclass(frozen=True)
class TierLine:
    up_to: Fraction | None
    quantity: Fraction
    unit_price: Fraction
    flat: Fraction  # what is owed: zero where the tier was not reached
    amount: Fraction


@dataclass(frozen=True)
class RatedLine:
    code: str
    description: str
    variant: str | None
    quantity: Fraction  # chargeable, after rounding, before the allowance
    unit: str
    included: Fraction
    tiers: tuple[TierLine, ...]
    packages: int | None
    discount: Fraction | None  # not positive
    bound: Fraction | None
    exact: Fraction  # to be rounded once, to money


def rate(
    charge: Charge, records: Iterable[UsageRecord], currency: str = "EUR", *, owed: bool = True
) -> list[RatedLine]:
    """The lines that a charge makes of the records: one, also where there is no usage; with
    `prices` one per variant used. `owed`: whether this is the stretch that owes a flat amount.
    """
    taken = [record for record in records if _may_take(charge, record)]
    if not charge.prices:
        return [_line(charge, charge.variant, taken, currency, owed)]
    used = sorted({record.variant for record in taken}, key=lambda name: (name is not None, name))
    return [
        _line(charge, name, [one for one in taken if one.variant == name], currency, owed)
        for name in used
    ]


def _may_take(charge: Charge, record: UsageRecord) -> bool:
    """As far as the charge alone can tell: what others of its plan name, the plan knows."""
    if record.cancelled or record.meter != charge.meter:
        return False
    return not charge.variants or REST in charge.variants or record.variant in charge.variants


def _line(
    charge: Charge, variant: str | None, records: list[UsageRecord], currency: str, owed: bool
) -> RatedLine:
    quantity = chargeable(charge, records)
    net = max(quantity - charge.included, ZERO)
    tiers: tuple[TierLine, ...] = ()
    packages = None
    if charge.model == "flat":
        amount = charge.amount if owed else ZERO
    elif charge.model == "percentage":
        amount = _percentage(charge, net, records, currency)
    elif charge.model == "package":
        packages, tiers = _packages(charge, net)
        amount = tiers[0].amount
    else:
        tiers = _tiers(charge, variant, net)
        amount = sum((tier.amount for tier in tiers), ZERO)
    discount = -amount * charge.discount_percent / 100 if charge.discount_percent else None
    after = amount + (discount or ZERO)
    bounded = after
    if charge.minimum is not None and (owed or charge.model != "flat"):
        bounded = max(bounded, charge.minimum)
    if charge.maximum is not None:
        bounded = min(bounded, charge.maximum)
    bound = None if bounded == after else bounded - after
    return RatedLine(
        charge.code, charge.description, variant, quantity, charge.unit, charge.included, tiers,
        packages, discount, bound, bounded,
    )  # fmt: skip


def _percentage(
    charge: Charge, net: Fraction, records: list[UsageRecord], currency: str
) -> Fraction:
    """The net quantity is money in minor units; `fixed` is in the main unit."""
    main = net * charge.unit_size / 10 ** PLACES[currency]
    begun = sum(not record.goes_on for record in records)
    return main * charge.rate_percent / 100 + charge.fixed * begun


def _packages(charge: Charge, net: Fraction) -> tuple[int, tuple[TierLine, ...]]:
    whole, rest = divmod(net, charge.package_size)
    packages = int(whole) + (rest > 0 and charge.package_rounding == "up")
    price = charge.package_price
    return packages, (TierLine(None, net, price, ZERO, packages * price),)


def _tiers(charge: Charge, variant: str | None, net: Fraction) -> tuple[TierLine, ...]:
    if charge.prices:
        price = charge.prices[variant] if variant in charge.prices else charge.prices[REST]
        return (TierLine(None, net, price, ZERO, net * price),)
    return _volume(charge, net) if charge.model == "volume" else _graduated(charge, net)


def _graduated(charge: Charge, net: Fraction) -> tuple[TierLine, ...]:
    """`net` units, the allowance taken off, poured into the tiers from below."""
    lines = []
    lower = ZERO
    for tier in charge.tiers:
        upper = net if tier.up_to is None else min(net, tier.up_to)
        inside = max(upper - lower, ZERO)
        reached = net > lower or (charge.flat_at_zero and lower == 0)
        flat = tier.flat if reached else ZERO
        lines.append(
            TierLine(tier.up_to, inside, tier.unit_price, flat, inside * tier.unit_price + flat)
        )
        lower = lower if tier.up_to is None else tier.up_to
    return tuple(lines)


def _volume(charge: Charge, net: Fraction) -> tuple[TierLine, ...]:
    """All units at the price of the tier that the last one falls into."""
    hit = next(n for n, tier in enumerate(charge.tiers) if tier.up_to is None or net <= tier.up_to)
    lines = []
    for n, tier in enumerate(charge.tiers):
        inside = net if n == hit else ZERO
        flat = tier.flat if n == hit and (net > 0 or charge.flat_at_zero) else ZERO
        lines.append(
            TierLine(tier.up_to, inside, tier.unit_price, flat, inside * tier.unit_price + flat)
        )
    return tuple(lines)
