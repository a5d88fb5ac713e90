"""From events to usage and invoices by the command line, on real stores."""

import hashlib
import json
import uuid
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import command_line
from tests.command_line import start, usage_event, wait_until
from tests.homes import billed_home, copied
from warehouse import read_store, whole

# The clock of every command here.
run = partial(command_line.run_here, now="2026-11-04T09:00:00Z")
shown = partial(command_line.shown_here, now="2026-11-04T09:00:00Z")
ACCOUNTS = """\
account_id,name,email,country,language,time_zone,currency,plan,since,until
acme,Acme,a@acme.example,DE,de,Europe/Berlin,EUR,business,2026-01-01,
half,Half,h@half.example,DE,de,Europe/Berlin,EUR,business,2026-10-16,
idle,Idle,i@idle.example,DE,de,Europe/Berlin,EUR,nothing,2026-01-01,
lost,Lost,l@lost.example,DE,de,Europe/Berlin,EUR,nowhere,2026-01-01,
"""
BOOK = """\
book = "standard-2026"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "nothing"
name = "Nothing"
[[plan]]
code = "business"
name = "Business"
free = ["whiteboard"]
[[plan.fee]]
code = "base"
description = "Business plan"
amount = 49.00
interval = "month"
timing = "arrears"
per = "plan"
[[plan.charge]]
code = "participant_minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
rounding = { scope = "record", quantum = 60, mode = "up", minimum = 60 }
included = 10
model = "graduated"
tiers = [ { up_to = 40, unit_price = 0.5 }, { unit_price = 0.25 } ]
"""


EVENTS = [
    # 60 minutes and a second: 61 by the minute; it starts on 1 October in Berlin alone.
    usage_event(1, "acme", "2026-09-30T22:00:00Z", "2026-09-30T23:00:01Z"),
    usage_event(2, "acme", "2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z"),  # November in Berlin
    usage_event(3, "acme", "2026-10-05T10:00:00Z", "2026-10-05T10:00:30Z", meter="recording"),
    usage_event(4, "acme", "2026-10-05T10:00:00Z", "2026-10-05T10:00:30Z", meter="whiteboard"),
    usage_event(5, "half", "2026-10-05T10:00:00Z", "2026-10-05T10:10:00Z"),
    usage_event(6, "ghost", "2026-10-05T10:00:00Z", "2026-10-05T10:10:00Z"),
    usage_event(7, "lost", "2026-10-05T10:00:00Z", "2026-10-05T10:10:00Z"),
]


@pytest.fixture(scope="module")
def unbilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return billed_home(tmp_path_factory.mktemp("unbilled"), ACCOUNTS, BOOK, EVENTS)


