"""Accounts and price books from the command line: what is loaded, what is refused, and where."""

import random
from datetime import date, timedelta
from pathlib import Path

from billing import Subscription, import_accounts, merge_history
from billing.books import accounts, subscriptions
from edge import Refused
from tests.billed import store_book
from tests.command_line import run_here as run
from tests.command_line import shown_here as shown
from warehouse import open_store, read_store, whole

HEADER = "account_id,name,email,country,language,time_zone,currency,plan,since,until\n"
ACME = "acme,Acme,a@acme.example,DE,de,Europe/Berlin,EUR,business,2026-01-01,\n"
BOOK = """\
book = "standard-2026"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "business"
name = "Business"
"""


def test_importing_twice_changes_nothing_and_history_ends_where_the_next_begins(
    tmp_path: Path,
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(HEADER + ACME + ACME.replace("business,2026-01", "team,2026-10"))
    assert run(tmp_path, "account", "import", str(file)).returncode == 0
    first = shown(tmp_path, "account", "list")
    assert [(row["plan"], row["since"], row["until"]) for row in first] == [
        ("business", "2026-01-01", "2026-10-01"),
        ("team", "2026-10-01", None),
    ]
    assert run(tmp_path, "account", "import", str(file)).returncode == 0
    assert shown(tmp_path, "account", "list") == first


def test_faults_of_an_accounts_file_are_all_named_and_nothing_is_imported(tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(HEADER + ACME + ACME.replace("acme,", "other,").replace("EUR", "euro"))
    done = run(tmp_path, "account", "import", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert "row 3, currency" in done.stderr
    assert shown(tmp_path, "account", "list") == []


def test_a_book_is_checked_loaded_once_and_replaced_while_unused(tmp_path: Path) -> None:
    file = tmp_path / "book.toml"
    file.write_text(BOOK)
    assert run(tmp_path, "price-book", "check", str(file)).returncode == 0
    assert shown(tmp_path, "price-book", "list") == []
    assert "loaded" in run(tmp_path, "price-book", "load", str(file)).stderr
    assert "already" in run(tmp_path, "price-book", "load", str(file)).stderr
    (before,) = shown(tmp_path, "price-book", "list")
    file.write_text(BOOK.replace("Business", "Firm"))
    assert run(tmp_path, "price-book", "load", str(file)).returncode == 0
    (after,) = shown(tmp_path, "price-book", "list")
    assert before["sha256"] != after["sha256"]
    file.write_text(BOOK.replace("EUR", "euro"))
    refused = run(tmp_path, "price-book", "load", str(file))
    assert refused.returncode == 1
    assert "currency" in refused.stderr
    assert shown(tmp_path, "price-book", "list") == [after]


def test_a_missing_file_is_refused_and_wrong_usage_is_2(tmp_path: Path) -> None:
    assert run(tmp_path, "price-book", "load", str(tmp_path / "none")).returncode == 1
    assert run(tmp_path, "account", "import").returncode == 2


def test_imports_join_as_the_rule_of_histories_says(tmp_path: Path, rng: random.Random) -> None:
    expected: tuple[Subscription, ...] = ()
    names: dict[str, str] = {}
    most = 0
    with open_store(tmp_path / "books.duckdb", "books").closing() as books:
        for number in range(40):
            rows = _some_rows(rng, number)
            lines = [_line(row, f"Name {number}") for row in rows]
            content = (HEADER.rstrip() + ",quantity\n" + "".join(lines)).encode()
            try:
                told = import_accounts(books, content)
            except Refused as refused:
                assert {fault.code for fault in refused.faults} == {"OVERLAP"}
            else:
                names |= {row.account_id: f"Name {number}" for row in rows}
                assert told == (len({row.account_id for row in rows}), len(rows))
                expected = merge_history(expected, rows)
            most = max(most, len(expected))
            assert tuple(subscriptions(books)) == expected
            assert {one.account_id: one.name for one in accounts(books)} == names
    assert most > 3


def _some_rows(rng: random.Random, number: int) -> list[Subscription]:
    """One row each for a few of the pairs of account and day; some take theirs out."""
    pairs = [(name, date(2026, month, 1)) for name in ("a", "b", "c") for month in range(1, 7)]
    rows = []
    for name, since in rng.sample(pairs, rng.randint(1, 5)):
        days = rng.choice([None, None, None, 0, 0, 10])
        until = None if days is None else since + timedelta(days)
        book = rng.choice([None, "book"])
        rows.append(Subscription(name, since, until, book, f"plan-{number}", rng.randint(1, 9)))
    return rows


def _line(row: Subscription, name: str) -> str:
    plan = f"{row.book}/{row.plan}" if row.book else row.plan
    spans = f"{plan},{row.since},{row.until or ''},{row.quantity}"
    return f"{row.account_id},{name},a@a.example,DE,de,Europe/Berlin,EUR,{spans}\n"


def test_who_only_looks_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "typo"
    for arguments in (("account", "list"), ("invoice", "list"), ("price-book", "list")):
        assert shown(home, *arguments) == []
    assert run(home, "usage", "--month", "2026-10").stderr.startswith("STORE_MISSING")
    assert not home.exists()


def test_what_a_file_has_no_column_for_stays_as_it_was(tmp_path: Path) -> None:
    file, home = tmp_path / "a.csv", tmp_path / "home"
    head = "account_id,name,email,country,language,time_zone,currency,plan,since"
    row = "a,Ann\N{NO-BREAK SPACE}Lee,a@a.example,DE,de,Europe/Berlin,EUR,p,2026-01-01"
    for extra, value in (
        (",vat_number,street", ",DE123456788,Long Street 1"),
        ("", ""),
        (",street", ","),
    ):
        file.write_text(f"{head}{extra}\n{row}{value}\n")
        assert run(home, "account", "import", str(file)).returncode == 0
    with read_store(home / "books.duckdb", "books", whole("accounts")).closing() as books:
        assert books.rows("SELECT name, vat_number, street FROM accounts") == [
            ("Ann\N{NO-BREAK SPACE}Lee", "DE123456788", None)
        ]
    file.write_text(f"{head},until\n{row},2026-01-01\n")
    assert run(home, "account", "import", str(file)).returncode == 0
    (one,) = shown(home, "account", "list")  # without a plan it is an account still
    assert (one["account_id"], one["plan"]) == ("a", None)


def test_a_currency_that_is_gone_is_refused_but_stays_that_of_its_books(tmp_path: Path) -> None:
    gone = "'DEM' is legal tender nowhere today"
    accounts, book = tmp_path / "accounts.csv", tmp_path / "book.toml"
    row = "a,A,a@a.example,DE,de,Europe/Berlin,{},p,2026-01-01,\n"
    accounts.write_text(HEADER + row.format("DEM"))
    book.write_text(BOOK.replace("EUR", "DEM"))
    told = run(tmp_path, "account", "import", str(accounts))
    assert f"BAD_VALUE: row 2, currency: {gone}" in told.stderr
    told = run(tmp_path, "price-book", "load", str(book))
    assert f"BAD_VALUE: currency: {gone}" in told.stderr
    # As a version did that knew it still, and closed a month in it.
    accounts.write_text(HEADER + row.format("EUR"))
    assert run(tmp_path, "account", "import", str(accounts)).returncode == 0
    with open_store(tmp_path / "books.duckdb", "books").closing() as books:
        store_book(books, book.read_text())
        books.execute("UPDATE accounts SET currency = 'DEM'")
        books.execute("INSERT INTO invoices (account_id, status) VALUES ('a', 'nil')")
    accounts.write_text(HEADER + row.format("DEM"))
    assert run(tmp_path, "account", "import", str(accounts)).returncode == 0
    (shown_book,) = shown(tmp_path, "price-book", "list")
    assert shown_book["currency"] == "DEM"
    assert run(tmp_path, "price-book", "show", shown_book["book"]).returncode == 0
