"""A price book as the oracle reads it: tomllib's tables, every number a fraction.

Owns which charges of a plan take a record. Owns no checks: the tests' books are without faults.
Shares no code with billing.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

REST = "*"
WORDS = {"count": "record", "unique": "participant", "peak": "participant", None: "month"}


@dataclass(frozen=True)
class Rounding:
    scope: str
    mode: str
    quantum: Fraction
    minimum: Fraction


@dataclass(frozen=True)
class Tier:
    up_to: Fraction | None
    unit_price: Fraction
    flat: Fraction


@dataclass(frozen=True)
class Charge:
    """`variants`: empty for every one. What a model has no use for is zero or empty."""

    code: str
    description: str
    meter: str | None
    variants: tuple[str, ...]
    also: bool
    measure: str | None
    unit: str
    unit_size: int
    rounding: Rounding | None
    included: Fraction
    included_per: str
    model: str
    tiers: tuple[Tier, ...]  # graduated and volume; per_unit has one
    prices: dict[str, Fraction]
    flat_at_zero: bool
    package_size: Fraction
    package_price: Fraction
    package_rounding: str
    amount: Fraction
    rate_percent: Fraction
    fixed: Fraction
    discount_percent: Fraction
    minimum: Fraction | None
    maximum: Fraction | None
    prorate: bool

    @property
    def variant(self) -> str | None:
        """The one variant that it takes."""
        return self.variants[0] if len(self.variants) == 1 and self.variants[0] != REST else None


@dataclass(frozen=True)
class Fee:
    code: str
    description: str
    amount: Fraction
    timing: str
    per: str
    prorate: bool


@dataclass(frozen=True)
class Plan:
    code: str
    free: tuple[str, ...]
    fees: tuple[Fee, ...]
    charges: tuple[Charge, ...]
    commitment: tuple[Fraction, str] | None

    def takes(self, charge: Charge, meter: str, variant: str | None) -> bool:
        if charge.meter != meter:
            return False
        if not charge.variants or variant in charge.variants:
            return True
        if REST not in charge.variants:
            return False
        return not any(
            variant in other.variants
            for other in self.charges
            if other.code != charge.code
            and (other.meter, other.measure) == (charge.meter, charge.measure)
        )

    def takers(self, meter: str, variant: str | None) -> list[Charge]:
        return [charge for charge in self.charges if self.takes(charge, meter, variant)]


@dataclass(frozen=True)
class Book:
    code: str
    currency: str
    effective_from: date
    half_even: bool
    plans: dict[str, Plan]


def read_book(text: str) -> Book:
    told = tomllib.loads(text, parse_float=Fraction)
    plans = {plan["code"]: _plan(plan) for plan in told["plan"]}
    half_even = told.get("line_rounding", "half_up") == "half_even"
    return Book(told["book"], told["currency"], told["effective_from"], half_even, plans)


def _plan(told: dict[str, Any]) -> Plan:
    commitment = None
    if "commitment" in told:
        words = told["commitment"].get("description", "Minimum commitment")
        commitment = (Fraction(told["commitment"]["amount"]), words)
    return Plan(
        told["code"],
        tuple(told.get("free", [])),
        tuple(_fee(fee) for fee in told.get("fee", [])),
        tuple(read_charge(charge) for charge in told.get("charge", [])),
        commitment,
    )


def _fee(told: dict[str, Any]) -> Fee:
    return Fee(
        told["code"],
        told["description"],
        Fraction(told["amount"]),
        told.get("timing", "arrears"),
        told.get("per", "plan"),
        told.get("prorate", True),
    )


def read_charge(told: dict[str, Any]) -> Charge:
    model = told["model"]
    measure = told.get("measure", "quantity" if model == "percentage" else None)
    prices = {name: Fraction(price) for name, price in told.get("prices", {}).items()}
    words: dict[Any, str] = WORDS | ({"quantity": "minor unit"} if model == "percentage" else {})
    one = [told] if "unit_price" in told else []
    return Charge(
        code=told["code"],
        description=told["description"],
        meter=told.get("meter"),
        variants=_variants(told, prices),
        also=told.get("also", False),
        measure=measure,
        unit=told.get("unit") or words[measure],
        unit_size=told.get("unit_size", 1),
        rounding=_rounding(told["rounding"]) if "rounding" in told else None,
        included=Fraction(told.get("included", 0)),
        included_per=told.get("included_per", "plan"),
        model=model,
        tiers=tuple(_tier(tier) for tier in told.get("tiers", one)),
        prices=prices,
        flat_at_zero=told.get("flat_at_zero", False),
        package_size=Fraction(told.get("package_size", 0)),
        package_price=Fraction(told.get("package_price", 0)),
        package_rounding=told.get("package_rounding", "up"),
        amount=Fraction(told.get("amount", 0)),
        rate_percent=Fraction(told.get("rate_percent", 0)),
        fixed=Fraction(told.get("fixed", 0)),
        discount_percent=Fraction(told.get("discount_percent", 0)),
        minimum=Fraction(told["minimum"]) if "minimum" in told else None,
        maximum=Fraction(told["maximum"]) if "maximum" in told else None,
        prorate=told.get("prorate", True),
    )


def _variants(told: dict[str, Any], prices: dict[str, Fraction]) -> tuple[str, ...]:
    if prices:
        return tuple(prices)
    variant = told.get("variant", [])
    return (variant,) if isinstance(variant, str) else tuple(variant)


def _rounding(told: dict[str, Any]) -> Rounding:
    quantum, minimum = Fraction(told.get("quantum", 1)), Fraction(told.get("minimum", 0))
    return Rounding(told["scope"], told["mode"], quantum, minimum)


def _tier(told: dict[str, Any]) -> Tier:
    up_to = Fraction(told["up_to"]) if "up_to" in told else None
    return Tier(up_to, Fraction(told["unit_price"]), Fraction(told.get("flat", 0)))
