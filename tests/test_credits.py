"""Prepaid credit: the ledger as a clerk sees it, and what documents draw, against an oracle."""

import random
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from billing.credits import draw_prepaid, return_prepaid
from billing.rows import append_rows, load_rows
from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.homes import HEADER
from warehouse import Store, open_scratch, open_store

run = partial(command_line.run_here, now="2026-11-02T09:00:00Z", user="ann")
OF = "Name,a@a.example,DE,de,Europe/Berlin"
ACCOUNTS = f"acme,{OF},EUR,p,2026-01-01,,1\nyen,{OF},JPY,q,2026-01-01,,1\n"
TODAY = date(2026, 11, 2)
HUGE = 10**22  # beyond 64 bits


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    fill_books(Settings(home, None, "ann"), [], HEADER + ACCOUNTS)
    return home


def credit(amount: str, expires: str, reference: str, account: str = "acme") -> tuple[str, ...]:
    return ("account", "credit", account, amount, "--expires", expires, "--reference", reference)


def refused(home: Path, *words: str) -> str:
    before = shown(home, "account", "credits", "acme")
    done = run(home, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert shown(home, "account", "credits", "acme") == before
    return done.stderr.splitlines()[1].partition(":")[0]


def test_a_payment_is_entered_once(home: Path) -> None:
    words = credit("500.00", "2027-12-31", "wire 1")
    assert "entered: wire 1 of acme, 500.00 EUR" in run(home, *words).stderr
    assert "nothing changed: wire 1 of acme, 500.00 EUR" in run(home, *words).stderr
    again = run(home, *credit("500", "2027-12-31", "wire 1"))
    assert (again.returncode, "nothing changed" in again.stderr) == (0, True)
    assert refused(home, *credit("500.01", "2027-12-31", "wire 1")) == "CREDIT_DIFFERS"
    assert refused(home, *credit("500", "2027-12-30", "wire 1")) == "CREDIT_DIFFERS"
    assert refused(home, *credit("500", "2027-12-31", "wire 1", "nobody")) == "ACCOUNT_UNKNOWN"
    assert refused(home, *credit("0.005", "2027-12-31", "wire 2")) == "AMOUNT_PRECISION"
    assert refused(home, *credit("1.5", "2027-12-31", "wire 2", "yen")) == "AMOUNT_PRECISION"
    for wrong in ("0", "-5", "1e3", "5,00", "1" * 16):
        assert run(home, *credit("1", "2027-12-31", "w")[:3], wrong, *words[4:]).returncode == 2
    assert run(home, *words[:-1], " ").returncode == 2
    assert run(home, *credit("1", "2027-02-30", "w")).returncode == 2
    other = run(home, *credit("500", "2027-12-31", "wire 1", "yen"))  # its own reference
    assert "entered: wire 1 of yen, 500 JPY" in other.stderr
    assert "warning: it expired" in run(home, *credit("1", "2026-11-01", "late")).stderr
    log = [(one["action"], one["subject"]) for one in shown(home, "audit", "log")]
    assert log == [("account credit", one) for one in ("acme", "yen", "acme")]
    told = shown(home, "audit", "log")[0]["details"]
    wire = {"reference": "wire 1", "amount": "500.00", "currency": "EUR"}
    assert told == wire | {"expires": "2027-12-31"}


def test_a_mistyped_payment_is_taken_out_unless_drawn(home: Path) -> None:
    run(home, *credit("500", "2027-12-31", "wire 1"))
    run(home, *credit("50", "2027-12-31", "wire 2"))
    with open_store(home / "books.duckdb", "books").closing() as books:
        document(books, "2026-10.acme", "acme", 100)
        close(books)
    remove = ("account", "credit-remove", "acme", "--reason", "slip", "--reference")
    assert refused(home, *remove, "wire 1") == "CREDIT_DRAWN"
    assert refused(home, *remove, "wire 3") == "CREDIT_UNKNOWN"
    assert run(home, *remove, "wire 2").returncode == 0
    found = shown(home, "account", "credits", "acme")["credits"]
    assert [one["reference"] for one in found] == ["wire 1"]
    assert shown(home, "audit", "log")[-1]["reason"] == "slip"


def test_the_ledger_shows_what_came_what_was_drawn_and_what_is_left(home: Path) -> None:
    empty = run(home, "account", "credits", "acme")
    assert (empty.stdout, "acme has no credit" in empty.stderr) == ("", True)
    assert refused(home, "account", "credits", "nobody") == "ACCOUNT_UNKNOWN"
    for one in (("10", "2026-11-01", "gone"), ("20", "2027-06-30", "b"), ("5", "2026-11-02", "a")):
        run(home, *credit(*one))
    with open_store(home / "books.duckdb", "books").closing() as books:
        document(books, "first", "acme", 700)
        document(books, "other", "yen", 700)
        close(books)
    told = shown(home, "account", "credits", "acme", now="2026-11-02T09:00:00Z")
    assert (told["balance"], told["currency"]) == ("18.00", "EUR")
    draw = {"document": "HM-first", "issued_on": "2026-11-02"}
    assert [
        (one["reference"], one["amount"], one["draws"], one["left"], one["state"])
        for one in told["credits"]
    ] == [
        ("gone", "10.00", [], "10.00", "expired"),
        ("a", "5.00", [draw | {"amount": "5.00"}], "0.00", "drawn"),
        ("b", "20.00", [draw | {"amount": "2.00"}], "18.00", "open"),
    ]
    with open_store(home / "books.duckdb", "books").closing() as books:
        document(books, "second", "acme", -700)
        note = {"id": "second", "document": "first", "subtotal": -700}
        load_rows(books, "credit_notes", [note], _NOTE | dict.fromkeys(_AMOUNTS, pa.int64()))
        with books.transaction():
            return_prepaid(books)
    shows = run(home, "account", "credits", "acme").stdout.splitlines()
    assert shows[-1] == "balance: 25.00 EUR"  # with its old expiry: a day later it is 20
    later = run(home, "account", "credits", "acme", now="2026-11-03T09:00:00Z").stdout
    assert later.splitlines()[-1] == "balance: 20.00 EUR"
    rows = [line.split() for line in shows if line.endswith("2.00")]
    assert [(row[1], row[-2], row[-1]) for row in rows] == [
        ("drawn", "HM-first", "-2.00"),
        ("given", "HM-second", "2.00"),
    ]


def document(books: Store, id: str, account: str, total: int, status: str = "final") -> None:
    """A closed document and its row of `closing_totals`, which is made with the first."""
    books.execute(
        """CREATE TEMP TABLE IF NOT EXISTS closing_totals (
            invoice VARCHAR, account_id VARCHAR, issued_on DATE, total HUGEINT
        )"""
    )
    row = [id, account, "2026-10", status, f"HM-{id}", TODAY]
    columns = "(id, account_id, month, status, number, issued_on)"
    books.execute(f"INSERT INTO invoices {columns} VALUES (?, ?, ?, ?, ?, ?)", row)
    books.execute("INSERT INTO closing_totals VALUES (?, ?, ?, ?)", [id, account, TODAY, total])


def close(books: Store) -> None:
    with books.transaction():
        draw_prepaid(books)


def test_what_is_drawn_is_what_the_oracle_draws(rng: random.Random) -> None:
    """Drawn accounts, credits, documents that are taken back, and several rounds."""
    with open_scratch("books").closing() as books:
        credits = _credits(rng)
        append_rows(books, "prepaid_credits", _texts(credits, "amount"), _CREDITS)
        left = {one["credit"]: one["amount"] for one in credits}
        drawn: dict[tuple[str, int], int] = {}
        number = 0
        for issued in sorted(TODAY + timedelta(rng.randrange(-40, 40)) for _ in range(4)):
            closing = []
            for account in rng.sample(range(120), 100):
                for _ in range(rng.choice([1, 1, 1, 2])):
                    number += 1
                    total = rng.choice([1, rng.randrange(1, 500), rng.randrange(1, HUGE)])
                    invoice, owner = f"d{number:06}", f"a{account}"
                    closing.append({
                        **{"invoice": invoice, "account_id": owner, "issued_on": issued},
                        "total": total,
                    })  # fmt: skip
            rows = ({"id": one["invoice"], "status": "final"} for one in closing)
            append_rows(books, "invoices", rows, dict.fromkeys(("id", "status"), pa.string()))
            told = _texts(closing, "total")
            load_rows(books, "closing_totals", told, _TOTALS, {"total": "HUGEINT"})
            close(books)
            for one in closing:
                drawn |= _draw(one, credits, left)
            assert _drawn(books) == drawn
            _void_some(rng, books, closing, credits, drawn, left)
            assert _drawn(books) == drawn
    assert sum(amount > 2**64 for amount in drawn.values()) > 10
    assert len({invoice for invoice, _ in drawn}) < len(drawn)  # some draw on several credits


_NOTE = dict.fromkeys(("id", "document"), pa.string())
_AMOUNTS = ("subtotal", "tax")
_CREDITS = {
    **{"credit": pa.int64(), "expires": pa.date32(), "received_us": pa.int64()},
    **dict.fromkeys(("account_id", "amount", "reference"), pa.string()),
}
_TOTALS = {
    **dict.fromkeys(("invoice", "account_id", "total"), pa.string()),
    "issued_on": pa.date32(),
}


def _texts(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [
        row | {name: None if row[name] is None else str(row[name]) for name in names}
        for row in rows
    ]


def _credits(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            **{"credit": number, "account_id": f"a{rng.randrange(120)}", "reference": f"r{number}"},
            "amount": rng.choice([1, rng.randrange(1, 500), rng.randrange(1, HUGE)]),
            "expires": TODAY + timedelta(rng.randrange(-45, 45)),
            "received_us": rng.randrange(5),
        }
        for number in range(600)
    ]


def _draw(
    one: dict[str, Any], credits: list[dict[str, Any]], left: dict[int, int]
) -> dict[tuple[str, int], int]:
    """One document after another, one unit of money never twice."""
    found = {}
    owed = one["total"]
    for credit in sorted(credits, key=lambda c: (c["expires"], c["received_us"], c["credit"])):
        if credit["account_id"] == one["account_id"] and credit["expires"] >= one["issued_on"]:
            amount = min(owed, left[credit["credit"]])
            if amount:
                found[one["invoice"], credit["credit"]] = amount
                left[credit["credit"]] -= amount
                owed -= amount
    return found


def _drawn(books: Store) -> dict[tuple[str, int], int]:
    rows = books.rows("SELECT invoice, credit, amount FROM prepaid_draws")
    found = {(invoice, credit): amount for invoice, credit, amount in rows}
    assert len(found) == len(rows)
    return found


def _void_some(
    rng: random.Random,
    books: Store,
    closing: list[dict[str, Any]],
    credits: list[dict[str, Any]],
    drawn: dict[tuple[str, int], int],
    left: dict[int, int],
) -> None:
    """Some documents are taken back, of which part was given back before: no more comes back."""
    notes = []
    for one in rng.sample(closing, len(closing) // 4):
        total = rng.choice([one["total"], rng.randrange(1, one["total"] + 1)])
        tax = rng.choice([None, rng.randrange(total)])
        told = {"id": f"v{one['invoice']}", "document": one["invoice"]}
        notes.append(
            told | {"subtotal": -(total - (tax or 0)), "tax": None if tax is None else -tax}
        )
    types = _NOTE | dict.fromkeys(_AMOUNTS, pa.string())
    texts = _texts(notes, *_AMOUNTS)
    load_rows(books, "credit_notes", texts, types, dict.fromkeys(_AMOUNTS, "HUGEINT"))
    with books.transaction():
        return_prepaid(books)
    last_first = sorted(
        credits, key=lambda c: (c["expires"], c["received_us"], c["credit"]), reverse=True
    )
    for note in notes:
        taken_back = -note["subtotal"] - (note["tax"] or 0)
        for credit in (one["credit"] for one in last_first):
            amount = min(drawn.get((note["document"], credit), 0), taken_back)
            if amount:
                drawn[note["id"], credit] = -amount
                left[credit] += amount
                taken_back -= amount
