"""Price books: what the TOML grammar says, as frozen dataclasses.

Owns the model of what things cost. Reading a file into it, with every fault listed, is
`billing.pricebook_check`; storing books and rating by them is done elsewhere.
Prices are Decimal and never pass through a float.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Measure = Literal["duration", "count", "quantity", "maximum", "unique"]
Model = Literal["per_unit", "graduated"]
Scope = Literal["record", "participant", "period"]
Mode = Literal["up", "nearest", "down", "none"]


@dataclass(frozen=True, slots=True)
class Rounding:
    """How usage becomes chargeable. Quantum and minimum: seconds for durations, else units."""

    scope: Scope
    mode: Mode
    quantum: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: without end) at one price, and a flat fee owed
    as soon as the quantity exceeds the tier's lower edge.
    """

    up_to: Decimal | None
    unit_price: Decimal
    flat: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """A price on usage. `variant` None takes all variants; `per_unit` has one open tier."""

    code: str
    description: str
    meter: str
    variant: str | None
    measure: Measure
    unit: str
    unit_size: int
    rounding: Rounding | None
    included: Decimal
    model: Model
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """A recurring amount, once per plan or for each seat."""

    code: str
    description: str
    amount: Decimal
    interval: Literal["month"]
    timing: Literal["arrears"]
    per: Literal["plan", "seat"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a subscription names. `free` are the meters that are meant to cost nothing."""

    code: str
    name: str
    free: tuple[str, ...]
    fees: tuple[Fee, ...]
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class PriceBook:
    """One version of a book. `sha256` is that of the file's bytes, by which it is stored."""

    book: str
    currency: str
    effective_from: date
    plans: tuple[Plan, ...]
    sha256: str

    def plan(self, code: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.code == code), None)
