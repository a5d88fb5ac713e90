"""Idle months: those with a plan, between closed ones, in which there is nothing to bill.

Owns which they are: what they cost without usage is nothing, and there was no usage. They are
passed over, as months without a plan are. Usage is read only where an account waits for a month
that costs nothing without it, and then once for all. What comes of an idle month later, by usage
or plans told late, is `billing.revisits`'.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from billing.books import Catalogue
from billing.cohort import Cohort, CohortKey, make_cohort
from billing.layout import Layout, charged_in_advance, comes_first, rows_within
from billing.month import Month, month_of
from billing.period import Period
from billing.queries import SQL
from billing.rating import reach
from edge import Settings
from warehouse import Store, copy_tables

Place = tuple[str, Period]  # account and month


def pass_over(books: Store, home: Settings, catalogue: Catalogue, layout: Layout) -> Layout:
    """The same month, for which no account waits because of idle months: those that it passes
    over are in `passed`. Where another month comes first all the same, that is the one named.
    Refuses as `copy_tables`.
    """
    free = set(_costing_nothing(books, catalogue, layout)) if layout.waiting else set()
    if not free:
        return layout
    idle = free - used_months(books, home, free)
    left = {
        account: tuple(at for at in periods if (account, at) not in idle)
        for account, periods in layout.waiting.items()
    }
    passed = {id: periods for id, periods in layout.waiting.items() if not left[id]}
    waiting = {id: periods for id, periods in left.items() if periods}
    return Layout(layout.month, tuple(_in_order(layout, left)), waiting, passed)


def used_months(books: Store, home: Settings, places: Collection[Place]) -> set[Place]:
    """Those of these months in which the account used anything, free or not: records that began in
    them, or before and were open into them. Refuses as `copy_tables`.
    """
    periods = sorted({(at.start_us, at.end_us) for _, at in places})
    from_us, end_us = reach([at for _, at in places])
    bounds: dict[str, int | Sequence[str]] = {
        **{"from_us": from_us, "end_us": end_us},
        "accounts": sorted({account for account, _ in places}),
        "starts": [str(start_us) for start_us, _ in periods],
        "ends": [str(end_us) for _, end_us in periods],
    }
    copy_tables(books, home.usage, "usage", {"used_months": SQL["used_months"]}, bounds)
    used = set(books.rows("FROM used_months"))
    return {(account, at) for account, at in places if (account, at.start_us, at.end_us) in used}


def _costing_nothing(books: Store, catalogue: Catalogue, layout: Layout) -> Iterator[Place]:
    """The months waited for that cost nothing without usage, nor are to settle anything, and that
    nobody wants to look at. Alike ones are judged once.
    """
    kept_open = set(books.rows(SQL["kept_open"]))
    months = {month_of(at.since) for periods in layout.waiting.values() for at in periods}
    charged = {month: charged_in_advance(books, month) for month in months}
    judged: dict[tuple[Month, CohortKey], bool] = {}
    for cohort, accounts in layout.cohorts:
        for account in accounts:
            for at in layout.waiting.get(account, ()):
                month = month_of(at.since)
                if (account, str(month)) in kept_open or account in charged[month]:
                    continue
                rows = catalogue.history.get(account, ())
                key = CohortKey(
                    zone=at.zone,
                    currency=cohort.key.currency,
                    bounds=(at.start_us, at.end_us),
                    history=rows_within(rows, month, month.after.after),
                )
                if (month, key) not in judged:
                    judged[month, key] = make_cohort(catalogue, month, key).costs_unused
                if not judged[month, key]:
                    yield account, at


def _in_order(
    layout: Layout, left: Mapping[str, tuple[Period, ...]]
) -> Iterator[tuple[Cohort, tuple[str, ...]]]:
    """The cohorts, parted by what is left to come first."""
    members: dict[CohortKey, tuple[Cohort, list[str]]] = {}
    for cohort, accounts in layout.cohorts:
        for account in accounts:
            key = cohort.key
            if account in left:
                first = left[account][:1]
                key = replace(key, out_of_order=comes_first(*first) if first else None)
            members.setdefault(key, (replace(cohort, key=key), []))[1].append(account)
    for cohort, ids in members.values():
        yield cohort, tuple(sorted(ids))
