"""`invoice preview`: the draft of an account's running month, told and kept nowhere."""

import json
import re
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests import command_line
from tests.command_line import start, usage_event, wait_until
from tests.homes import billed_home, copied
from warehouse import open_store

MID_NOVEMBER = "2026-11-15T12:00:00Z"
run = partial(command_line.run_here, now=MID_NOVEMBER)
shown = partial(command_line.shown_here, now=MID_NOVEMBER)
ACCOUNTS = """\
account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity
acme,Acme,a@acme.example,DE,de,Europe/Berlin,EUR,business,2026-10-15,,2
gone,Gone,g@gone.example,DE,de,Europe/Berlin,EUR,business,2026-01-01,2026-10-16,1
lost,Lost,l@lost.example,DE,de,Europe/Berlin,EUR,nowhere,2026-01-01,,1
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
timing = "advance"
[[plan.charge]]
code = "minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.10
[plan.commitment]
amount = 20.00
"""
EVENTS = [
    usage_event(1, "acme", "2026-10-20T10:00:00Z", "2026-10-20T10:30:00Z"),
    usage_event(2, "acme", "2026-11-10T10:00:00Z", "2026-11-10T11:00:00Z"),
    usage_event(3, "acme", "2026-11-14T10:00:00Z", "2026-11-14T12:00:00.25Z", phase="INTERIM"),
]
PREVIEW = ("invoice", "preview", "--account")


@pytest.fixture(scope="module")
def unbilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return billed_home(tmp_path_factory.mktemp("unbilled"), ACCOUNTS, BOOK, EVENTS)


@pytest.fixture
def home(unbilled: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(unbilled, tmp_path)


def amounts(document: dict[str, object]) -> list[tuple[str, str, str]]:
    lines: list[dict[str, str]] = document["lines"]  # type: ignore[assignment]
    return [(line["kind"], line["period"]["start"][:7], line["amount"]) for line in lines]  # type: ignore[index]


def digest(home: Path) -> str:
    return sha256((home / "books.duckdb").read_bytes()).hexdigest()


def test_it_is_the_draft_that_a_run_would_make_and_nothing_is_written(home: Path) -> None:
    before = digest(home)
    told = shown(home, *PREVIEW, "acme")
    assert (told["status"], told["number"], told["id"]) == ("draft", None, "2026-11.acme")
    # 60 minutes and 120 of one still going on, at 0.10; the fees of the whole month and the next.
    assert amounts(told) == [
        ("usage", "2026-11", "18.00"),
        ("commitment", "2026-11", "2.00"),
        ("fee", "2026-11", "49.00"),
        ("fee", "2026-12", "49.00"),
    ]
    assert digest(home) == before
    assert sorted(path.name for path in home.iterdir()) == [
        "books.duckdb", "journal", "usage.duckdb",
    ]  # fmt: skip
    assert shown(home, "invoice", "list") == []
    (draft,) = shown(home, "invoice", "run", "--month", "2026-11", "--account", "acme")
    assert told == draft
    kept = digest(home)
    assert shown(home, *PREVIEW, "acme") == draft
    assert digest(home) == kept


def test_what_was_charged_in_advance_is_set_off_and_named(home: Path) -> None:
    october = ("invoice", "run", "--month", "2026-10", "--account", "acme", "--finalize")
    (final,) = shown(home, *october)
    assert run(home, "account", "end", "acme", "--on", "2026-11-20").returncode == 0
    told = shown(home, *PREVIEW, "acme")
    # A stretch of 20 of 30 days: 18.00 are above its part of the commitment.
    assert amounts(told) == [("usage", "2026-11", "18.00"), ("adjustment", "2026-11", "-16.33")]
    assert told["lines"][1]["origin"]["number"] == final["number"]
    assert told["total"] == "1.67"


def test_the_table_says_how_far_usage_is_known(home: Path) -> None:
    done = run(home, *PREVIEW, "acme")
    *_, draft, sentence = done.stdout.splitlines()
    assert re.fullmatch(r"draft 2026-11\.acme, .+: 118\.00 EUR", draft)
    assert re.fullmatch(
        r"Usage is what was read by 20..-..-.. ..:..:.. UTC, the newest of this account seen at "
        r"2026-11-14 12:00:00 UTC; fees are for the whole month\.",
        sentence,
    )
    as_json = run(home, *PREVIEW, "acme", "--format", "json")
    assert json.loads(as_json.stdout)["total"] == "118.00"
    assert as_json.stderr.splitlines()[-1] == sentence


def test_the_running_month_is_the_accounts_own(home: Path) -> None:
    """It is November in Berlin while it is October in UTC."""
    asked = (*PREVIEW, "acme", "--format", "json")
    for now, month in (
        ("2026-10-31T22:59:59Z", "2026-10"),
        ("2026-10-31T23:00:00Z", "2026-11"),
    ):
        done = command_line.run(home, *asked, now=now)
        assert json.loads(done.stdout)["id"] == f"{month}.acme"
    assert shown(home, *PREVIEW, "acme", "--month", "2026-10")["id"] == "2026-10.acme"


def test_a_closed_month_is_named_by_its_number(home: Path) -> None:
    (final,) = shown(
        home, "invoice", "run", "--month", "2026-10", "--account", "acme", "--finalize"
    )
    done = run(home, *PREVIEW, "acme", "--month", "2026-10")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"MONTH_CLOSED: 2026-10 of acme is closed: see `homemeeting invoice show {final['number']}`"
    )


@pytest.mark.parametrize(
    ("account", "code"),
    [("acm", "ACCOUNT_UNKNOWN"), ("gone", "NO_PERIOD"), ("lost", "INVOICES_LEFT")],
)
def test_what_cannot_be_shown_is_refused(home: Path, account: str, code: str) -> None:
    done = run(home, *PREVIEW, account)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"{code}: ")
    assert ("PLAN_UNKNOWN: lost: " in done.stderr) == (account == "lost")


def test_an_account_without_usage_has_its_fees(home: Path) -> None:
    with open_store(home / "usage.duckdb", "usage").closing() as usage:
        usage.execute("DELETE FROM usage_records")
    done = run(home, *PREVIEW, "acme")
    assert ": 118.00 EUR\n" in done.stdout  # the commitment makes up for it
    assert ", none of it of this account; " in done.stdout
    (home / "usage.duckdb").unlink()
    assert run(home, *PREVIEW, "acme").stderr.splitlines()[-1].startswith("STORE_MISSING: ")
    open_store(home / "usage.duckdb", "usage").close()
    assert "\nNo usage has been read yet: " in run(home, *PREVIEW, "acme").stdout


def test_it_works_while_the_projector_serves(home: Path) -> None:
    alone = shown(home, *PREVIEW, "acme")
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        assert shown(home, *PREVIEW, "acme") == alone
        service.terminate()
        assert service.wait(120) == 0
