"""A closed month laid out again, as an act of the past knew it: from the periods that are frozen
with its documents, and the versions of books that they name.

Owns that nothing but what was known then goes in. What a laid out month costs is rated as any.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from billing.accounts import Subscription
from billing.books import Catalogue
from billing.cohort import Cohort, CohortKey, make_cohort
from billing.fees import Charged, FeeKey
from billing.layout import Layout
from billing.month import Month, parse_month
from billing.pricebook import PriceBook
from billing.pricebook_check import parse_price_book
from billing.queries import VERIFY
from edge import Fault, Refused
from warehouse import Store

_BOOKS: Final = "SELECT book, effective_from, sha256, content FROM price_books ORDER BY ALL"


@dataclass(frozen=True, slots=True)
class Act:
    """A closing run: its number, its month, and what it closed, laid out again."""

    number: int
    month: Month
    own: Layout
    revisits: Layout

    def faults(self) -> list[Fault]:
        """Of the accounts whose document cannot be derived; their places are accounts."""
        again = (
            Fault(one.code, one.place, f"a period that is adjusted: {one.message}")
            for one in self.revisits.faults()
        )
        return [*self.own.faults(), *again]


def stored_books(
    books: Store, named: Collection[str] | None
) -> tuple[tuple[PriceBook, ...], list[Fault]]:
    """The versions named by hash, or all, under the hash they were stored by, whatever their
    content has become since; and the faults of those that are not what was loaded.
    """
    found, faults = [], []
    for code, since, sha256, content in books.rows(_BOOKS):
        if named is not None and sha256 not in named:
            continue
        place = f"{code} of {since}"
        try:
            book = parse_price_book(content or "", stored=True)
        except Refused:
            faults.append(Fault("BOOK_BROKEN", place, "is no price book any more"))
            continue
        if book.sha256 != sha256:
            message = f"the stored book is not what was loaded: its SHA-256 should be {sha256}"
            faults.append(Fault("BOOK_BROKEN", place, message))
        found.append(replace(book, book=code, effective_from=since, sha256=sha256))
    return tuple(found), faults


def reconstruct(books: Store, run: int, month: Month, versions: Sequence[PriceBook]) -> Act:
    """The act whose documents are `verified`."""
    asked = {"act": run, "month": str(month)}
    books.execute(VERIFY["revisited"], {"act": run})
    own = _layout(month, books.rows(VERIFY["own_cohorts"], asked), versions)
    revisits = _layout(month, books.rows(VERIFY["revisit_cohorts"]), versions)
    return Act(run, month, own, revisits)


def _layout(month: Month, rows: Sequence[tuple[Any, ...]], versions: Sequence[PriceBook]) -> Layout:
    return Layout(month, tuple((_cohort(row, versions), tuple(row[-1])) for row in rows))


def _cohort(row: tuple[Any, ...], versions: Sequence[PriceBook]) -> Cohort:
    """Of the versions only those that are frozen: later ones may have the same plans."""
    month, zone, start_us, end_us, history, frozen, known, currency, fees, _ = row
    key = CohortKey(
        zone=zone,
        currency=currency,
        bounds=(start_us, end_us),
        history=_history(history),
        charged=tuple(
            (FeeKey(book, plan, code), Charged(text, int(amount), booked))
            for book, plan, code, text, amount, booked in fees or ()
        ),
        frozen=tuple(frozen),
    )
    books = tuple(one for one in versions if one.sha256 in known)
    return make_cohort(Catalogue((), {}, books), parse_month(month), key)


def _history(text: str) -> tuple[Subscription, ...]:
    """As `CohortKey.history_text` tells it."""
    return tuple(
        Subscription(
            "", date.fromisoformat(since), until and date.fromisoformat(until), book, plan, seats
        )
        for since, until, book, plan, seats in json.loads(text)
    )
