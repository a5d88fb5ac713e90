"""Files put into the books on purpose: accounts and price books, with an entry in the audit trail.

Owns what the entry says and what comes too late for closed months. How rows join the books is
`billing.books`.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from billing.audit_trail import Act, record
from billing.books import load_price_book, merge_file, price_books, read_accounts
from billing.late_changes import Late, changed_histories, late_changes, note_histories
from billing.month import month_of
from billing.pricebook import PriceBook
from billing.queries import SQL
from warehouse import Store

_NAMED_MAX: Final = 1_000  # documents in an entry; all their months are among the `revisits`


@dataclass(frozen=True, slots=True)
class Imported:
    """How many accounts and subscriptions the file has, how many accounts it changed, and what that
    comes too late for.
    """

    accounts: int
    subscriptions: int
    changed: int
    late: tuple[Late, ...]


def import_file(books: Store, content: bytes, act: Act) -> Imported:
    """An accounts file. `act` says who, when, why, and as its subject the name of the file; its
    details are made here. A file that changes nothing leaves no entry. Refuses as `parse_accounts`.
    """
    file = read_accounts(books, content)
    late: list[Late] = []
    with books.transaction():
        books.execute(SQL["accounts_before"])
        note_histories(books)
        merge_file(books, file)
        told = dict(books.rows(SQL["changed_accounts"]))
        replanned = changed_histories(books)
        if replanned:
            late = late_changes(books, price_books(books))
        changed = sorted({*told, *replanned})
        if changed:
            details = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "accounts": len(file.accounts),
                "subscriptions": len(file.subscriptions),
                "new": [one for one, is_new in told.items() if is_new],
                "changed": [one for one in changed if not told.get(one)],
                "closed": len(late),
                "first_closed": [f"{one.account_id}: {one.name}" for one in late[:_NAMED_MAX]],
            }
            record(books, [replace(act, details=details)])
    return Imported(len(file.accounts), len(file.subscriptions), len(changed), tuple(late))


@dataclass(frozen=True, slots=True)
class LoadedBook:
    """`closed` are the months from its first day on, with the number of accounts, that were closed
    by other versions of the book; `versions` the first days of all, in order, if there are any.
    """

    book: PriceBook
    is_new: bool
    closed: tuple[tuple[str, int], ...]
    versions: tuple[str, ...]


def load_book(books: Store, content: bytes, act: Act) -> LoadedBook:
    """As `load_price_book`, with an entry where anything changed."""
    book, is_new = load_price_book(books, content, act)
    if not is_new:
        return LoadedBook(book, False, (), ())
    since = book.effective_from
    asked = {"book": book.book, "month": str(month_of(since))}
    closed = tuple(books.rows(SQL["closed_by_book"], asked))
    sql = "SELECT effective_from::VARCHAR FROM price_books WHERE book = ? ORDER BY effective_from"
    versions = tuple(day for (day,) in books.rows(sql, [book.book])) if closed else ()
    return LoadedBook(book, True, closed, versions)
