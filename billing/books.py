"""The catalogue in the books: accounts, their history and price books, as rows and back.

Owns what an import or a load changes. Does not know what anything costs, nor any invoice but
that a final one holds on to the book it was made from.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from billing.accounts import Account, AccountFile, Subscription, parse_accounts
from billing.audit_trail import Act, record
from billing.pricebook import Plan, PriceBook
from billing.pricebook_check import parse_price_book
from billing.queries import SQL
from billing.rows import load_rows
from edge import Fault, Refused, Settings
from edge.faults import nearest
from edge.private import make_folder
from warehouse import Store, open_scratch, open_store

_ACCOUNT_COLUMNS = ", ".join(column.name for column in fields(Account))
_ROW_COLUMNS = ", ".join(column.name for column in fields(Subscription))
# What is no text.
_TYPES: Final = {
    **dict.fromkeys(("since", "until"), pa.date32()),
    **dict.fromkeys(("quantity", "payment_terms_days"), pa.int64()),
}


@contextmanager
def open_books(home: Settings, *, make: bool = True) -> Iterator[Store]:
    """The books, closed at the end of the block. Where there are none they are made, or with
    `make` False are empty ones in memory: who only looks leaves nothing behind.
    """
    if make:
        make_folder(home.home)
    exist = make or home.books.exists()
    store = open_store(home.books, "books") if exist else open_scratch("books")
    with store.closing():
        store.hold(home.memory_mib)
        yield store


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that rating needs of the books, besides usage."""

    accounts: tuple[tuple[str, str, str], ...]  # id, time zone, currency
    history: dict[str, list[Subscription]]
    price_books: tuple[PriceBook, ...]
    frozen: frozenset[str] = frozenset()
    unreadable: tuple[tuple[str, date], ...] = ()  # versions, by code and effective_from

    def under(self, frozen: Iterable[str]) -> "Catalogue":
        """The same with these versions, by hash, in place of all others of their books, but for
        plans that they do not have: a plan told too late may be newer than what was frozen.
        """
        return replace(self, frozen=frozenset(frozen)) if frozen else self

    def find_plans(self, book: str | None, plan: str, day: date) -> list[tuple[PriceBook, Plan]]:
        """The plan in each book that has it, by the version in force on `day`."""
        latest: dict[str, tuple[PriceBook, Plan]] = {}
        frozen: dict[str, tuple[PriceBook, Plan]] = {}
        for version in self.price_books:  # in order of effective_from
            if version.effective_from <= day and book in (None, version.book):
                is_frozen = version.sha256 in self.frozen
                for known in (latest, frozen) if is_frozen else (latest,):
                    known.pop(version.book, None)
                    if one := version.plan(plan):
                        known[version.book] = version, one
        return list((latest | frozen).values())

    def unreadable_for(self, book: str | None, day: date) -> str | None:
        """The first version that could price a day and cannot be read, of this book, or of any.

        Whatever came before it is not taken in its place: that would be another price.
        """
        found = (
            f"{code}@{at}" for code, at in self.unreadable if at <= day and book in (None, code)
        )
        return next(found, None)

    def versions(self, until: date) -> tuple[PriceBook, ...]:
        """Those that may be in force before a day: of a frozen book, the frozen ones."""
        codes = {one.book for one in self.price_books if one.sha256 in self.frozen}
        return tuple(
            one
            for one in self.price_books
            if one.effective_from < until and (one.book not in codes or one.sha256 in self.frozen)
        )

    def named(self, history: Iterable[Subscription], day: date) -> list[Subscription]:
        """A history with the book of each plan that only one has on `day`, or on the plan's first
        day if that is later: `p` and `b/p` are then one plan.
        """
        found = []
        for row in history:
            plans = self.find_plans(row.book, row.plan, max(row.since, day))
            found.append(replace(row, book=plans[0][0].book) if len(plans) == 1 else row)
        return found


def load_catalogue(books: Store, account_id: str | None = None) -> Catalogue:
    """Of all accounts, or of one: refuses with ACCOUNT_UNKNOWN where there is none of that id."""
    history: dict[str, list[Subscription]] = {}
    for row in subscriptions(books, account_id):
        history.setdefault(row.account_id, []).append(row)
    sql = """SELECT account_id, time_zone, currency FROM accounts
    WHERE $account IS NULL OR account_id = $account ORDER BY account_id"""
    people = books.rows(sql, {"account": account_id})
    if account_id is not None and not people:
        message = f"there is no account {account_id}: import it first"
        raise Refused("ACCOUNT_UNKNOWN", message)
    readable, unreadable = _stored_books(books)
    return Catalogue(tuple(people), history, readable, unreadable=unreadable)


def price_books(books: Store) -> tuple[PriceBook, ...]:
    """Every version that can be read, in order of book and effective_from."""
    return _stored_books(books)[0]


