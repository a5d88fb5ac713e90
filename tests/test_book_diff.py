"""`price-book diff`: small books, accounts and usage in; who would pay what out."""

import csv
import io
import re
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.command_line import start, usage_event, wait_until
from tests.homes import HEADER, copied, project

NOW = "2027-01-05T09:00:00Z"
run = partial(command_line.run_here, now=NOW)
OF = "m@m.example,DE,de,Europe/Berlin"
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
amount = 31.00
timing = "advance"
[[plan.charge]]
code = "minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.10
"""
# A cheaper fee and dearer minutes: who talks more than 100 minutes pays more.
NEXT = BOOK.replace("2026-01-01", "2027-01-01").replace("31.00", "21.70").replace("0.10", "0.193")
ACCOUNTS = f"""\
busy,Busy,{OF},EUR,business,2026-01-01,,1
calm,Calm,{OF},EUR,standard/business,2026-01-01,,1
even,Even,{OF},EUR,business,2026-01-01,,1
part,Part,{OF},EUR,business,2026-10-22,2026-11-04,1
"""
# Minutes: busy 300 in October and 10 in November; calm none; even 100 in October.
EVENTS = [
    usage_event(1, "busy", "2026-10-05T10:00:00Z", "2026-10-05T15:00:00Z"),
    usage_event(2, "busy", "2026-11-05T10:00:00Z", "2026-11-05T10:10:00Z"),
    usage_event(3, "even", "2026-10-31T22:59:59.999999Z", "2026-11-01T00:39:59.999999Z"),
    usage_event(4, "nobody", "2026-10-05T10:00:00Z", "2026-10-05T15:00:00Z"),
]


def named(text: str, book: str, day: str) -> dict[str, str]:
    """A version as the comparison names it in its data."""
    return {"book": book, "effective_from": day, "sha256": sha256(text.encode()).hexdigest()}


OCTOBER = ("--from", "2026-10-01", "--to", "2026-11-01")
Rows = list[tuple[str, str, str, str, str | None]]


def make_home(
    tmp_path: Path, *books: str, accounts: str = ACCOUNTS, events: list[Any] = EVENTS
) -> Path:
    home = tmp_path / "home"
    fill_books(Settings(home, None, "ann"), books, HEADER + accounts)
    project(home, events, now=NOW)
    (home / "next.toml").write_text(NEXT)
    return home


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("priced"), BOOK)


@pytest.fixture
def home(priced: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(priced, tmp_path)


def diff(home: Path, *arguments: str) -> Any:
    return shown(home, "price-book", "diff", *arguments)


def rows(told: Any) -> Rows:
    names = ("account_id", "old", "new", "difference", "percent")
    return [tuple(one[name] for name in names) for one in told["accounts"]]


def test_who_would_pay_less_and_who_more(home: Path) -> None:
    """31.00 and 300 minutes at 0.10 against 21.70 and 300 at 0.193; 10 of 31 days are a part."""
    before = sha256((home / "books.duckdb").read_bytes()).hexdigest()
    told = diff(home, "standard", str(home / "next.toml"), *OCTOBER)
    assert rows(told) == [
        ("calm", "31.00", "21.70", "-9.30", "-30.00"),
        ("part", "10.00", "7.00", "-3.00", "-30.00"),
        ("even", "41.00", "41.00", "0.00", "0.00"),
        ("busy", "61.00", "79.60", "18.60", "30.49"),
    ]
    assert {name: value for name, value in told.items() if name != "accounts"} == {
        "old": named(BOOK, "standard", "2026-01-01"),
        "new": named(NEXT, "standard", "2027-01-01"),
        "from": "2026-10-01",
        "to": "2026-11-01",
        "currency": "EUR",
        "total": {"old": "143.00", "new": "149.30", "difference": "6.30"},
    }
    assert {one["plan"] for one in told["accounts"]} == {"business"}
    assert sha256((home / "books.duckdb").read_bytes()).hexdigest() == before


def test_several_months_add_up_each_with_its_own_fees(home: Path) -> None:
    """Part has 3 of 30 days of November: 3.10 against 2.17, after 10.00 against 7.00."""
    told = diff(home, "standard", str(home / "next.toml"), "--from", "2026-10", "--to", "2026-12")
    assert rows(told) == [
        ("calm", "62.00", "43.40", "-18.60", "-30.00"),
        ("even", "72.00", "62.70", "-9.30", "-12.92"),
        ("part", "13.10", "9.17", "-3.93", "-30.00"),
        ("busy", "93.00", "103.23", "10.23", "11.00"),
    ]


def test_what_is_final_changes_nothing_of_what_a_month_costs(home: Path) -> None:
    """November's fees were charged in October: they are November's all the same."""
    november = ("--from", "2026-11-01", "--to", "2026-12-01")
    asked = ("standard", str(home / "next.toml"), *november)
    before = diff(home, *asked)
    assert run(home, "invoice", "run", "--month", "2026-10", "--finalize").returncode == 0
    assert diff(home, *asked) == before
    assert rows(before)[0] == ("calm", "31.00", "21.70", "-9.30", "-30.00")


def test_a_table_for_people_and_csv_for_all(home: Path) -> None:
    asked = ("price-book", "diff", "standard", str(home / "next.toml"), *OCTOBER)
    done = run(home, *asked)
    assert done.returncode == 0
    assert (
        done.stdout
        == """\
