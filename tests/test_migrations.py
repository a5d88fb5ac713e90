"""Books of an older version are brought to this one, with all that is in them."""

from pathlib import Path

import pytest

import warehouse.store as stores
from tests.clerk import Clerk
from tests.test_tax import SELLER, told
from warehouse import open_store


def to_first_version(path: Path) -> None:
    """The books as the first version made them: its script, and these rows in its columns."""
    old = path.with_name("old.duckdb")
    scripts = stores._scripts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "_scripts", lambda kind: scripts(kind)[:1])
        with open_store(old, "books").closing() as books:
            books.execute(f"ATTACH '{path}' AS now (READ_ONLY)")
            tables = books.rows(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old'"
            )
            for (table,) in tables:
                columns = books.rows(f"SELECT name FROM pragma_table_info('{table}')")
                names = ", ".join(name for (name,) in columns)
                if table != "store_version":
                    books.execute(f"DELETE FROM {table}")
                    books.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM now.{table}")
    path.unlink()
    old.rename(path)


def test_documents_of_before_taxes_stay_and_the_next_are_taxed(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", acme="p")
    clerk.use("acme", "2026-10-05", "2026-11-05")
    before = clerk.close("2026-10")
    item = ("--description", "Of before", "--amount", "3", "--on", "2026-11-05")
    clerk.must("invoice", "item", "acme", *item)
    to_first_version(clerk.home / "books.duckdb")
    clerk.settings(SELLER)
    clerk.use("acme", "2026-10-06")
    after = clerk.close("2026-11")
    assert clerk.sees("invoice", "list", "--month", "2026-10") == before
    assert told(after[0]) == [
        ("usage", "1.00", "S", "19"), ("adjustment", "1.00", "S", "19"),
        ("item", "3.00", "S", "19"),
    ]  # fmt: skip
    clerk.must("invoice", "verify", "--all", "--from-log")
