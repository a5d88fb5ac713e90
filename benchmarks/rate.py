"""Seconds and memory of a month's run over many accounts and records, all models at once: drafted,
and closed with evidence.

Run: `python benchmarks/rate.py [ACCOUNTS] [RECORDS] [--dir DIR]` (100,000 and 10 million). The run
is compared with the least that any billing must do in DuckDB: reading the records once and adding
them up by account, meter and variant. So is a `price-book diff` with the run; closing, which drafts
again, with the draft run; and `invoice explain` and `invoice verify` of one document, by the wall
clock and with the start of a process, with `invoice show` of it. Closing is measured once more with
a seller whose documents are taxed, as a ratio to closing without. Then what each model, measure and
scope of rounding costs: a book of that one charge over a tenth of it all, as a ratio to `per_unit`.
Every run is a process of its own; its peak memory is its peak resident set (Linux), its processor
time counts all threads and hardly depends on what else the machine does. Accounts and prices are
in the books before. 100 million records need 5 GB of disk and about five minutes to be made.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from catalogue import ALONE, accounts_csv, book_of_one, whole_book
from usage_store import make_usage

from billing import (
    Closing,
    import_accounts,
    load_price_book,
    open_books,
    parse_price_book,
    run_invoices,
)
from billing.book_diff import BookPair, compare_books
from billing.month import Month
from edge import Settings, load_settings
from warehouse import open_store

_HERE = Path(__file__).parent.parent
_MONTH = Month(2026, 10)
_CLOSED_US = 4_000_000_000_000_000
_PART = 10  # of the whole, for each charge alone
_SELLER = """
[seller]
name = "HomeMeeting GmbH"
street = "Ring 1"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_number = "DE136695976"
"""
_READ_ONCE = """
SELECT count(*) FROM (
    SELECT
        account_id, meter, variant, count(*) AS records,
        sum(epoch_us(last_seen) - epoch_us(started_at)) AS duration_us, sum(quantity) AS quantity
    FROM usage_records WHERE NOT cancelled
    GROUP BY account_id, meter, variant
)
"""


class _Used(NamedTuple):
    """What a process took for its work: wall clock, processor time of all threads, memory."""

    seconds: float
    cpu_s: float
    peak_mib: float


def _make(home: Settings, accounts: str, records: str) -> None:
    home.home.mkdir(parents=True)
    make_usage(home.usage, int(accounts), int(records))


def _prepare(home: Settings, accounts: str, name: str) -> None:
    home.books.unlink(missing_ok=True)
    with open_books(home) as books:
        load_price_book(books, whole_book() if name == "whole" else book_of_one(name))
        import_accounts(books, accounts_csv(int(accounts)))


def _read_once(home: Settings) -> None:
    with open_store(home.usage, "usage").closing() as store:
        assert store.value(_READ_ONCE)


def _draft(home: Settings) -> None:
    with open_books(home) as books:
        faults = run_invoices(books, home, _MONTH, None, None)
    assert not faults, faults[:3]


def _close(home: Settings) -> None:
    """The few accounts with records in conflict stay drafts."""
    reasons = {"accept_incomplete": "benchmark"}
    with open_books(home) as books:
        faults = run_invoices(
            books, home, _MONTH, None, Closing(_CLOSED_US, "clerk", overrides=reasons)
        )
    assert {fault.code for fault in faults} <= {"USAGE_CONFLICT"}, faults[:3]


def _diff(home: Settings) -> None:
    """Every account's bill of the month under the book and under a cheaper one."""
    old, new = (parse_price_book(text) for text in (whole_book(), _cheaper(whole_book())))
    with open_books(home) as books:
        faults = compare_books(books, home, BookPair(old, new), [_MONTH], lambda _: None)
    assert not faults, faults[:3]


def _cheaper(book: bytes) -> bytes:
    return book.replace(b"unit_price = 0.004,", b"unit_price = 0.0035,")


_WORK: dict[str, Any] = {
    "make": _make,
    "prepare": _prepare,
    "read once": _read_once,
    "draft": _draft,
    "close": _close,
    "diff": _diff,
}


