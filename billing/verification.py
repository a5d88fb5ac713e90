"""Verification: closed documents derived again, and every record they were made of compared.

Owns the steps: what the books say of themselves, from the evidence to the lines, from the usage
store to the evidence, from the log to the evidence, and the papers. One engine derives them all,
from three sources of records. Reads no log: who can lends one.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from billing.audit_trail import broken_links, entries
from billing.derivation import derive, line_faults, missing_adjustments, place_records
from billing.evidence import SUMS, is_whole, read_evidence_file, read_stored
from billing.month import parse_month
from billing.near_documents import near_documents
from billing.pricebook import PriceBook
from billing.queries import CHECKS, STORED, TAX, VERIFY
from billing.rating import reach
from billing.reconstruction import Act, reconstruct, stored_books
from billing.record_check import Finding, record_findings
from billing.rows import load_rows
from billing.unreadable import each_readable
from edge import Fault, Refused, Settings
from warehouse import Store, copy_tables, lend_tables

_FEW: Final = 500  # documents or accounts: theirs is copied once, not looked for again and again
_NEVER: Final = 2**62
_GONE: Final = """SELECT coalesce(number, invoice) FROM proved_documents
WHERE invoice NOT IN (SELECT id FROM invoices) ORDER BY ALL"""
_HEAD_CHECKS: Final = ("head", "terms", "books", "credits", "taxes")


@dataclass(frozen=True, slots=True)
class LogWanted:
    """What of the log is wanted: the records that started from `from_us` to before `end_us`, as
    told before `positions`: log, topic, partition, next.
    """

    positions: Sequence[tuple[str, str, str, int]]
    from_us: int
    end_us: int


LogRecords = Callable[[Store, LogWanted], list[Fault]]
"""Makes `logged_records`, shaped as `usage_records`; where it cannot, the faults that say why."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What is done besides the documents' own: `whole`, the audit trail and whole evidence files;
    `numbers`, the series; `papers`, the PDFs; and `log`, from the log to the evidence.
    """

    whole: bool = False
    numbers: bool = False
    papers: bool = True
    log: LogRecords | None = None
    progress: Callable[[int], object] = field(default=lambda documents: None)


def verify_documents(
    books: Store, home: Settings, ids: Sequence[str], asked: Verification
) -> list[Finding]:
    """Everything that differs, of closed documents by id."""
    _ask(books, ids)
    is_few = len(ids) <= _FEW and not asked.numbers  # which are everybody's
    with near_documents(books) if is_few else nullcontext():
        return _verify(books, home, ids, asked)


def _ask(books: Store, ids: Sequence[str]) -> None:
    load_rows(books, "asked", ({"id": id} for id in ids), {"id": pa.string()})


def _verify(books: Store, home: Settings, ids: Sequence[str], asked: Verification) -> list[Finding]:
    versions, found = _books(books, asked)
    if asked.whole:
        found += [Finding(None, one) for one in broken_links(entries(books))]
        found += _evidence_files(books, home)
    books.execute(TAX["tax_of"])
    names = (*_HEAD_CHECKS, "numbers") if asked.numbers else _HEAD_CHECKS
    for name in names:
        found += [Finding(row[0], Fault(*row[1:])) for row in books.rows(CHECKS[name])]
    sql = """SELECT runs.run, runs.month, snapshot, evidence, list(id ORDER BY id)
    FROM runs INNER JOIN invoices USING (run)
    WHERE invoices.credit IS NULL AND id IN (SELECT id FROM asked)
    GROUP BY ALL ORDER BY runs.run"""
    for *act, closed in books.rows(sql):

        def check(some: Sequence[str], act: Sequence[Any] = act) -> list[Finding]:
            _ask(books, some)
            return _verify_act(books, home, act, versions, asked)

        found += each_readable(closed, check, "NOT_DERIVED", "cannot be derived again")
    if asked.numbers:
        found += _left_behind(books, home)
    if asked.papers:
        from billing.paper_check import paper_findings  # noqa: PLC0415  loads what prints

        found += paper_findings(books, home, ids, asked.progress)
    return found


def _books(books: Store, asked: Verification) -> tuple[tuple[PriceBook, ...], list[Finding]]:
    """Every stored version, and what is wrong with those that count."""
    sql = """SELECT DISTINCT unnest(books) FROM (
        SELECT books FROM invoices SEMI JOIN asked ON invoices.id = asked.id
        UNION ALL SELECT books FROM periods SEMI JOIN asked ON periods.invoice = asked.id
    )"""
    named = None if asked.numbers else {sha256 for (sha256,) in books.rows(sql)}
    versions, faults = stored_books(books, named)
    return versions, [Finding(None, fault) for fault in faults]


def _evidence_files(books: Store, home: Settings) -> Iterator[Finding]:
    sql = """SELECT evidence, evidence_sha256 FROM runs WHERE evidence IS NOT NULL AND run IN (
        SELECT run FROM invoices WHERE id IN (SELECT id FROM asked)
    ) ORDER BY run"""
    for name, sha256 in books.rows(sql):
        path = home.evidence / name
        if path.exists() and not is_whole(path, sha256):  # a missing one is told of each act
            message = f"the file is not what was written: its SHA-256 should be {sha256}"
            yield Finding(None, Fault("EVIDENCE_BROKEN", name, message))


def _left_behind(books: Store, home: Settings) -> Iterator[Finding]:
    """What evidence and papers have of documents that the books do not."""
    sql = "SELECT evidence FROM runs WHERE evidence IS NOT NULL ORDER BY run"
    for (name,) in books.rows(sql):
        with suppress(Refused):  # it is told of each act
            read_stored(books, home.evidence / name, VERIFY["proved_documents"], {})
            for (gone,) in books.rows(_GONE):
                message = f"has records in {name}, and the books have no such document"
                yield Finding(None, Fault("DOCUMENT_GONE", gone, message))
    numbers = {number for (number,) in books.rows("SELECT number FROM invoices")}
    for path in sorted([*home.documents.glob("*.pdf"), *home.documents.glob("*.xml")]):
        if path.stem not in numbers:
            message = "is there, and the books have no document of this number"
            yield Finding(None, Fault("DOCUMENT_GONE", path.name, message))


def _verify_act(
    books: Store,
    home: Settings,
    row: Sequence[Any],
    versions: Sequence[PriceBook],
    asked: Verification,
) -> list[Finding]:
    """`row`: run, month, snapshot, evidence."""
    run, month, told, named = row
    evidence = named or f"evidence of act {run}"
    books.execute(VERIFY["verified"], {"run": run})
    books.execute(VERIFY["frozen_lines"])
    act = reconstruct(books, run, parse_month(month), versions)
    accounts = dict(books.rows("SELECT invoice, account_id FROM verified"))
    found = list(_of_accounts(accounts, _not_derived(act.faults())))
    try:
        _read_evidence(books, home.evidence / evidence)
    except Refused as refused:
        code = {"FILE_MISSING": "EVIDENCE_MISSING"}.get(refused.code, "EVIDENCE_BROKEN")
        fault = Fault(code, evidence, f"{refused.summary}; documents of this run stay unproved")
        return [*found, *(Finding(invoice, fault) for invoice in accounts)]
    for (what,) in books.rows(VERIFY["run_differs"], {"run": run}):
        message = f"{what} is not in the books as the evidence and the audit trail have it"
        fault = Fault("RUN_DIFFERS", evidence, message)
        found += [Finding(invoice, fault) for invoice in accounts]
    ids = dict(books.rows("SELECT name, invoice FROM verified"))
    for name, rows, now in books.rows(VERIFY["evidence_broken"]):
        how = "some were changed" if now == rows else f"{now} of {rows} are there"
        message = f"its rows of {evidence} are not what was written: {how}"
        found.append(Finding(ids[name], Fault("EVIDENCE_BROKEN", name, message)))
    underived = {one.invoice for one in found if one.fault.code == "NOT_DERIVED"}
    compared = _from_evidence(books, act, accounts)
    # Lines that differ by their prices would owe adjustments that nobody owed.
    differing = {
        accounts[one.invoice]
        for one in compared
        if one.invoice and one.fault.code == "LINE_DIFFERS"
    }
    snapshot = json.loads(told)
    compared += _from_store(books, home, act, snapshot["last_batch"] or 0)
    if asked.log:
        compared += _from_log(books, act, snapshot, asked.log)
    return found + [
        one
        for one in compared
        if one.invoice not in underived
        and not (one.fault.code == "LINE_MISSING" and accounts.get(one.invoice) in differing)
    ]


def _not_derived(faults: Iterable[Fault]) -> list[Fault]:
    return [
        Fault("NOT_DERIVED", one.place, f"cannot be derived again: {one.code}: {one.message}")
        for one in faults
    ]


def _of_accounts(accounts: Mapping[str, str], faults: Iterable[Fault]) -> Iterator[Finding]:
    """Faults whose places are accounts, of each document of theirs."""
    documents = defaultdict(list)
    for invoice, account in accounts.items():
        documents[account].append(invoice)
    for one in faults:
        yield from (Finding(invoice, one) for invoice in documents.get(one.place, (None,)))


def _read_evidence(books: Store, path: Path) -> None:
    ((first, last),) = books.rows("SELECT min(invoice), max(invoice) FROM verified")
    bounds = {"first": first, "last": last}
    sums = read_evidence_file(books, path, VERIFY["evidence_rows"], bounds)
    read_stored(books, path, VERIFY["told_of_run"], {})
    load_rows(books, "evidence_sums", sums, SUMS)
    books.execute(VERIFY["proved_records"])


def _from_evidence(books: Store, act: Act, accounts: Mapping[str, str]) -> list[Finding]:
    for name in ("no_identities", "no_days", "conflicts"):
        books.execute(VERIFY[name])
    _source(books, "FROM proved_records")
    beyond = _not_derived(derive(books, act))
    found = list(_of_accounts(accounts, beyond))
    found += record_findings(books, "what is derived from it", _NEVER)
    return [*found, *(Finding(*one) for one in line_faults(books, act))]


def _from_store(books: Store, home: Settings, act: Act, last_batch: int) -> list[Finding]:
    try:
        with _stored(books, home, act, last_batch):
            _source(books, "FROM stored_records")
            return _compare(books, act, "the usage store", last_batch)
    except Refused as refused:
        message = f"{refused.summary}; not compared with the usage store"
        ids = [invoice for (invoice,) in books.rows("SELECT invoice FROM verified")]
        return [Finding(id, Fault(refused.code, "", message)) for id in ids]


@contextmanager
def _stored(books: Store, home: Settings, act: Act, last_batch: int) -> Iterator[None]:
    """The store's records of the act's periods, in one state; few are copied."""
    ids = {id for one in (act.own, act.revisits) for _, ids in one.cohorts for id in ids}
    own, old = (
        reach([cohort.period for cohort, _ in one.cohorts]) for one in (act.own, act.revisits)
    )
    is_few = len(ids) <= _FEW
    again = ids if is_few else {id for _, ids in act.revisits.cohorts for id in ids}
    if is_few:
        old = reach([cohort.period for one in (act.own, act.revisits) for cohort, _ in one.cohorts])
        own = (0, 0)
    bounds: dict[str, int | Sequence[str]] = {
        **{"from_us": own[0], "end_us": own[1], "old_from_us": old[0], "old_end_us": old[1]},
        **{"old_accounts": sorted(again) or [""], "last_batch": last_batch},
    }
    if is_few:
        copy_tables(books, home.usage, "usage", STORED.all(), bounds)
        _note_store(books)
        yield
        return
    with lend_tables(books, home.usage, "usage", STORED.all(), bounds):
        _note_store(books)
        yield


def _note_store(books: Store) -> None:
    books.execute("CREATE OR REPLACE TEMP TABLE moved_since AS FROM moved_days")
    books.execute("CREATE OR REPLACE TEMP TABLE shared_identities AS FROM their_identities")
    books.execute(VERIFY["conflicts"])


def _from_log(books: Store, act: Act, snapshot: dict[str, Any], log: LogRecords) -> list[Finding]:
    periods = [cohort.period for one in (act.own, act.revisits) for cohort, _ in one.cohorts]
    from_us, end_us = reach(periods)
    positions = [(log, topic, part, at) for log, topic, part, at in snapshot["positions"]]
    if faults := log(books, LogWanted(positions, from_us, end_us)):
        ids = [invoice for (invoice,) in books.rows("SELECT invoice FROM verified")]
        return [Finding(id, fault) for fault in faults for id in ids]
    for name in ("log_conflicts", "unreplayed_identities"):
        books.execute(VERIFY[name], {"from_us": from_us, "end_us": end_us})
    _source(books, VERIFY["logged_near"])
    books.execute(VERIFY["no_days"])
    return _compare(books, act, "the log", snapshot["last_batch"] or 0)


def _compare(books: Store, act: Act, source: str, last_batch: int) -> list[Finding]:
    place_records(books, act)
    missing = missing_adjustments(books, source, last_batch)
    return [*record_findings(books, source, last_batch), *(Finding(*one) for one in missing)]


def _source(books: Store, select: str) -> None:
    books.execute(f"CREATE OR REPLACE TEMP VIEW near_all AS {select}")
