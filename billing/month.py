"""A calendar month, as every command names it."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from billing.period import Period, month_period
from edge import Refused
from edge.instants import instant


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month such as 2026-10."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def before(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @property
    def after(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def back(self, months: int) -> "Month":
        """So many months before."""
        at = self.year * 12 + self.number - 1 - months
        return Month(at // 12, at % 12 + 1)

    @property
    def since(self) -> date:
        return date(self.year, self.number, 1)

    def period(self, zone: str, start_us: int | None = None, end_us: int | None = None) -> Period:
        """As `month_period`."""
        return month_period(self.year, self.number, zone, start_us, end_us)


def parse_month(text: str) -> Month:
    year, _, number = text.partition("-")
    is_month = len(text) == 7 and year.isdecimal() and number.isdecimal() and text.isascii()
    if not is_month or not (1970 < int(year) < 2200 and 1 <= int(number) <= 12):
        raise Refused("BAD_MONTH", f"{text!r} is not a month such as 2026-10")
    return Month(int(year), int(number))


def month_of(day: date) -> Month:
    """The month that a day lies in."""
    return Month(day.year, day.month)


def running_month(zone: str, now_us: int) -> Month:
    """The local month at an instant."""
    return month_of(instant(now_us).astimezone(ZoneInfo(zone)))
