"""A month laid out for rating: every account in the cohort of those whose month is like its own.

Owns each account's bounds, history and standing as the books have them. What a cohort's lines
are is `billing.cohort`; nothing here reads usage, so which of the months that come first may be
passed over is `billing.idle_months`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from billing.accounts import Subscription, effective_history
from billing.books import Catalogue
from billing.cohort import Cohort, CohortKey, make_cohort
from billing.fees import Charged, FeeKey
from billing.month import Month, month_of, parse_month
from billing.period import Period, is_zone, stretches
from billing.queries import SQL
from edge import Fault
from warehouse import Store

NOW: Final = 2**62  # an act after all others


@dataclass(frozen=True, slots=True)
class Layout:
    """The cohorts of a month and, for each, the ids of its accounts in order. `waiting` are an
    account's months with a plan between its last closed one and this; `passed` are those that
    are passed over, which close with this month though no document is theirs.
    """

    month: Month
    cohorts: tuple[tuple[Cohort, tuple[str, ...]], ...]
    waiting: Mapping[str, tuple[Period, ...]] = field(default_factory=dict)
    passed: Mapping[str, tuple[Period, ...]] = field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """Of the accounts that cannot have a document."""
        for cohort, accounts in self.cohorts:
            for code, message in cohort.faults:
                yield from (Fault(code, account, message) for account in accounts)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What final documents have fixed for an account. `bounds` are this month's, `last_zone` and
    `end_us` are of the last that is closed, or was and is void. `ahead` is the month that the last
    closed one charged fees for in advance, where this comes later still. `is_known`: this month is
    closed, or was and is void.
    """

    last: Month
    last_zone: str
    end_us: int
    is_closed: bool
    is_known: bool
    zone: str | None
    bounds: tuple[int | None, int | None]
    ahead: Month | None


def lay_out(books: Store, catalogue: Catalogue, month: Month, *, alone: bool = False) -> Layout:
    """Every account, closed ones in the bounds and zone of their document. `alone`: what the month
    itself costs, without the fees of the one after and as if nothing had been charged in advance.
    """
    standings = _standings(books, month)
    left_open = _left_open(books, month)
    charged = {} if alone else charged_in_advance(books, month)
    members: dict[CohortKey, list[str]] = defaultdict(list)
    waiting: dict[str, tuple[Period, ...]] = {}
    for account_id, zone, currency in catalogue.accounts:
        rows = catalogue.history.get(account_id, ())
        standing = standings.get(account_id)
        # A closed month is only ever changed by adjustments, and what it costs is not in advance.
        is_last = alone or (standing is not None and month < standing.last)
        until = month.after if is_last else month.after.after
        known = zone if is_zone(zone) else "UTC"  # its cohort says that there is no such zone
        before = _before(catalogue, month, known, standing or left_open.get(account_id), rows)
        if standing and before and not standing.ahead:
            waiting[account_id] = before
        key = CohortKey(
            zone=standing.zone or zone if standing else zone,
            currency=currency,
            bounds=standing.bounds if standing else (None, None),
            history=rows_within(rows, month, until),
            charged=charged.get(account_id, ()),
            out_of_order=_out_of_order(month, standing, before),
        )
        members[key].append(account_id)
    cohorts = ((make_cohort(catalogue, month, key), tuple(ids)) for key, ids in members.items())
    return Layout(month, tuple(cohorts), waiting)


def without(layout: Layout, accounts: set[str]) -> Layout:
    """The same month for all accounts but these."""
    kept = ((one, tuple(id for id in ids if id not in accounts)) for one, ids in layout.cohorts)
    waiting, passed = (
        {id: periods for id, periods in some.items() if id not in accounts}
        for some in (layout.waiting, layout.passed)
    )
    return Layout(layout.month, tuple((one, ids) for one, ids in kept if ids), waiting, passed)


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
    ahead = {
        account: parse_month(last).after
        for account, last in books.rows(SQL["settled_later"], {"before": asked["before"]})
    }
    return {
        account: _Standing(
            parse_month(last),
            last_zone,
            end,
            closed,
            known,
            zone,
            (start, until),
            ahead.get(account),
        )
        for account, last, last_zone, end, closed, known, zone, start, until in books.rows(
            SQL["standings"], asked
        )
    }


def _left_open(books: Store, month: Month) -> dict[str, Month]:
    """The first month before this that a closing run left open, by account."""
    sql = "SELECT account_id, min(month) FROM left_open WHERE month < ? GROUP BY account_id"
    return {account: parse_month(first) for account, first in books.rows(sql, [str(month)])}


def charged_in_advance(books: Store, month: Month) -> dict[str, tuple[tuple[FeeKey, Charged], ...]]:
    """What was charged in advance for the month, by account and fee."""
    found: dict[str, list[tuple[FeeKey, Charged]]] = defaultdict(list)
    for account, book, plan, code, *told in books.rows(
        SQL["charged_in_advance"], {"month": str(month), "act": NOW}
    ):
        found[account].append((FeeKey(book, plan, code), Charged(*told)))
    return {account: tuple(rows) for account, rows in found.items()}


def _before(
    catalogue: Catalogue,
    month: Month,
    zone: str,
    begun: "_Standing | Month | None",
    rows: Sequence[Subscription],
) -> tuple[Period, ...]:
    """The months with a plan that are to be closed before this one: since the last closed one, in
    the bounds and the zone in which it leaves them; or from the first that a run was to close and
    left open. Where there is neither, this month may be the first.
    """
    if begun is None:
        return ()
    if isinstance(begun, Month):
        at, own_zone, end_us = begun, zone, begun.period(zone).start_us
    elif begun.is_known:
        return ()
    else:
        at, own_zone, end_us = begun.last.after, begun.last_zone, begun.end_us
    found = []
    while at < month:
        # The account may have moved since: the last of them ends where this month begins.
        until_us = month.period(zone).start_us if at.after == month else None
        period = at.period(own_zone, end_us, until_us)
        if stretches(catalogue.named(rows, period.since), period):
            found.append(period)
        at, end_us = at.after, period.end_us
    return tuple(found)


def _out_of_order(month: Month, standing: _Standing | None, before: Sequence[Period]) -> str | None:
    """Months are closed in order, but for those without a plan, unless there is something to
    settle in them that was paid in advance. `before` are those with one.
    """
    if standing and not standing.is_known:
        last = standing.last
        if month < last:
            return f"{last} is closed already, and months are closed in order"
        if standing.ahead:
            return f"{standing.ahead} comes first: fees were charged for it in advance"
    return comes_first(before[0]) if before else None


def comes_first(period: Period) -> str:
    """Why a later month is not closed."""
    return f"{month_of(period.since)} comes first: months are closed in order"