def _stored_books(
    books: Store,
) -> tuple[tuple[PriceBook, ...], tuple[tuple[str, date], ...]]:
    """The versions, and those that are not what was loaded: damaged, or changed behind our back."""
    sql = "SELECT book, effective_from, sha256, content FROM price_books"
    readable: list[PriceBook] = []
    unreadable: list[tuple[str, date]] = []
    for code, since, sha256, text in books.rows(f"{sql} ORDER BY book, effective_from"):
        try:
            found = parse_price_book(text, stored=True)
        except Refused:
            unreadable.append((code, since))
            continue
        if found.sha256 == sha256:
            readable.append(found)
        else:
            unreadable.append((code, since))
    return tuple(readable), tuple(unreadable)


def accounts(books: Store, account_id: str | None = None) -> list[Account]:
    """All of them or one, in order."""
    sql = f"""SELECT {_ACCOUNT_COLUMNS} FROM accounts
    WHERE $account IS NULL OR account_id = $account ORDER BY account_id"""
    return [Account(*row) for row in books.rows(sql, {"account": account_id})]


def find_account(books: Store, account_id: str) -> Account | Fault:
    """The account, or the fault ACCOUNT_UNKNOWN with the nearest names."""
    found = accounts(books, account_id)
    if found:
        return found[0]
    names = [name for (name,) in books.rows("SELECT account_id FROM accounts ORDER BY account_id")]
    hint = nearest(account_id, names, at_most=3) or "see `account list`, or import it first"
    return Fault("ACCOUNT_UNKNOWN", account_id, f"there is no such account; {hint}")


def subscriptions(books: Store, account_id: str | None = None) -> list[Subscription]:
    """The history of all accounts or of one, in order of account and date."""
    sql = f"""SELECT {_ROW_COLUMNS} FROM subscriptions
    WHERE $account IS NULL OR account_id = $account ORDER BY account_id, since"""
    return [Subscription(*row) for row in books.rows(sql, {"account": account_id})]


def merge_subscriptions(books: Store, rows: Iterable[Subscription]) -> None:
    """`merge_history` in the books, within the caller's transaction."""
    load_rows(books, "imported_subscriptions", map(_row, rows), _columns(Subscription))
    books.execute(SQL["merge_subscriptions"])


def import_accounts(books: Store, content: bytes) -> tuple[int, int]:
    """Upserts the file's accounts and rows of history: how many of each it has. Refuses as
    `parse_accounts`; nothing is imported then. What the file has no column for stays.
    """
    file = read_accounts(books, content)
    with books.transaction():
        merge_file(books, file)
    return len(file.accounts), len(file.subscriptions)


def read_accounts(books: Store, content: bytes) -> AccountFile:
    """The file as it may join these books. Refuses as `parse_accounts`."""
    return parse_accounts(content, subscriptions(books), _fixed_currencies(books))


def merge_file(books: Store, file: AccountFile) -> None:
    """Within the caller's transaction."""
    if not file.accounts:
        return
    told = {name: kind for name, kind in _columns(Account).items() if name in file.columns}
    load_rows(books, "imported_accounts", map(_row, file.accounts), told)
    books.execute(SQL["merge_accounts"])
    merge_subscriptions(books, file.subscriptions)


def _fixed_currencies(books: Store) -> dict[str, str]:
    """The currency of each account of which anything is final, or that has paid ahead or has
    amounts entered; a draft can be made again.
    """
    return dict(books.rows(SQL["fixed_currencies"]))


def _row(one: Account | Subscription) -> dict[str, Any]:
    return {column.name: getattr(one, column.name) for column in fields(one)}


def _columns(kind: type[Account | Subscription]) -> dict[str, pa.DataType]:
    return {column.name: _TYPES.get(column.name, pa.string()) for column in fields(kind)}


def read_input(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("FILE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error


def load_price_book(books: Store, content: bytes, act: Act | None = None) -> tuple[PriceBook, bool]:
    """Stores the version that a file holds, and says whether anything changed. A version that a
    final invoice was made from is not replaced: BOOK_IN_USE. `act` is told in the audit trail, its
    subject and details made here.
    """
    book = parse_price_book(content)
    version = [book.book, book.effective_from]
    where = "WHERE book = ? AND effective_from = ?"
    found = books.rows(f"SELECT sha256 FROM price_books {where}", version)
    if found == [(book.sha256,)]:
        return book, False
    if found and _is_used(books, found[0][0]):
        raise Refused(
            "BOOK_IN_USE",
            f"{book.book} of {book.effective_from} is what final invoices were made from: "
            "load the change under a later effective_from",
        )
    with books.transaction():
        books.execute(f"DELETE FROM price_books {where}", version)
        row = [*version, book.currency, book.sha256, content.decode("utf-8")]
        books.execute("INSERT INTO price_books VALUES (?, ?, ?, ?, ?)", row)
        if act:
            subject = f"{book.book}@{book.effective_from}"
            details = {"sha256": book.sha256, "replaced": found[0][0] if found else None}
            record(books, [replace(act, subject=subject, details={**act.details, **details})])
    return book, True


def _is_used(books: Store, sha256: str) -> bool:
    sql = """SELECT count(*) FROM invoices
    WHERE status IN ('final', 'nil', 'void') AND list_contains(books, ?)"""
    return bool(books.value(sql, [sha256]))
