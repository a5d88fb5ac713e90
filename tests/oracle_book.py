"""A price book as the oracle reads it: tomllib's tables, every number a fraction.

Owns no checks: the tests' books are without faults. Shares no code with billing.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any


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
    code: str
    description: str
    meter: str
    variant: str | None
    measure: str
    unit: str
    unit_size: int
    rounding: Rounding | None
    included: Fraction
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Fee:
    code: str
    description: str
    amount: Fraction
    per: str


@dataclass(frozen=True)
class Plan:
    code: str
    free: tuple[str, ...]
    fees: tuple[Fee, ...]
    charges: tuple[Charge, ...]


@dataclass(frozen=True)
class Book:
    code: str
    currency: str
    effective_from: date
    plans: dict[str, Plan]


def read_book(text: str) -> Book:
    told = tomllib.loads(text, parse_float=Fraction)
    plans = {plan["code"]: _plan(plan) for plan in told["plan"]}
    return Book(told["book"], told["currency"], told["effective_from"], plans)


def _plan(told: dict[str, Any]) -> Plan:
    fees = tuple(
        Fee(fee["code"], fee["description"], Fraction(fee["amount"]), fee.get("per", "plan"))
        for fee in told.get("fee", [])
    )
    charges = tuple(read_charge(charge) for charge in told.get("charge", []))
    return Plan(told["code"], tuple(told.get("free", [])), fees, charges)


def read_charge(told: dict[str, Any]) -> Charge:
    tiers = told["tiers"] if told["model"] == "graduated" else [told]
    words = {"count": "record", "unique": "participant"}
    return Charge(
        code=told["code"],
        description=told["description"],
        meter=told["meter"],
        variant=told.get("variant"),
        measure=told["measure"],
        unit=told.get("unit") or words[told["measure"]],
        unit_size=told.get("unit_size", 1),
        rounding=_rounding(told["rounding"]) if "rounding" in told else None,
        included=Fraction(told.get("included", 0)),
        tiers=tuple(_tier(tier) for tier in tiers),
    )


def _rounding(told: dict[str, Any]) -> Rounding:
    quantum, minimum = Fraction(told.get("quantum", 1)), Fraction(told.get("minimum", 0))
    return Rounding(told["scope"], told["mode"], quantum, minimum)


def _tier(told: dict[str, Any]) -> Tier:
    up_to = Fraction(told["up_to"]) if "up_to" in told else None
    return Tier(up_to, Fraction(told["unit_price"]), Fraction(told.get("flat", 0)))
