"""Seconds that billing's books need: importing accounts and closing a month of them.

Run: `python benchmarks/books.py [ACCOUNTS]`. Reading the file without importing it, and drafts
without closing them, are what the ratios compare with. No usage: what it costs is rating's.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from billing import (
    Closing,
    import_accounts,
    load_price_book,
    open_books,
    parse_accounts,
    run_invoices,
)
from billing.month import Month
from edge import load_settings
from warehouse import open_store

_MONTH = Month(2026, 10)
_CLOSED_AT_US = 1_793_610_000_000_000  # 2026-11-02T09:00:00Z
_BOOK = b"""
book = "standard-2026"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "business"
name = "Business"
[[plan.fee]]
code = "base"
description = "Business plan"
amount = 49.00
[[plan.charge]]
code = "participant_minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.004
"""


def _accounts(count: int) -> bytes:
    head = "account_id,name,email,country,language,time_zone,currency,plan,since"
    row = "acc-{0:06},Acme {0},a{0}@acme.example,DE,de,Europe/Berlin,EUR,business,2026-01-01"
    return "\n".join([head, *map(row.format, range(count))]).encode()


def _seconds(step: Callable[[], object]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def main(accounts: int, root: Path) -> None:
    home = load_settings(root, {})
    open_store(home.usage, "usage").close()
    content = _accounts(accounts)
    with open_books(home) as books:
        load_price_book(books, _BOOK)
        read = _seconds(lambda: parse_accounts(content))
        first = _seconds(lambda: import_accounts(books, content))
        second = _seconds(lambda: import_accounts(books, content))
        drafts = _seconds(lambda: run_invoices(books, home, _MONTH, None, None))
        final = _seconds(
            lambda: run_invoices(books, home, _MONTH, None, Closing(_CLOSED_AT_US, "clerk"))
        )
        numbers = books.value("SELECT count(DISTINCT number) FROM invoices")
    assert numbers == accounts
    print(f"{accounts:,} accounts")
    print(f"read the file  {read:7.1f} s")
    print(f"import         {first:7.1f} s  {first / read:5.1f} times reading it")
    print(f"import again   {second:7.1f} s  {second / read:5.1f} times")
    print(f"drafts         {drafts:7.1f} s")
    print(f"final          {final:7.1f} s  {final / drafts:5.1f} times the drafts")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(folder))
