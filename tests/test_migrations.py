"""Books of an older version are brought to this one, with all that is in them."""

from pathlib import Path

import pytest

import warehouse.store as stores
from tests.clerk import Clerk
from tests.pdf_text import pdf_rows
from tests.test_tax import SELLER, told
from warehouse import open_store


def to_version(path: Path, version: int) -> None:
    """The books as a version made them: its scripts, and these rows in its columns."""
    old = path.with_name("old.duckdb")
    scripts = stores._scripts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "_scripts", lambda kind: scripts(kind)[:version])
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
    to_version(clerk.home / "books.duckdb", 1)
    clerk.settings(SELLER)
    clerk.use("acme", "2026-10-06")
    after = clerk.close("2026-11")
    assert clerk.sees("invoice", "list", "--month", "2026-10") == before
    assert told(after[0]) == [
        ("usage", "1.00", "S", "19"), ("adjustment", "1.00", "S", "19"),
        ("item", "3.00", "S", "19"),
    ]  # fmt: skip
    clerk.must("invoice", "verify", "--all", "--from-log")


def test_a_concession_that_was_carried_over_in_english_stays_as_it_was_issued(
    tmp_path: Path,
) -> None:
    """The version before wrote all of the line's text into the item, and so into the terms."""
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", acme="p")
    clerk.use("acme", "2026-10-05", "2026-11-05")
    (october,) = clerk.close("2026-10")
    give = ("credit-note", october["number"], "--kind", "concession", "--line", "1=0.50")
    clerk.must(*give, "--reason", "goodwill")
    clerk.must("void", october["number"], "--reason", "wrong book")
    with open_store(clerk.home / "books.duckdb", "books").closing() as books:
        books.execute(
            """UPDATE items SET concession = NULL,
            description = 'Concession of ' || concession || ': ' || description"""
        )
    again = clerk.close("2026-10")[-1]
    page = clerk.home / "documents" / f"{again['number']}.pdf"
    to_version(clerk.home / "books.duckdb", 2)
    page.unlink()
    clerk.must("invoice", "render", again["number"])
    (line,) = [one for one in again["lines"] if one["kind"] == "item"]
    assert line["description"].startswith("Concession of CN-2026-")
    assert clerk.sees("invoice", "show", again["number"])["lines"] == again["lines"]
    assert line["description"] in " ".join(pdf_rows(page.read_bytes()))
    clerk.must("void", again["number"], "--reason", "wrong book")
    assert clerk.close("2026-10")[-1]["total"] == again["total"]
    clerk.must("invoice", "verify", "--all", "--from-log")
