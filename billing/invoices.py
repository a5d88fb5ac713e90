"""Invoices: runs over a month, from usage to drafts, and where asked to closed documents; lists.

A run is one transaction; documents on paper are made after it, from what it froze.
"""

from collections.abc import Collection, Sequence
from typing import Any

from billing.books import Catalogue, load_catalogue
from billing.closing import Closing, close_drafts, find_blocked, refuse_seller
from billing.control_report import note_run
from billing.document import documents
from billing.drafts import drafted, keep_drafts, lay_out_work
from billing.heads import find_head, find_heads
from billing.idle_months import pass_over
from billing.layout import Layout, lay_out, without
from billing.money import minor_text
from billing.month import Month, parse_month
from billing.numbering import issue_day
from billing.queries import SQL
from billing.rating import place_usage
from billing.revisits import look
from edge import Fault, Refused, Settings
from warehouse import Store


def run_invoices(
    books: Store,
    home: Settings,
    month: Month,
    accounts: Collection[str] | None,
    closing: Closing | None,
    *,
    reporter: Closing | None = None,
) -> list[Fault]:
    """Refreshes the month's drafts and, where asked, closes those whose period is over. What is
    closed already stays as it is. For a `reporter`, who would close them, it leaves what
    `billing.control_report` tells, as of the usage that was read. The faults are of accounts left
    out. Refuses with SELLER_INCOMPLETE, of drafts alone never.
    """
    if closing is not None:
        refuse_seller(home)
    asked = closing or reporter
    include_old = asked is not None and asked.includes_old
    look(books, home)
    catalogue = load_catalogue(books, _only(accounts))
    whole = pass_over(books, home, catalogue, _asked_accounts(books, catalogue, month, accounts))
    closed = {id for (id,) in books.rows(SQL["closed_accounts"], {"month": str(month)})}
    layout = without(whole, closed)
    work = lay_out_work(books, home, catalogue, layout, whole, include_old=include_old)
    which = {"month": str(month)}
    blocked: list[Fault] = []
    issued = issue_day(home, asked.now_us, asked.issue_date) if asked else None
    with drafted(books, home, work, issued) as left_out:
        with books.transaction():
            books.execute(SQL["no_changed"])
            if closing is not None and closing.unchanged:
                books.execute(SQL["changed"], which)
            for name in ("delete_draft_lines", "delete_draft_taxes", "delete_drafts"):
                books.execute(SQL[name], which)
            keep_drafts(books)
            if closing is not None:
                blocked = close_drafts(books, home, month, closing, left_out)
        if reporter is not None:
            if closing is None:
                find_blocked(books, home, reporter)
            if whole != layout:
                place_usage(books, whole)  # closed accounts have unbilled usage too
            note_run(books, accounts, left_out)
    return sorted([*left_out, *blocked], key=lambda fault: fault.place)


def _asked_accounts(
    books: Store, catalogue: Catalogue, month: Month, accounts: Collection[str] | None
) -> Layout:
    """The month of the accounts asked for."""
    layout = lay_out(books, catalogue, month)
    if accounts is None:
        return layout
    return without(layout, {id for id, _, _ in catalogue.accounts}.difference(accounts))


def _only(accounts: Collection[str] | None) -> str | None:
    """The one account asked for, so that only what is its is loaded."""
    return next(iter(accounts)) if accounts is not None and len(accounts) == 1 else None


def list_heads(
    books: Store, month: Month | None, account: str | None = None
) -> list[dict[str, Any]]:
    """Every document without its lines, of the month or of all months, in order of month, account
    and age; `total` as the document has it.
    """
    asked = {"month": str(month) if month else None, "account": account}
    rows = books.records(SQL["list_heads"], asked)
    return [{**row, "total": minor_text(row["total"], row["currency"])} for row in rows]


def list_invoices(
    books: Store, month: Month | None, account: str | None = None
) -> list[dict[str, Any]]:
    """The same documents, whole."""
    return list(documents(books, [head["id"] for head in list_heads(books, month, account)]))


def find_invoice(books: Store, name: str) -> dict[str, Any]:
    """The document of this number or id; refuses with INVOICE_UNKNOWN."""
    (document,) = documents(books, [find_head(books, name)["id"]])
    return document


def months_of(books: Store, names: Sequence[str]) -> dict[Month, set[str]]:
    """The months of these documents, by number or id, in order, and whose they are. Refuses with
    INVOICE_UNKNOWN, every unknown one listed.
    """
    heads, unknown = find_heads(books, names)
    if unknown:
        faults = [Fault("INVOICE_UNKNOWN", name, "there is no such document") for name in unknown]
        raise Refused("INVOICE_UNKNOWN", "nothing was closed", faults)
    found: dict[Month, set[str]] = {}
    for head in sorted(heads, key=lambda head: str(head["month"])):
        found.setdefault(parse_month(head["month"]), set()).add(head["account_id"])
    return found
