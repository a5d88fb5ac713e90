"""Drafts: a month's documents computed from usage, as temporary tables of the books.

Owns what a draft is made of and which accounts have one. Keeps nothing: `billing.invoices` does.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa

from billing.cohort import Cohort
from billing.layout import Layout
from billing.queries import SQL
from billing.rating import month_usage, rate, too_large
from billing.rows import load_rows
from edge import Fault, Settings
from warehouse import Store

_COHORT: Final = {
    "cohort": pa.int32(),
    **dict.fromkeys(("currency", "plan", "zone", "out_of_order"), pa.string()),
    **dict.fromkeys(("start_us", "end_us"), pa.int64()),
    "has_document": pa.bool_(),
    "books": pa.list_(pa.string()),
}


@contextmanager
def drafted(books: Store, home: Settings, layout: Layout) -> Iterator[list[Fault]]:
    """For the block: `drafts`, a row for each account that has a document, and `draft_lines`, both
    as rows of the books too: `drafted_heads` and `drafted_lines`. The faults are of accounts left
    out. Refuses as `lend_tables`.
    """
    with month_usage(books, home, layout) as numbering:
        rate(books, numbering)
        beyond = list(too_large(books, numbering))
        rows = (_cohort_row(number, one) for number, one in enumerate(numbering.cohorts))
        load_rows(books, "draft_cohorts", rows, _COHORT)
        outside = [{"account_id": one.place} for one in beyond]
        load_rows(books, "left_out", outside, {"account_id": pa.string()})
        seller = json.dumps(dict(home.seller), ensure_ascii=False)
        told = {"month": str(layout.month), "before": str(layout.month.before), "seller": seller}
        books.execute(SQL["drafts"], told)
        for name in ("drafted_heads", "drafted_lines"):
            books.execute(SQL[name])
        yield [*layout.faults(), *beyond]


def keep_drafts(books: Store) -> None:
    """Writes them and their lines among the invoices, in the caller's transaction."""
    for name in ("insert_terms", "insert_lines", "insert_drafts"):
        books.execute(SQL[name])


def _cohort_row(number: int, cohort: Cohort) -> dict[str, Any]:
    period = cohort.period
    return {
        "cohort": number,
        "currency": cohort.key.currency,
        "plan": cohort.plan,
        "zone": period.zone,
        "start_us": period.start_us,
        "end_us": period.end_us,
        "has_document": cohort.has_document,
        "out_of_order": cohort.key.out_of_order,
        "books": sorted(cohort.books),
    }
