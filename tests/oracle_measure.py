"""What a charge counts: from usage records to its chargeable quantity, in plain loops.

Owns measures and the rounding of usage. Knows no price. Shares no code with billing.
"""

from dataclasses import dataclass
from fractions import Fraction

from tests.oracle_book import Charge, Rounding

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True)
class UsageRecord:
    """What rating needs of a usage record: open from `start_us` for `duration_us`, the end
    exclusive.
    """

    record_id: str
    meeting_id: str
    participant_id: str | None
    meter: str
    variant: str | None
    duration_us: int
    quantity: int | None = None
    cancelled: bool = False
    start_us: int = 0
    continues: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it continues another record."""
        return self.continues not in (None, self.record_id)


def chargeable(charge: Charge, records: list[UsageRecord]) -> Fraction:
    """In the charge's unit, after rounding, before the allowance."""
    if charge.measure is None:
        return Fraction(1)
    if charge.measure == "count":
        return Fraction(sum(not record.goes_on for record in records))
    if charge.measure == "unique":
        return Fraction(len(_participants(records)))
    if charge.measure == "peak":
        return Fraction(_peak(records))
    return _rounded(charge, records)


def _participants(records: list[UsageRecord]) -> set[tuple[str, str]]:
    here = {record.record_id for record in records}
    return {
        _participant(record)
        for record in records
        if record.participant_id is not None or not record.goes_on or record.continues not in here
    }


def _peak(records: list[UsageRecord]) -> int:
    """The most that are open at the start of any of them: only there can the number rise."""
    return max(
        (
            sum(one.start_us <= at.start_us < one.start_us + one.duration_us for one in records)
            for at in records
        ),
        default=0,
    )


def _rounded(charge: Charge, records: list[UsageRecord]) -> Fraction:
    groups: dict[tuple[str, ...], list[UsageRecord]] = {}
    for record in records:
        groups.setdefault(_group_of(charge, record), []).append(record)
    # Seconds for durations, units for quantities: what quantum and minimum are given in.
    join = max if charge.measure == "maximum" else sum
    parts = []
    for group in groups.values():
        value = Fraction(join(_measured(charge, record) for record in group))
        alone = _is_rounded_alone(charge)
        parts.append(_round(value, charge.rounding, owes_minimum=not (alone and group[0].goes_on)))
    return _in_units(charge, Fraction(join(parts)) if parts else Fraction(0))


def chargeable_alone(charge: Charge, record: UsageRecord) -> Fraction | None:
    """What a record comes to by itself, in the charge's unit; None where it is not rounded so."""
    if charge.measure not in ("duration", "quantity", "maximum") or not _is_rounded_alone(charge):
        return None
    value = _measured(charge, record)
    return _in_units(charge, _round(value, charge.rounding, owes_minimum=not record.goes_on))


def _is_rounded_alone(charge: Charge) -> bool:
    return charge.rounding is not None and charge.rounding.scope == "record"


def _in_units(charge: Charge, value: Fraction) -> Fraction:
    return value / UNIT_SECONDS[charge.unit] if charge.measure == "duration" else value


def _measured(charge: Charge, record: UsageRecord) -> Fraction:
    if charge.measure == "duration":
        return Fraction(record.duration_us, 1_000_000)
    assert charge.measure in ("quantity", "maximum")
    return Fraction(record.quantity or 0, charge.unit_size)


def _participant(record: UsageRecord) -> tuple[str, str]:
    """Without participant_id each record is its own participant."""
    if record.participant_id is None:
        return ("record", record.record_id)
    return ("participant", record.participant_id)


def _group_of(charge: Charge, record: UsageRecord) -> tuple[str, ...]:
    """Records of one group are put together before they are rounded."""
    scope = charge.rounding.scope if charge.rounding else "period"
    if scope == "record":
        return ("record", record.record_id)
    if scope == "participant":
        return (record.meeting_id, *_participant(record))
    return ("period",)


def _round(value: Fraction, rounding: Rounding | None, *, owes_minimum: bool) -> Fraction:
    if rounding is None or value == 0:  # nothing used is nothing, whatever the minimum
        return value
    minimum = rounding.minimum if owes_minimum else Fraction(0)
    if rounding.mode == "none":
        return max(value, minimum)
    whole = value // rounding.quantum
    rest = value - whole * rounding.quantum
    if rounding.mode == "up":
        steps = whole + (rest > 0)
    elif rounding.mode == "nearest":
        steps = whole + (2 * rest >= rounding.quantum)
    else:
        assert rounding.mode == "down"
        steps = whole
    return max(steps * rounding.quantum, minimum)