Would pay less: 2
account_id  name  plan        old    new  difference  percent
----------  ----  --------  -----  -----  ----------  -------
calm        Calm  business  31.00  21.70       -9.30   -30.00
part        Part  business  10.00   7.00       -3.00   -30.00

Would pay more: 1
account_id  name  plan        old    new  difference  percent
----------  ----  --------  -----  -----  ----------  -------
busy        Busy  business  61.00  79.60       18.60    30.49

1 of 4 accounts would pay the same.

currency  accounts     old     new  difference  percent
--------  --------  ------  ------  ----------  -------
EUR              4  143.00  149.30        6.30     4.41
"""
    )
    assert "standard of 2026-01-01 against standard of 2027-01-01\n" in done.stderr
    as_csv = run(home, *asked, "--format", "csv")
    found = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [one["account_id"] for one in found] == ["calm", "part", "even", "busy"]
    assert [one["difference"] for one in found] == ["-9.30", "-3.00", "0.00", "18.60"]


def test_a_table_names_ten_of_each_and_counts_the_others(tmp_path: Path) -> None:
    accounts = "".join(
        f"a{n:02},A{n:02},{OF},EUR,business,2026-10-{n:02},,1\n" for n in range(1, 13)
    )
    home = make_home(tmp_path, BOOK, accounts=accounts)
    asked = ("price-book", "diff", "standard", str(home / "next.toml"), *OCTOBER)
    told = run(home, *asked).stdout
    assert "Would pay less: 12; the 10 with the biggest difference\n" in told
    assert "Would pay more: 0\n" in told
    assert [line[:3] for line in told.splitlines() if line[:1] == "a" and line[1].isdigit()] == [
        f"a{n:02}" for n in range(1, 11)
    ]
    assert len(shown(home, *asked)["accounts"]) == 12


def test_versions_are_named_by_code_day_and_file(tmp_path: Path) -> None:
    """The one in force on --from, the first where none is yet, or the one of a day."""
    home = make_home(tmp_path, BOOK, NEXT, NEXT.replace('"standard"', '"other"'))
    file = str(home / "next.toml")
    other = NEXT.replace('"standard"', '"other"')
    old = named(BOOK, "standard", "2026-01-01")
    new, another = (named(text, "standard", "2027-01-01") for text in (NEXT, other))
    late = ("--from", "2027-01", "--to", "2027-02")
    for names, days, found in (
        (("standard", "standard@2027-01-01"), OCTOBER, [old, new]),
        (("standard@2026-01-01", "standard"), late, [old, new]),
        (("standard", "other"), OCTOBER, [old, {**another, "book": "other"}]),
        ((file, "standard"), OCTOBER, [new, old]),
    ):
        told = diff(home, *names, *days)
        assert [told["old"], told["new"]] == found
    turned = diff(home, file, "standard", *OCTOBER)
    assert rows(turned)[0][:4] == ("busy", "79.60", "61.00", "-18.60")
    for name, code in (
        ("standrad", "BOOK_UNKNOWN"),
        ("standard@2026-01-02", "VERSION_UNKNOWN"),
        (str(home / "none.toml"), "FILE_UNREADABLE"),
    ):
        for names in (("standard", name), (name, "standard")):
            done = run(home, "price-book", "diff", *names, *OCTOBER)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.splitlines()[-1].startswith(f"{code}: ")


def test_a_plan_of_both_books_is_the_old_ones(tmp_path: Path) -> None:
    """A run would ask for book/plan; who compares the two has said which one is meant."""
    other = NEXT.replace('"standard"', '"other"').replace("2027-01-01", "2026-01-01")
    home = make_home(tmp_path, BOOK, other)
    assert rows(diff(home, "standard", "other", *OCTOBER)) == [
        ("calm", "31.00", "21.70", "-9.30", "-30.00"),
        ("part", "10.00", "7.00", "-3.00", "-30.00"),
        ("even", "41.00", "41.00", "0.00", "0.00"),
        ("busy", "61.00", "79.60", "18.60", "30.49"),
    ]
    # Seen from the other, calm is not on it: it has named its book.
    turned = diff(home, "other", "standard", *OCTOBER)
    assert [row[0] for row in rows(turned)] == ["busy", "even", "part"]


def test_a_month_with_another_books_plan_is_compared_whole(tmp_path: Path) -> None:
    """Pro costs 62.00 a month and is of another book: 21 days of it in October under both."""
    pro = BOOK.replace('"standard"', '"big"').replace('"business"', '"pro"')
    accounts = f"""\
