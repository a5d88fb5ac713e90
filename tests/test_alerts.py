"""Alerts: a month so far in, the thresholds it has come to out, each once."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge import Settings
from tests import command_line
from tests.billed import fill_books
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.homes import HEADER, copied, project

NOW = "2026-10-20T09:00:00Z"
run = partial(command_line.run_here, now=NOW, user="ann")
OF = "Name,a@a.example,DE,de"
ACCOUNTS = f"""\
acme,{OF},Europe/Berlin,EUR,p,2026-01-01,,1
east,{OF},Pacific/Kiritimati,EUR,p,2026-01-01,,1
lost,{OF},UTC,EUR,nowhere,2026-01-01,,1
other,{OF},UTC,EUR,nowhere,2026-01-01,,1
"""
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
amount = 40.00
[[plan.charge]]
code = "c"
description = "C"
meter = "participant"
measure = "count"
model = "per_unit"
unit_price = 10
"""


@pytest.fixture(scope="module")
def unwatched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("unwatched") / "home"
    fill_books(Settings(home, None, "ann"), [BOOK], HEADER + ACCOUNTS)
    use(home, 0, "east", "2026-10-01T00:00:00Z")
    return home


@pytest.fixture
def home(unwatched: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return copied(unwatched, tmp_path)


def use(home: Path, number: int, account: str, at: str) -> None:
    event = usage_event(number, account, at, at)
    project(home, [event], now=NOW)


def watch(home: Path, account: str, at: str, *more: str) -> Any:
    return run(home, "account", "alert", account, "--at", at, *more)


def told(home: Path, *more: str, now: str = NOW) -> list[tuple[str, ...]]:
    rows = shown(home, "alerts", *more, now=now)
    return [(row["account_id"], row["month"], row["at"], row["total"]) for row in rows]


def test_a_threshold_is_told_once_a_month(home: Path) -> None:
    for at in ("40", "50.00", "50.01"):
        assert watch(home, "acme", at).returncode == 0
    assert told(home) == [("acme", "2026-10", "40.00", "40.00")]
    assert told(home) == []
    silent = run(home, "alerts")
    assert (silent.returncode, silent.stdout, silent.stderr.count("\n")) == (0, "", 1)  # the clock
    use(home, 1, "acme", "2026-10-02T00:00:00Z")
    printed = run(home, "alerts").stdout
    assert printed.splitlines()[2].split()[:5] == ["acme", "2026-10", "50.00", "50.00", "EUR"]
    assert told(home) == []
    assert told(home, "--all") == [
        ("acme", "2026-10", "40.00", "50.00"),
        ("acme", "2026-10", "50.00", "50.00"),
    ]
    november = ("acme", "2026-11", "40.00", "40.00")
    assert told(home, now="2026-11-01T00:00:00+01:00") == [november]  # begins anew, local
    assert told(home, "--month", "2026-12") == [("acme", "2026-12", "40.00", "40.00")]


def test_each_account_is_looked_at_in_its_own_month(home: Path) -> None:
    for account in ("acme", "east"):
        watch(home, account, "1")
    # Noon of 31 October in UTC is the first of November at UTC+14.
    assert told(home, now="2026-10-31T12:00:00Z") == [
        ("acme", "2026-10", "1.00", "40.00"),
        ("east", "2026-11", "1.00", "40.00"),
    ]


def test_a_closed_month_has_come_to_what_was_billed(home: Path) -> None:
    watch(home, "east", "50")
    words = ("--month", "2026-10", "--account", "east", "--finalize")
    done = run(home, "invoice", "run", *words, now="2026-11-20T00:00:00Z")
    assert done.returncode == 0
    assert told(home, "--month", "2026-10") == [("east", "2026-10", "50.00", "50.00")]
    assert told(home, "--month", "2026-10") == []


def test_who_cannot_be_billed_is_named_if_watched(home: Path) -> None:
    watch(home, "lost", "1")
    watch(home, "acme", "1")
    done = run(home, "alerts")
    assert done.returncode == 0
    assert "acme" in done.stdout
    assert "PLAN_UNKNOWN: lost: " in done.stderr
    assert "other" not in done.stderr


def test_an_alert_is_set_changed_and_removed_with_an_entry(home: Path) -> None:
    assert "watched: acme at 500.00 EUR" in watch(home, "acme", "500").stderr
    assert "nothing changed: acme at 500.00 EUR" in watch(home, "acme", "500.00").stderr
    assert "watched no longer: acme at 500.00 EUR" in watch(home, "acme", "500", "--remove").stderr
    for words, code in (
        (("acme", "500", "--remove"), "NO_ALERT: acme has no alert at 500 EUR; it has none"),
        (("acmee", "500"), "ACCOUNT_UNKNOWN: acmee: "),
        (("acme", "0.005"), "AMOUNT_PRECISION: "),
    ):
        done = watch(home, *words)
        assert done.returncode == 1
        assert done.stderr.splitlines()[1].startswith(code)
    for wrong in ("0", "-1", "x"):
        assert watch(home, "acme", wrong).returncode == 2
    log = shown(home, "audit", "log")
    assert [(one["action"], one["subject"], one["details"]["at"]) for one in log] == [
        ("account alert", "acme", "500"),
        ("account alert --remove", "acme", "500"),
    ]
