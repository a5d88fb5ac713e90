"""Billing reads usage in place or from its running writer: the same month either way."""

import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from billing import Month, list_invoices, open_books, run_invoices
from billing.queries import COPIES
from edge import Refused, Settings
from tests.billed import CLOSED_AT_US, MIDDLE_US, NO_USAGE, bill, fill_books, record, store_usage
from tests.test_no_float import ACCOUNTS, book
from warehouse import Store, lend_tables, open_scratch, open_store

BOUNDS = {**NO_USAGE, "from_us": MIDDLE_US - 10**12, "end_us": MIDDLE_US + 10**12}
OPEN = """
import sys
from pathlib import Path
from edge import Refused
from warehouse import open_store
try:
    open_store(Path(sys.argv[1]), "usage", wait_s=0.1).close()
except Refused as refused:
    print(refused.code)
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Records that meet on every line, that continue, are in conflict, of nobody, and withdrawn."""
    home = Settings(tmp_path / "home", None, "clerk")
    fill_books(home, [book()], ACCOUNTS + "b,B,b@b.example,DE,en,Asia/Tokyo,EUR,p,2026-10-03,,1\n")
    told: list[dict[str, Any]] = [
        {"participant_id": "p", "quantity": 5},
        {"participant_id": "p", "quantity": None, "continues": uuid.UUID(int=0)},
        {"continues": uuid.UUID(int=10), "variant": "DE", "length": 0},
        {"quantity": 2**62, "length": 26 * 3_600_000_000 + 1},
        {"cancelled": True},
        {"start": MIDDLE_US - 3 * 86_400_000_000, "length": 47 * 3_600_000_000},
        {"account": "nobody"},
        {"variant": "NULL", "meeting_id": "n"},
    ]
    records = [
        record(10 * n + m, **{"account": id, **one})
        for m, id in enumerate("ab")
        for n, one in enumerate(told)
    ]
    store_usage(home, [*records, record(99, "a"), record(99, "nobody")])
    return home


def left_behind(books: Store) -> tuple[Any, ...]:
    listed = ", ".join(f"'{name}'" for name in COPIES.all())
    sql = f"SELECT count(*) FROM duckdb_views() WHERE temporary AND view_name IN ({listed})"
    attached = "SELECT count(*) FROM duckdb_databases() WHERE database_name = 'source'"
    found = (books.value(sql), books.value(attached), books.value("SELECT current_database()"))
    return *found, "source" in books.value("SELECT current_setting('search_path')")


def test_a_month_is_the_same_in_place_and_from_its_running_writer(
    home: Settings, tmp_path: Path
) -> None:
    other = Settings(tmp_path / "other", None, "clerk")
    shutil.copytree(home.home, other.home)
    with open_store(other.usage, "usage").closing() as writer:
        writer.serve()
        served = bill(other)
    in_place = bill(home)
    assert (served.faults, served.documents) == (in_place.faults, in_place.documents)
    assert [one.code for one in served.faults] == ["USAGE_CONFLICT"]
    for run in (home, other):
        lines = pq.read_table(run.evidence / "run-000001.parquet")["lines"].to_pylist()
        assert sum(map(len, lines)) > 50
    files = [(run.evidence / "run-000001.parquet").read_bytes() for run in (home, other)]
    assert files[0] == files[1]


def test_months_in_one_command_may_find_the_writer_gone_or_come(home: Settings) -> None:
    month = Month(2026, 10)
    with open_books(home) as books:
        clean = left_behind(books)

        def draft() -> list[dict[str, Any]]:
            assert run_invoices(books, home, month, None, None) == []
            found = list_invoices(books, month)
            assert left_behind(books) == clean
            return found

        in_place = draft()
        with open_store(home.usage, "usage").closing() as writer:
            writer.serve()
            assert draft() == draft() == in_place
        assert draft() == in_place


def test_what_fails_within_leaves_nothing_behind(home: Settings) -> None:
    with open_books(home) as books:
        clean = left_behind(books)
        with (
            pytest.raises(ZeroDivisionError),
            lend_tables(books, home.usage, "usage", COPIES.all(), BOUNDS),
            books.transaction(),
        ):
            assert books.value("SELECT count(*) FROM near_records") > 10
            raise ZeroDivisionError
        assert left_behind(books) == clean
        foreign = home.home / "other.duckdb"
        open_store(foreign, "books").close()
        with (
            pytest.raises(Refused) as refused,
            lend_tables(books, foreign, "usage", COPIES.all(), BOUNDS),
        ):
            pass
        assert refused.value.code == "STORE_FOREIGN"
        assert left_behind(books) == clean


def test_no_writer_opens_what_is_lent_in_place(home: Settings) -> None:
    """It is told who holds the file, and opens it when the block is over."""

    def writer() -> str:
        done = subprocess.run(
            [sys.executable, "-c", OPEN, str(home.usage)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    with open_scratch().closing() as scratch:
        with lend_tables(scratch, home.usage, "usage", {"lent": "FROM usage_records"}):
            before = scratch.value("SELECT count(*) FROM lent")
            assert writer() == "STORE_BUSY\n"
            assert scratch.value("SELECT count(*) FROM lent") == before
        assert writer() == ""


def test_a_month_without_a_store_is_refused_and_changes_nothing(home: Settings) -> None:
    drafts = bill(home, None).documents
    home.usage.unlink()
    with pytest.raises(Refused) as refused:
        bill(home, CLOSED_AT_US)
    assert refused.value.code == "STORE_MISSING"
    with open_books(home) as books:
        assert {one["account_id"]: one for one in list_invoices(books, None)} == drafts
