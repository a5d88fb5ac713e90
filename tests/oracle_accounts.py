"""Accounts and their plans over time, from the CSV, and a period's stretches with their prices.

Owns which version of which book a stretch is rated by. Shares no code with billing.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from tests.oracle_book import Book, Plan, read_book
from tests.oracle_calendar import Period


@dataclass(frozen=True)
class Subscription:
    since: date
    until: date | None
    plan: str
    seats: int


@dataclass
class Stretch:
    """Days of one plan. `book` and `plan` are None where `fault` says why it has no price."""

    code: str
    since: date
    until: date
    seats: list[tuple[date, date, int]]
    book: Book | None = None
    plan: Plan | None = None
    fault: str | None = None

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    @property
    def priced(self) -> tuple[Book, Plan]:
        assert self.book and self.plan, "a stretch without price is not rated"
        return self.book, self.plan


class Accounts:
    """Who is billed, by which plans, as imported so far; and the books that were loaded."""

    def __init__(self, books: Iterable[str]) -> None:
        self.known: dict[str, dict[str, str]] = {}
        self._rows: dict[str, dict[date, Subscription]] = {}
        self.books = tuple(read_book(text) for text in books)
        self._frozen: tuple[Book, ...] = ()

    def load(self, book: str) -> None:
        self.books = (*self.books, read_book(book))

    def under(self, frozen: tuple[Book, ...]) -> "Accounts":
        """The same accounts, with these versions in place of all others of their books."""
        found = Accounts(())
        found.known, found._rows, found.books = self.known, self._rows, self.books
        found._frozen = frozen
        return found

    def import_csv(self, text: str) -> None:
        """Rows are upserted by account and first day; one that ends on it takes it out."""
        for row in csv.DictReader(io.StringIO(text)):
            account = row["account_id"]
            self.known[account] = row
            since = date.fromisoformat(row["since"])
            until = date.fromisoformat(row["until"]) if row.get("until") else None
            rows = self._rows.setdefault(account, {})
            rows[since] = Subscription(since, until, row["plan"], int(row.get("quantity") or 1))
            if until == since:
                del rows[since]

    def _history(self, account: str) -> list[Subscription]:
        rows = [self._rows[account][since] for since in sorted(self._rows[account])]
        for at, (one, following) in enumerate(pairwise(rows)):
            rows[at] = replace(one, until=one.until or following.since)
        return rows

    def stretches(self, account: str, period: Period) -> list[Stretch]:
        found: list[Stretch] = []
        for one in self._history(account):
            since = max(one.since, period.since)
            until = min(one.until or period.until, period.until)
            if since >= until:
                continue
            code = self._named(one.plan, since)
            last = found[-1] if found else None
            if last and last.until == since and last.code == code:
                last.until = until
                if last.seats[-1][2] == one.seats:
                    last.seats[-1] = (last.seats[-1][0], until, one.seats)
                else:
                    last.seats.append((since, until, one.seats))
            else:
                found.append(Stretch(code, since, until, [(since, until, one.seats)]))
        for stretch in found:
            self._price(stretch, self.known[account]["currency"])
        return found

    def _named(self, code: str, day: date) -> str:
        """`book/plan` where one book alone has it: `p` and `b/p` are then one plan."""
        having = self._having(code, day)
        return f"{having[0].code}/{code.rpartition('/')[2]}" if len(having) == 1 else code

    def _having(self, code: str, day: date) -> list[Book]:
        """The version in force on the day of every book that has the plan: a frozen one of the
        book, where one has it then.
        """
        found = _in_force(self.books, code, day) | _in_force(self._frozen, code, day)
        return list(found.values())

    def _price(self, stretch: Stretch, currency: str) -> None:
        """The plan by the version of its book in force on the stretch's first day."""
        having = self._having(stretch.code, stretch.since)
        if len(having) != 1:
            stretch.fault = "PLAN_AMBIGUOUS" if having else "PLAN_UNKNOWN"
        elif having[0].currency != currency:
            stretch.fault = "CURRENCY_DIFFERS"
        else:
            plan = having[0].plans[stretch.code.rpartition("/")[2]]
            stretch.book, stretch.plan = having[0], plan


def _in_force(books: Iterable[Book], code: str, day: date) -> dict[str, Book]:
    """By book, where the version in force on the day has the plan."""
    book_code, _, plan = code.rpartition("/")
    latest: dict[str, Book] = {}
    for book in sorted(books, key=lambda one: one.effective_from):
        if book.effective_from <= day and book_code in ("", book.code):
            latest[book.code] = book
    return {code: book for code, book in latest.items() if plan in book.plans}
