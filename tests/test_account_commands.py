"""`account plan` and `account end` as a clerk types them: what is said, refused and left."""

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from billing.audit_trail import entries
from billing.books import subscriptions
from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.homes import HEADER, copied, project
from warehouse import open_store

NOW = "2026-11-04T09:00:00Z"
run = partial(command_line.run_here, now=NOW, user="ann")
OF = "Name,a@a.example,DE,de,Europe/Berlin"
ACCOUNTS = f"""\
acme,{OF},EUR,business,2026-01-01,,3
acme-uk,{OF},GBP,idle,2026-01-01,,1
free,{OF},EUR,idle,2026-01-01,,1
"""
BOOK = """\
book = "standard"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "business"
name = "Business"
[[plan.fee]]
code = "base"
description = "Business plan"
amount = 49.00
interval = "month"
timing = "arrears"
[[plan]]
code = "idle"
name = "Nothing"
"""
TEAM = BOOK.replace('"business"', '"team"')


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of one book, the second with the plan `team`; another book shares `idle`."""
    home = tmp_path_factory.mktemp("unchanged") / "home"
    team = TEAM.replace("2026-01-01", "2026-07-01")
    other = BOOK.replace("standard", "other").replace("EUR", "GBP")
    books = [BOOK, team, other.replace('"business"', '"pro"')]
    fill_books(Settings(home, None, "ann"), books, HEADER + ACCOUNTS)
    return home


@pytest.fixture
def home(unchanged: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(unchanged, tmp_path)


def plans(home: Path, account: str = "acme") -> list[tuple[str, str, str | None, int]]:
    return _plans(shown(home, "account", "list"), account)


def _plans(rows: list[dict[str, Any]], account: str) -> list[tuple[str, str, str | None, int]]:
    return [
        (row["plan"], row["since"], row["until"], row["quantity"])
        for row in rows
        if row["account_id"] == account
    ]


def said(home: Path, *arguments: str) -> list[str]:
    """The lines on stderr of a command that does something; the clock's own aside."""
    done = run(home, "account", *arguments)
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr.splitlines()[1:]


def refused(home: Path, *arguments: str) -> list[str]:
    """The faults of a command that is refused and leaves no trace, without their messages."""
    before = _kept(home)
    done = run(home, "account", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert _kept(home) == before
    *faults, summary = done.stderr.splitlines()[1:]
    assert summary.startswith("CHANGE_REFUSED: ")
    return faults


def _kept(home: Path) -> tuple[object, ...]:
    """Every plan and every entry of the audit trail in the books."""
    with open_store(home / "books.duckdb", "books").closing() as books:
        return subscriptions(books), entries(books)


def test_a_plan_is_changed_and_changed_back_and_ended(home: Path) -> None:
    assert said(home, "plan", "acme", "team", "--from", "2026-10-15") == [
        "acme: business, 3 seats, from 2026-01-01 to 2026-10-14 inclusive",
        "acme: team, 3 seats, from 2026-10-15",
    ]
    assert said(
        home, "plan", "acme", "standard/team", "--from", "2026-08-01", "--quantity", "1"
    ) == [
        "acme: business, 3 seats, from 2026-01-01 to 2026-07-31 inclusive",
        "acme: standard/team, 1 seat, from 2026-08-01 to 2026-10-14 inclusive",
        "acme: team, 3 seats, from 2026-10-15",
        "planned later, and stays: team, 3 seats, from 2026-10-15",
    ]
    assert said(home, "end", "acme", "--on", "2026-09-30") == [
        "acme: business, 3 seats, from 2026-01-01 to 2026-07-31 inclusive",
        "acme: standard/team, 1 seat, from 2026-08-01 to 2026-09-30 inclusive",
        "taken out: team, 3 seats, from 2026-10-15",
    ]
    assert plans(home) == [
        ("business", "2026-01-01", "2026-08-01", 3),
        ("standard/team", "2026-08-01", "2026-10-01", 1),
    ]
    assert plans(home, "free") == [("idle", "2026-01-01", None, 1)]


def test_as_data_it_is_the_history_as_the_list_has_it(home: Path) -> None:
    told = shown(home, "account", "plan", "acme", "team", "--from", "2026-10-15")
    listed = shown(home, "account", "list")
    assert told == [row for row in listed if row["account_id"] == "acme"]
    assert len(told) == 2
    assert shown(home, "account", "end", "acme", "--on", "2026-10-14") == [
        told[0] | {"until": "2026-10-15"}
    ]


def test_what_is_so_already_is_said_and_leaves_no_entry(home: Path) -> None:
    for command in (
        ("plan", "acme", "team", "--from", "2026-10-15", "--quantity", "5", "--reason", "order 7"),
        ("end", "acme", "--on", "2026-12-31"),
    ):
        first = said(home, *command)
        known = _kept(home)
        told, *rest = said(home, *command)
        assert told.startswith("nothing changed: acme ")
        assert rest == first
        assert _kept(home) == known
    told = said(home, "plan", "acme", "business", "--from", "2026-02-01")[0]
    assert told.startswith("nothing changed: acme had business, 3 seats, from 2026-01-01")


def test_the_audit_trail_says_who_did_what_when_and_why(home: Path) -> None:
    said(home, "plan", "acme", "team", "--from", "2026-10-15", "--reason", "order 7")
    said(home, "end", "acme", "--on", "2026-12-31")
    first, second = shown(home, "audit", "log")
    team = {"plan": "team", "since": "2026-10-15", "until": None, "quantity": 3}
    assert [first[name] for name in ("at", "who", "action", "subject", "reason")] == [
        *("2026-11-04T09:00:00Z", "ann", "account plan", "acme", "order 7")
    ]
    assert first["details"] == {"before": [], "after": [team], "closed": []}
    assert (second["action"], second["reason"]) == ("account end", "")
    ended = [team | {"until": "2027-01-01"}]
    assert second["details"] == {"before": [team], "after": ended, "closed": []}


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("plan acmee business --from 2026-10-01", "ACCOUNT_UNKNOWN: acmee: |acme or acme-uk?"),
        ("plan acme busines --from 2026-10-01", "PLAN_UNKNOWN: busines: |did you mean business?"),
        (
            "plan acme standart/team --from 2026-10-01",
            "PLAN_UNKNOWN: standart/team: |standard/team?",
        ),
        ("plan acme other/business --from 2026-10-01", "PLAN_UNKNOWN: other/business: |?"),
        ("plan acme x --from 2026-10-01", "PLAN_UNKNOWN: x: |`price-book list`"),
        ("plan acme idle --from 2026-10-01", "PLAN_AMBIGUOUS: idle: |other/idle or standard/idle"),
        ("plan acme pro --from 2026-10-01", "CURRENCY_DIFFERS: acme: |EUR, but other is in GBP"),
        ("end acmee --on 2026-10-01", "ACCOUNT_UNKNOWN: acmee: |acme or acme-uk?"),
        ("end acme --on 2025-12-31", "BEFORE_FIRST_DAY: acme: |2026-01-01"),
    ],
)
def test_a_change_is_refused(home: Path, command: str, fault: str) -> None:
    (told,) = refused(home, *command.split())
    begins, holds = fault.split("|")
    assert told.startswith(begins)
    assert holds in told