def _work(root: Path, what: str, *told: str) -> None:
    home = load_settings(root, {})
    wall, cpu = time.perf_counter(), time.process_time()
    _WORK[what](home, *told)
    used = _Used(time.perf_counter() - wall, time.process_time() - cpu, _peak_mib())
    print(json.dumps(used))


def _peak_mib() -> float:
    """The peak resident set; getrusage would count what the parent held when it forked."""
    (line,) = (
        one
        for one in Path("/proc/self/status").read_text("ascii").splitlines()
        if one.startswith("VmHWM:")
    )
    return int(line.split()[1]) / 1024


def _measure(root: Path, what: str, *told: object) -> _Used:
    """Does it in a process of its own."""
    command = [sys.executable, __file__, "--work", str(root), what, *map(str, told)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return _Used(*json.loads(done.stdout.splitlines()[-1]))


def _say(what: str, used: _Used, ratio: str = "") -> None:
    took = f"{used.seconds:8.1f} s {used.cpu_s:8.1f} s CPU {used.peak_mib:8,.0f} MiB peak"
    print(f"{what:<18}{took}  {ratio}".rstrip(), flush=True)


def _whole(root: Path, accounts: int, records: int) -> None:
    print(f"{accounts:,} accounts, {records:,} records, {os.cpu_count()} processors")
    _say("make the records", _measure(root, "make", accounts, records))
    _say("import", _measure(root, "prepare", accounts, "whole"))
    once = _measure(root, "read once")
    _say("read once", once)
    draft = _measure(root, "draft")
    _say("draft run", draft, f"{draft.cpu_s / once.cpu_s:5.1f} times reading once (CPU)")
    diff = _measure(root, "diff")
    _say("diff of two books", diff, f"{diff.cpu_s / draft.cpu_s:5.1f} times the draft run (CPU)")
    close = _measure(root, "close")
    _say("close", close, f"{close.cpu_s / draft.cpu_s:5.1f} times the draft run (CPU)")
    _one_document(root, f"2026-10.acc-{accounts // 2:06}")
    _measure(root, "prepare", accounts, "whole")
    (root / "homemeeting.toml").write_text(_SELLER)
    _measure(root, "draft")
    taxed = _measure(root, "close")
    _say("close, with tax", taxed, f"{taxed.cpu_s / close.cpu_s:5.2f} times without (CPU)")
    (root / "homemeeting.toml").unlink()


def _one_document(root: Path, id: str) -> None:
    """Each command in a process of its own, the best of three."""
    first = 0.0
    for words in (["show"], ["explain"], ["verify", "--no-documents"]):
        command = [sys.executable, "-m", "cli", "--home", str(root), "invoice", *words, id]
        seconds = min(_wall(command) for _ in range(3))
        first = first or seconds
        print(f"{words[0] + ' one':<18}{seconds:8.2f} s  {seconds / first:5.1f} times showing it")


def _wall(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd=_HERE)
    return time.perf_counter() - begin


def _each(root: Path, accounts: int, records: int) -> None:
    print(f"one charge at a time: {accounts:,} accounts, {records:,} records")
    _measure(root, "make", accounts, records)
    first = 0.0
    for name in ALONE:
        _measure(root, "prepare", accounts, name)
        used = _measure(root, "draft")
        first = first or used.cpu_s
        _say(name, used, f"{used.cpu_s / first:5.2f} times per_unit (CPU)")


def main(accounts: int, records: int, root: Path) -> None:
    _whole(root / "whole", accounts, records)
    (root / "whole" / "usage.duckdb").unlink()
    _each(root / "each", max(accounts // _PART, 1), max(records // _PART, 10))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _work(Path(sys.argv[2]), *sys.argv[3:])
        sys.exit()
    parser = argparse.ArgumentParser(description="The draft run's speed and memory.")
    parser.add_argument("accounts", type=int, nargs="?", default=100_000)
    parser.add_argument("records", type=int, nargs="?", default=10_000_000)
    parser.add_argument("--dir", help="where to work [the system's temporary folder]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        main(given.accounts, given.records, Path(folder))
