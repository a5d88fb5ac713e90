"""Which version of a price book is meant: by its code and a day, by both together, or as a file.

Owns how commands name versions. Loading one into the books is `billing.books`.
"""

from datetime import date
from pathlib import Path
from typing import Any

from billing.books import read_input
from billing.pricebook import PriceBook
from billing.pricebook_check import parse_price_book
from edge import Refused
from warehouse import Store

Row = dict[str, Any]


def is_file(name: str) -> bool:
    """A path with a slash, or a name that ends in .toml; anything else is a loaded book."""
    return "/" in name or name.endswith(".toml")


def find_version(books: Store, name: str, day: date) -> PriceBook:
    """The version that `name` means: a file; CODE@DATE, of that `effective_from`; or CODE, the one
    in force on `day`, and before its first day the first. Refuses with BOOK_UNKNOWN,
    VERSION_UNKNOWN, FILE_UNREADABLE, or as `parse_price_book`.
    """
    if is_file(name):
        return parse_price_book(read_input(Path(name)))
    loaded = _loaded(books)
    code, at, since = name.rpartition("@")
    if not at or any(row["book"] == name for row in loaded):
        versions = _versions(loaded, name)
        return _parsed([versions[0], *_begun(versions, day)])
    versions = _versions(loaded, code)
    found = [row for row in versions if row["effective_from"].isoformat() == since]
    if not found:
        days = ", ".join(f"{code}@{row['effective_from']}" for row in versions)
        raise Refused("VERSION_UNKNOWN", f"no {name} is loaded; there are: {days}")
    return _parsed(found)


def version_in_force(books: Store, code: str, day: date) -> PriceBook:
    """Refuses with BOOK_UNKNOWN or BOOK_NOT_IN_FORCE."""
    versions = _versions(_loaded(books), code)
    begun = _begun(versions, day)
    if not begun:
        first = versions[0]["effective_from"]
        message = f"{code} is not in force on {day}: ask for --on {first}, its first day, or later"
        raise Refused("BOOK_NOT_IN_FORCE", message)
    return _parsed(begun)


def _loaded(books: Store) -> list[Row]:
    sql = "SELECT book, effective_from, content FROM price_books ORDER BY effective_from"
    return books.records(sql)


def _versions(loaded: list[Row], code: str) -> list[Row]:
    versions = [row for row in loaded if row["book"] == code]
    if not versions:
        codes = ", ".join(sorted({row["book"] for row in loaded})) or "none"
        raise Refused("BOOK_UNKNOWN", f"no book {code} is loaded; there are: {codes}")
    return versions


def _begun(versions: list[Row], day: date) -> list[Row]:
    return [row for row in versions if row["effective_from"] <= day]


def _parsed(versions: list[Row]) -> PriceBook:
    """The last of them."""
    return parse_price_book(versions[-1]["content"], stored=True)
