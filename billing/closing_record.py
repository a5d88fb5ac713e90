"""What stands behind a closed document: who closed it, what was passed over, what corrects it.

Owns how that is read from the books and told. Of the gate's allowances only those that may touch
the document's account are its own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from billing.money import minor_to_money
from billing.queries import SQL
from billing.wording import money
from edge.instants import instant, micros
from warehouse import Store

_ALLOWANCES: Final = ("retired", "dismissed", "unclean", "accepted")
_KINDS: Final = {"concession": "Concession", "correction": "Correction", "void": "Cancellation"}
_TOLD_MAX: Final = 20
_ASKED: Final = {
    "accept_incomplete": "Closed although usage may be missing",
    "include_old": "Charged usage of long ago too",
}


def closing_of(books: Store, id: str) -> dict[str, Any] | None:
    """`run`, `finalized_at`, `who`, the `overrides` by name, and `retired`, `dismissed`, `unclean`
    and `accepted` as the run's snapshot has them; None of a draft.
    """
    for row in books.records(SQL["closed_by"], {"id": id}):
        snapshot = json.loads(row["snapshot"] or "{}")
        return {
            "run": row["run"],
            "finalized_at": instant(row["finalized_us"]),
            "who": row["who"],
            **{name: list(_own(snapshot.get(name, ()), row["account_id"])) for name in _ALLOWANCES},
            "overrides": json.loads(row["overrides"]),
        }
    return None


def _own(rows: Iterable[dict[str, Any]], account_id: str) -> Iterator[dict[str, Any]]:
    return (row for row in rows if row.get("account_id") in (None, account_id))


def tell_closing(closing: Mapping[str, Any] | None) -> Iterator[str]:
    """A sentence for the act, and one for each thing that it passed over."""
    if closing is None:
        return
    at = _utc(micros(closing["finalized_at"]))
    yield f"Closed by {closing['who']} at {at}, run {closing['run']}"
    for name, reason in closing["overrides"].items():
        yield f"{_ASKED.get(name, name)}: {reason}"
    for gap in closing["accepted"][:_TOLD_MAX]:
        yield f"Missing then: {gap['code']}, {gap['place']}: {gap['message']}"
    if more := len(closing["accepted"][_TOLD_MAX:]):
        yield f"Missing then: {more:,} more, which `--format json` has"
    for server in closing["retired"]:
        yield (
            f"Not waited for: server {server['server_id']}, retired on {server['retired_on']} "
            f"by {server['who']}: {server['reason']}"
        )
    yield from _dismissed(closing["dismissed"])
    for source in closing["unclean"]:
        yield f"Not closed in good order: source {source['source']}"


def _dismissed(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows given up for one reason may be thousands: those that follow each other are told once."""
    alike = groupby(rows, key=lambda row: (row["code"], row["who"], row["reason"]))
    for (code, who, reason), group in alike:
        ids = [row["id"] for row in group]
        what = f"row {ids[0]}" if len(ids) == 1 else f"{len(ids):,} rows, {ids[0]} to {ids[-1]}"
        yield f"Passed over: quarantine {what}, {code}, dismissed by {who}: {reason}"


def tell_corrections(books: Store, document: Mapping[str, Any]) -> Iterator[str]:
    """What it corrects, and what corrects it or made it void."""
    if document["corrects"]:
        yield f"Corrects {document['corrects']}"
    if document["apart"]:
        yield "Apart from the month's own document: what is within the scope of VAT and what is not"
    if document["reason"]:
        yield f"{_KINDS.get(document['credit'], document['credit'])}: {document['reason']}"
    for row in books.records(SQL["voided_by"], {"id": document["id"]}):
        yield f"Made void by {row['who']} at {_utc(row['at_us'])}: {row['reason']}"
    for row in books.records(SQL["given_on"], {"id": document["id"]}):
        amount = _money(row["amount"], row["currency"])
        told = f"{amount} {row['currency']}" + (f": {row['reason']}" if row["reason"] else "")
        if row["credit"] == "void":
            yield f"Taken back by {row['number']}, {told}"
        else:
            by = f"{row['number']}, which is void" if row["status"] == "void" else row["number"]
            yield f"Corrected by {by}, {row['credit'] or 'credit note of a run'} of {told}"


def _utc(moment_us: int) -> str:
    return f"{instant(moment_us):%Y-%m-%d %H:%M} UTC"


def _money(amount: int, currency: str) -> str:
    return money(minor_to_money(amount, currency), currency)