def test_every_fault_is_listed_at_once(home: Path) -> None:
    faults = refused(home, "plan", "nobody", "nothing", "--from", "2026-10-01")
    assert [fault.split(":")[0] for fault in faults] == ["ACCOUNT_UNKNOWN", "PLAN_UNKNOWN"]


def test_an_account_without_a_plan_has_none_to_end(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(HEADER + f"bare,{OF},EUR,business,2026-01-01,2026-01-01,\n")
    assert run(home, "account", "import", str(file)).returncode == 0
    (fault,) = refused(home, "end", "bare", "--on", "2026-10-01")
    assert fault.startswith("NO_PLAN: bare: ")
    assert said(home, "plan", "bare", "team", "--from", "2026-10-01") == [
        "bare: team, 1 seat, from 2026-10-01"
    ]


def test_wrong_usage_is_2_and_names_all_of_it(home: Path) -> None:
    words = ("plan", "acme", "a/b/c", "--from", "2026-02-30", "--quantity", "0")
    done = run(home, "account", *words)
    assert done.returncode == 2
    for place in ("PLAN: 'a/b/c'", "--from: '2026-02-30'", "--quantity: '0'"):
        assert place in done.stderr
    for words in (
        ("plan", "acme", "team", "--from", "2026-10-01", "--quantity", "1.5"),
        ("plan", "acme", "team", "--from", "2026-10-01", "--reason", " "),
        ("plan", "acme", "team"),
        ("end", "acme", "--on", "31.12.2026"),
        ("end", "acme", "--on", "2199-12-31"),
        ("end", "acme"),
    ):
        assert run(home, "account", *words).returncode == 2
    assert len(plans(home)) == 1


def test_nothing_is_made_where_there_are_no_books(tmp_path: Path) -> None:
    home = tmp_path / "typo"
    done = run(home, "account", "plan", "acme", "business", "--from", "2026-10-01")
    assert done.stderr.splitlines()[-1] == "CHANGE_REFUSED: 2 faults; nothing was changed"
    assert not home.exists()


def test_a_plan_that_its_book_has_later_or_had_before_is_taken_with_a_warning(home: Path) -> None:
    for plan, day in (("team", "2026-05-01"), ("business", "2026-08-01")):
        warning, *_ = said(home, "plan", "acme", plan, "--from", day)
        assert warning.startswith(f"warning: standard has no plan {plan} on {day}")
    assert [row[0] for row in plans(home)] == ["business", "team", "business"]


@pytest.fixture
def closed(home: Path) -> Path:
    """September and October are final for acme, which pays a fee, and nil for free."""
    event = usage_event(1, "acme", "2026-09-05T10:00:00Z", "2026-09-05T10:10:00Z")
    with open_store(home / "books.duckdb", "books").closing() as books:
        books.execute(
            "DELETE FROM price_books WHERE book = 'other' OR effective_from > '2026-01-01'"
        )
        books.execute("DELETE FROM accounts WHERE account_id = 'acme-uk'")
    project(home, [event], now=NOW)
    for month in ("2026-09", "2026-10"):
        assert run(home, "invoice", "run", "--month", month, "--finalize").returncode == 0
    return home


def test_a_change_of_closed_months_names_the_invoices_that_would_differ(closed: Path) -> None:
    def warned(*arguments: str) -> list[str]:
        lines = said(closed, *arguments)
        return [line.split(" is final")[0] for line in lines if line.startswith("warning")]

    assert warned("plan", "acme", "standard/business", "--from", "2026-10-15") == []  # the same
    assert warned("plan", "acme", "idle", "--from", "2026-11-01") == []
    assert warned("plan", "acme", "idle", "--from", "2026-10-31") == [
        "warning: HM-2026-000002 of 2026-10"
    ]
    assert warned("plan", "acme", "idle", "--from", "2026-10-31") == []
    assert warned("end", "acme", "--on", "2026-09-15") == [
        "warning: HM-2026-000001 of 2026-09",
        "warning: HM-2026-000002 of 2026-10",
    ]
    assert warned("plan", "free", "business", "--from", "2026-10-31") == [
        "warning: the nil invoice of 2026-10"
    ]
    log = shown(closed, "audit", "log")
    told = [one["details"]["closed"] for one in log if one["action"].startswith("account")]
    assert told == [
        *([], [], ["HM-2026-000002"], ["HM-2026-000001", "HM-2026-000002"], ["nil 2026-10"])
    ]


def test_the_currency_is_fixed_once_anything_is_final_or_nil(closed: Path, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    pounds = HEADER + (ACCOUNTS + f"acme,{OF},EUR,idle,2026-11-01,,0\n").replace("EUR", "GBP")
    file.write_text(pounds)
    before = shown(closed, "account", "list")
    done = run(closed, "account", "import", str(file))
    assert done.returncode == 1
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()[1:]] == [
        ["CURRENCY_FIXED", "row 2, currency"],
        ["CURRENCY_FIXED", "row 4, currency"],
        ["BAD_VALUE", "row 5, quantity"],
        ["CURRENCY_FIXED", "row 5, currency"],
        ["ACCOUNTS_INVALID", "the accounts file has 4 faults; nothing was imported"],
    ]
    assert "acme has documents or entered amounts in EUR" in done.stderr
    assert shown(closed, "account", "list") == before
    file.write_text(HEADER + ACCOUNTS)
    assert run(closed, "account", "import", str(file)).returncode == 0


def test_a_draft_does_not_fix_the_currency(home: Path, tmp_path: Path) -> None:
    event = usage_event(1, "acme", "2026-09-05T10:00:00Z", "2026-09-05T10:10:00Z")
    project(home, [event], now=NOW)
    run(home, "invoice", "run", "--month", "2026-06")
    assert [one["status"] for one in shown(home, "invoice", "list")] == ["draft"]
    file = tmp_path / "accounts.csv"
    file.write_text(HEADER + ACCOUNTS.replace("EUR", "GBP"))
    assert run(home, "account", "import", str(file)).returncode == 0
    assert {row["currency"] for row in shown(home, "account", "list")} == {"GBP"}


def test_a_long_history_is_listed_in_order_and_changed_in_its_middle(
    home: Path, tmp_path: Path
) -> None:
    days = [str(date(2027, 1, 1) + timedelta(n)) for n in range(1000)]
    file = tmp_path / "accounts.csv"
    rows = (f"acme,{OF},EUR,business,{day},,{n + 1}\n" for n, day in enumerate(days))
    file.write_text(HEADER + "".join(reversed(list(rows))))
    assert run(home, "account", "import", str(file)).returncode == 0
    ends = [*days, None]
    expected = [("business", since, ends[n + 1], n + 1) for n, since in enumerate(days)]
    expected.insert(0, ("business", "2026-01-01", days[0], 3))
    assert plans(home) == expected
    said(home, "end", "acme", "--on", "2028-01-02")
    kept = expected[: days.index("2028-01-02") + 2]
    assert plans(home) == [*kept[:-1], (*kept[-1][:2], "2028-01-03", kept[-1][3])]