both,Both,{OF},EUR,business,2026-01-01,,1
both,Both,{OF},EUR,pro,2026-10-11,,1
only,Only,{OF},EUR,pro,2026-01-01,,1
"""
    home = make_home(tmp_path, BOOK, pro.replace("31.00", "62.00"), accounts=accounts)
    told = diff(home, "standard", str(home / "next.toml"), "--from", "2026-10", "--to", "2026-12")
    assert rows(told) == [("both", "52.00", "49.00", "-3.00", "-5.77")]
    assert told["accounts"][0]["plan"] == "business"


def test_accounts_that_cannot_be_compared_are_named_and_the_others_shown(tmp_path: Path) -> None:
    team = BOOK[BOOK.index("[[plan]]") :].replace('"business"', '"team"')
    third = BOOK.replace('"standard"', '"third"').replace('"business"', '"team"')
    accounts = f"""{ACCOUNTS}\
team,Team,{OF},EUR,standard/team,2026-11-01,,1
pounds,Pounds,{OF},GBP,business,2026-01-01,,1
doubt,Doubt,{OF},EUR,team,2026-01-01,,1
lost,Lost,{OF},EUR,business,2026-01-01,,1
lost,Lost,{OF},EUR,nowhere,2026-10-30,,1
fine,Fine,{OF},EUR,nowhere,2026-01-01,,1
"""
    home = make_home(tmp_path, BOOK + team, third, accounts=accounts)
    asked = ("price-book", "diff", "standard", str(home / "next.toml"))
    months = ("--from", "2026-10", "--to", "2026-12")
    done = run(home, *asked, *months, "--format", "csv")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-5:] == [
        "PLAN_AMBIGUOUS: doubt: the plan team is in third and standard: name it as book/plan",
        "PLAN_UNKNOWN: lost: no loaded price book has the plan nowhere on 2026-10-30",
        "CURRENCY_DIFFERS: pounds: is billed in GBP, but standard of 2026-01-01 is in EUR",
        "PLAN_UNKNOWN: team: standard of 2027-01-01 has no plan team",
        "ACCOUNTS_LEFT: 4 accounts cannot be compared",
    ]
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(one["account_id"], one["difference"]) for one in found] == [
        ("calm", "-18.60"), ("even", "-9.30"), ("part", "-3.93"), ("busy", "10.23"),
    ]  # fmt: skip
    # Pounds: the new version may be in another currency than the account.
    (home / "pounds.toml").write_text(NEXT.replace("EUR", "GBP"))
    other = run(home, "price-book", "diff", "standard", str(home / "pounds.toml"), *OCTOBER)
    assert "calm: is billed in EUR, but standard of 2027-01-01 is in GBP\n" in other.stderr
    assert (other.returncode, other.stdout) == (1, "")


def test_versions_of_one_day_are_told_apart(tmp_path: Path) -> None:
    changed = BOOK.replace("31.00", "30.00")
    home = make_home(tmp_path, BOOK)
    (home / "next.toml").write_text(changed)
    done = run(home, "price-book", "diff", "standard", str(home / "next.toml"), *OCTOBER)
    hashes = [sha256(text.encode()).hexdigest()[:8] for text in (BOOK, changed)]
    old, new = (f"standard of 2026-01-01 ({start})" for start in hashes)
    assert f"{old} against {new}\n" in done.stderr
    (home / "next.toml").write_text(changed.replace('"business"', '"team"'))
    done = run(home, "price-book", "diff", "standard", str(home / "next.toml"), *OCTOBER)
    assert re.search(r"calm: standard of 2026-01-01 \([0-9a-f]{8}\) has no plan", done.stderr)


def test_a_line_too_large_is_a_fault_of_its_account(tmp_path: Path) -> None:
    dear = NEXT.replace("0.193", "999999999.999999999999").replace(
        'measure = "duration"\nunit = "minute"', 'measure = "quantity"\nunit = "byte"'
    )
    events = [*EVENTS, usage_event(9, "busy", "2026-10-06T10:00:00Z", "2026-10-06T10:00:00Z",
                                   quantity=2**62)]  # fmt: skip
    home = make_home(tmp_path, BOOK, events=events)
    (home / "dear.toml").write_text(dear)
    done = run(home, "price-book", "diff", "standard", str(home / "dear.toml"), *OCTOBER)
    assert done.returncode == 1
    assert "LINE_TOO_LARGE: busy: minutes is beyond what can be billed exactly: " in done.stderr
    assert "calm " in done.stdout and "busy " not in done.stdout


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-10-02", "2026-11-01"),
        ("2026-10-01", "2026-11-30"),
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01", "2026-10-01"),
        ("2026-13", "2027-01"),
        ("2026-10-01-01", "2027-01"),
        ("October", "2027-01"),
    ],
)
def test_wrong_months_are_wrong_usage(tmp_path: Path, since: str, until: str) -> None:
    done = run(tmp_path, "price-book", "diff", "a", "b", "--from", since, "--to", until)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(
        r"USAGE: .*(is not the first day of a month|must be a later month)", done.stderr
    )


def test_where_all_are_left_out_nobody_is_said_to_be_absent(home: Path) -> None:
    foreign = (home / "next.toml").read_text().replace('"EUR"', '"USD"')
    (home / "foreign.toml").write_text(foreign)
    asked = ("price-book", "diff", "standard", str(home / "foreign.toml"))
    done = run(home, *asked, "--from", "2026-10", "--to", "2026-11")
    assert (done.returncode, done.stdout) == (1, "")
    assert "CURRENCY_DIFFERS: calm: " in done.stderr
    assert "no account is on" not in done.stderr


def test_nobody_on_the_book_is_said(home: Path) -> None:
    asked = ("price-book", "diff", "standard", str(home / "next.toml"))
    done = run(home, *asked, "--from", "2025-01", "--to", "2025-03")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == (
        "no account is on standard between 2025-01-01 and 2025-03-01"
    )
    assert diff(home, *asked[2:], "--from", "2025-01", "--to", "2025-03")["accounts"] == []


def test_it_is_the_same_while_the_projector_serves(home: Path) -> None:
    asked = ("standard", str(home / "next.toml"), *OCTOBER)
    alone = diff(home, *asked)
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        assert diff(home, *asked) == alone
        service.terminate()
        assert service.wait(120) == 0
