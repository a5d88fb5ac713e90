"""Numbers of documents: series without a gap, each by the year of issue, and the day of issue.

Owns the counters. A number is taken in the transaction that uses it, so that none is ever lost.
"""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from edge import Refused, Settings
from edge.instants import instant
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Series:
    """A series within a year: `prefix` is what stands before the number's six digits, `last` the
    last number given out.
    """

    name: str
    year: int
    last: int

    @property
    def prefix(self) -> str:
        return f"{self.name}-{self.year:04}-"


def issue_day(home: Settings, now_us: int, asked: date | None) -> date:
    """The day of `now_us` in the seller's zone, or the one asked for. Refuses with ISSUE_DATE what
    is to come.
    """
    today = instant(now_us).astimezone(ZoneInfo(home.seller_zone)).date()
    day = asked or today
    if day > today:
        raise Refused("ISSUE_DATE", f"{day} is to come: today is {today} in {home.seller_zone}")
    return day


def find_series(books: Store, name: str, day: date) -> Series:
    found = books.rows("SELECT last FROM counters WHERE series = ? AND year = ?", [name, day.year])
    return Series(name, day.year, int(found[0][0]) if found else 0)


def move_series(books: Store, series: Series, count: int, day: date) -> None:
    """`count` more numbers are given out, on this day; within the caller's transaction. Refuses
    with ISSUE_DATE a day before that of the series' last document.
    """
    if count:
        key = [series.name, series.year]
        sql = "SELECT max(last_issued_on) FROM counters WHERE series = ?"
        last = books.value(sql, [series.name])
        if last is not None and day < last:
            message = f"{series.name} was issued on {last} already: numbers and days rise together"
            raise Refused("ISSUE_DATE", f"{day} is too early: {message}")
        books.execute("DELETE FROM counters WHERE series = ? AND year = ?", key)
        books.execute("INSERT INTO counters VALUES (?, ?, ?, ?)", [*key, series.last + count, day])
