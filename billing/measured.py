"""How the usage of a line was measured: frozen with its terms, and read beside its evidence.

Owns what each record comes to of the line's quantity, and what of that belongs to no single record.
Quantities are whole numbers over one denominator, and shown as decimals that add up exactly.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.money import decimal_text, round_half_up
from billing.pricebook import Charge
from billing.terms import Numbers
from edge.instants import micros

_PLACES: Final = 12  # of a quantity that no decimal is equal to, as everywhere
_ALONE: Final = ("peak", "unique", "maximum")  # measures that no record has a part of
OWN_ROW: Final[Mapping[str, str]] = {
    "peak": "the most open at once",
    "unique": "different participants",
    "maximum": "the largest counts alone",
    "participant": "rounding of what each participant has in a meeting",
    "period": "rounding of the sum",
    "record": "what the records leave open",
    "none": "what the records leave open",
}
Record = Mapping[str, Any]


def measured_content(charge: Charge, numbers: Numbers) -> dict[str, str] | None:
    """What is frozen: measure, how it is rounded, and how many of the meter's smallest are a unit.
    None of a charge that measures nothing.
    """
    if charge.measure is None:
        return None
    rounding = charge.rounding
    is_rounded = rounding is not None and rounding.mode != "none"
    return {
        "meter": charge.meter or "",
        "measure": charge.measure,
        "per_unit": str(numbers.unit // numbers.grains),
        "scope": rounding.scope if rounding and is_rounded else "none",
        "mode": rounding.mode if rounding else "none",
        "quantum": decimal_text(rounding.quantum) if rounding and is_rounded else "",
        "minimum": decimal_text(rounding.minimum) if rounding else "",
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """How a line's usage was measured. Quantities are numerators over `unit`."""

    measure: str
    scope: str
    mode: str
    quantum: str
    unit_name: str
    per_unit: int
    unit: int

    @property
    def has_parts(self) -> bool:
        """Whether the line's quantity is, but for rounding, the sum of its records."""
        return self.measure not in _ALONE

    @property
    def own_text(self) -> str:
        """What the part is that belongs to no single record."""
        return OWN_ROW[self.scope if self.has_parts else self.measure]

    @property
    def how(self) -> str:
        """How records became chargeable, in words; empty where each counts as it is."""
        if not self.has_parts or self.mode == "none":
            return ""
        of = {
            "record": "each record",
            "participant": "what each participant has in a meeting",
            "period": "the sum",
        }
        way = {"up": "up", "down": "down", "nearest": "to the nearest"}[self.mode]
        step = f"{self.quantum} s" if self.measure == "duration" else self.quantum
        return f"{of[self.scope]} rounded {way}, in steps of {step}"

    def value(self, record: Record) -> int:
        """What a record comes to before anything is rounded."""
        grains = self.unit // self.per_unit
        match self.measure:
            case "duration":
                return (micros(record["last_seen"]) - micros(record["started_at"])) * grains
            case "count":
                return 0 if is_continuing(record) else self.unit
            case "unique" | "peak":
                return self.unit
            case _:
                return (record["quantity"] or 0) * grains

    def part(self, record: Record) -> int | None:
        """What of the line's quantity is this record's: rounded where rounding is by record.
        None where no record has a part.
        """
        if not self.has_parts:
            return None
        if record["chargeable"] is not None:
            return int(record["chargeable"])
        return self.value(record)


def read_measured(content: Mapping[str, Any]) -> Measured | None:
    """Of a line's terms; None where they measure nothing."""
    told = content.get("measured")
    if not told:
        return None
    return Measured(
        measure=told["measure"],
        scope=told["scope"],
        mode=told["mode"],
        quantum=told["quantum"],
        unit_name=content["unit"],
        per_unit=int(told["per_unit"]),
        unit=int(content["scales"]["unit"]),
    )


def is_continuing(record: Record) -> bool:
    return record["continues"] is not None and record["continues"] != record["record_id"]


def own_part(measured: Measured, quantity: int, parts: Iterable[int | None]) -> int:
    """What of a line's quantity belongs to no single record."""
    return quantity - sum(part or 0 for part in parts)


def shown(parts: Sequence[int | None], unit: int) -> Iterator[str]:
    """Numerators as decimals whose sum is exactly the decimal of their sum, as `decimal_text` has
    it: what is cut off one, where no decimal is equal to it, is carried to the next.
    """
    total = Fraction(sum(part or 0 for part in parts), unit)
    places = max(_PLACES, _places(total), _places(Fraction(1, unit)))
    scale = 10**places
    so_far, told = 0, 0
    for part in parts:
        if part is None:
            yield ""
            continue
        so_far += part
        upto = round_half_up(Fraction(so_far * scale, unit))
        yield decimal_text(Fraction(upto - told, scale))
        told = upto


def _places(value: Fraction) -> int:
    """After the point, as `decimal_text` writes it."""
    return -int(Decimal(decimal_text(value)).as_tuple().exponent)
