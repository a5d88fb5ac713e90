"""Price books: what the TOML grammar says, as frozen dataclasses, and which charge takes what.

Owns the model of what things cost. Reading a file into it, with every fault listed, is
`billing.pricebook_check`; storing books and rating by them is done elsewhere.
Prices are Decimal and never pass through a float.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

Measure = Literal["duration", "count", "quantity", "maximum", "unique", "peak"]
Model = Literal["per_unit", "graduated", "volume", "package", "flat", "percentage"]
Scope = Literal["record", "participant", "period"]
Mode = Literal["up", "nearest", "down", "none"]
Per = Literal["plan", "seat"]

STANDARD: Final = "standard"  # the category of tax where a book tells none
MINIMUM_COMMITMENT: Final = "Minimum commitment"  # as a book that does not name it has it
REST: Final = "*"  # every variant, null too, that no other charge names


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
class PerUnit:
    """Each unit at one price: one open tier."""

    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class PerVariant:
    """Each unit at the price of its variant, `REST` being one; a line for each variant used."""

    prices: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Tiered:
    """Graduated: each unit at the price of the tier it falls into. Volume: all units at the
    price of the tier that the last one falls into, and that tier's flat fee alone.
    With `flat_at_zero` the first tier's flat fee is owed for no units too.
    """

    model: Literal["graduated", "volume"]
    tiers: tuple[Tier, ...]
    flat_at_zero: bool


@dataclass(frozen=True, slots=True)
class Package:
    """Whole packages of `size` units at `price` each; a part of one counts as one, or, with
    rounding down, not at all.
    """

    size: Decimal
    price: Decimal
    rounding: Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Flat:
    """An amount owed once per period, on its last stretch."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share of the money that the meter counts in minor units, and `fixed` for each record."""

    rate_percent: Decimal
    fixed: Decimal


Pricing = PerUnit | PerVariant | Tiered | Package | Flat | Percentage


@dataclass(frozen=True, slots=True)
class Charge:
    """A price on usage.

    `variants`: those it takes, `REST` being one; empty: every one, null too. `meter` and `measure`
    are None together, for a `Flat` that is owed whatever is used. With `also`, it may take
    records that another charge takes.
    """

    code: str
    description: str
    meter: str | None
    variants: tuple[str, ...]
    also: bool
    measure: Measure | None
    unit: str
    unit_size: int
    rounding: Rounding | None
    included: Decimal
    included_per: Per
    pricing: Pricing
    discount_percent: Decimal
    minimum: Decimal | None
    maximum: Decimal | None
    prorate: bool
    tax_category: str = STANDARD
    ledger_account: str | None = None

    @property
    def model(self) -> Model:
        match self.pricing:
            case PerUnit() | PerVariant():
                return "per_unit"
            case Tiered(model=model):
                return model
            case Package():
                return "package"
            case Flat():
                return "flat"
            case Percentage():
                return "percentage"

    @property
    def variant(self) -> str | None:
        """The one variant that it takes; None where it takes several."""
        return self.variants[0] if len(self.variants) == 1 and REST not in self.variants else None

    def names(self, variant: str | None) -> bool:
        return variant is not None and variant in self.variants


@dataclass(frozen=True, slots=True)
class Fee:
    """A recurring amount, once per plan or for each seat."""

    code: str
    description: str
    amount: Decimal
    timing: Literal["arrears", "advance"]
    per: Per
    prorate: bool
    tax_category: str = STANDARD
    ledger_account: str | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the plan's usage lines come to at least, before tax, in a whole period."""

    amount: Decimal
    description: str
    ledger_account: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a subscription names. `free` are the meters that are meant to cost nothing."""

    code: str
    name: str
    free: tuple[str, ...]
    fees: tuple[Fee, ...]
    charges: tuple[Charge, ...]
    commitment: Commitment | None

    def takers(self, meter: str, variant: str | None) -> tuple[Charge, ...]:
        """The charges that take records of this meter and variant, in the order of the book."""
        return tuple(
            one for one in self.charges if one.meter == meter and self._takes(one, variant)
        )

    def _takes(self, charge: Charge, variant: str | None) -> bool:
        if not charge.variants or charge.names(variant):
            return True
        # What another charge names is its own, be it `also` or not.
        return REST in charge.variants and not any(
            other is not charge
            and (other.meter, other.measure) == (charge.meter, charge.measure)
            and other.names(variant)
            for other in self.charges
        )


@dataclass(frozen=True, slots=True)
class PriceBook:
    """One version of a book. `sha256` is that of the file's bytes, by which it is stored."""

    book: str
    currency: str
    effective_from: date
    line_rounding: Literal["half_up", "half_even"]
    plans: tuple[Plan, ...]
    sha256: str

    def plan(self, code: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.code == code), None)
