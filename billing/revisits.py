"""Closed periods that may cost something else now: found, laid out as they were frozen, settled.

Owns which periods those are. Late usage is found by what changed in the usage store since it was
last searched, so that the search costs nothing for the months that nothing happened to; who
changes plans or documents marks what that touches. What a period costs now is rated as any other;
what is charged for it is `billing.adjustments`.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from billing.books import Catalogue
from billing.cohort import CohortKey, make_cohort
from billing.layout import Layout, rows_within
from billing.month import Month, month_of, parse_month
from billing.queries import LOOKS, SQL
from billing.rows import append_rows
from edge import Settings
from warehouse import Store, copy_tables

_PASSED: Final = {
    **dict.fromkeys(("account_id", "month", "zone"), pa.string()),
    "books": pa.list_(pa.string()),
    **dict.fromkeys(("start_us", "end_us"), pa.int64()),
    **dict.fromkeys(("is_old", "is_passed"), pa.bool_()),
}


def look(books: Store, home: Settings) -> None:
    """Marks the closed periods near which usage has changed since the last look, in a transaction
    of its own. Refuses as `copy_tables`.
    """
    bounds = {
        "looked": books.value("SELECT batch FROM looked"),
        "until_us": books.value(SQL["closed_until"]),
    }
    copy_tables(books, home.usage, "usage", LOOKS.all(), bounds)
    with books.transaction():
        books.execute(SQL["mark_touched"])
        books.execute("UPDATE looked SET batch = (SELECT last FROM last_batch)")


def lay_out_revisits(
    books: Store, catalogue: Catalogue, layout: Layout, months: int, *, include_old: bool
) -> Layout:
    """The marked periods of the accounts of a layout, at most so many months before it unless
    `include_old`: each in the bounds, the zone and under the books frozen for it, alone, without
    the fees of the month after. With them the months that the layout passes over, so that they too
    are frozen as they are known now. Leaves `revisited`.
    """
    accounts = [id for _, ids in layout.cohorts for id in ids]
    told = {
        "accounts": accounts,
        "month": str(layout.month),
        "least": str(layout.month.back(months)),
    }
    books.execute(SQL["revisited"], told)
    if include_old:
        books.execute("UPDATE revisited SET is_old = FALSE")
    append_rows(books, "revisited", _passed(layout), _PASSED)
    currencies = {id: currency for id, _, currency in catalogue.accounts}
    members: dict[tuple[Month, CohortKey], list[str]] = defaultdict(list)
    for id, month, frozen, zone, start, end in books.rows(
        "SELECT account_id, month, books, zone, start_us, end_us FROM revisited WHERE NOT is_old"
    ):
        at = parse_month(month)
        key = CohortKey(
            zone=zone,
            currency=currencies[id],
            bounds=(start, end),
            history=rows_within(catalogue.history.get(id, ()), at, at.after),
            frozen=tuple(sorted(frozen)),
        )
        members[at, key].append(id)
    cohorts = ((make_cohort(catalogue, at, key), tuple(ids)) for (at, key), ids in members.items())
    return Layout(layout.month, tuple(cohorts))


def _passed(layout: Layout) -> Iterator[dict[str, Any]]:
    for account, periods in layout.passed.items():
        for at in periods:
            yield {
                "account_id": account,
                "month": str(month_of(at.since)),
                "zone": at.zone,
                "books": [],
                "start_us": at.start_us,
                "end_us": at.end_us,
                "is_old": False,
                "is_passed": True,
            }
