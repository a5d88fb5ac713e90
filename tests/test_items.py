"""One-off items, holds and what a clerk is told of them."""

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.homes import HEADER, project
from warehouse import Store, open_store

NOW = "2026-11-04T09:00:00Z"
run = partial(command_line.run_here, now=NOW, user="ann")
OF = "Name,a@a.example,DE,de,Europe/Berlin"
ACCOUNTS = f"acme,{OF},EUR,p,2026-01-01,,1\nyen,{OF},JPY,q,2026-01-01,,1\n"
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
[[plan.fee]]
code = "base"
description = "Base"
amount = 49.00
"""
ITEM = ("invoice", "item", "acme", "--description", "Training")
PENDING = "FROM pending_items ORDER BY account_id, on_day, item"
REASON = ("--reason", "slip")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    yen = BOOK.replace('"b"', '"y"').replace('"p"', '"q"').replace("EUR", "JPY")
    books = [BOOK, yen.replace("49.00", "49")]
    fill_books(Settings(home, None, "ann"), books, HEADER + ACCOUNTS)
    return home


def close(home: Path, *months: str, account: str = "acme") -> None:
    event = usage_event(1, "acme", "2026-09-05T10:00:00Z", "2026-09-05T10:10:00Z")
    project(home, [event], now=NOW)
    for month in months:
        words = ("--month", month, "--account", account, "--finalize")
        assert run(home, "invoice", "run", *words).returncode == 0


def code(home: Path, *words: str) -> str:
    """Of a refusal that leaves no entry."""
    before = shown(home, "audit", "log")
    done = run(home, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert shown(home, "audit", "log") == before
    return done.stderr.splitlines()[1].partition(":")[0]


def books_of(home: Path) -> Any:
    return open_store(home / "books.duckdb", "books").closing()


def bill_item(books: Store, item: str, invoice: str, *, line: int = 99) -> None:
    """A line of the document for the item, as a run lays one."""
    content = json.dumps({"kind": "item", "code": item})
    books.execute("INSERT INTO terms (term, content) VALUES (uuid(), ?)", [content])
    books.execute(
        """INSERT INTO invoice_lines (invoice, line, kind, term)
        SELECT ?, ?, 'item', term FROM terms WHERE content = ?""",
        [invoice, line, content],
    )


def test_an_item_is_added_listed_and_taken_out(home: Path) -> None:
    (row,) = shown(home, *ITEM, "--amount", "450.00", "--on", "2026-10-15")
    assert row == {
        "item": "i000001", "account_id": "acme", "on_day": "2026-10-15", "amount": "450",
        "currency": "EUR", "tax_category": None, "ledger_account": None, "billed": None,
        "description": "Training",
    }  # fmt: skip
    gift = ("--amount", "-0.000000000001", "--on", "2026-09-30", "--tax-category", "education")
    assert run(home, *ITEM, *gift, "--ledger-account", "4400").returncode == 0
    listed = shown(home, "invoice", "items", "--account", "acme")
    names = ("item", "amount", "tax_category", "ledger_account")
    assert [tuple(one[name] for name in names) for one in listed] == [
        ("i000002", "-0.000000000001", "education", "4400"), ("i000001", "450", None, None),
    ]  # fmt: skip
    assert shown(home, "invoice", "items", "--account", "yen") == []
    assert run(home, "invoice", "item-remove", "i000002", *REASON).returncode == 0
    (third,) = shown(home, *ITEM, "--amount", "1", "--on", "2026-10-15")
    assert third["item"] == "i000003"  # what is gone gives its id to nobody
    log = shown(home, "audit", "log")
    assert [(one["action"], one["subject"], one["reason"]) for one in log] == [
        ("invoice item", "acme", ""), ("invoice item", "acme", ""),
        ("invoice item-remove", "acme", "slip"), ("invoice item", "acme", ""),
    ]  # fmt: skip
    assert log[1]["details"] == log[2]["details"]
    assert log[2]["details"]["amount"] == "-0.000000000001"


def test_an_item_typed_twice_is_said(home: Path) -> None:
    words = (*ITEM, "--amount", "450", "--on", "2026-10-15")
    assert "warning" not in run(home, *words).stderr
    assert "warning: i000001 says the same" in run(home, *words).stderr


def test_an_amount_that_is_none_is_wrong_usage(home: Path) -> None:
    wrong = ["0", "0.00", "1,5", "1e3", "+5", ".5", "1.", "1234567890", "0.1234567890123", "NaN"]
    for amount in (*wrong, "\N{ARABIC-INDIC DIGIT THREE}"):
        done = run(home, *ITEM, "--amount", amount, "--on", "2026-10-15")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{amount!r} is not a decimal such as 12.50" in done.stderr
    assert shown(home, "invoice", "items") == []


def test_days_texts_and_categories_are_checked(home: Path) -> None:
    for words in (
        (*ITEM, "--amount", "1", "--on", "2026-02-30"),
        (*ITEM[:3], "--description", "a\nb", "--amount", "1", "--on", "2026-10-15"),
        (*ITEM, "--amount", "1", "--on", "2026-10-15", "--tax-category", "a b"),
        (*ITEM, "--amount", "1", "--on", "2026-10-15", "--ledger-account", "4400 "),
        (*ITEM, "--amount", "1"),
        ("invoice", "item-remove", "i000001"),
    ):
        assert run(home, *words).returncode == 2


def test_what_no_run_would_bill_is_refused(home: Path) -> None:
    on = ("--amount", "1", "--on")
    nobody = ("invoice", "item", "acmee", "--description", "D", *on, "2026-10-15")
    assert code(home, *nobody) == "ACCOUNT_UNKNOWN"
    assert code(home, "invoice", "items", "--account", "acmee") == "ACCOUNT_UNKNOWN"
    close(home, "2026-09", "2026-10")
    assert code(home, *ITEM, *on, "2026-10-31") == "MONTH_CLOSED"
    assert code(home, *ITEM, *on, "2026-08-31") == "MONTH_CLOSED"  # passed over
    assert run(home, *ITEM, *on, "2026-11-01").returncode == 0
    held = ("acme", "--month", "2026-10")
    assert code(home, "invoice", "hold", *held, *REASON) == "MONTH_CLOSED"
    assert code(home, "invoice", "release", *held) == "MONTH_CLOSED"
    with books_of(home) as books:
        books.execute("UPDATE invoices SET status = 'void' WHERE id = '2026-09.acme'")
    assert run(home, *ITEM, *on, "2026-09-30").returncode == 0  # can be run again
    assert code(home, *ITEM, *on, "2026-08-31") == "MONTH_CLOSED"


def test_an_item_is_billed_by_a_closed_document_that_is_not_void(home: Path) -> None:
    for account in ("acme", "yen", "acme"):
        words = ("invoice", "item", account, "--description", "D", "--amount", "1.005")
        assert run(home, *words, "--on", "2026-11-15").returncode == 0
    close(home, "2026-10")
    close(home, "2026-10", account="yen")

    def pending() -> list[str]:
        with books_of(home) as books:
            return [item for (item,) in books.rows(f"SELECT item {PENDING}")]

    assert pending() == ["i000001", "i000003", "i000002"]
    with books_of(home) as books:
        row = books.records(PENDING)[2]
        assert (row["account_id"], row["on_day"]) == ("yen", date(2026, 11, 15))
        assert (row["amount"], row["description"], row["tax_category"]) == ("1.005", "D", None)
        bill_item(books, "i000001", "2026-10.acme")
        bill_item(books, "i000002", "2026-10.yen")
    assert pending() == ["i000003"]
    billed = {row["item"]: row["billed"] for row in shown(home, "invoice", "items")}
    assert billed == {"i000001": "HM-2026-000001", "i000002": "HM-2026-000002", "i000003": None}
    assert code(home, "invoice", "item-remove", "i000001", *REASON) == "ITEM_BILLED"
    assert code(home, "invoice", "item-remove", "i000009", *REASON) == "ITEM_UNKNOWN"
    with books_of(home) as books:
        books.execute("UPDATE invoices SET status = 'void' WHERE id = '2026-10.acme'")
        books.execute("UPDATE invoices SET status = 'draft' WHERE id = '2026-10.yen'")
        # What takes back the void document has a number too, and stands under the same terms.
        books.execute(
            """INSERT INTO invoices BY NAME SELECT * REPLACE (
                '2026-10.acme#2' AS id, 'final' AS status, 'CN-2026-000001' AS number,
                'credit_note' AS kind, 'void' AS credit
            ) FROM invoices WHERE id = '2026-10.acme'"""
        )
        bill_item(books, "i000001", "2026-10.acme#2")
    assert pending() == ["i000001", "i000003", "i000002"]
    assert run(home, "invoice", "item-remove", "i000001", *REASON).returncode == 0


def test_the_currency_of_amounts_is_fixed(home: Path, tmp_path: Path) -> None:
    run(home, "account", "credit", "acme", "5", "--expires", "2027-01-01", "--reference", "r")
    run(home, "invoice", "item", "yen", "--description", "D", "--amount", "1", "--on", "2026-11-01")
    file = tmp_path / "accounts.csv"
    file.write_text(HEADER + ACCOUNTS.replace("EUR", "USD").replace("JPY", "USD"))
    refused = run(home, "account", "import", str(file))
    assert refused.stderr.count("CURRENCY_FIXED") == 2


def test_a_month_is_held_and_released(home: Path) -> None:
    october = ("acme", "--month", "2026-10")
    hold, release = ("invoice", "hold", *october, *REASON), ("invoice", "release", *october)
    assert code(home, *release) == "NOT_HELD"
    for words in (hold, release):
        assert code(home, *words[:2], "acmee", *words[3:]) == "ACCOUNT_UNKNOWN"
    assert run(home, *hold[:5]).returncode == 2  # without a reason
    assert run(home, *hold).returncode == 0
    assert code(home, *hold) == "HELD_ALREADY"
    assert run(home, "invoice", "hold", "yen", "--month", "2026-11", *REASON).returncode == 0
    (first, second) = shown(home, "invoice", "holds")
    assert first == {
        "account_id": "acme", "month": "2026-10", "at": "2026-11-04T09:00:00Z", "who": "ann",
        "reason": "slip",
    }  # fmt: skip
    assert (second["account_id"], second["month"]) == ("yen", "2026-11")
    with books_of(home) as books:
        sql = "SELECT account_id, reason FROM holds WHERE month = '2026-10'"
        assert books.rows(sql) == [("acme", "slip")]
    assert run(home, *release, "--reason", "settled").returncode == 0
    assert code(home, *release) == "NOT_HELD"
    log = [(one["action"], one["subject"], one["reason"]) for one in shown(home, "audit", "log")]
    assert log == [
        ("invoice hold", "acme", "slip"), ("invoice hold", "yen", "slip"),
        ("invoice release", "acme", "settled"),
    ]  # fmt: skip
