"""A month billed in this process, from texts and rows, beside what the oracle makes of the same."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa

from billing import (
    Closing,
    Month,
    list_invoices,
    load_price_book,
    open_books,
    parse_price_book,
    run_invoices,
)
from billing.books import import_accounts
from billing.rows import append_rows
from edge import Fault, Settings
from edge.instants import instant
from tests.oracle_calendar import EPOCH
from tests.oracle_month import Oracle, used
from tests.recount import IDENTITY
from warehouse import Store, open_store

OCTOBER: Final = date(2026, 10, 1)
MIDDLE_US: Final = (datetime(2026, 10, 20, 12, tzinfo=UTC) - EPOCH).days * 86_400 * 1_000_000
CLOSED_AT_US: Final = (datetime(2026, 11, 5, tzinfo=UTC) - EPOCH).days * 86_400 * 1_000_000
COLUMNS: Final = {
    **dict.fromkeys(("record_id", "account_id", "meeting_id", "participant_id"), pa.string()),
    **dict.fromkeys(("meter", "variant", "continues"), pa.string()),
    **dict.fromkeys(("started_at", "last_seen"), pa.timestamp("us")),
    **dict.fromkeys(("stopped", "cancelled"), pa.bool_()),
    "quantity": pa.int64(),
}
DAYS: Final = {
    **{"day": pa.date32(), "last_batch": pa.int64()},
    **dict.fromkeys(("account_id", "meter"), pa.string()),
}
# What is lent where nobody asks for usage.
NO_USAGE: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("from_us", "end_us", "old_from_us", "old_end_us"), 0),
    "old_accounts": [""],
}
State = dict[str, Any]


@dataclass(frozen=True)
class Billed:
    """The run's faults, and its documents by account."""

    faults: list[Fault]
    documents: dict[str, dict[str, Any]]


def record(number: int, account: str, **told: Any) -> State:
    """A row of `usage_records`: an hour in October, but for what is told. Times in microseconds."""
    start = told.pop("start", MIDDLE_US)
    row = {
        "record_id": uuid.UUID(int=number),
        "account_id": account,
        "meeting_id": "m",
        "participant_id": None,
        "meter": "participant",
        "variant": None,
        "continues": None,
        "started_at": start,
        "last_seen": start + told.pop("length", 3_600_000_000),
        "stopped": True,
        "cancelled": False,
        "quantity": None,
    }
    assert told.keys() <= row.keys(), told
    return row | told


def store_usage(home: Settings, records: Iterable[State]) -> None:
    """Into the usage store that the projector would have made."""
    rows = [
        one | {name: one[name] and str(one[name]) for name in ("record_id", "continues")}
        for one in records
    ]
    with open_store(home.usage, "usage").closing() as store:
        append_rows(store, "usage_records", rows, COLUMNS)


def tell_late(home: Settings, records: Sequence[State]) -> None:
    """More of them, by a batch after all others, each counted on the day it began."""
    store_usage(home, records)
    with open_store(home.usage, "usage").closing() as store:
        batch = store.value("SELECT coalesce(max(batch), 0) + 1 FROM batches")
        store.execute("INSERT INTO batches BY NAME SELECT ? AS batch", [batch])
        days = [
            {"day": instant(one["started_at"]).date(), "account_id": one["account_id"]}
            | {"meter": one["meter"], "last_batch": batch}
            for one in records
        ]
        append_rows(store, "usage_daily", days, DAYS)


def fill_books(home: Settings, texts: Sequence[str], accounts: str, *, old: bool = False) -> None:
    """`old`: the books as a version stored them that did not refuse charges beyond all limits."""
    with open_books(home) as books:
        for text in texts:
            if old:
                store_book(books, text)
            else:
                load_price_book(books, text.encode())
        import_accounts(books, accounts.encode())


def store_book(books: Store, text: str) -> None:
    """Puts a price book where loaded ones are, whatever loading it would say."""
    book = parse_price_book(text, stored=True)
    row = [book.book, book.effective_from, book.currency, book.sha256, text]
    books.execute("INSERT INTO price_books VALUES (?, ?, ?, ?, ?)", row)


def bill(home: Settings, closed_at_us: int | None = CLOSED_AT_US) -> Billed:
    """October of all accounts."""
    month = Month(OCTOBER.year, OCTOBER.month)
    with open_books(home) as books:
        faults = run_invoices(
            books,
            home,
            month,
            None,
            Closing(closed_at_us, "clerk") if closed_at_us is not None else None,
        )
        return Billed(faults, {one["account_id"]: one for one in list_invoices(books, month)})


def recount(
    texts: Sequence[str], accounts: str, records: Iterable[State]
) -> dict[str, list[dict[str, Any]]]:
    """The oracle's lines of October, by account."""
    wanted = Oracle(accounts, list(texts), used(states(records))).close(OCTOBER)
    return {account: document["lines"] for account, document in wanted.documents.items()}


def states(records: Iterable[State]) -> dict[tuple[Any, ...], State]:
    """Rows of `usage_records` as `recount.records` gives them."""
    found = {}
    for one in records:
        named = {**one, "record_id": one["record_id"].bytes}
        found[tuple(named[name] for name in IDENTITY)] = {
            **{name: one[name] for name in ("stopped", "cancelled", "quantity")},
            "seen": one["last_seen"],
            "continues": one["continues"] and one["continues"].bytes,
        }
    return found


def alike(found: Sequence[State], wanted: Sequence[State]) -> bool:
    """Whether lines are the oracle's in all that it tells, but for the documents they correct."""
    return len(found) == len(wanted) and all(
        {name: line[name] for name in told if name != "origin"}
        == {name: value for name, value in told.items() if name != "origin"}
        for line, told in zip(found, wanted, strict=True)
    )
