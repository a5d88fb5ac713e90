"""Invoices: runs over a month, from usage to drafts and from drafts to numbered, frozen documents.

Owns an invoice's life and the numbering. A run is one transaction; documents on paper are made
after it, from what it froze.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from billing.books import load_catalogue
from billing.document import documents
from billing.documents import render_pdf
from billing.drafts import drafted, keep_drafts
from billing.evidence import take_snapshot, write_evidence
from billing.layout import Layout, lay_out, without
from billing.money import minor_to_money
from billing.month import Month
from billing.queries import SQL
from edge import Fault, Refused, Settings
from edge.instants import instant
from warehouse import Store

_TERMS_DAYS: Final = 14  # where the account names none


def run_invoices(
    books: Store, home: Settings, month: Month, account: str | None, closed_at_us: int | None
) -> list[Fault]:
    """Refreshes the month's drafts and, given the time, closes those whose period is over. What
    is closed already stays as it is. The faults are of accounts left out.
    """
    layout = _open_accounts(books, month, account)
    which = {"month": str(month), "account": account}
    with drafted(books, home, layout) as left_out, books.transaction():
        books.execute(SQL["delete_draft_lines"], which)
        books.execute(SQL["delete_drafts"], which)
        keep_drafts(books)
        blocked = [] if closed_at_us is None else _close(books, home, month, closed_at_us)
    return sorted([*left_out, *blocked], key=lambda fault: fault.place)


def _open_accounts(books: Store, month: Month, account: str | None) -> Layout:
    """The month of the accounts asked for whose document is not closed."""
    catalogue = load_catalogue(books, account)
    closed = {id for (id,) in books.rows(SQL["closed_accounts"], {"month": str(month)})}
    return without(lay_out(books, catalogue, month), closed)


def _close(books: Store, home: Settings, month: Month, now_us: int) -> list[Fault]:
    """Numbers, freezes and proves, in order of account_id, within the caller's transaction. The
    faults are of drafts that stay drafts.
    """
    books.execute(SQL["conflicting"])
    books.execute(SQL["blocked"], {"now_us": now_us})
    faults = list(_blocked(books))
    today = instant(now_us).date()
    last = _last_number(books, today.year)
    books.execute(SQL["closing"], {"prefix": f"HM-{today.year:04}-", "last": last})
    if not books.value("SELECT count(*) FROM closing"):
        return faults
    run = books.value("SELECT coalesce(max(run), 0) + 1 FROM runs")
    name, sha256 = write_evidence(books, home.evidence, run)
    books.execute(SQL["close_invoices"], {"today": today, "terms_days": _TERMS_DAYS, "run": run})
    last += books.value("SELECT count(number) FROM closing")
    books.execute("DELETE FROM counters WHERE series = 'HM' AND year = ?", [today.year])
    books.execute("INSERT INTO counters VALUES ('HM', ?, ?)", [today.year, last])
    row = [run, str(month), now_us, take_snapshot(books), name, sha256]
    books.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)
    return faults


def _blocked(books: Store) -> Iterator[Fault]:
    sql = "SELECT code, account_id, out_of_order, records FROM blocked ORDER BY account_id"
    for code, account, out_of_order, records in books.rows(sql):
        messages = {
            "MONTH_ORDER": out_of_order,
            "PERIOD_OPEN": "the period is not over: close it after its end",
            "USAGE_CONFLICT": (
                f"{records} records are in conflict: see `usage conflicts`, then `usage cancel`"
            ),
            "TOTAL_NEGATIVE": (
                "more was charged in advance than is owed: it stays a draft until credit notes "
                "can be issued"
            ),
        }
        yield Fault(code, account, messages[code])


def _last_number(books: Store, year: int) -> int:
    found = books.rows("SELECT last FROM counters WHERE series = 'HM' AND year = ?", [year])
    return int(found[0][0]) if found else 0


def list_heads(
    books: Store, month: Month | None, account: str | None = None
) -> list[dict[str, Any]]:
    """Every document without its lines, of the month or of all months, in order of month and
    account; `total` as the document has it.
    """
    asked = {"month": str(month) if month else None, "account": account}
    rows = books.records(SQL["list_heads"], asked)
    return [{**row, "total": f"{minor_to_money(row['total'], row['currency']):f}"} for row in rows]


def list_invoices(
    books: Store, month: Month | None, account: str | None = None
) -> list[dict[str, Any]]:
    """The same documents, whole."""
    return list(documents(books, [head["id"] for head in list_heads(books, month, account)]))


def find_invoice(books: Store, name: str) -> dict[str, Any]:
    """The document of this number or id; refuses with INVOICE_UNKNOWN."""
    found = books.rows("SELECT id FROM invoices WHERE number = ? OR id = ?", [name, name])
    if not found:
        raise Refused("INVOICE_UNKNOWN", f"there is no invoice {name}")
    (document,) = documents(books, found[0])
    return document


def without_pdf(home: Settings, heads: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the final documents whose PDF is not there yet."""
    final = [head for head in heads if head["status"] == "final"]
    return [head["id"] for head in final if not _pdf(home, head).exists()]


def make_pdf(home: Settings, document: Mapping[str, Any]) -> None:
    path = _pdf(home, document)
    home.documents.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_bytes(render_pdf(document))
    part.chmod(0o600)
    part.replace(path)  # a PDF is there whole or not at all


def _pdf(home: Settings, document: Mapping[str, Any]) -> Path:
    return home.documents / f"{document['number']}.pdf"