@pytest.fixture
def home(unbilled: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(unbilled, tmp_path)


def test_usage_is_of_the_accounts_own_month(home: Path) -> None:
    rows = shown(home, "usage", "--account", "acme", "--month", "2026-10")
    assert [(row["meter"], row["records"], row["seconds"]) for row in rows] == [
        ("participant", 1, "3601"),
        ("recording", 1, "30"),
        ("whiteboard", 1, "30"),
    ]
    (november,) = shown(home, "usage", "--month", "2026-11")
    assert (november["account_id"], november["seconds"]) == ("acme", "1800")


def test_unbilled_usage_has_its_reason(home: Path) -> None:
    rows = shown(home, "usage", "--month", "2026-10", "--unbilled")
    assert {(row["account_id"], row["meter"], row["reason"]) for row in rows} == {
        ("acme", "recording", "no_charge"),
        ("ghost", "participant", "no_account"),
        ("half", "participant", "no_subscription"),
        ("lost", "participant", "no_price"),
    }


def test_several_identities_of_one_record_are_a_conflict(home: Path) -> None:
    other = usage_event(1, "acme", "2026-10-02T10:00:00Z", "2026-10-02T10:10:00Z")
    run(home, "emit", "-", "--server-id", "fra-2", lines=[other])
    run(home, "consume", "--once")
    found = shown(home, "usage", "conflicts")
    assert len({row["hash"] for row in found}) == 2
    assert {row["record_id"] for row in found} == {str(uuid.UUID(int=1))}
    rows = shown(home, "usage", "--month", "2026-10", "--account", "acme", "--unbilled")
    assert [row["records"] for row in rows if row["reason"] == "conflict"] == [2]


def test_wrong_usage_is_2(home: Path) -> None:
    assert run(home, "usage").returncode == 2
    assert run(home, "usage", "--month", "2026-13").returncode == 2


def test_a_run_makes_drafts_and_names_the_account_without_a_book(home: Path) -> None:
    done = run(home, "invoice", "run", "--month", "2026-10", "--format", "json")
    assert done.returncode == 1
    assert "PLAN_UNKNOWN: lost: " in done.stderr
    acme, half, idle = json.loads(done.stdout)
    assert {one["status"] for one in (acme, half, idle)} == {"draft"}
    assert acme["period"] == {
        "start": "2026-10-01T00:00:00+02:00",
        "end": "2026-11-01T00:00:00+01:00",
    }
    fee, minutes = acme["lines"]
    assert (fee["kind"], fee["quantity"], fee["amount"]) == ("fee", "1", "49.00")
    assert (minutes["quantity"], minutes["included"], minutes["amount"]) == ("61", "10", "22.75")
    assert [(t["up_to"], t["quantity"], t["amount"]) for t in minutes["tiers"]] == [
        ("40", "40", "20"),
        (None, "11", "2.75"),
    ]
    assert (acme["total"], acme["number"]) == ("71.75", None)
    fee, minutes = half["lines"]
    assert (fee["amount"], fee["proration"]) == ("25.29", "16/31")
    assert (minutes["quantity"], minutes["included"]) == ("0", "6")
    assert (idle["lines"], idle["total"]) == ([], "0.00")


def test_finalising_numbers_freezes_and_proves_and_twice_changes_nothing(home: Path) -> None:
    arguments = ("invoice", "run", "--month", "2026-10", "--finalize")
    acme, half, idle = first = shown(home, *arguments)
    numbers = ["HM-2026-000001", "HM-2026-000002", None]
    assert [one["number"] for one in first] == numbers
    assert [one["status"] for one in first] == ["final", "final", "nil"]
    assert (acme["issued_on"], acme["due_on"]) == ("2026-11-04", "2026-11-18")
    for document, name in ((acme, "HM-2026-000001"), (half, half["id"])):
        whole_one = shown(home, "invoice", "show", name)
        assert whole_one.pop("closing")["run"] == 1
        against = whole_one.pop("no_electronic_invoice", None)
        assert (against is None) == (document["number"] is None)
        assert whole_one == document
    (evidence,) = (home / "evidence").iterdir()
    table = pq.read_table(evidence).to_pylist()
    assert [(row["number"], row["account_id"], row["chargeable"]) for row in table] == [
        ("HM-2026-000001", "acme", [str(61 * 60 * 10**6)])
    ]
    with read_store(home / "books.duckdb", "books", whole("runs")).closing() as books:
        assert books.value("SELECT evidence_sha256 FROM runs") == (
            hashlib.sha256(evidence.read_bytes()).hexdigest()
        )
    pdf = home / "documents" / "HM-2026-000001.pdf"
    content = pdf.read_bytes()
    pdf.unlink()
    assert shown(home, *arguments) == first == shown(home, "invoice", "list")
    assert pdf.read_bytes() == content
    assert len(list((home / "evidence").iterdir())) == 1
    assert idle["total"] == "0.00"


def test_a_book_that_an_invoice_was_made_from_is_not_replaced(home: Path) -> None:
    run(home, "invoice", "run", "--month", "2026-10", "--finalize")
    file = home.parent / "book.toml"
    file.write_text(BOOK.replace("49.00", "59.00"))
    refused = run(home, "price-book", "load", str(file))
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("BOOK_IN_USE: ")


def test_a_period_that_is_not_over_and_a_conflict_stay_drafts(home: Path) -> None:
    early = run(home, "invoice", "run", "--month", "2026-11", "--finalize", "--account", "acme")
    assert early.returncode == 1
    assert "PERIOD_OPEN: acme: " in early.stderr
    assert early.stderr.endswith("INVOICES_LEFT: 1 fault kept accounts from it\n")
    assert "PDF" not in early.stderr  # drafts have none
    other = usage_event(1, "acme", "2026-10-02T10:00:00Z", "2026-10-02T10:10:00Z")
    run(home, "emit", "-", "--server-id", "fra-2", lines=[other])
    run(home, "consume", "--once")
    done = run(home, "invoice", "run", "--month", "2026-10", "--finalize", "--format", "json")
    assert "USAGE_CONFLICT: acme: " in done.stderr
    assert [one["status"] for one in json.loads(done.stdout)] == ["draft", "final", "nil"]
    assert run(home, "invoice", "show", "nothing").returncode == 1


def test_seats_part_their_fee_by_days_and_two_books_need_a_name(home: Path) -> None:
    header = ACCOUNTS.splitlines()[0] + ",quantity\n"
    row = "team,Team,t@team.example,DE,de,Europe/Berlin,EUR,{},{},,{}\n"
    file = home.parent / "team.csv"
    file.write_text(
        header + row.format("seats", "2026-01-01", 2) + row.format("seats", "2026-10-11", 3)
    )
    seats = BOOK.replace('"business"', '"seats"').replace('per = "plan"', 'per = "seat"')
    (home.parent / "seats.toml").write_text(seats.replace("standard-2026", "seats-2026"))
    run(home, "account", "import", str(file))
    run(home, "price-book", "load", str(home.parent / "seats.toml"))
    asked = ("invoice", "run", "--month", "2026-10", "--account", "team")
    (team,) = shown(home, *asked)
    fees = [(one["quantity"], one["amount"]) for one in team["lines"] if one["kind"] == "fee"]
    assert fees == [("2", "31.61"), ("3", "99.58")]  # 49 * 2 * 10 / 31 and 49 * 3 * 21 / 31
    assert len([one for one in team["lines"] if one["kind"] == "usage"]) == 1
    twin = seats.replace("standard-2026", "twin-2026")
    (home.parent / "twin.toml").write_text(twin)
    run(home, "price-book", "load", str(home.parent / "twin.toml"))
    done = run(home, *asked)
    assert done.returncode == 1
    assert "PLAN_AMBIGUOUS: team: " in done.stderr


def test_everything_that_reads_gives_the_same_while_the_projector_runs(home: Path) -> None:
    month = ("--month", "2026-10")
    asked = (
        ("usage", *month),
        ("usage", *month, "--unbilled"),
        ("usage", "conflicts"),
        ("quarantine", "list"),
        ("tuning", "report", "--from", "2026-10-01", "--to", "2026-11-01"),
        ("invoice", "run", *month, "--account", "acme", "--finalize"),
    )
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        served = [shown(home, *arguments) for arguments in asked]
        assert run(home, "verify").returncode == 0
        service.terminate()
        assert service.wait(120) == 0
    assert [shown(home, *arguments) for arguments in asked] == served
