"""Closed documents taken apart again: whole ones are whole, and one change anywhere is named."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import command_line
from tests.command_line import billed_home, usage_event
from tests.command_line import shown_here as shown
from warehouse import open_store

run = partial(command_line.run_here, user="ann", billing_grace_hours="0")
HEADER = "account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity\n"
OF = "Name,a@a.example,DE,de"
ACCOUNTS = (
    f"{HEADER}acme,{OF},Europe/Berlin,EUR,p,2026-01-01,,2\nacme,{OF},Europe/Berlin,EUR,p,2026-09-11,,3\n"
    f"bold,{OF},America/New_York,EUR,p,2026-01-01,,1\nidle,{OF},UTC,EUR,none,2026-01-01,,1\n"
    f"solo,{OF},UTC,EUR,c,2026-09-01,,1\n"
)
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
commitment = { amount = 60 }
fee = [
{ code = "f", description = "F", amount = 9, timing = "advance", per = "seat" },
{ code = "g", description = "G", amount = 5, timing = "arrears" },
]
[[plan.charge]]
code = "talk"
description = "Talk"
meter = "participant"
measure = "duration"
unit = "minute"
model = "graduated"
tiers = [{ up_to = 60, unit_price = 0.1 }, { unit_price = 0.05 }]
included = 10
rounding = { scope = "record", quantum = 60, mode = "up" }
[[plan.charge]]
code = "peak"
description = "Peak"
meter = "participant"
also = true
measure = "peak"
model = "per_unit"
unit_price = 2
[[plan.charge]]
code = "dial"
description = "Dial-in"
meter = "dial_in"
measure = "duration"
unit = "minute"
model = "per_unit"
prices = { DE = 0.1, "*" = 0.2 }
[[plan]]
code = "c"
name = "C"
[[plan.charge]]
code = "talk"
description = "Talk"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.3
[[plan]]
code = "none"
name = "Nothing"
"""
Home = Path


def used(number: int, account: str, day: str, minutes: int, **told: Any) -> dict[str, Any]:
    """A call that began at noon of a day, such as 09-05."""
    start, end = (f"2026-{day}T12:{at:02}:00Z" for at in (0, minutes))
    return usage_event(number, account, start, end, **told)


def project(home: Home, *events: dict[str, Any]) -> None:
    assert run(home, "emit", "-", "--server-id", "fra-1", lines=events).returncode == 0
    assert run(home, "consume", "--once").returncode == 0


def close(home: Home, month: str, now: str, *options: str) -> None:
    done = run(home, "invoice", "run", "--month", month, "--finalize", *options, now=now)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three months: late usage of two accounts, seats entered too late, items, prepaid credit, a
    concession, a correction, and a month that was void and run again.
    """
    folder = tmp_path_factory.mktemp("life")
    first = [
        *(used(n, "acme", f"09-{n:02}", 40) for n in range(1, 9)),
        *(used(20 + n, "bold", f"09-{n:02}", 30) for n in range(1, 4)),
        used(30, "acme", "09-05", 12, meter="dial_in", variant="FR"),
        used(31, "acme", "09-05", 7, meter="dial_in", variant="DE"),
        used(32, "solo", "09-05", 50),
    ]
    home = billed_home(folder, ACCOUNTS, BOOK, first)
    item = ("invoice", "item", "acme", "--description", "Day", "--amount", "45.005")
    assert run(home, *item, "--on", "2026-09-15", now="2026-09-20T00:00:00Z").returncode == 0
    paid = ("account", "credit", "bold", "20", "--expires", "2027-12-31", "--reference", "w")
    assert run(home, *paid, now="2026-09-20T00:00:00Z").returncode == 0
    accepted = ("--accept-incomplete", "test")
    close(home, "2026-09", "2026-10-03T00:00:00Z", *accepted)
    project(
        home,
        used(40, "acme", "09-07", 44),
        used(41, "bold", "09-09", 59, meter="dial_in", variant="US"),
        *(used(50 + n, "acme", f"10-{n:02}", 25) for n in range(1, 4)),
        used(60, "solo", "10-05", 9),
    )
    assert run(
        home, "account", "plan", "bold", "p", "--from", "2026-09-20", "--quantity", "4",
        now="2026-10-20T00:00:00Z",
    ).returncode == 0  # fmt: skip
    close(home, "2026-10", "2026-11-03T00:00:00Z", *accepted)
    numbers = {one["id"]: one["number"] for one in shown(home, "invoice", "list")}
    for kind, name, line in (("concession", "2026-10.acme", "1=2"), ("correction", "2026-09.solo", "1=1")):
        words = ("credit-note", numbers[name], "--kind", kind, "--reason", "r", "--line", line)
        done = run(home, *words, now="2026-11-04T00:00:00Z")
        assert done.returncode == 0, done.stderr
    void = ("void", numbers["2026-09.acme"], "--reason", "v")
    done = run(home, *void, now="2026-11-05T00:00:00Z")
    assert done.returncode == 0, done.stderr
    close(home, "2026-09", "2026-11-06T00:00:00Z", *accepted)
    project(home, used(70, "solo", "11-05", 9), used(71, "acme", "10-30", 55))
    close(home, "2026-11", "2026-12-03T00:00:00Z", *accepted)
    return home


def test_a_whole_life_is_verified(life: Home) -> None:
    done = run(life, "invoice", "verify", "--all", "--from-log")
    print(done.stdout, done.stderr)
    assert done.returncode == 0
