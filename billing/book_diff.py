"""One version of a price book against another: what accounts pay under both for the same usage.

Owns which accounts are compared and by what. A month is laid out and rated as a run does it, once
under each version, so that nothing is priced in a second way. What counts is what each month
costs: its own advance fees, not those of the month after, and nothing set off against what was
charged. Nothing is kept.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial

import pyarrow as pa

from billing.accounts import Subscription
from billing.books import Catalogue, load_catalogue
from billing.layout import lay_out, rows_within
from billing.month import Month
from billing.pricebook import PriceBook
from billing.queries import SQL
from billing.rating import lent_usage, place_usage, rate, too_large
from billing.rows import load_rows
from edge import Fault, Settings
from warehouse import Store


@dataclass(frozen=True, slots=True)
class BookPair:
    """The version that accounts are on and the one to compare with. Each is taken to be in force
    at all times; other books are as they were.
    """

    old: PriceBook
    new: PriceBook

    def sides(self, loaded: Catalogue, histories: dict[str, list[Subscription]]) -> list[Catalogue]:
        """The accounts with these histories under the old and the new version. Both go by the
        code of the old one, so that a plan of it is found in either.
        """
        people = tuple(row for row in loaded.accounts if row[0] in histories)
        code = self.old.book
        others = [one for one in loaded.price_books if one.book != code]
        always = (replace(one, book=code, effective_from=date.min) for one in (self.old, self.new))
        return [Catalogue(people, histories, (*others, one)) for one in always]

    @property
    def names(self) -> tuple[str, str]:
        """By code and first day; where these are the same, by the start of their hash too."""
        old, new = (f"{one.book} of {one.effective_from}" for one in (self.old, self.new))
        if old != new:
            return old, new
        return f"{old} ({self.old.sha256[:8]})", f"{new} ({self.new.sha256[:8]})"

    def lacks(self, rows: Iterable[Subscription], currency: str) -> tuple[str, str] | None:
        """The code and message of what keeps an account of this history from being compared."""
        for row in rows:
            sides = zip(self.names, (self.old, self.new), strict=True)
            for named, book in sides if row.book == self.old.book else ():
                if book.plan(row.plan) is None:
                    return "PLAN_UNKNOWN", f"{named} has no plan {row.plan}"
                if book.currency != currency:
                    message = f"is billed in {currency}, but {named} is in {book.currency}"
                    return "CURRENCY_DIFFERS", message
        return None


def compare_books(
    books: Store,
    home: Settings,
    pair: BookPair,
    months: Iterable[Month],
    done: Callable[[int], object],
) -> list[Fault]:
    """Leaves `compared`: each account that is on the old version in one of these months, what those
    months cost under both, in the currency's smallest units, and the plan it was on last. The
    faults are of accounts left out, one for each. `done` is called with 1 for every month.

    A month is rated from one state of usage, whatever is projected meanwhile. Refuses as
    `lend_tables`.
    """
    loaded = load_catalogue(books)
    faults: dict[str, Fault] = {}
    plans: dict[str, str] = {}
    books.execute(SQL["no_costs"])
    for month in months:
        histories = _histories(loaded, pair, month)
        for account, _, currency in loaded.accounts:
            if lack := pair.lacks(histories.get(account, ()), currency):
                faults.setdefault(account, Fault(lack[0], account, lack[1]))
                del histories[account]
        for fault in _rate_month(books, home, pair.sides(loaded, histories), month):
            faults.setdefault(fault.place, fault)
        plans |= {
            account: row.plan
            for account, rows in histories.items()
            for row in rows
            if row.book == pair.old.book
        }
        done(1)
    kept = ({"account_id": id, "plan": plan} for id, plan in plans.items() if id not in faults)
    load_rows(books, "kept", kept, {"account_id": pa.string(), "plan": pa.string()})
    books.execute(SQL["compared"])
    return [fault for _, fault in sorted(faults.items())]


def _rate_month(
    books: Store, home: Settings, sides: Sequence[Catalogue], month: Month
) -> list[Fault]:
    """Adds what the month costs each account to `costs`."""
    layouts = [lay_out(books, side, month, alone=True) for side in sides]
    if not layouts[0].cohorts:
        return []
    faults: list[Fault] = []
    with lent_usage(books, home, layouts[0]):
        for is_new, layout in enumerate(layouts):
            numbering = place_usage(books, layout)
            rate(books, numbering)
            books.execute(SQL["add_costs"], {"is_new": bool(is_new)})
            faults += [*layout.faults(), *too_large(books, numbering)]
    return faults


def _histories(loaded: Catalogue, pair: BookPair, month: Month) -> dict[str, list[Subscription]]:
    """The month's history of every account that is on the old version in it, its plans named."""
    named = cache(partial(_named, loaded, pair))
    found = {}
    for account, _, _ in loaded.accounts:
        rows = [
            (row, *named(row.book, row.plan, row.since))
            for row in rows_within(loaded.history.get(account, ()), month, month.after)
        ]
        if any(is_old for _, is_old, _ in rows):
            found[account] = [replace(row, book=book) for row, _, book in rows]
    return found


def _named(
    loaded: Catalogue, pair: BookPair, book: str | None, plan: str, day: date
) -> tuple[bool, str | None]:
    """Whether a plan is of the old version, and the book that it is named with from here on: as in
    a run, but that a plan of both books is the old one's.
    """
    if book is not None:
        return book == pair.old.book, book
    among = {one.book for one, _ in loaded.find_plans(None, plan, day)}
    if pair.old.plan(plan):
        among.add(pair.old.book)
    if pair.old.book not in among:
        return False, None
    return True, None if among - {pair.old.book, pair.new.book} else pair.old.book
