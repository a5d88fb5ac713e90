"""Sequences at the edges of what is closed, void and frozen, each against the oracle's ledger."""

import random
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from billing.described import described
from tests.ledger_clerk import Clerk
from tests.ledger_credits import credit, void
from tests.ledger_world import SECOND, Event
from tests.oracle_calendar import day_start

# Drawn ledgers come to such places too, if rarely.
pytestmark = pytest.mark.drawn(5, of="edges")
OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
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
amount = 30
interval = "month"
timing = "advance"
[[plan.charge]]
code = "calls"
description = "Calls"
meter = "dial_in"
measure = "count"
model = "graduated"
tiers = [{ up_to = 2, unit_price = 1 }, { unit_price = 10 }]
[[plan.charge]]
code = "peak"
description = "At once"
meter = "participant"
measure = "peak"
model = "per_unit"
unit_price = 3
minimum = 2
"""
ROW = "a,a,a@a.example,DE,en,{zone},EUR,p,{since},{until},1\n"


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    """Of one account, a, of which nothing is known."""
    found = Clerk(tmp_path / "home", random.Random(0), "EUR")
    found.load(BOOK)
    return found


def serve(clerk: Clerk, since: str, until: str = "", zone: str = "UTC") -> None:
    clerk.know(ROW.format(zone=zone, since=since, until=until))


def call(number: int, start_us: int, meter: str = "dial_in", **told: object) -> Event:
    return {
        "record_id": number.to_bytes(16), "account_id": "a", "meeting_id": "m",
        "participant_id": None, "meter": meter, "variant": None, "started_at": start_us,
        "phase": "STOP", "observed_at": start_us + 40 * 3600 * SECOND, "quantity": None,
        "continues": None, **told,
    }  # fmt: skip


def at(day: date, zone: str = "UTC") -> int:
    return day_start(day, zone)


def amounts(clerk: Clerk, id: str) -> list[tuple[str, str]]:
    return [(line["code"], line["amount"]) for line in clerk.documents[id]["lines"]]


def test_late_usage_is_found_up_to_the_last_instant_and_in_both_peaks(clerk: Clerk) -> None:
    """October ends within a UTC day in Cairo. What is open at its end is open in November too, and
    the peaks of both are found at once.
    """
    zone = "Africa/Cairo"
    serve(clerk, "2026-10-01", "2026-12-01", zone)
    clerk.use([])
    clerk.run(OCTOBER)
    clerk.run(NOVEMBER)
    last = at(NOVEMBER, zone) - 1
    late = at(date(2026, 11, 28), zone)
    clerk.use([call(1, last), call(2, at(OCTOBER, zone)), call(3, last, "participant")])
    clerk.use([call(number, late, "participant") for number in (4, 5)])
    clerk.settle()
    adjusted = [("calls", "2.00"), ("peak", "1.00"), ("peak", "4.00")]
    assert amounts(clerk, "2026-12.a") == adjusted


def test_a_month_that_was_skipped_is_billed_late_whatever_is_void(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01", "2026-11-01")
    serve(clerk, "2026-12-01")
    clerk.use([])
    clerk.run(OCTOBER)
    clerk.run(DECEMBER)
    void(clerk, clerk.documents["2026-10.a"])
    serve(clerk, "2026-11-10", "2026-11-20")
    clerk.use([call(1, at(date(2026, 11, 15)))])
    clerk.settle()
    assert amounts(clerk, "2026-10.a#3")[-3:] == [
        ("calls", "1.00"),
        ("peak", "0.67"),
        ("ahead", "10.00"),
    ]


def test_prices_of_a_closed_period_stay_while_its_plan_goes_and_comes(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01")
    clerk.use([call(1, at(OCTOBER))])
    clerk.run(OCTOBER)
    serve(clerk, "2026-10-01", "2026-10-01")
    serve(clerk, "2026-11-01")
    clerk.run(NOVEMBER)
    dearer = BOOK.replace("2026-01-01", "2026-09-15").replace("unit_price = 1,", "unit_price = 9,")
    clerk.load(dearer)
    serve(clerk, "2026-10-01")
    clerk.settle()


def test_a_void_credit_note_of_a_run_is_billed_back_and_given_again(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01")
    clerk.use([])
    clerk.run(OCTOBER)
    serve(clerk, "2026-10-01", "2026-11-01")
    clerk.run(NOVEMBER)
    note = clerk.documents["2026-11.a"]
    assert (note["kind"], note["subtotal"]) == ("credit_note", "30.00")
    void(clerk, note)
    assert clerk.documents["2026-11.a#2"]["kind"] == "invoice"
    clerk.settle()
    assert clerk.documents["2026-11.a#3"]["kind"] == "credit_note"


def test_what_is_corrected_of_an_item_is_not_billed_again(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01", "2026-11-01")
    clerk.use([])
    clerk.add_item("a", OCTOBER, Fraction(5))
    clerk.run(OCTOBER)
    first = clerk.documents["2026-10.a"]
    items = {line["id"]: Fraction(2) for line in first["lines"] if line["kind"] == "item"}
    credit(clerk, first, "correction", items)
    clerk.settle()
    assert len(clerk.documents) == 2


def test_a_fee_and_a_charge_of_one_code_are_two_lines(clerk: Clerk) -> None:
    fee = 'code = "calls"\ndescription = "Line"\namount = 7\ninterval = "month"\n'
    clerk.load(BOOK.replace("[[plan.charge]]", f"[[plan.fee]]\n{fee}[[plan.charge]]", 1))
    serve(clerk, "2026-10-01", "2026-11-01")
    clerk.use([])
    clerk.type("invoice", "run", "--month", "2026-10", "--finalize")
    clerk.use([call(1, at(OCTOBER))])
    clerk.type("invoice", "run", "--month", "2026-11", "--finalize")
    clerk.read()
    (line,) = clerk.documents["2026-11.a"]["lines"]
    assert (described(line, "EUR"), line["amount"]) == (
        "Calls: 1.00 instead of 0.00 charged", "1.00"
    )  # fmt: skip


def test_what_a_void_invoice_carried_comes_again_however_often_it_is_void(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01")
    clerk.use([call(1, at(OCTOBER))])
    clerk.add_item("a", date(2026, 10, 9), Fraction("5.005"))
    clerk.run(OCTOBER)
    first = clerk.documents["2026-10.a"]
    by_code = {line["code"]: line["id"] for line in first["lines"]}
    credit(clerk, first, "concession", {by_code["calls"]: Fraction("0.25")})
    credit(clerk, first, "correction", {by_code["peak"]: Fraction(1)})
    void(clerk, first)
    clerk.run(OCTOBER)
    second = clerk.documents["2026-10.a#5"]
    credit(clerk, second, "concession", {})
    void(clerk, second)
    clerk.settle()
    third = clerk.documents["2026-10.a#7"]  # nothing was left to take back
    given = [line["amount"] for line in third["lines"] if line["kind"] == "item"]
    assert sorted(given) == ["-0.25", "-1.00", "-2.00", "-30.00", "-30.00", "-5.01", "0.25", "5.01"]


def test_what_is_in_conflict_waits_and_the_rest_does_not(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01")
    clerk.use([call(1, at(OCTOBER))])
    clerk.run(OCTOBER)
    clerk.run(NOVEMBER)
    other = call(1, at(OCTOBER) + SECOND, meeting_id="other")
    clerk.use([other, call(2, at(OCTOBER)), call(3, at(NOVEMBER))])
    clerk.run(DECEMBER)
    assert [code for code, _ in amounts(clerk, "2026-12.a")].count("calls") == 2
    clerk.use([{**other, "phase": "CANCEL"}])
    clerk.settle()
    assert amounts(clerk, "2027-01.a")[-1] == ("calls", "1.00")


def test_a_move_changes_no_closed_period(clerk: Clerk) -> None:
    serve(clerk, "2026-10-01", zone="Pacific/Pago_Pago")
    clerk.use([])
    clerk.run(OCTOBER)
    serve(clerk, "2026-10-01", zone="Pacific/Kiritimati")
    clerk.run(NOVEMBER)
    edges = [at(NOVEMBER, zone) for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati")]
    clerk.use([call(n, edge - n % 2) for n, edge in enumerate(edges * 2, start=1)])
    void(clerk, clerk.documents["2026-10.a"])
    clerk.settle()


def test_old_usage_is_charged_only_when_asked(clerk: Clerk) -> None:
    (clerk.home / "homemeeting.toml").write_text("[billing]\nadjust_months = 1\n")
    serve(clerk, "2026-10-01")
    clerk.use([])
    for month in (OCTOBER, NOVEMBER):
        clerk.run(month)
    clerk.use([call(1, at(OCTOBER)), call(2, at(NOVEMBER))])
    run = ("invoice", "run", "--finalize", "--month")
    clerk.type(*run, "2026-12")
    clerk.type(*run, "2027-01", "--include-old", "as agreed")
    clerk.read()
    adjusted = [
        (one["id"], line["period"]["start"][:7])
        for one in clerk.documents.values()
        for line in one["lines"]
        if line["kind"] == "adjustment"
    ]
    assert adjusted == [("2026-12.a", "2026-11"), ("2027-01.a", "2026-10")]
