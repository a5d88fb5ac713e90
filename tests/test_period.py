"""Local months as UTC instants, and stretches of plans within them."""

from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from billing.accounts import Subscription
from billing.period import day_start_us, month_period, stretches


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2026-10-01T00:00", "2026-11-01T00:00"),
        ("Europe/Berlin", "2026-09-30T22:00", "2026-10-31T23:00"),  # the clock goes back
        ("America/New_York", "2026-10-01T04:00", "2026-11-01T04:00"),
        ("Asia/Kathmandu", "2026-09-30T18:15", "2026-10-31T18:15"),
    ],
)
def test_october_2026(zone: str, start: str, end: str) -> None:
    period = month_period(2026, 10, zone)
    assert (period.start_us, period.end_us) == (utc(start), utc(end))
    assert (period.since, period.until, period.days) == (
        date(2026, 10, 1),
        date(2026, 11, 1),
        31,
    )


def test_december_ends_in_the_next_year() -> None:
    assert month_period(2026, 12, "UTC").until == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        # 00:00 does not exist: the clock goes from 24:00 to 01:00
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00"),
        # 00:00 comes twice: the day begins with the first
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
        # the clock went from 23:30 to 00:30: the day begins there, not half an hour later
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30"),
        # a day that was left out altogether is empty
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
    ],
)
def test_days_without_an_ordinary_midnight(zone: str, day: date, start: str) -> None:
    assert day_start_us(day, ZoneInfo(zone)) == utc(start)


def test_months_follow_each_other_without_gap_in_every_zone() -> None:
    for zone in ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"):
        months = [month_period(2026, month, zone) for month in range(1, 13)]
        ends = [month.end_us for month in months[:-1]]
        assert ends == [month.start_us for month in months[1:]]


def test_a_frozen_end_begins_the_next_month() -> None:
    frozen = utc("2026-09-30T22:00")  # September ended in Berlin; the account moved to New York
    period = month_period(2026, 10, "America/New_York", frozen)
    assert (period.start_us, period.end_us) == (frozen, utc("2026-11-01T04:00"))
    (stretch,) = stretches([row("2026-01-01")], period)
    assert (stretch.start_us, stretch.end_us) == (period.start_us, period.end_us)


def row(since: str, until: str | None = None, plan: str = "a", quantity: int = 1) -> Subscription:
    end = date.fromisoformat(until) if until else None
    return Subscription("acme", date.fromisoformat(since), end, None, plan, quantity)


def test_stretches_of_two_plans_and_a_gap() -> None:
    period = month_period(2026, 10, "Europe/Berlin")
    history = [row("2026-10-26", plan="b"), row("2026-10-05", "2026-10-15")]
    first, second = stretches(history, period)
    assert (first.plan, first.days, first.share) == ("a", 10, Fraction(10, 31))
    assert (first.start_us, first.end_us) == (utc("2026-10-04T22:00"), utc("2026-10-14T22:00"))
    assert (second.plan, second.days, second.end_us) == ("b", 6, period.end_us)
    assert second.start_us == utc("2026-10-25T23:00")


def test_seats_change_within_one_stretch() -> None:
    period = month_period(2026, 10, "UTC")
    history = [
        row("2026-01-01", quantity=5),
        row("2026-10-11", quantity=8),
        row("2026-10-21", quantity=8),
    ]
    (stretch,) = stretches(history, period)
    assert (stretch.days, stretch.days_in_period) == (31, 31)
    assert [(run.quantity, run.days) for run in stretch.seats] == [(5, 10), (8, 21)]


def test_a_pause_parts_two_stretches_of_one_plan() -> None:
    period = month_period(2026, 10, "UTC")
    history = [row("2026-01-01", "2026-10-10"), row("2026-10-11")]
    assert [stretch.days for stretch in stretches(history, period)] == [9, 21]


def test_nothing_outside_the_period() -> None:
    period = month_period(2026, 10, "UTC")
    assert stretches([row("2026-09-01", "2026-10-01"), row("2026-11-01")], period) == ()
