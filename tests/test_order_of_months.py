"""Months of one account part its time without gap or overlap, in whatever order they are run."""

from pathlib import Path
from typing import Any

import pytest

from tests.command_line import run_here as run
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.homes import project

NOW = "2027-06-01T00:00:00Z"
HEADER = "account_id,name,email,country,language,time_zone,currency,plan,since,until"
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
[[plan.charge]]
code = "records"
description = "Records"
meter = "participant"
measure = "count"
model = "graduated"
tiers = [{ unit_price = 1, flat = 5 }]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (tmp_path / "book.toml").write_text(BOOK)
    assert run(home, "price-book", "load", str(tmp_path / "book.toml")).returncode == 0
    move(home, "Europe/Berlin", "p,2026-01-01,")
    return home


def move(home: Path, zone: str, *history: str) -> None:
    rows = [f"a,A,a@a.example,DE,de,{zone},EUR,{row}" for row in history]
    file = home.parent / "accounts.csv"
    file.write_text("\n".join([HEADER, *rows]))
    assert run(home, "account", "import", str(file)).returncode == 0


def use(home: Path, *starts: str) -> None:
    events = [usage_event(n, "a", at, at) for n, at in enumerate(starts, 1)]
    project(home, events)


def close(home: Path, month: str) -> Any:
    return run(home, "invoice", "run", "--month", month, "--finalize", now=NOW)


def counted(home: Path, month: str) -> int:
    rows = shown(home, "usage", "--month", month)
    return sum(int(row["records"]) for row in rows)


def test_months_are_closed_in_order_and_a_move_leaves_no_record_out_or_in_twice(
    home: Path,
) -> None:
    use(home, "2026-10-15T00:00:00Z", "2026-10-31T23:30:00Z", "2026-11-15T00:00:00Z")
    assert close(home, "2026-10").returncode == 0
    move(home, "America/Los_Angeles", "p,2026-01-01,")
    assert close(home, "2026-11").returncode == 0
    assert [counted(home, month) for month in ("2026-10", "2026-11", "2026-12")] == [1, 2, 0]
    lines = [one["lines"][0]["quantity"] for one in shown(home, "invoice", "list")]
    assert lines == ["1", "2"]


def test_a_month_before_a_closed_one_is_not_closed_any_more(home: Path) -> None:
    use(home, "2026-10-15T00:00:00Z", "2026-10-31T23:30:00Z", "2026-11-15T00:00:00Z")
    assert close(home, "2026-11").returncode == 0
    move(home, "America/Los_Angeles", "p,2026-01-01,")
    refused = close(home, "2026-10")
    assert refused.returncode == 1
    assert "MONTH_ORDER: a: 2026-11 is closed already" in refused.stderr
    # Its draft ends where the closed month began: nothing counts twice.
    assert [counted(home, month) for month in ("2026-10", "2026-11")] == [1, 2]


def test_a_month_with_nothing_to_bill_is_skipped_and_no_other(home: Path) -> None:
    move(home, "Europe/Berlin", "p,2026-01-01,2026-10-20", "p,2026-12-05,")
    use(home, "2026-10-15T00:00:00Z", "2026-12-15T00:00:00Z")
    assert close(home, "2026-10").returncode == 0
    refused = close(home, "2027-01")
    assert "MONTH_ORDER: a: 2026-12 comes first" in refused.stderr
    assert close(home, "2026-12").returncode == 0
    assert close(home, "2027-01").returncode == 0


def test_a_plan_named_with_its_book_is_the_same_plan(home: Path) -> None:
    use(home, "2026-10-02T00:00:00Z", "2026-10-20T00:00:00Z")
    move(home, "Europe/Berlin", "p,2026-01-01,", "b/p,2026-10-16,")
    (document,) = shown(home, "invoice", "run", "--month", "2026-10")
    assert [(line["quantity"], line["amount"]) for line in document["lines"]] == [("2", "7.00")]


def test_the_cent_of_a_small_line_is_in_the_total_of_a_huge_one(home: Path) -> None:
    fee = '[[plan.fee]]\ncode = "f"\ndescription = "Fee"\namount = 0.01\ninterval = "month"\n'
    charge = BOOK.partition("[[plan.charge]]")[2]
    for old, new in (('"count"', '"quantity"\nunit = "B"'), ('"graduated"', '"per_unit"')):
        charge = charge.replace(old, new)
    charge = charge.replace("tiers = [{ unit_price = 1, flat = 5 }]", "unit_price = 999999999")
    text = BOOK.partition("[[plan.charge]]")[0] + fee + "[[plan.charge]]" + charge
    (home.parent / "huge.toml").write_text(text.replace('"b"', '"huge"').replace('"p"', '"q"'))
    assert run(home, "price-book", "load", str(home.parent / "huge.toml")).returncode == 0
    move(home, "Europe/Berlin", "q,2026-01-01,")
    at = "2026-10-02T00:00:00Z"
    event = usage_event(1, "a", at, at, quantity=2**63 - 1)
    project(home, [event])
    (document,) = shown(home, "invoice", "run", "--month", "2026-10")
    huge = (2**63 - 1) * 999_999_999
    assert [line["amount"] for line in document["lines"]] == ["0.01", f"{huge}.00"]
    assert document["subtotal"] == document["total"] == document["due"] == f"{huge}.01"
