"""Closing: drafts numbered, frozen and proved, in the transaction that made them.

Owns which drafts stay open, and why. What a draft says is `billing.drafts`'.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pyarrow as pa

from billing.audit_trail import Act, record
from billing.completeness import accept_gaps, find_gaps
from billing.credits import draw_prepaid
from billing.evidence import take_snapshot, write_evidence
from billing.month import Month
from billing.numbering import Numbers
from billing.queries import SQL
from billing.rows import load_rows
from billing.taxes import freeze_exchange
from billing.wording import counted
from edge import Fault, Refused, Settings
from edge.party import NO_POSTAL_CODES
from edge.seller import missing_of_seller
from warehouse import Store

_LEFT_OPEN: Final = dict.fromkeys(("account_id", "code"), pa.string())


@dataclass(frozen=True, slots=True)
class Closing:
    """Who closes what is over, when (UTC microseconds), and as of which day, else today.
    `unchanged`: only drafts that still say what was shown. `overrides` are the reasons given for
    what is passed over, by what that is.
    """

    now_us: int
    who: str
    issue_date: date | None = None
    unchanged: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepts_gaps(self) -> bool:
        """Whether it closes drafts that usage may be missing for."""
        return "accept_incomplete" in self.overrides

    @property
    def includes_old(self) -> bool:
        """Whether late usage of long ago is charged too."""
        return "include_old" in self.overrides


def close_drafts(
    books: Store, home: Settings, month: Month, asked: Closing, left_out: Iterable[Fault]
) -> list[Fault]:
    """Numbers, freezes and proves, in order of account_id, within the caller's transaction. The
    faults are of drafts that stay drafts; they and `left_out` are remembered as left open. Refuses
    with ISSUE_DATE.
    """
    gaps = find_blocked(books, home, asked)
    faults = [*_incomplete(books, month, gaps), *block_faults(books)]
    numbers = Numbers(books, home, asked.now_us, asked.issue_date)
    issue_zero = home.zero_invoices == "issue"
    books.execute(SQL["closing"], {"issue_zero": issue_zero, **numbers.told()})
    _remember_open(books, month, left_out)
    if not books.value("SELECT count(*) FROM closing"):
        return faults
    numbers.take("closing")
    accepted = accept_gaps(books, asked.now_us) if gaps and asked.accepts_gaps else []
    run = begin_run(books, month, asked, take_snapshot(books, accepted))
    name, sha256 = write_evidence(books, home.evidence, run)
    dates = {"today": numbers.day, "terms_days": home.payment_terms_days}
    books.execute(SQL["close_invoices"], {**dates, "run": run})
    freeze_exchange(books, home, run)
    for sql in ("insert_periods", "settle_revisits", "closing_totals"):
        books.execute(SQL[sql])
    draw_prepaid(books)
    books.execute(SQL["note_prepaid"])
    books.execute(
        "UPDATE runs SET evidence = ?, evidence_sha256 = ? WHERE run = ?", [name, sha256, run]
    )
    _tell(books, month, asked, run)
    return faults


def refuse_seller(home: Settings) -> None:
    """Refuses with SELLER_INCOMPLETE where the settings tell too little of the seller for any
    document to be closed.
    """
    if lacking := _lacking(home):
        message = (
            f"{lacking}: every document must have the seller's full name and address; "
            "nothing was closed"
        )
        raise Refused("SELLER_INCOMPLETE", message)


def find_blocked(books: Store, home: Settings, asked: Closing) -> list[Fault]:
    """Leaves `blocks`: all that keeps drafts from being closed now; `blocked`: those drafts; and
    `gaps_found`, which it gives.
    """
    books.execute(SQL["conflicting"])
    books.execute(
        SQL["without_address"],
        {
            "asked": home.seller_country is not None,
            "issue_zero": home.zero_invoices == "issue",
            "no_codes": NO_POSTAL_CODES,
        },
    )
    gaps = _gaps(books, home, asked)
    which = {"now_us": asked.now_us, "unchanged": asked.unchanged, "accepted": asked.accepts_gaps}
    books.execute(SQL["blocks"], {**which, "lacking": _lacking(home)})
    books.execute(SQL["blocked"])
    return gaps


def begin_run(books: Store, month: Month, asked: Closing, snapshot: str | None = None) -> int:
    """The number of an act that makes documents final or void, and its row; within the caller's
    transaction. `snapshot` is of the usage store, where usage was billed.
    """
    run = int(books.value("SELECT coalesce(max(run), 0) + 1 FROM runs"))
    row = [run, str(month), asked.now_us, snapshot, json.dumps(dict(asked.overrides))]
    books.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL, NULL)", row)
    return run


def _remember_open(books: Store, month: Month, left_out: Iterable[Fault]) -> None:
    """The accounts that a run was to close and did not, so that a later month waits for them."""
    rows = ({"account_id": one.place, "code": one.code} for one in left_out)
    load_rows(books, "kept_out", rows, _LEFT_OPEN)
    for name in ("forget_open", "remember_open"):
        books.execute(SQL[name], {"month": str(month)})


def _tell(books: Store, month: Month, asked: Closing, run: int) -> None:
    (row,) = books.records(SQL["closed_in_run"])
    details: dict[str, Any] = {"run": run, **row, "overrides": dict(asked.overrides)}
    reason = "; ".join(asked.overrides.values())
    record(books, [Act(asked.now_us, asked.who, "invoice finalize", str(month), reason, details)])


def _gaps(books: Store, home: Settings, asked: Closing) -> list[Fault]:
    """What is missing for the periods that are over, and for those that are passed over."""
    books.execute(SQL["gated_periods"], {"now_us": asked.now_us})
    periods = books.rows("SELECT DISTINCT start_us, end_us FROM gated_periods ORDER BY ALL")
    return find_gaps(books, home, periods, asked.now_us)


def _lacking(home: Settings) -> str | None:
    missing = missing_of_seller(dict(home.seller))
    return f"[seller] has a country, and no {', '.join(missing)}" if missing else None


def _incomplete(books: Store, month: Month, gaps: Sequence[Fault]) -> list[Fault]:
    """What is missing, once, and how many accounts wait for it; those that are held do not."""
    sql = """SELECT count(DISTINCT account) FROM blocks WHERE code = 'INCOMPLETE'
    AND account NOT IN (SELECT account FROM blocks WHERE code = 'HELD')"""
    waiting = books.value(sql)
    if not waiting:
        return []
    message = (
        f"{counted(waiting, 'draft')} cannot be closed before what is missing is there, or by "
        '--accept-incomplete "reason"'
    )
    return [*gaps, Fault("INCOMPLETE", str(month), message)]


def block_faults(books: Store) -> Iterator[Fault]:
    """All that `blocks` has but INCOMPLETE, of each account in order."""
    sql = """SELECT DISTINCT account_id, place, code, why FROM blocks WHERE code <> 'INCOMPLETE'
    ORDER BY account_id, place, code, why"""
    for account, _, code, why in books.rows(sql):
        yield Fault(code, account, _message(code, why))


def held_back(books: Store) -> set[Fault]:
    """The faults of accounts that are held. That is somebody's decision, so that only who names
    the account is refused.
    """
    if not books.value("SELECT count(*) FROM blocks WHERE code = 'HELD'"):
        return set()
    faults = list(block_faults(books))
    held = {one.place for one in faults if one.code == "HELD"}
    return {one for one in faults if one.place in held}


def _message(code: str, why: str | None) -> str:
    match code:
        case "PERIOD_OPEN":
            return "the period is not over: close it after its end"
        case "USAGE_CONFLICT":
            records = counted(int(why or 0), "record")
            return f"{records} in conflict: see `usage conflicts`, then `usage cancel`"
        case "ADDRESS_MISSING":
            return f"is a business without {why}: import the account with it, then run again"
        case "HELD":
            return f"is held: {why}; see `invoice release`"
        case "DRAFT_CHANGED":
            return (
                "is no longer what was shown: look at the draft, then finalize again, or with "
                "--accept-changes"
            )
    return why or ""
