"""The oracle of an account's ledger at its edges: what is owed, charged and left, by hand."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from tests.ledger_world import HEADER
from tests.oracle_accounts import Accounts
from tests.oracle_calendar import day_start
from tests.oracle_ledger import Document, Key, Ledger, total
from tests.oracle_measure import UsageRecord
from tests.oracle_month import Used

OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
ROW = "a,A,a@a.example,DE,en,UTC,EUR,{plan},{since},{until},1\n"
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
[[plan.fee]]
code = "ahead"
description = "Base"
amount = 31
interval = "month"
timing = "advance"
[[plan.charge]]
code = "calls"
description = "Calls"
meter = "dial_in"
measure = "count"
model = "graduated"
tiers = [{ up_to = 2, unit_price = 1 }, { unit_price = 10 }]
"""
RISEN = BOOK.replace("2026-01-01", "2026-10-20").replace("unit_price = 1 ", "unit_price = 5 ")


def at(day: date) -> int:
    return day_start(day, "UTC")


def calls(*days: int) -> list[Used]:
    """A record of a second at noon on these days of October."""
    found = []
    for number, day in enumerate(days):
        start = at(date(2026, 10, day)) + 12 * 3600 * 1_000_000
        record = UsageRecord(f"r{number}", "m", None, "dial_in", None, 1_000_000, start_us=start)
        found.append(Used("a", start, record, conflict=False))
    return found


def ledger(usage: list[Used], *rows: tuple[str, str]) -> Ledger:
    """Of account `a` on plan p between these days."""
    accounts = Accounts([BOOK])
    told = (ROW.format(plan="p", since=since, until=until) for since, until in rows)
    accounts.import_csv(HEADER + "".join(told))
    return Ledger(accounts, lambda account: usage)


def document(number: str, month: date, *amounts: tuple[str, date, int], **told: Any) -> Document:
    """A final invoice; lines by code, first day and amount."""
    lines = [
        {"code": code, "variant": None, "kind": "usage", "amount": str(amount), "period": _on(day)}
        for code, day, amount in amounts
    ]
    found = {
        "number": number, "kind": "invoice", "status": "final", "credit": None, "corrects": None,
        "apart": False,
        "account_id": "a", "lines": lines, "period": _on(month),
        "subtotal": str(sum(amount for _, _, amount in amounts)),
    }  # fmt: skip
    return found | told


def _on(day: date) -> dict[str, str]:
    return {"start": datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()}


def test_a_late_record_is_the_difference_that_its_tier_makes() -> None:
    usage = calls(1, 2)
    found = ledger(usage, ("2026-01-01", ""))
    found.close("a", OCTOBER)
    first = document("1", OCTOBER, ("ahead", OCTOBER, 31), ("calls", OCTOBER, 2),
                     ("ahead", NOVEMBER, 31))  # fmt: skip
    assert found.document("a", OCTOBER, []) == {
        Key(OCTOBER, "calls", None, at(OCTOBER)): 2,
        Key(OCTOBER, "ahead", None, None): 31,
        Key(NOVEMBER, "ahead", None, None): 31,
    }
    assert found.adjustments("a", [first]) == {}
    usage += calls(30, 31)[1:]
    late = {Key(OCTOBER, "calls", None, at(OCTOBER)): 10}
    assert found.adjustments("a", [first]) == late
    assert found.document("a", NOVEMBER, [first]) == {
        **late,
        Key(DECEMBER, "ahead", None, None): 31,
    }


def test_a_plan_told_late_is_priced_by_what_was_frozen() -> None:
    usage = calls(1, 25)
    found = ledger(usage, ("2026-10-01", "2026-11-01"))
    found.close("a", OCTOBER)
    found.accounts.load(RISEN)
    first = document("1", OCTOBER, ("ahead", OCTOBER, 31), ("calls", OCTOBER, 2))
    assert found.adjustments("a", [first]) == {}
    row = ROW.format(plan="p", since="2026-10-01", until="2026-10-11")
    row += ROW.format(plan="p", since="2026-10-21", until="2026-11-01")
    found.accounts.import_csv(HEADER + row)
    assert found.adjustments("a", [first]) == {
        Key(OCTOBER, "ahead", None, None): -10,
        Key(OCTOBER, "calls", None, at(OCTOBER)): -1,
        Key(OCTOBER, "calls", None, at(date(2026, 10, 21))): 1,
    }
    found.close("a", OCTOBER)
    assert found.adjustments("a", [first])[Key(OCTOBER, "calls", None, at(date(2026, 10, 21)))] == 5


def test_corrections_count_as_given_back_and_concessions_do_not() -> None:
    found = ledger(calls(1, 2), ("2026-10-01", "2026-11-01"))
    found.close("a", OCTOBER)
    first = document("1", OCTOBER, ("ahead", OCTOBER, 31), ("calls", OCTOBER, 2))
    note = document("2", OCTOBER, ("calls", OCTOBER, 2), kind="credit_note", corrects="1")
    conceded, corrected = ({**note, "credit": one} for one in ("concession", "correction"))
    assert found.adjustments("a", [first, conceded]) == {}
    again = {Key(OCTOBER, "calls", None, at(OCTOBER)): 2}
    assert found.adjustments("a", [first, corrected]) == again
    assert total([first, conceded]) == Fraction(31)


def test_a_void_month_is_open_and_its_neighbours_are_not() -> None:
    found = ledger(calls(1, 2), ("2026-10-01", "2026-12-01"))
    for month in (OCTOBER, NOVEMBER):
        found.close("a", month)
    void = document("1", OCTOBER, ("ahead", OCTOBER, 31), ("calls", OCTOBER, 2),
                    ("ahead", NOVEMBER, 31), status="void")  # fmt: skip
    second = document("2", NOVEMBER)
    november = {Key(NOVEMBER, "ahead", None, None): 31}
    assert found.adjustments("a", [void, second]) == november
    assert found.document("a", OCTOBER, [void, second]) == {
        Key(OCTOBER, "calls", None, at(OCTOBER)): 2,
        Key(OCTOBER, "ahead", None, None): 31,
        **november,
    }


def test_what_is_in_conflict_waits() -> None:
    usage = calls(1, 2)
    found = ledger(usage, ("2026-10-01", "2026-11-01"))
    found.close("a", OCTOBER)
    first = document("1", OCTOBER, ("ahead", OCTOBER, 31))
    assert found.adjustments("a", [first])
    one = usage[0]
    usage.append(Used("a", one.start_us, one.record, conflict=True))
    assert found.adjustments("a", [first]) == {}
