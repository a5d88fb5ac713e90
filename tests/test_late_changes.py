"""Changes that come too late for closed months, by files and books: found, said, and kept."""

import random
from dataclasses import replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from billing import Month, Subscription, parse_price_book
from billing.accounts import merge_history
from billing.books import merge_subscriptions
from billing.late_changes import changed_histories, late_changes, note_histories
from billing.rows import append_rows
from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.histories import days_held
from tests.homes import HEADER, copied, project
from warehouse import Store, open_scratch, open_store

NOW = "2026-11-04T09:00:00Z"
run = partial(command_line.run_here, now=NOW, user="ann")
OF = "Name,a@a.example,DE,de,Europe/Berlin,EUR"
ACCOUNTS = f"acme,{OF},p,2026-01-01,,1\nfree,{OF},idle,2026-01-01,,1\n"
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
[[plan]]
code = "idle"
name = "Nothing"
"""
# Two books share `both`; only one has `own`.
BOOKS = [
    parse_price_book(BOOK.replace('"b"', f'"{book}"').replace('"p"', f'"{plan}"').replace(
        '"idle"', '"both"'
    ))
    for book, plan in (("b", "own"), ("c", "other"))
]  # fmt: skip
Document = dict[str, Any]


def test_drawn_changes_are_found_as_the_model_finds_them(rng: random.Random) -> None:
    with open_scratch("books").closing() as books:
        before = {name: _history(rng, name) for name in (f"a{n}" for n in range(200))}
        merge_subscriptions(books, (row for rows in before.values() for row in rows))
        documents = [one for name in before for one in _documents(rng, name)]
        append_rows(books, "invoices", documents, dict.fromkeys(documents[0], pa.string()))
        touched = rng.sample(sorted(before), 150)
        incoming = [row for name in touched for row in _change(rng, name, before[name])]
        after = {
            name: merge_history(rows, [row for row in incoming if row.account_id == name])
            for name, rows in before.items()
        }
        expected = [
            (name, month, number, closed)
            for name in sorted(before)
            for month, number, closed in _late(before[name], after[name], documents)
        ]
        found, changed = _found(books, incoming)
        assert [(one.account_id, one.month, one.number, one.is_closed) for one in found] == expected
        assert changed == [name for name in sorted(before) if before[name] != after[name]]
        kept = sorted((name, month, "plan") for name, month, _, _ in expected)
        assert books.rows("FROM revisits ORDER BY ALL") == kept
        assert _found(books, incoming) == ([], [])  # the same again changes nothing
        assert books.rows("FROM revisits ORDER BY ALL") == kept
    assert {closed for _, _, _, closed in expected} == {True, False}
    assert len(expected) > 30


def _found(books: Store, incoming: list[Subscription]) -> tuple[list[Any], list[str]]:
    with books.transaction():
        note_histories(books)
        merge_subscriptions(books, incoming)
        changed = changed_histories(books)
        return late_changes(books, BOOKS), changed


def _history(rng: random.Random, name: str) -> tuple[Subscription, ...]:
    days = sorted(rng.sample(range(1, 365), rng.randrange(1, 4)))
    return tuple(_row(rng, name, day, until) for day, until in zip(days, [*days[1:], 400]))  # noqa: B905


def _row(rng: random.Random, name: str, day: int, end: int) -> Subscription:
    first = date(2026, 1, 1).toordinal()
    until = rng.choice([None, None, date.fromordinal(first + rng.randrange(day + 1, end + 1))])
    book, plan = rng.choice([(None, "own"), ("b", "own"), (None, "both"), ("b", "both")])
    return Subscription(name, date.fromordinal(first + day), until, book, plan, rng.randrange(1, 3))


def _change(rng: random.Random, name: str, rows: tuple[Subscription, ...]) -> list[Subscription]:
    """What keeps the history free of overlaps, which are refused: rows changed in place, cut short
    or taken out, and one behind all others.
    """
    one = rng.choice(rows)
    kinds = [
        replace(one, until=one.since),
        replace(one, book=None if one.book else "b"),
        replace(one, plan=rng.choice(["own", "both"]), quantity=rng.randrange(1, 3)),
        one,
        _row(rng, name, 401, 440),
    ]
    return [rng.choice(kinds)]


def _documents(rng: random.Random, name: str) -> list[Document]:
    """Closed months with gaps, some void, some run again; credit notes by hand, drafts."""
    found = []
    for number in range(1, rng.randrange(2, 15)):
        month = str(Month(2026 + number // 12, number % 12 + 1))
        for status in rng.choice([[], ["final"], ["nil"], ["void"], ["void", "final"], ["draft"]]):
            paper = f"HM-{name}-{month}" if status in ("final", "void") else None
            found.append(_document(name, month, status, paper))
        if rng.random() < 0.2:
            paper = f"CN-{name}-{month}"
            found.append(_document(name, month, "final", paper) | {"credit": "concession"})
    return found or [_document(name, "2026-03", "nil", None)]


def _document(name: str, month: str, status: str, number: str | None) -> Document:
    told = {"id": f"{month}.{name}", "account_id": name, "month": month, "status": status}
    return told | {"number": number, "credit": None}


def _late(
    before: tuple[Subscription, ...],
    after: tuple[Subscription, ...],
    documents: list[Document],
) -> list[tuple[str, str | None, bool]]:
    name = (before or after)[0].account_id
    own = [one for one in documents if one["account_id"] == name and one["credit"] is None]
    closed = {one["month"]: one for one in own if one["status"] in ("final", "nil")}
    void = {one["month"] for one in own if one["status"] == "void"} - closed.keys()
    found: list[tuple[str, str | None, bool]] = []
    month = Month(2026, 1)
    known = closed.keys() | void
    while known and month <= Month(2027, 12):
        within = min(known) <= str(month) <= max(known) and str(month) not in void
        days = (month.since, month.after.since)
        if within and days_held(_named(before), *days) != days_held(_named(after), *days):
            document = closed.get(str(month))
            found.append((str(month), document and document["number"], document is not None))
        month = month.after
    return found


def _named(rows: tuple[Subscription, ...]) -> list[Subscription]:
    return [replace(row, book="b") if row.plan == "own" else row for row in rows]


def entries(home: Path) -> list[dict[str, Any]]:
    """Of the audit trail, but for runs."""
    return [one for one in shown(home, "audit", "log") if not one["action"].startswith("invoice")]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """September is final for acme, October nil for free."""
    home = tmp_path_factory.mktemp("closed") / "home"
    fill_books(Settings(home, None, "ann"), [BOOK], HEADER + ACCOUNTS)
    event = usage_event(1, "acme", "2026-09-05T10:00:00Z", "2026-09-05T10:10:00Z")
    project(home, [event], now=NOW)
    for account, month in (("acme", "2026-09"), ("free", "2026-10")):
        words = ("--month", month, "--account", account, "--finalize")
        assert run(home, "invoice", "run", *words).returncode == 0
    return home


@pytest.fixture
def home(closed: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(closed, tmp_path)


def test_an_import_leaves_an_entry_and_names_what_it_is_too_late_for(home: Path) -> None:
    file = home.parent / "accounts.csv"
    rows = f"acme,{OF},p,2026-01-01,,2\nfree,{OF},idle,2026-01-01,,1\nnew,{OF},p,2026-01-01,,1\n"
    file.write_text(HEADER + rows)
    done = run(home, "account", "import", str(file), "--reason", "order 7")
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "warning" in line] == [
        "warning: acme: HM-2026-000001 of 2026-09 is final and would differ: the difference comes "
        "as adjustments with the next invoice"
    ]
    (entry,) = entries(home)
    told = [entry[name] for name in ("who", "action", "subject", "reason")]
    assert told == ["ann", "account import", "accounts.csv", "order 7"]
    assert entry["details"] == {
        "sha256": sha256(file.read_bytes()).hexdigest(),
        **{"accounts": 3, "subscriptions": 3, "new": ["new"], "changed": ["acme"]},
        **{"closed": 1, "first_closed": ["acme: HM-2026-000001"]},
    }
    again = run(home, "account", "import", str(file))
    assert "warning" not in again.stderr
    file.write_text(HEADER + rows.replace("free,Name", "free,Freda"))
    assert "warning" not in run(home, "account", "import", str(file)).stderr
    first, second = entries(home)
    assert (first, second["details"]["changed"]) == (entry, ["free"])


def test_a_change_of_a_month_that_was_passed_over_is_said_and_kept(home: Path) -> None:
    with open_store(home / "books.duckdb", "books").closing() as books:
        books.execute("UPDATE invoices SET month = '2026-08' WHERE account_id = 'acme'")
        books.execute(
            """INSERT INTO invoices BY NAME
            SELECT * REPLACE ('2026-10' AS month, '2026-10.acme' AS id, 'HM-2026-000002' AS number)
            FROM invoices WHERE account_id = 'acme'"""
        )
    done = run(home, "account", "end", "acme", "--on", "2026-09-15")
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(" of ")[0] for line in warnings] == [
        "warning: 2026-09 was passed over with nothing to bill: what it costs now comes with the "
        "next invoice",
        "warning: HM-2026-000002",
    ]
    (entry,) = entries(home)
    assert entry["details"]["closed"] == ["open 2026-09", "HM-2026-000002"]
    with open_store(home / "books.duckdb", "books").closing() as books:
        assert books.rows("FROM revisits ORDER BY ALL") == [
            ("acme", "2026-09", "plan"),
            ("acme", "2026-10", "plan"),
        ]


def test_a_book_for_closed_months_says_what_bills_what(home: Path) -> None:
    def load(text: str) -> list[str]:
        file = home.parent / "next.toml"
        file.write_text(text)
        done = run(home, "price-book", "load", str(file))
        assert done.returncode == 0
        return done.stderr.splitlines()[1:]

    other = load(BOOK.replace('"b"', '"c"').replace('"p"', '"q"').replace('"idle"', '"r"'))
    assert other == ["c of 2026-01-01 loaded"]
    november = BOOK.replace("2026-01-01", "2026-11-01")
    assert load(november) == ["b of 2026-11-01 loaded"]
    keeps = "what is closed keeps the version that it was made from"
    bills = "bills months and plans that begin from"
    assert load(BOOK.replace("2026-01-01", "2026-09-15")) == [
        "b of 2026-09-15 loaded",
        f"warning: 2026-09 is closed for 1 account: {keeps}",
        f"warning: 2026-10 is closed for 1 account: {keeps}",
        f"b of 2026-01-01 {bills} 2026-01-01 on and before 2026-09-15",
        f"b of 2026-09-15 {bills} 2026-09-15 on and before 2026-11-01",
        f"b of 2026-11-01 {bills} 2026-11-01 on",
    ]
    assert load(november) == ["b of 2026-11-01 was loaded already"]
    changed = november.replace("49.00", "48.00")
    assert load(changed) == ["b of 2026-11-01 loaded"]
    log = entries(home)
    assert [(one["action"], one["subject"]) for one in log] == [
        ("price-book load", f"{book}@{day}")
        for book, day in (("c", "2026-01-01"), ("b", "2026-11-01"), ("b", "2026-09-15"),
                          ("b", "2026-11-01"))
    ]  # fmt: skip
    hashes = [sha256(text.encode()).hexdigest() for text in (november, changed)]
    assert log[1]["details"] == {"file": "next.toml", "sha256": hashes[0], "replaced": None}
    assert log[3]["details"] == {"file": "next.toml", "sha256": hashes[1], "replaced": hashes[0]}


def test_a_fee_that_was_charged_in_advance_and_would_differ_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    book = BOOK.replace("amount = 49.00", 'amount = 49.00\ntiming = "advance"')
    fill_books(Settings(home, None, "ann"), [book], HEADER + ACCOUNTS)
    event = usage_event(1, "acme", "2026-09-05T10:00:00Z", "2026-09-05T10:10:00Z")
    project(home, [event], now=NOW)
    words = ("--month", "2026-09", "--account", "acme", "--finalize")
    assert run(home, "invoice", "run", *words).returncode == 0
    later = run(home, "account", "end", "acme", "--on", "2026-12-01").stderr
    assert "warning" not in later
    told = run(home, "account", "end", "acme", "--on", "2026-10-16").stderr.splitlines()
    assert [line for line in told if line.startswith("warning: ")] == [
        "warning: HM-2026-000001 has charged 2026-10 in advance, which would differ: the "
        "difference comes with the invoice of 2026-10"
    ]
    assert entries(home)[-1]["details"]["closed"] == ["HM-2026-000001"]
