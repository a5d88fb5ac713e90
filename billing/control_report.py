"""The control report that a run ends with: what its month came to, what is left open, and why.

Owns what is asked of the books and how a clerk reads it. What a run did is its own to decide; the
report changes nothing, and counts the documents that runs made and that are not void.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import pyarrow as pa

from billing.closing import block_faults
from billing.money import decimal_text, minor_to_money
from billing.month import Month
from billing.queries import REPORT
from billing.rows import load_rows
from billing.wording import counted, money
from edge import Fault, Settings
from edge.instants import instant
from edge.output import as_rows
from warehouse import Store

_MOST_CHANGES: Final = 5  # up, and as many down
_MOST_ROWS: Final = 20
_BLOCKS: Final = {
    "PERIOD_OPEN": "the period is not over",
    "USAGE_CONFLICT": "records in conflict: see `usage conflicts`",
    "ADDRESS_MISSING": "a business without street, postal code or city",
    "INCOMPLETE": "usage may be missing",
    "DRAFT_CHANGED": "no longer what was shown: look, then finalize again",
}
# What is told in a word already, or is mended by waiting or by looking.
_NOT_MENDED: Final = ("SELLER_INCOMPLETE", "MONTH_ORDER", "PERIOD_OPEN", "HELD", "DRAFT_CHANGED")


@dataclass(frozen=True, slots=True)
class Reported:
    """The month that was run, the accounts asked for (None: all), whether usage of long ago was
    charged too, and whether documents were closed.
    """

    month: Month
    accounts: Collection[str] | None
    include_old: bool
    closes: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    rows: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = ()

    def __str__(self) -> str:
        shown = self.rows[:_MOST_ROWS]
        table = [as_rows(shown, tuple(shown[0]), "table")] if shown else []
        more = len(self.rows) - len(shown)
        rest = [f"… and {more:,} more"] if more else []
        return "\n".join([self.title, *table, *rest, *self.remarks])


def note_run(books: Store, accounts: Collection[str] | None, left_out: Iterable[Fault]) -> None:
    """Remembers whose documents could not be made, and what nothing rates of the month that lies
    beside the usage now, in the block that lends it.
    """
    rows = ({"account_id": one.place, "code": one.code, "why": one.message} for one in left_out)
    types = dict.fromkeys(("account_id", "code", "why"), pa.string())
    load_rows(books, "report_left_out", rows, types)
    books.execute(REPORT["unbilled"], _scope(accounts))


def control_report(books: Store, home: Settings, run: Reported) -> str:
    """What `run_invoices` left, as text of several tables. Reads `blocks`, `gaps_found` and what
    `note_run` left.
    """
    scope = _scope(run.accounts)
    months = {"month": str(run.month), "before": str(run.month.before)}
    told = {**scope, **months, "issue_zero": home.zero_invoices == "issue"}
    books.execute(REPORT["totals"], told)
    books.execute(REPORT["changes"], months)
    held = books.records(REPORT["held"], {**scope, "month": str(run.month)})
    sections = [
        _documents(books, run, len(held)),
        _sums(books, run),
        _changes(books, run),
        _held(held),
        _blocked(books),
        _to_mend(books, run),
        _unbilled(books, run),
        _postponed(books, scope),
        _too_old(books, home, run, scope),
        _unchecked(books, run, scope),
        _still_open(books, run, scope),
    ]
    return "\n\n".join(str(one) for one in sections if one.rows or one.remarks)


def _scope(accounts: Collection[str] | None) -> dict[str, Any]:
    # DuckDB cannot tell the type of an empty list.
    return {"everyone": accounts is None, "accounts": sorted(accounts or ()) or [""]}


def _documents(books: Store, run: Reported, held: int) -> _Section:
    rows = [
        {"documents": what, "closed": closed, "drafts": drafts}
        for what, closed, drafts in books.rows(REPORT["counts"], {"month": str(run.month)})
    ]
    blocked = books.value("SELECT count(DISTINCT account) FROM blocks WHERE code <> 'HELD'")
    accounts = books.value("SELECT count(DISTINCT account_id) FROM report_left_out")
    rows += [
        {"documents": "held", "closed": None, "drafts": held},
        {"documents": "blocked", "closed": None, "drafts": blocked},
        {"documents": "left out by a fault", "closed": None, "drafts": accounts},
    ]
    return _Section(f"Control report of {run.month}", rows)


def _sums(books: Store, run: Reported) -> _Section:
    found = books.records(REPORT["sums"], {"month": str(run.month)})
    rows = [{**row, "total": _money(row["total"], row["currency"])} for row in found]
    return _Section("Sums before tax, by currency and plan", rows)


def _changes(books: Store, run: Reported) -> _Section:
    title = f"Largest changes against {run.month.before}"
    if not books.value("SELECT count(before) FROM report_changes"):
        return _Section(title, (), [f"{run.month.before} has no documents"])
    rows = [
        {
            "account_id": row["account_id"],
            "currency": row["currency"],
            **{name: _money(row[name], row["currency"]) for name in ("before", "now", "change")},
        }
        for row in books.records(REPORT["largest"], {"most": _MOST_CHANGES})
    ]
    remarks = [
        f"{row['currency']}: {_money(row['now'], row['currency'])} of "
        f"{counted(row['accounts'], 'account')}, before {_money(row['before'], row['currency'])} "
        f"of {row['accounts_before']:,}; {row['new']:,} new, {row['gone']:,} gone"
        for row in books.records(REPORT["movement"])
    ]
    return _Section(title, rows, remarks)


def _held(found: Sequence[Mapping[str, Any]]) -> _Section:
    rows = [
        {
            "account_id": row["account_id"],
            "since": f"{instant(row['at_us']):%Y-%m-%d}",
            "who": row["who"],
            "reason": row["reason"],
        }
        for row in found
    ]
    return _Section("Held, until `invoice release`", rows)


def _blocked(books: Store) -> _Section:
    rows = [
        {**row, "why": _BLOCKS.get(row["code"], row["why"])}
        for row in books.records(REPORT["blocked"])
    ]
    gaps = books.rows(
        "SELECT code, count(DISTINCT place) FROM gaps_found GROUP BY code ORDER BY code"
    )
    remarks = [f"Missing: {', '.join(f'{code} {count:,}' for code, count in gaps)}"] * bool(gaps)
    return _Section("Blocked, or without a document", rows, remarks)


def _to_mend(books: Store, run: Reported) -> _Section:
    """What somebody must do before drafts can be closed, account by account; of who closes it is
    among the faults.
    """
    rows = [
        {"account_id": one.place, "code": one.code, "what": one.message}
        for one in (() if run.closes else block_faults(books))
        if one.code not in _NOT_MENDED
    ]
    return _Section("To mend before it is closed", rows)


def _unbilled(books: Store, run: Reported) -> _Section:
    rows = [
        {
            "reason": row["reason"],
            "accounts": row["accounts"],
            "records": row["records"],
            "seconds": decimal_text(Fraction(row["duration_us"], 1_000_000)),
        }
        for row in books.records("FROM report_unbilled ORDER BY reason")
    ]
    remark = f"See `usage --month {run.month} --unbilled`." if rows else "none"
    return _Section("Unbilled usage, by reason", rows, [remark])


def _postponed(books: Store, scope: Mapping[str, Any]) -> _Section:
    rows = books.records(REPORT["postponed"], scope)
    title = "Changed after it was closed, and not adjusted while records are in conflict"
    remark = "See `usage conflicts`, then `usage cancel`."
    return _Section(title, rows, [remark] * bool(rows))


def _too_old(books: Store, home: Settings, run: Reported, scope: Mapping[str, Any]) -> _Section:
    if run.include_old:
        return _Section("", ())
    least = str(run.month.back(home.adjust_months))
    rows = books.records(REPORT["too_old"], {**scope, "least": least})
    title = f"Changed after it was closed and before {least}: charged only by --include-old"
    return _Section(title, rows)


def _unchecked(books: Store, run: Reported, scope: Mapping[str, Any]) -> _Section:
    rows = books.records(REPORT["unchecked"], {**scope, "month": str(run.month)})
    remark = "Ask the registry, then `account vat-check`."
    return _Section("Reverse charge by a number nobody checked", rows, [remark] * bool(rows))


def _still_open(books: Store, run: Reported, scope: Mapping[str, Any]) -> _Section:
    rows = books.records(REPORT["still_open"], {**scope, "month": str(run.month)})
    return _Section("Months that are still open", rows)


def _money(amount: int | None, currency: str) -> str | None:
    return None if amount is None else money(minor_to_money(amount, currency), currency)
