"""A month laid out for rating: every account in the cohort of those whose month is like its own.

Owns each account's bounds, history and standing as the books have them. What a cohort's lines
are is `billing.cohort`; nothing here reads usage.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from billing.accounts import Subscription, effective_history
from billing.books import Catalogue
from billing.cohort import Cohort, CohortKey, make_cohort
from billing.fees import Charged, FeeKey
from billing.month import Month, parse_month
from billing.period import stretches
from billing.queries import SQL
from edge import Fault
from warehouse import Store

NOW: Final = 2**62  # an act after all others


@dataclass(frozen=True, slots=True)
class Layout:
    """The cohorts of a month and, for each, the ids of its accounts in order."""

    month: Month
    cohorts: tuple[tuple[Cohort, tuple[str, ...]], ...]

    def faults(self) -> Iterator[Fault]:
        """Of the accounts that cannot have a document."""
        for cohort, accounts in self.cohorts:
            for code, message in cohort.faults:
                yield from (Fault(code, account, message) for account in accounts)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What final documents have fixed for an account. `bounds` are this month's. `is_ahead`: the
    last of them was for fees of the month after it too, and this month comes later still.
    `is_known`: this month is closed, or was and is void.
    """

    last: Month
    end_us: int
    is_closed: bool
    is_known: bool
    zone: str | None
    bounds: tuple[int | None, int | None]
    is_ahead: bool


def lay_out(books: Store, catalogue: Catalogue, month: Month, *, alone: bool = False) -> Layout:
    """Every account, closed ones in the bounds and zone of their document. `alone`: what the month
    itself costs, without the fees of the one after and as if nothing had been charged in advance.
    """
    standings = _standings(books, month)
    left_open = _left_open(books, month)
    charged = {} if alone else _charged(books, month)
    members: dict[CohortKey, list[str]] = defaultdict(list)
    for account_id, zone, currency in catalogue.accounts:
        rows = catalogue.history.get(account_id, ())
        standing = standings.get(account_id)
        # A closed month is only ever changed by adjustments, and what it costs is not in advance.
        is_last = alone or (standing is not None and month < standing.last)
        until = month.after if is_last else month.after.after
        key = CohortKey(
            zone=standing.zone or zone if standing else zone,
            currency=currency,
            bounds=standing.bounds if standing else (None, None),
            history=rows_within(rows, month, until),
            charged=charged.get(account_id, ()),
            out_of_order=_out_of_order(
                catalogue, month, zone, standing or left_open.get(account_id), rows
            ),
        )
        members[key].append(account_id)
    return Layout(
        month,
        tuple(
            (make_cohort(catalogue, month, key), tuple(accounts))
            for key, accounts in members.items()
        ),
    )


def without(layout: Layout, accounts: set[str]) -> Layout:
    """The same month for all accounts but these."""
    kept = ((one, tuple(id for id in ids if id not in accounts)) for one, ids in layout.cohorts)
    return Layout(layout.month, tuple((one, ids) for one, ids in kept if ids))


def rows_within(
    rows: Sequence[Subscription], first: Month, after: Month
) -> tuple[Subscription, ...]:
    """What is in force from the one month up to the other, cut to them and of no account, so that
    like months are equal.
    """
    since, until = first.since, after.since
    found = []
    for row in rows if len(rows) == 1 else effective_history(rows):
        if row.since < until and (row.until is None or row.until > since):
            begin, end = max(row.since, since), min(row.until or until, until)
            found.append(Subscription("", begin, end, row.book, row.plan, row.quantity))
    return tuple(found)


def _standings(books: Store, month: Month) -> dict[str, _Standing]:
    around = {"before": month.before, "month": month, "after": month.after}
    asked = {name: str(at) for name, at in around.items()}
    ahead = {id for (id,) in books.rows(SQL["settled_later"], {"before": asked["before"]})}
    return {
        account: _Standing(
            parse_month(last), end, closed, known, zone, (start, until), account in ahead
        )
        for account, last, end, closed, known, zone, start, until in books.rows(
            SQL["standings"], asked
        )
    }


def _left_open(books: Store, month: Month) -> dict[str, Month]:
    """The first month before this that a closing run left open, by account."""
    sql = "SELECT account_id, min(month) FROM left_open WHERE month < ? GROUP BY account_id"
    return {account: parse_month(first) for account, first in books.rows(sql, [str(month)])}


def _charged(books: Store, month: Month) -> dict[str, tuple[tuple[FeeKey, Charged], ...]]:
    found: dict[str, list[tuple[FeeKey, Charged]]] = defaultdict(list)
    for account, book, plan, code, description, amount in books.rows(
        SQL["charged_in_advance"], {"month": str(month), "act": NOW}
    ):
        found[account].append((FeeKey(book, plan, code), Charged(description, amount)))
    return {account: tuple(rows) for account, rows in found.items()}


def _out_of_order(
    catalogue: Catalogue,
    month: Month,
    zone: str,
    begun: "_Standing | Month | None",
    rows: Sequence[Subscription],
) -> str | None:
    """The first month to be closed may be any, unless a run was to close one before it and left it
    open; from then on they are closed in order, but for months in which there is nothing to bill,
    nor anything to settle that was paid in advance.
    """
    if begun is None:
        return None
    if isinstance(begun, Month):
        at, end_us = begun.before, begun.period(zone).start_us
    elif begun.is_known:
        return None
    else:
        at, end_us = begun.last, begun.end_us
        if month < at:
            return f"{at} is closed already, and months are closed in order"
        if begun.is_ahead:
            return f"{at.after} comes first: fees were charged for it in advance"
    while (at := at.after) < month:
        period = at.period(zone, end_us)
        if stretches(catalogue.named(rows, period.since), period):
            return f"{at} comes first: months are closed in order"
        end_us = period.end_us
    return None
