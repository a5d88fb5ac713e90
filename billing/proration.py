"""Proration: what part of a month's amount or allowance falls to a stretch, by days, exactly.

Owns the shares and how a line says them. Prices, tier edges, tier flats and package sizes are
never prorated, and are not asked about here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from billing.period import SeatRun, Stretch
from billing.pricebook import Charge, Fee


@dataclass(frozen=True, slots=True)
class Share:
    """Days covered out of the days that make a whole."""

    days: int
    of: int

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.days, self.of)

    @property
    def text(self) -> str | None:
        """Not reduced: `17/31`; None when whole."""
        return f"{self.days}/{self.of}" if self.days < self.of else None


def share_of(stretch: Stretch, *, prorate: bool) -> Share:
    return Share(stretch.days, stretch.days_in_period if prorate else stretch.days)


def fee_runs(fee: Fee, stretch: Stretch) -> Iterator[tuple[SeatRun, Share]]:
    """The days that a fee has a line for, and each one's share: a change of seats parts those
    that are paid by seat. What is not prorated comes to a whole fee over the stretch.
    """
    whole = share_of(stretch, prorate=fee.prorate).of
    runs = stretch.seats if fee.per == "seat" else (SeatRun(stretch.since, stretch.until, 1),)
    for run in runs:
        yield run, Share(run.days, whole)


def allowance(charge: Charge, stretch: Stretch) -> Fraction:
    """The free units of a stretch: by days, seats weighted by theirs, then up to a whole unit,
    never above the whole allowance of as many seats as there were at most.
    """
    share = share_of(stretch, prorate=charge.prorate)
    if charge.included_per == "seat":
        weighted = stretch.seat_days
        most = max(run.quantity for run in stretch.seats)
    else:
        weighted, most = share.days, 1
    included = Fraction(charge.included)
    return min(Fraction(ceil(included * weighted / share.of)), included * most)
