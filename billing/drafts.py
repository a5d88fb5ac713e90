"""Drafts: a month's documents computed from usage, as temporary tables of the books.

Owns what a draft is made of and which accounts have one: the month's own lines, adjustments of
closed periods, one-off items. Keeps nothing: `billing.invoices` does.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from billing.adjustments import find_adjustments
from billing.books import Catalogue
from billing.cohort_table import load_cohorts
from billing.item_lines import add_item_lines
from billing.layout import NOW, Layout
from billing.queries import SQL, TAX
from billing.rating import lent_usage, place_usage, rate, too_large
from billing.revisits import lay_out_revisits
from billing.rows import load_rows
from billing.taxes import tax_drafts
from edge import Fault, Settings
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be drafted: the month of some accounts, and their closed periods that may cost
    something else now. `reach` is the month of all whose usage is read.
    """

    layout: Layout
    revisits: Layout
    reach: Layout


def lay_out_work(
    books: Store,
    home: Settings,
    catalogue: Catalogue,
    layout: Layout,
    reach: Layout | None = None,
    *,
    include_old: bool = False,
) -> Work:
    months = home.adjust_months
    revisits = lay_out_revisits(books, catalogue, layout, months, include_old=include_old)
    return Work(layout, revisits, reach or layout)


@contextmanager
def drafted(
    books: Store, home: Settings, work: Work, issued: date | None = None
) -> Iterator[list[Fault]]:
    """For the block: `drafts`, a row for each account that has a document, and `draft_lines`, both
    as rows of the books too: `drafted_heads`, and `taxed_lines` with their tax. `issued` is the day
    of issue. The faults are of accounts left out. Refuses as `lend_tables`.
    """
    layout = work.layout
    with lent_usage(books, home, work.reach, work.revisits):
        beyond = find_adjustments(books, work.revisits)
        numbering = place_usage(books, layout)
        rate(books, numbering)
        beyond += too_large(books, numbering)
        load_cohorts(books, "draft_cohorts", numbering.cohorts)
        outside = [{"account_id": one.place} for one in beyond]
        load_rows(books, "left_out", outside, {"account_id": pa.string()})
        month = {"month": str(layout.month), "act": NOW}
        books.execute(SQL["extra_lines"], month)
        add_item_lines(books, layout)
        seller = json.dumps(dict(home.seller), ensure_ascii=False)
        books.execute(SQL["drafts"], {**month, "seller": seller})
        for name in ("drafted_heads", "drafted_terms", "drafted_lines"):
            books.execute(SQL[name])
        tax_drafts(books, home, layout.month, issued)
        yield [*layout.faults(), *beyond]


def keep_drafts(books: Store) -> None:
    """Writes them and their lines among the invoices, in the caller's transaction."""
    for name in ("insert_terms", "insert_lines", "insert_drafts"):
        books.execute(SQL[name])
    books.execute(TAX["insert_taxes"])
