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
class _Series:
    """A series within a year: `prefix` is what stands before the number's six digits, `last` the
    last number given out.
    """

    name: str
    year: int
    last: int

    @property
    def prefix(self) -> str:
        return f"{self.name}-{self.year:04}-"


class Numbers:
    """The numbers of one act's documents: invoices and credit notes, all issued on one day.

    Refuses with ISSUE_DATE a day that is to come.
    """

    def __init__(self, books: Store, home: Settings, now_us: int, asked: date | None) -> None:
        self.day = issue_day(home, now_us, asked)
        self._books = books
        names = {"invoice": home.invoice_series, "credit_note": home.credit_series}
        self._series = {kind: _find_series(books, name, self.day) for kind, name in names.items()}

    def told(self) -> dict[str, str | int]:
        """For a statement that numbers documents: by kind, what stands before the digits, and the
        last number given out.
        """
        prefixes: dict[str, str | int] = {k: one.prefix for k, one in self._series.items()}
        return prefixes | {f"last_{kind}": one.last for kind, one in self._series.items()}

    def take(self, table: str) -> None:
        """Those of the documents in this table, by its columns number and kind, are given out;
        within the caller's transaction. Refuses with ISSUE_DATE a day before that of a series'
        last document.
        """
        for kind, one in self._series.items():
            sql = f"SELECT count(number) FROM {table} WHERE kind = ?"
            _move_series(self._books, one, self._books.value(sql, [kind]), self.day)


def sellers_day(home: Settings, now_us: int) -> date:
    """The day of an instant (UTC microseconds) in the seller's zone."""
    return instant(now_us).astimezone(ZoneInfo(home.seller_zone)).date()


def issue_day(home: Settings, now_us: int, asked: date | None) -> date:
    """The day of `now_us` in the seller's zone, or the one asked for. Refuses with ISSUE_DATE what
    is to come.
    """
    today = sellers_day(home, now_us)
    day = asked or today
    if day > today:
        raise Refused("ISSUE_DATE", f"{day} is to come: today is {today} in {home.seller_zone}")
    return day


def _find_series(books: Store, name: str, day: date) -> _Series:
    found = books.rows("SELECT last FROM counters WHERE series = ? AND year = ?", [name, day.year])
    return _Series(name, day.year, int(found[0][0]) if found else 0)


def _move_series(books: Store, series: _Series, count: int, day: date) -> None:
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
