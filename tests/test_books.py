"""Accounts and price books from the command line: what is loaded, what is refused, and where."""

from pathlib import Path

from tests.command_line import run, shown

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
