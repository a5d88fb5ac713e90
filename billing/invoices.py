"""Invoices: runs over a month, from usage to drafts and from drafts to numbered, frozen documents.

Owns an invoice's life and the numbering. A run is one transaction; documents on paper are made
after it, from what it froze.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from billing.documents import render_pdf
from billing.draft import draft, is_nil
from billing.evidence import take_snapshot, write_evidence
from billing.month import AccountMonth, Month, all_lines, lay_out, load_month
from billing.rating import rate
from billing.rows import append_rows
from edge import Fault, Refused, Settings
from edge.instants import instant
from warehouse import Store

_TERMS_DAYS: Final = 14  # where the account names none


_COLUMNS: Final = {
    **dict.fromkeys(("id", "account_id", "month", "status", "number", "zone"), pa.string()),
    **dict.fromkeys(("start_us", "end_us"), pa.int64()),
    "document": pa.string(),
    "books": pa.list_(pa.string()),
    **dict.fromkeys(("run", "evidence_rows"), pa.int64()),
    "evidence_sha256": pa.string(),
}


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The run that closed a document, and the count and checksum of its rows in the evidence."""

    run: int
    evidence_rows: int
    evidence_sha256: str | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A document of this run, and the id in it of each of its rated lines."""

    month: AccountMonth
    document: dict[str, Any]
    line_ids: Mapping[int, str]

    @property
    def account_id(self) -> str:
        return self.month.account.account_id


def run_invoices(
    books: Store, home: Settings, month: Month, account: str | None, closed_at_us: int | None
) -> list[Fault]:
    """Refreshes the month's drafts and, given the time, closes those whose period is over. What
    is closed already stays as it is. The faults are of accounts left out.
    """
    laid = lay_out(books, month)
    if account is not None and all(one.account.account_id != account for one in laid):
        raise Refused("ACCOUNT_UNKNOWN", f"there is no account {account}: import it first")
    closed = _closed(books, month)
    asked = [one for one in laid if account in (None, one.account.account_id)]
    todo = tuple(one for one in asked if one.account.account_id not in closed)
    load_month(books, home, month, todo)
    made, faults = _make(books, home, month, todo)
    blocked: list[Fault] = []
    ready: list[_Made] = []
    if closed_at_us is not None:
        blocked = _blocked(books, made, closed_at_us)
        names = {fault.place for fault in blocked}
        ready = [one for one in made if one.account_id not in names]
    with books.transaction():
        books.execute(
            """DELETE FROM invoices WHERE month = $month AND status = 'draft'
            AND ($account IS NULL OR account_id = $account)""",
            {"month": str(month), "account": account},
        )
        evidence: dict[str, _Evidence] = {}
        if ready and closed_at_us is not None:
            evidence = _close(books, home, month, ready, closed_at_us)
        rows = (_row(month, one, evidence.get(one.document["id"])) for one in made)
        append_rows(books, "invoices", rows, _COLUMNS)
    return sorted((*faults, *blocked), key=lambda fault: fault.place)


def _closed(books: Store, month: Month) -> set[str]:
    sql = "SELECT account_id FROM invoices WHERE month = ? AND status <> 'draft'"
    return {account for (account,) in books.rows(sql, [str(month)])}


def _make(
    books: Store, home: Settings, month: Month, todo: tuple[AccountMonth, ...]
) -> tuple[list[_Made], list[Fault]]:
    rated, beyond = rate(books, all_lines(todo))
    outside = set(beyond)
    made, faults = [], []
    for one in todo:
        found = list(one.faults)
        for part in one.stretches:
            for line in part.lines:
                if line.line in outside:
                    message = f"{line.charge.code} is beyond what can be billed exactly"
                    found.append(Fault("LINE_TOO_LARGE", one.account.account_id, message))
        faults += found
        if one.stretches and not found:
            made.append(_Made(one, *draft(month, one, rated, dict(home.seller))))
    return made, faults


def _blocked(books: Store, made: Sequence[_Made], now_us: int) -> list[Fault]:
    """The accounts that cannot be closed now, though they have a draft."""
    sql = "SELECT account_id, count(*) FROM month_records WHERE conflict GROUP BY account_id"
    conflicts = dict(books.rows(sql))
    faults = []
    for one in made:
        if one.month.out_of_order:
            faults.append(one.month.out_of_order)
        elif one.month.period.end_us > now_us:
            message = "the period is not over: close it after its end"
            faults.append(Fault("PERIOD_OPEN", one.account_id, message))
        elif one.account_id in conflicts:
            count = conflicts[one.account_id]
            message = f"{count} records are in conflict: see `usage conflicts`, then `usage cancel`"
            faults.append(Fault("USAGE_CONFLICT", one.account_id, message))
    return faults


def _row(month: Month, made: _Made, evidence: _Evidence | None) -> dict[str, Any]:
    """What the table holds of a document; `evidence` is None in a draft."""
    period = made.month.period
    priced = (part.priced for part in made.month.stretches)
    document = made.document
    return {
        **{name: document[name] for name in ("id", "account_id", "status", "number")},
        "month": str(month),
        "zone": period.zone,
        "start_us": period.start_us,
        "end_us": period.end_us,
        "document": json.dumps(document, ensure_ascii=False),
        "books": sorted({found[0].sha256 for found in priced if found}),
        **(asdict(evidence) if evidence else {}),
    }


def _close(
    books: Store, home: Settings, month: Month, ready: Sequence[_Made], now_us: int
) -> dict[str, _Evidence]:
    """Numbers, freezes and proves, in order of account_id, within the caller's transaction.
    Gives the evidence of each document by its id.
    """
    today = instant(now_us).date()
    run = books.value("SELECT coalesce(max(run), 0) + 1 FROM runs")
    last = _last_number(books, today.year)
    lines = []
    for position, one in enumerate(ready):
        if is_nil(one.document):
            one.document["status"] = "nil"
        else:
            last += 1
            _issue(one, f"HM-{today.year:04}-{last:06}", today)
        named = {key: one.document[key] for key in ("number", "id")} | {"position": position}
        lines += [{**named, "line": line, "line_id": id} for line, id in one.line_ids.items()]
    name, sha256, sums = write_evidence(books, home.evidence, run, lines)
    books.execute("DELETE FROM counters WHERE series = 'HM' AND year = ?", [today.year])
    books.execute("INSERT INTO counters VALUES ('HM', ?, ?)", [today.year, last])
    row = [run, str(month), now_us, take_snapshot(books), name, sha256]
    books.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)
    ids = (one.document["id"] for one in ready)
    return {id: _Evidence(run, *sums.get(id, (0, None))) for id in ids}


def _last_number(books: Store, year: int) -> int:
    found = books.rows("SELECT last FROM counters WHERE series = 'HM' AND year = ?", [year])
    return int(found[0][0]) if found else 0


def _issue(made: _Made, number: str, today: date) -> None:
    terms = made.month.account.payment_terms_days
    due = today + timedelta(days=_TERMS_DAYS if terms is None else terms)
    made.document["status"] = "final"
    made.document["number"] = number
    made.document["issued_on"] = today.isoformat()
    made.document["due_on"] = due.isoformat()


def list_invoices(
    books: Store, month: Month | None, account: str | None = None
) -> list[dict[str, Any]]:
    """Every document of the month, or of all months, in order of month and account."""
    sql = """SELECT document FROM invoices
    WHERE ($month IS NULL OR month = $month) AND ($account IS NULL OR account_id = $account)
    ORDER BY month, account_id, id"""
    asked = {"month": str(month) if month else None, "account": account}
    return [json.loads(text) for (text,) in books.rows(sql, asked)]


def find_invoice(books: Store, name: str) -> dict[str, Any]:
    """The document of this number or id; refuses with INVOICE_UNKNOWN."""
    found = books.rows("SELECT document FROM invoices WHERE number = ? OR id = ?", [name, name])
    if not found:
        raise Refused("INVOICE_UNKNOWN", f"there is no invoice {name}")
    document: dict[str, Any] = json.loads(found[0][0])
    return document


def without_pdf(home: Settings, documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The final documents whose PDF is not there yet."""
    final = [document for document in documents if document["status"] == "final"]
    return [document for document in final if not _pdf(home, document).exists()]


def make_pdf(home: Settings, document: Mapping[str, Any]) -> None:
    path = _pdf(home, document)
    home.documents.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_bytes(render_pdf(document))
    part.chmod(0o600)
    part.replace(path)  # a PDF is there whole or not at all


def _pdf(home: Settings, document: Mapping[str, Any]) -> Path:
    return home.documents / f"{document['number']}.pdf"
