"""Cohorts as a temporary table of the books: what documents, and the periods they were computed
from, take of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from billing.cohort import Cohort
from billing.rows import load_rows
from warehouse import Store

_COLUMNS: Final = {
    "cohort": pa.int32(),
    **dict.fromkeys(("month", "currency", "plan", "zone", "out_of_order", "history"), pa.string()),
    **dict.fromkeys(("start_us", "end_us"), pa.int64()),
    "has_document": pa.bool_(),
    **dict.fromkeys(("books", "known_books"), pa.list_(pa.string())),
}


def load_cohorts(books: Store, table: str, cohorts: Iterable[Cohort]) -> None:
    """Each with its number, in this order, in place of a table of this name."""
    load_rows(books, table, _rows(cohorts), _COLUMNS)


def _rows(cohorts: Iterable[Cohort]) -> Iterator[dict[str, Any]]:
    for number, cohort in enumerate(cohorts):
        period = cohort.period
        yield {
            "cohort": number,
            "month": str(cohort.month),
            "currency": cohort.key.currency,
            "plan": cohort.plan,
            "zone": period.zone,
            "start_us": period.start_us,
            "end_us": period.end_us,
            "has_document": cohort.has_document,
            "out_of_order": cohort.key.out_of_order,
            "history": cohort.key.history_text,
            "books": sorted(cohort.books),
            "known_books": cohort.known_books,
        }
