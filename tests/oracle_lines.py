"""A document's lines as `invoice show` prints them: what a fee or a charge makes of a stretch.

Owns proration. Shares no code with billing.
"""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

from tests.oracle_accounts import Stretch
from tests.oracle_book import Charge, Fee
from tests.oracle_calendar import Period
from tests.oracle_rating import RatedLine
from tests.oracle_text import money, negated, text

Line = dict[str, Any]
AdvanceKey = tuple[str, str, str]  # book, plan, fee
Sums = tuple[Fraction, Fraction]
BARE: Line = {
    "variant": None, "quantity": None, "unit": None, "included": None, "tiers": [],
    "packages": None, "discount": None, "bound": None, "origin": None, "proration": None,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A stretch in its period, and the currency its lines are in."""

    stretch: Stretch
    period: Period
    currency: str

    @property
    def share(self) -> Fraction:
        return Fraction(self.stretch.days, self.period.days)

    def money(self, value: Fraction) -> str:
        return money(value, self.currency, half_even=self.stretch.priced[0].half_even)

    def days_of(self, prorate: bool) -> int:
        """What days are a part of: those of the period, or where nothing is prorated its own."""
        return self.period.days if prorate else self.stretch.days

    def proration(self, since: date, until: date, prorate: bool = True) -> str | None:
        days, of = (until - since).days, self.days_of(prorate)
        return None if days == of else f"{days}/{of}"


def fee_lines(part: Part, fee: Fee) -> list[Line]:
    """One line, or one for each run of seats."""
    stretch = part.stretch
    runs = stretch.seats if fee.per == "seat" else [(stretch.since, stretch.until, 1)]
    return [
        BARE
        | {
            "kind": "fee",
            "code": fee.code,
            "description": fee.description,
            "period": part.period.span(since, until),
            "quantity": str(count),
            "unit": "seat" if fee.per == "seat" else "month",
            "included": "0",
            "amount": part.money(
                fee.amount * count * Fraction((until - since).days, part.days_of(fee.prorate))
            ),
            "proration": part.proration(since, until, fee.prorate),
        }
        for since, until, count in runs
    ]


def of_stretch(part: Part, charge: Charge) -> Charge:
    """The charge with its allowance and bounds as they are for the stretch."""
    share = part.share if charge.prorate else Fraction(1)
    return replace(
        charge,
        included=_included(part, charge, share),
        minimum=None if charge.minimum is None else charge.minimum * share,
        maximum=None if charge.maximum is None else charge.maximum * share,
    )


def _included(part: Part, charge: Charge, share: Fraction) -> Fraction:
    """By days, then up to a whole unit, never above the whole allowance."""
    if charge.included_per == "seat":
        seats = part.stretch.seats
        seat_days = sum(count * (until - since).days for since, until, count in seats)
        whole = charge.included * max(count for _, _, count in seats)
        exact = charge.included * Fraction(seat_days, part.days_of(charge.prorate))
    else:
        whole, exact = charge.included, charge.included * share
    return min(Fraction(ceil(exact)), whole)


def usage_line(part: Part, charge: Charge, line: RatedLine) -> Line:
    stretch = part.stretch
    # A flat amount is owed whole, so nothing of it is prorated.
    prorated = charge.prorate and charge.model != "flat"
    return BARE | {
        "kind": "usage",
        "code": line.code,
        "description": line.description,
        "variant": line.variant,
        "period": part.period.span(stretch.since, stretch.until),
        "quantity": text(line.quantity),
        "unit": line.unit,
        "included": text(line.included),
        "tiers": [
            {
                "up_to": None if tier.up_to is None else text(tier.up_to),
                "quantity": text(tier.quantity),
                "unit_price": text(tier.unit_price),
                "flat": text(tier.flat),
                "amount": text(tier.amount),
            }
            for tier in line.tiers
        ],
        "packages": None if line.packages is None else str(line.packages),
        "discount": None if line.discount is None else text(line.discount),
        "bound": None if line.bound is None else text(line.bound),
        "amount": part.money(line.exact),
        "proration": part.proration(stretch.since, stretch.until) if prorated else None,
    }


def commitment_lines(part: Part, lines: list[Line]) -> list[Line]:
    """What the stretch's usage lines fall short of the commitment: one line, or none."""
    stretch = part.stretch
    commitment = stretch.priced[1].commitment
    if commitment is None:
        return []
    amount, description = commitment
    used = sum(Fraction(line["amount"]) for line in lines if line["kind"] == "usage")
    short = part.money(part.share * amount - used)
    if Fraction(short) <= 0:
        return []
    return [
        BARE
        | {
            "kind": "commitment",
            "code": "commitment",
            "description": description,
            "period": part.period.span(stretch.since, stretch.until),
            "amount": short,
            "proration": part.proration(stretch.since, stretch.until),
        }
    ]


@dataclass(frozen=True)
class Advance:
    """What a fee in advance costs in a period, as lines, by what it is matched by."""

    key: AdvanceKey
    description: str
    lines: list[Line]

    @property
    def amount(self) -> Fraction:
        return sum((Fraction(line["amount"]) for line in self.lines), Fraction(0))


def advance_fees(parts: list[Part]) -> list[Advance]:
    """One for each key, in order of the stretches and of their plans' fees."""
    found: dict[AdvanceKey, Advance] = {}
    for part in parts:
        book, plan = part.stretch.priced
        for fee in plan.fees:
            if fee.timing == "advance":
                key = (book.code, plan.code, fee.code)
                one = found.setdefault(key, Advance(key, fee.description, []))
                one.lines.extend(fee_lines(part, fee))
    return list(found.values())


def adjustment_line(
    period: Period, key: AdvanceKey, description: str, amounts: Sums, currency: str
) -> Line:
    """`amounts`: the difference, and what was charged."""
    more, before = amounts
    now, then = money(more + before, currency), money(before, currency)
    span = period.span(period.since, period.until)
    return BARE | {
        "kind": "adjustment",
        "code": key[2],
        "description": description,
        "period": span,
        "origin": {"period": span},
        "amount": money(more, currency),
        "basis": {"owed": now, "charged": then, "advance": True},
    }


def turned(line: Line) -> Line:
    """As it stands on a credit note: what is charged there has its sign turned."""
    tiers = [
        tier | {name: negated(tier[name]) for name in ("flat", "amount")} for tier in line["tiers"]
    ]
    amounts = {name: line[name] and negated(line[name]) for name in ("discount", "bound", "amount")}
    return line | amounts | {"tiers": tiers}
