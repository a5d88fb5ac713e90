"""Billing periods: an account's local month as UTC instants, and the stretches of plans in it.

Owns the step from calendar days to half-open bounds in integer microseconds. Does not know
what a plan costs, nor which periods have been invoiced: the caller passes the end of the
month before where that is frozen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

from billing.accounts import Subscription, effective_history
from edge.instants import instant, micros


@dataclass(frozen=True, slots=True)
class Period:
    """A local month: days `[since, until)` and instants `[start_us, end_us)` in UTC."""

    zone: str
    since: date
    until: date
    start_us: int
    end_us: int

    @property
    def days(self) -> int:
        return (self.until - self.since).days


@dataclass(frozen=True, slots=True)
class SeatRun:
    """Days `[since, until)` with an unchanged number of seats."""

    since: date
    until: date
    quantity: int

    @property
    def days(self) -> int:
        return (self.until - self.since).days


@dataclass(frozen=True, slots=True)
class Stretch:
    """A plan's unbroken run of days within a period, and the seats that changed inside it."""

    book: str | None
    plan: str
    since: date
    until: date
    start_us: int
    end_us: int
    days: int
    days_in_period: int
    seats: tuple[SeatRun, ...]

    @property
    def share(self) -> Fraction:
        """The part of the period that the stretch covers, by days."""
        return Fraction(self.days, self.days_in_period)

    @property
    def seat_days(self) -> int:
        """The seats of each day, summed."""
        return sum(run.days * run.quantity for run in self.seats)


def day_start_us(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day, also where the clock skips or repeats midnight."""
    first = micros(datetime.combine(day, time(), tzinfo=zone))
    other = micros(datetime.combine(day, time(fold=1), tzinfo=zone))
    if other >= first:  # an ordinary or a repeated midnight: fold 0 is the first of them
        return first
    # Midnight falls into a gap, so the day begins at the transition, between the two readings.
    low, high = other, first
    while high - low > 1:
        middle = (low + high) // 2
        local = instant(middle).astimezone(zone)
        low, high = (low, middle) if local.date() >= day else (middle, high)
    return high


@cache
def is_zone(name: str) -> bool:
    """Whether this machine knows the time zone. Asked for every account, and zoneinfo itself keeps
    but eight.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def month_period(
    year: int, month: int, zone_name: str, start_us: int | None = None, end_us: int | None = None
) -> Period:
    """The local month. `start_us` is where the month before ended and `end_us` where the one after
    began, if that is closed: a change of zone must leave neither a gap nor an overlap.
    """
    zone = ZoneInfo(zone_name)
    since = date(year, month, 1)
    until = date(year + month // 12, month % 12 + 1, 1)
    start = day_start_us(since, zone) if start_us is None else start_us
    end = day_start_us(until, zone) if end_us is None else end_us
    assert start < end, "the month before cannot end after this one"
    return Period(zone_name, since, until, start, end)


def stretches(history: Iterable[Subscription], period: Period) -> tuple[Stretch, ...]:
    """The stretches of one account's history within a period, in order of time."""
    runs: list[list[Subscription]] = []
    for row in effective_history(history):
        if row.since >= period.until or (row.until is not None and row.until <= period.since):
            continue
        if runs and _goes_on(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return tuple(_stretch(run, period) for run in runs)


def _goes_on(before: Subscription, row: Subscription) -> bool:
    assert before.account_id == row.account_id, "stretches are found for one account at a time"
    return before.until == row.since and (before.book, before.plan) == (row.book, row.plan)


def _stretch(run: list[Subscription], period: Period) -> Stretch:
    zone = ZoneInfo(period.zone)
    seats = [
        SeatRun(
            max(row.since, period.since),
            period.until if row.until is None else min(row.until, period.until),
            row.quantity,
        )
        for row in run
    ]
    since, until = seats[0].since, seats[-1].until
    # The period's own bounds may be frozen, so its edges are taken from it, not from the zone.
    start_us = period.start_us if since == period.since else day_start_us(since, zone)
    end_us = period.end_us if until == period.until else day_start_us(until, zone)
    return Stretch(
        book=run[0].book,
        plan=run[0].plan,
        since=since,
        until=until,
        start_us=start_us,
        end_us=end_us,
        days=(until - since).days,
        days_in_period=period.days,
        seats=_join_equal(seats),
    )


def _join_equal(runs: list[SeatRun]) -> tuple[SeatRun, ...]:
    joined: list[SeatRun] = []
    for run in runs:
        if joined and joined[-1].quantity == run.quantity:
            joined[-1] = SeatRun(joined[-1].since, run.until, run.quantity)
        else:
            joined.append(run)
    return tuple(joined)
