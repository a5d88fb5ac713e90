"""Local days as instants, walked minute by minute, and months as accounts live them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """Days and instants, half-open. Its bounds may not be those of its zone, after a move."""

    zone: str
    since: date
    until: date
    start_us: int
    end_us: int

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    def instant(self, day: date) -> int:
        """The first instant of a day of the period, or of the day after it."""
        edges = {self.since: self.start_us, self.until: self.end_us}
        return edges[day] if day in edges else day_start(day, self.zone)

    def span(self, since: date, until: date) -> dict[str, str]:
        """Days of the period as a document's `period`."""
        return {
            "start": local(self.instant(since), self.zone),
            "end": local(self.instant(until), self.zone),
        }


def month_period(first: date, zone: str, start_us: int | None = None) -> Period:
    """`start_us`: where the month before ended, if that is closed."""
    until = month_after(first)
    start = day_start(first, zone) if start_us is None else start_us
    return Period(zone, first, until, start, day_start(until, zone))


@cache
def day_start(day: date, zone: str) -> int:
    """The first minute, in microseconds since 1970, whose local date is not before `day`."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=1)
    return (moment - EPOCH) // timedelta(microseconds=1)


def month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def month_before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def local(moment_us: int, zone: str) -> str:
    return (EPOCH + timedelta(microseconds=moment_us)).astimezone(ZoneInfo(zone)).isoformat()
