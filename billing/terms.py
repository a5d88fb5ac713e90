"""The terms of a line: what it is for, at what price, and the whole numbers it is rated with.

Owns the scales: every quantity of a line is a whole number of grains and every price a whole
number of a fixed scale, both as small as they can be, and the limits within which no product of
them reaches 2^127. The same terms serve every account whose month is alike. Owns what of them is
frozen with an invoice, and whether a line comes to something where nothing was used. Rates
nothing else.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from typing import Any, Final
from uuid import UUID

from billing.money import currency_precision, round_half_even, round_half_up
from billing.pricebook import (
    REST,
    Charge,
    Flat,
    Package,
    Percentage,
    PerUnit,
    PerVariant,
    Tier,
    Tiered,
)
from billing.proration import Share

_UNIT_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_LIMIT: Final = 2**127
_RECORDS: Final = 2**40  # more than any line has
_RECORD_LIMIT: Final = _LIMIT // _RECORDS // 4
_NARROW: Final = 2**62
_INT64_MAX: Final = 2**63 - 1
# The limits of numbers too large for any line, and of those that are yet to be judged.
_NONE_FITS: Final[Mapping[str, int]] = dict.fromkeys(("cap", "most", "most_records"), -1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers of a usage line. `unit` is one unit of the charge in grains.

    An amount is its numerator over `below`, in the currency's main unit; a tier's own amount is
    over `unit * scale`, before the discount. Of a percentage, `price` is the rate of one unit.
    `cap`: a record with more makes the line too large; so does a quantity
    beyond `most`, or more than `most_records`. `package` is zero where none are sold.
    """

    grains: int
    quantum: int
    minimum: int
    unit: int
    included: int
    tiers: tuple[tuple[int, int | None, int, int], ...]  # lower, upper, price, flat
    scale: int
    price: int
    package: int
    fixed: int
    keep: int
    keep_of: int
    floor: int | None
    ceiling: int | None
    minor: int
    cap: int
    most: int
    most_records: int

    @property
    def below(self) -> int:
        return self.unit * self.scale * self.keep_of

    @property
    def cap64(self) -> int:
        """Up to this value it can be rounded in 64 bits; below zero where none can."""
        steps = 2 * self.quantum + self.minimum
        return min(self.cap, (_NARROW - steps) // (2 * self.grains)) if steps < _NARROW else -1


@dataclass(frozen=True)
class Terms:
    """`content` is what is frozen with an invoice, as JSON data; `id` follows from it alone.

    A line of usage has its charge and numbers; any other line has an amount in the currency's
    smallest units, or, for a commitment, what it comes to at least. Where something was charged
    for the same already, the line is the difference: an adjustment.
    """

    content: dict[str, Any]
    charge: Charge | None = None
    variant: str | None = None  # of a charge with prices: the price's, `REST` being one
    numbers: Numbers | None = None
    amount: int | None = None
    charged: int | None = None
    commitment: Fraction | None = None
    owed: bool = True  # of a flat charge: whether this is the period's last stretch
    even: bool = False

    @property
    def kind(self) -> str:
        """Of its lines."""
        return str(self.content["kind"]) if self.charged is None else "adjustment"

    @cached_property
    def text(self) -> str:
        return json.dumps(self.content, ensure_ascii=False, sort_keys=True)

    @cached_property
    def id(self) -> UUID:
        return _named(self.text)

    @cached_property
    def key(self) -> UUID:
        """The same for terms of one thing in one month: a fee or charge of a plan from one
        instant on, however long it held and whatever it costs. Of a fee in advance, the fee. A
        fee may have the code of a charge.
        """
        content = self.content
        since = None if content["advance"] else content["period"][0]
        names = (content[name] for name in ("kind", "book", "plan", "code"))
        return _named(json.dumps([*names, since]))

    @property
    def costs_unused(self) -> bool:
        """Whether the line comes to something where nothing was used, or cannot be rated then: as
        `rated_lines.sql` has it of no records. A commitment always does, however small.
        """
        if self.numbers is None:
            return bool(self.amount or self.charged is not None or self.commitment)
        if self.variant is not None:
            return False  # only what was used has lines
        if self.numbers.most < 0:
            return True
        exact = self._unused(self.numbers)
        return (round_half_even(exact) if self.even else round_half_up(exact)) != 0

    def _unused(self, numbers: Numbers) -> Fraction:
        """What no usage at all comes to, in the currency's smallest units, unrounded."""
        assert self.charge is not None
        pricing = self.charge.pricing
        if isinstance(pricing, Flat) and not self.owed:
            return Fraction(0)
        amount = numbers.fixed if isinstance(pricing, Flat) else 0
        if isinstance(pricing, Tiered) and pricing.flat_at_zero:
            amount = numbers.tiers[0][3] * numbers.unit
        kept = amount * numbers.keep
        if numbers.ceiling is not None:
            kept = min(kept, numbers.ceiling)
        if numbers.floor is not None:
            kept = max(kept, numbers.floor)
        return Fraction(kept * numbers.minor, numbers.below)


def _named(text: str) -> UUID:
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


@lru_cache(2**16)
def usage_numbers(
    charge: Charge, variant: str | None, included: Fraction, share: Share, currency: str
) -> Numbers:
    """`included` is what remains of the allowance by days; `variant` names one of its prices."""
    unit, step = _unit(charge), _step(charge)
    rounding = charge.rounding
    quantum = Fraction(rounding.quantum if rounding and rounding.mode != "none" else 1) * step
    minimum = Fraction(rounding.minimum if rounding else 0) * step
    tiers = priced_tiers(charge, variant)
    uppers = [None if tier.up_to is None else Fraction(tier.up_to) * unit for tier in tiers]
    pricing = charge.pricing
    package = Fraction(pricing.size) * unit if isinstance(pricing, Package) else Fraction(0)
    known = (quantum, minimum, included * unit, package)
    grains = lcm(*(one.denominator for one in (*known, *(up for up in uppers if up is not None))))
    prices = [Fraction(tier.unit_price) for tier in tiers]
    flats = [Fraction(tier.flat) for tier in tiers]
    minor = 10 ** currency_precision(currency)
    price, fixed = _price(charge, minor)
    kept = 1 - Fraction(charge.discount_percent) / 100
    floor, ceiling = (
        None if bound is None else Fraction(bound) * share.fraction
        for bound in (charge.minimum, charge.maximum)
    )
    bounds = [bound for bound in (floor, ceiling) if bound is not None]
    scale = lcm(*(one.denominator for one in (*prices, *flats, price, fixed, *bounds)))
    edges = [None if upper is None else int(upper * grains) for upper in uppers]
    starts = [edge or 0 for edge in [None, *edges][: len(edges)]]  # each where the one before ends
    whole = unit * grains
    below = whole * scale * kept.denominator
    numbers = Numbers(
        grains=grains,
        quantum=int(quantum * grains),
        minimum=int(minimum * grains),
        unit=whole,
        included=int(included * whole),
        tiers=tuple(
            (lower, upper, int(one * scale), int(flat * scale))
            for lower, upper, one, flat in zip(starts, edges, prices, flats, strict=True)
        ),
        scale=scale,
        price=int(price * scale),
        package=int(package * grains),
        fixed=int(fixed * scale) * whole,
        keep=kept.numerator,
        keep_of=kept.denominator,
        floor=None if floor is None else int(floor * below),
        ceiling=None if ceiling is None else int(ceiling * below),
        minor=minor,
        **_NONE_FITS,
    )
    return _limited(numbers)


def priced_tiers(charge: Charge, variant: str | None) -> tuple[Tier, ...]:
    """The tiers that a charge's line is shown with."""
    match charge.pricing:
        case PerUnit(price) | Package(_, price):
            return (Tier(None, price, Decimal(0)),)
        case PerVariant(prices):
            return (Tier(None, dict(prices)[variant or REST], Decimal(0)),)
        case Tiered(tiers=tiers):
            return tiers
        case Flat() | Percentage():
            return ()


def _unit(charge: Charge) -> int:
    """A value comes in microseconds, the meter's own units or ones; so many of them are a unit."""
    if charge.measure == "duration":
        return 1_000_000 * _UNIT_SECONDS[charge.unit]
    return charge.unit_size if charge.measure in ("quantity", "maximum") else 1


def _step(charge: Charge) -> int:
    """So many of a value's smallest are one of what quantum and minimum are given in."""
    return 1_000_000 if charge.measure == "duration" else _unit(charge)


def _price(charge: Charge, minor: int) -> tuple[Fraction, Fraction]:
    """Of a percentage, what a unit costs and what a record costs; of a flat charge its amount as
    the second; zero for all others, whose prices are in their tiers.
    """
    match charge.pricing:
        case Percentage(rate, fixed):
            return Fraction(rate) / 100 * charge.unit_size / minor, Fraction(fixed)
        case Flat(amount):
            return Fraction(0), Fraction(amount)
        case _:
            return Fraction(0), Fraction(0)


def _limited(numbers: Numbers) -> Numbers:
    """With the largest record, quantity and number of records for which no product can reach
    2^127; below zero, and all else as small as can be, where the terms alone are beyond it.
    """
    prices = numbers.price + sum(price for _, _, price, _ in numbers.tiers)
    owed = sum(flat for _, _, _, flat in numbers.tiers) * numbers.unit + numbers.fixed
    if numbers.package:  # one that was begun counts whole
        owed += numbers.unit * prices
        prices *= numbers.unit // numbers.package + 1
    factor = 4 * numbers.minor * numbers.keep_of
    bounds = (bound for bound in (numbers.floor, numbers.ceiling) if bound is not None)
    sizes = (
        *(4 * one for one in (numbers.below, numbers.included, numbers.package)),
        *(_RECORDS * 4 * one for one in (numbers.quantum, numbers.minimum)),
        *(4 * numbers.minor * bound for bound in bounds),
        *(upper for _, upper, _, _ in numbers.tiers if upper is not None),
        factor * owed,
    )
    if max(sizes) >= _LIMIT:
        return _beyond(len(numbers.tiers))
    half = (_LIMIT // factor - owed) // 2  # for what is used, and for how many records that is
    cap = (_RECORD_LIMIT - numbers.quantum - numbers.minimum) // numbers.grains
    return replace(
        numbers,
        cap=min(cap, _INT64_MAX),
        most=half // max(prices, 1),
        most_records=min(half // numbers.fixed, _RECORDS) if numbers.fixed else _RECORDS,
    )


def _beyond(tiers: int) -> Numbers:
    """Of a charge for which no line is ever small enough. Its own numbers are not kept: they may
    not fit a column, and then nobody could be rated.
    """
    return Numbers(
        grains=1,
        quantum=1,
        minimum=0,
        unit=1,
        included=0,
        tiers=((0, None, 0, 0),) * tiers,
        scale=1,
        price=0,
        package=1,
        fixed=0,
        keep=1,
        keep_of=1,
        floor=None,
        ceiling=None,
        minor=1,
        **_NONE_FITS,
    )
