"""Adjustments: what closed periods cost as known now, less what was charged for them.

Owns that difference, line by line. A closed period is rated whole, by the statements that rate any
month, so that tiers, allowances, bounds, commitments and peaks come out as if everything had been
known in time; nothing here knows what was late.
"""

from collections.abc import Iterator

from billing.cohort_table import load_cohorts
from billing.layout import NOW, Layout
from billing.queries import NO_ADJUSTMENTS, SQL
from billing.rating import place_usage, rate, too_large
from edge import Fault
from warehouse import Store


def find_adjustments(books: Store, revisits: Layout, act: int = NOW) -> list[Fault]:
    """Leaves `adjustments`, `adjusted_records` and what the periods were computed from, as of an
    act, from usage that is lent. The faults are of accounts one of whose periods has no price.
    """
    load_cohorts(books, "revisited_months", (cohort for cohort, _ in revisits.cohorts))
    if not revisits.cohorts:  # as nearly always: what rating would leave of nothing
        for sql in NO_ADJUSTMENTS.all().values():
            books.execute(sql)
        return []
    numbering = place_usage(books, revisits)
    rate(books, numbering)
    for name in ("owed_lines", "postponed"):
        books.execute(SQL[name])
    books.execute(SQL["adjustments"], {"act": act})
    books.execute(SQL["adjusted_records"])
    books.execute("CREATE OR REPLACE TEMP TABLE revisited_members AS FROM members")
    return [*_faults(revisits), *too_large(books, numbering)]


def _faults(revisits: Layout) -> Iterator[Fault]:
    for cohort, accounts in revisits.cohorts:
        for code, message in cohort.faults:
            for account in accounts:
                yield Fault(code, account, f"{cohort.month}, which is adjusted: {message}")
