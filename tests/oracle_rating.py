"""The slow, obvious rating: what a charge costs, in fractions and plain loops.

An oracle for tests of billing's set-based rating; it shares no code with it. Owns no plan, period
or proration: it is given one charge and the records of one stretch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle_book import Charge, Rounding

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True)
class UsageRecord:
    """What rating needs of a usage record."""

    record_id: str
    meeting_id: str
    participant_id: str | None
    meter: str
    variant: str | None
    duration_us: int
    quantity: int | None = None
    cancelled: bool = False


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
    exact: Fraction  # to be rounded once, to money


def rate(charge: Charge, records: Iterable[UsageRecord]) -> list[RatedLine]:
    """The lines that a charge makes of the records: one, also where there is no usage."""
    rated = [record for record in records if is_rated_by(charge, record)]
    quantity = chargeable(charge, rated)
    included = Fraction(charge.included)
    tiers = fill_tiers(charge, max(quantity - included, Fraction(0)))
    exact = sum((tier.amount for tier in tiers), Fraction(0))
    return [
        RatedLine(
            charge.code, charge.description, charge.variant, quantity, charge.unit, included, tiers,
            exact,
        )
    ]  # fmt: skip


def is_rated_by(charge: Charge, record: UsageRecord) -> bool:
    if record.cancelled or record.meter != charge.meter:
        return False
    return charge.variant is None or charge.variant == record.variant


def chargeable(charge: Charge, records: list[UsageRecord]) -> Fraction:
    if charge.measure == "count":
        return Fraction(len(records))
    if charge.measure == "unique":
        return Fraction(len({participant(record) for record in records}))
    groups: dict[tuple[str, ...], list[Fraction]] = {}
    for record in records:
        groups.setdefault(group_of(charge, record), []).append(measured(charge, record))
    # Seconds for durations, units for quantities: what quantum and minimum are given in.
    join = max if charge.measure == "maximum" else sum
    rounded = [round_by_rule(Fraction(join(values)), charge.rounding) for values in groups.values()]
    total = Fraction(join(rounded)) if rounded else Fraction(0)
    return total / UNIT_SECONDS[charge.unit] if charge.measure == "duration" else total


def measured(charge: Charge, record: UsageRecord) -> Fraction:
    if charge.measure == "duration":
        return Fraction(record.duration_us, 1_000_000)
    return Fraction(record.quantity or 0, charge.unit_size)


def participant(record: UsageRecord) -> tuple[str, str]:
    """Without participant_id each record is its own participant."""
    if record.participant_id is None:
        return ("record", record.record_id)
    return ("participant", record.participant_id)


def group_of(charge: Charge, record: UsageRecord) -> tuple[str, ...]:
    """Records of one group are put together before they are rounded."""
    scope = charge.rounding.scope if charge.rounding else "period"
    if scope == "record":
        return ("record", record.record_id)
    if scope == "participant":
        return (record.meeting_id, *participant(record))
    return ("period",)


def round_by_rule(value: Fraction, rounding: Rounding | None) -> Fraction:
    if rounding is None or value == 0:  # nothing used is nothing, whatever the minimum
        return value
    minimum = Fraction(rounding.minimum)
    if rounding.mode == "none":
        return max(value, minimum)
    quantum = Fraction(rounding.quantum)
    whole = value // quantum
    rest = value - whole * quantum
    if rounding.mode == "up":
        steps = whole + (rest > 0)
    elif rounding.mode == "nearest":
        steps = whole + (2 * rest >= quantum)
    else:
        assert rounding.mode == "down"
        steps = whole
    return max(steps * quantum, minimum)


def fill_tiers(charge: Charge, net: Fraction) -> tuple[TierLine, ...]:
    """`net` units, the allowance taken off, poured into the tiers from below."""
    lines = []
    lower = Fraction(0)
    for tier in charge.tiers:
        upper = net if tier.up_to is None else min(net, Fraction(tier.up_to))
        inside = max(upper - lower, Fraction(0))
        flat = Fraction(tier.flat) if net > lower else Fraction(0)
        price = Fraction(tier.unit_price)
        up_to = None if tier.up_to is None else Fraction(tier.up_to)
        lines.append(TierLine(up_to, inside, price, flat, inside * price + flat))
        lower = lower if up_to is None else up_to
    return tuple(lines)
