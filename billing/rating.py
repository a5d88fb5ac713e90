"""Rating: what the lines of a month cost, set-based in SQL on whole numbers.

Owns the scales: per line, every quantity becomes a whole number of grains and every price a
whole number of a fixed scale, as small as they can be. Also owns the test that all of a line's
products stay below 2^127. Does not know accounts, periods or documents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from billing.money import currency_precision
from billing.pricebook import Charge
from billing.rows import load_rows
from warehouse import Queries, Store

SQL: Final = Queries(Path(__file__).parent / "sql")
_UNIT_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_LIMIT: Final = 2**127


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A charge on one stretch. `included` is what remains of the allowance by days."""

    line: int
    stretch: int
    charge: Charge
    included: Fraction
    currency: str


@dataclass(frozen=True, slots=True)
class RatedTier:
    up_to: Decimal | None
    quantity: Fraction
    unit_price: Decimal
    flat: Fraction
    amount: Fraction


@dataclass(frozen=True, slots=True)
class RatedLine:
    """`quantity` is chargeable, before the allowance; `amount_minor` is the rounded amount."""

    quantity: Fraction
    tiers: tuple[RatedTier, ...]
    amount_minor: int


@dataclass(frozen=True, slots=True)
class _Terms:
    """A line's whole numbers. `unit` is one unit of the charge in grains."""

    line: ChargeLine
    grains: int
    unit: int
    quantum: int
    minimum: int
    included: int
    price_scale: int
    minor: int
    tiers: tuple[tuple[int, int | None, int, int], ...]  # lower, upper, price, flat

    def fits(self, records: int, total: int) -> bool:
        """Whether no product of the arithmetic can reach 2^127."""
        quantity = total * self.grains + records * (2 * self.quantum + self.minimum)
        prices = sum(price for _, _, price, _ in self.tiers)
        flats = sum(flat for _, _, _, flat in self.tiers)
        amount = 2 * self.minor * (quantity * prices + flats * self.unit)
        edges = (upper or 0 for _, upper, _, _ in self.tiers)
        below = 2 * self.unit * self.price_scale
        alone = (self.included, 2 * self.quantum, self.minimum, self.grains, prices, flats)
        return max(2 * quantity, amount, below, *edges, *alone) < _LIMIT


def load_lines(store: Store, lines: Iterable[ChargeLine]) -> None:
    """The temporary table `lines`: what each one rates, without its prices."""
    rows = [
        {
            "line": one.line,
            "stretch": one.stretch,
            "meter": one.charge.meter,
            "variant": one.charge.variant,
            "measure": one.charge.measure,
            "scope": one.charge.rounding.scope if one.charge.rounding else "period",
        }
        for one in lines
    ]
    names = {"line": pa.int64(), "stretch": pa.int64()}
    texts = ("meter", "variant", "measure", "scope")
    load_rows(store, "lines", rows, names | dict.fromkeys(texts, pa.string()))


def rate(store: Store, lines: Sequence[ChargeLine]) -> tuple[dict[int, RatedLine], list[int]]:
    """Every line by its number, and the numbers of lines beyond the limits. Reads the temporary
    tables `lines` and `month_records`; leaves `line_records`, `line_terms` and `rounded`.
    """
    store.execute(SQL["line_records"])
    sizes = {line: (records, total) for line, records, total in store.rows(SQL["line_size"])}
    terms = [_terms(line) for line in lines]
    fitting: dict[int, _Terms] = {}
    beyond: list[int] = []
    for one in terms:
        if one.fits(*sizes.get(one.line.line, (0, 0))):
            fitting[one.line.line] = one
        else:
            beyond.append(one.line.line)
    _load_terms(store, list(fitting.values()))
    store.execute(SQL["rounded"])
    store.execute(SQL["chargeable"])
    found: dict[int, list[dict[str, Any]]] = {}
    for row in store.records(SQL["tier_amounts"]):
        found.setdefault(row["line"], []).append(row)
    return {line: _rated(fitting[line], rows) for line, rows in found.items()}, beyond


def _terms(line: ChargeLine) -> _Terms:
    charge = line.charge
    is_duration = charge.measure == "duration"
    # A value comes in microseconds, the meter's own units or ones: so many of them are a unit,
    # and so many are one of what quantum and minimum are given in.
    unit = 1_000_000 * _UNIT_SECONDS[charge.unit] if is_duration else _unit_size(charge)
    step = 1_000_000 if is_duration else unit
    rounding = charge.rounding
    quantum = Fraction(rounding.quantum if rounding and rounding.mode != "none" else 1) * step
    minimum = Fraction(rounding.minimum if rounding else 0) * step
    included = line.included * unit
    uppers = [None if tier.up_to is None else Fraction(tier.up_to) * unit for tier in charge.tiers]
    known = (quantum, minimum, included, *(upper for upper in uppers if upper is not None))
    grains = lcm(*(value.denominator for value in known))
    prices = [Fraction(tier.unit_price) for tier in charge.tiers]
    flats = [Fraction(tier.flat) for tier in charge.tiers]
    scale = lcm(*(value.denominator for value in (*prices, *flats)))
    edges = [None if upper is None else int(upper * grains) for upper in uppers]
    lowers = [0, *(edge or 0 for edge in edges[:-1])]
    return _Terms(
        line=line,
        grains=grains,
        unit=unit * grains,
        quantum=int(quantum * grains),
        minimum=int(minimum * grains),
        included=int(included * grains),
        price_scale=scale,
        minor=10 ** currency_precision(line.currency),
        tiers=tuple(
            (lower, upper, int(price * scale), int(flat * scale))
            for lower, upper, price, flat in zip(lowers, edges, prices, flats, strict=True)
        ),
    )


def _unit_size(charge: Charge) -> int:
    return charge.unit_size if charge.measure in ("quantity", "maximum") else 1


def _load_terms(store: Store, terms: Sequence[_Terms]) -> None:
    """Numbers travel as text: Arrow has no whole number of 128 bits."""
    numbers = ("grains", "unit", "quantum", "minimum", "included", "price_scale", "minor")
    rows = []
    tiers = []
    for one in terms:
        rounding = one.line.charge.rounding
        row = {name: str(getattr(one, name)) for name in numbers}
        mode = rounding.mode if rounding else "none"
        rows.append({"line": one.line.line, "mode": mode, **row})
        for index, (lower, upper, price, flat) in enumerate(one.tiers):
            edges = {"lower": str(lower), "upper": None if upper is None else str(upper)}
            prices = {"price": str(price), "flat": str(flat)}
            tiers.append({"line": one.line.line, "tier": index, **edges, **prices})
    line = {"line": pa.int64()}
    load_rows(store, "line_terms", rows, line | dict.fromkeys(("mode", *numbers), pa.string()))
    texts = dict.fromkeys(("lower", "upper", "price", "flat"), pa.string())
    load_rows(store, "line_tiers", tiers, line | {"tier": pa.int64()} | texts)


def _rated(terms: _Terms, rows: Sequence[dict[str, Any]]) -> RatedLine:
    charge = terms.line.charge
    tiers = tuple(
        RatedTier(
            up_to=tier.up_to,
            quantity=Fraction(int(row["inside"]), terms.unit),
            unit_price=tier.unit_price,
            flat=Fraction(int(row["flat"]), terms.price_scale),
            amount=Fraction(int(row["above"]), terms.unit * terms.price_scale),
        )
        for tier, row in zip(charge.tiers, rows, strict=True)
    )
    quantity = Fraction(int(rows[0]["quantity"]), terms.unit)
    return RatedLine(quantity, tiers, int(rows[0]["amount_minor"]))
