"""Months with a plan in which there was nothing to bill are passed over, and no others; what comes
of them later is adjusted.
"""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing import Month, list_invoices, open_books, run_invoices
from billing.books import load_catalogue
from billing.layout import lay_out
from edge import Settings
from eventlog import JournalWriter
from tests.billed import fill_books, store_usage
from tests.clerk import BOOK, Clerk
from tests.drawn_books import draw_book
from tests.homes import HEADER, project
from tests.test_completeness import beat, usage

FINALIZE = ("invoice", "run", "--finalize", "--month")
CHARGE = """\
[[plan.charge]]
code = "c"
description = "C"
meter = "participant"
measure = "count"
"""
# What makes a plan cost something whatever is used.
COSTING = {
    "a fee": '[[plan.fee]]\ncode = "f"\ndescription = "F"\namount = 1\n',
    "a commitment": "commitment = { amount = 1 }\n",
    "a flat amount": '[[plan.charge]]\ncode = "c"\ndescription = "C"\nmodel = "flat"\namount = 1\n',
    "a flat amount on usage": CHARGE + 'model = "flat"\namount = 1\n',
    "a minimum": CHARGE + 'model = "per_unit"\nunit_price = 1\nminimum = 1\n',
    "a first tier": CHARGE
    + 'model = "volume"\nflat_at_zero = true\ntiers = [{ unit_price = 1, flat = 1 }]\n',
}


def other(plan: str, code: str = "x") -> str:
    """A book with one plan of this text."""
    head = BOOK.partition("[[plan]]")[0].replace('"b"', f'"book-{code}"')
    return f'{head}[[plan]]\ncode = "{code}"\nname = "X"\n{plan}'


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    """August is closed, of one record; it is June of the next year."""
    clerk = Clerk(tmp_path, "2027-06-01T00:00:00Z", acme="p")
    clerk.use("acme", "2026-08-05")
    clerk.close("2026-08")
    return clerk


def refused(clerk: Clerk, month: str) -> str:
    """Which month comes first."""
    said = clerk.told_by(*FINALIZE, month)
    assert "MONTH_ORDER: acme: " in said, said
    return said.partition("MONTH_ORDER: acme: ")[2].partition(" comes first")[0]


def proved(clerk: Clerk) -> None:
    clerk.must("invoice", "verify", "--all", "--from-log", "--no-documents")


def closed(clerk: Clerk) -> list[str]:
    return [id for id, status in clerk.states().items() if status != "draft"]


def lines(document: Any) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["period"]["start"][:7], one["amount"]) for one in document["lines"]]


def test_months_in_which_nothing_was_used_are_passed_over(clerk: Clerk) -> None:
    clerk.use("acme", "2026-11-05")
    clerk.must("invoice", "run", "--month", "2026-09")  # a draft is no document
    clerk.close("2026-11")
    clerk.close("2026-12")
    assert closed(clerk) == ["2026-08.acme", "2026-11.acme", "2026-12.acme"]
    said = clerk.told_by(*FINALIZE, "2026-10")
    assert "MONTH_ORDER: acme: 2026-12 is closed already" in said


def test_a_draft_run_says_what_a_closing_one_will_do(clerk: Clerk) -> None:
    assert "Blocked" not in clerk.must("invoice", "run", "--month", "2026-10").stdout
    clerk.use("acme", "2026-09-05")
    assert "MONTH_ORDER" in clerk.must("invoice", "run", "--month", "2026-10").stdout


@pytest.mark.drawn(2)
@pytest.mark.parametrize("what", COSTING)
def test_a_month_that_costs_something_is_not_passed_over(clerk: Clerk, what: str) -> None:
    clerk.must("price-book", "load", clerk.file("x.toml", other(COSTING[what])))
    clerk.subscribe(acme="p,2025-01-01,2026-09-01;x,2026-09-10,2026-09-20;p,2026-10-01,")
    assert refused(clerk, "2026-10") == "2026-09"
    clerk.close("2026-09")
    clerk.close("2026-10")


def test_a_month_that_would_charge_the_next_in_advance_is_not_passed_over(clerk: Clerk) -> None:
    fee = COSTING["a fee"] + 'timing = "advance"\n'
    clerk.must("price-book", "load", clerk.file("x.toml", other(fee)))
    clerk.subscribe(acme="p,2025-01-01,2026-10-01;x,2026-10-01,")
    assert refused(clerk, "2026-10") == "2026-09"
    assert lines(clerk.close("2026-09")[0])[-1] == ("fee", "2026-10", "1.00")


def test_a_month_without_a_price_is_not_passed_over(clerk: Clerk) -> None:
    clerk.subscribe(acme="p,2025-01-01,2026-09-01;nowhere,2026-09-01,2026-09-03;p,2026-10-01,")
    assert refused(clerk, "2026-10") == "2026-09"


@pytest.mark.drawn(1)
@pytest.mark.parametrize(
    ("start", "changes"),
    [
        ("2026-10-15", {}),
        ("2026-09-30T21:30:00Z", {"observed_at": "2026-09-30T22:30:00Z"}),  # open into it
        ("2026-10-15", {"meter": "recording"}),  # no charge takes it
        ("2026-10-31T22:59:59Z", {}),  # in the last second, in Berlin
    ],
)
def test_a_month_with_any_usage_is_not_passed_over(
    clerk: Clerk, start: str, changes: dict[str, Any]
) -> None:
    clerk.close("2026-09")
    clerk.use("acme", start, **changes)
    assert refused(clerk, "2026-12") == "2026-10"  # and not November
    clerk.close("2026-10")
    clerk.close("2026-12")
    assert "2026-11.acme" not in closed(clerk)


def test_usage_that_was_withdrawn_is_none(clerk: Clerk) -> None:
    event = clerk.event("acme", "2026-09-15")
    clerk.told([event])
    assert refused(clerk, "2026-10") == "2026-09"
    clerk.told([{**event, "phase": "CANCEL"}])
    clerk.close("2026-10")
    proved(clerk)


def hold(clerk: Clerk) -> None:
    clerk.must("invoice", "hold", "acme", "--month", "2026-09", "--reason", "asked to wait")


def leave_open(clerk: Clerk) -> None:
    """A run was to close it when usage may still have come."""
    assert "INCOMPLETE" in clerk.told_by(*FINALIZE, "2026-09", now="2026-10-01T12:00:00Z")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("keep", [hold, leave_open])
def test_a_month_that_somebody_is_to_look_at_is_not_passed_over(
    clerk: Clerk, keep: Callable[[Clerk], None]
) -> None:
    keep(clerk)
    assert refused(clerk, "2026-10") == "2026-09"
    if keep is hold:
        clerk.must("invoice", "release", "acme", "--month", "2026-09")
    else:
        clerk.close("2026-09")
    clerk.close("2026-10")


@pytest.mark.drawn(1)
@pytest.mark.parametrize(
    ("code", "account", "promised"),
    [("USAGE_MISSING", "other", 2), ("QUARANTINE_OPEN", "acme", 1)],
)
def test_a_month_whose_usage_may_be_missing_is_passed_over_by_somebodys_word_alone(
    clerk: Clerk, code: str, account: str, promised: int
) -> None:
    """A server that closed in September told what breaks a rule, or less than it promised too."""
    writer = JournalWriter.open(clerk.home / "journal", "lon-1")
    writer.append("meetings.usage", [usage(writer.source, 1, account, hours=72)])
    for number, phase in enumerate(("OPEN", "CLOSE")):
        told = beat(writer.source, number + 1, promised * number, phase=phase)
        writer.append("sources.heartbeat", [told])
    writer.close()
    project(clerk.home, [], now=clerk.now)
    assert f"{code}: " in clerk.told_by(*FINALIZE, "2026-10")
    (document,) = clerk.close("2026-10", "--accept-incomplete", "the disk is gone")
    closing = clerk.sees("invoice", "show", document["id"])["closing"]
    assert [gap["code"] for gap in closing["accepted"]] == [code]
    clerk.close("2026-11", "--accept-incomplete", "the same")


def test_an_account_without_a_closed_month_passes_over_none_that_was_left_open(
    tmp_path: Path,
) -> None:
    clerk = Clerk(tmp_path, "2027-06-01T00:00:00Z", acme="p")
    leave_open(clerk)
    assert refused(clerk, "2026-11") == "2026-09"


@pytest.mark.drawn(3, of="what comes later")
def test_a_void_month_is_no_idle_one(clerk: Clerk) -> None:
    clerk.use("acme", "2026-10-05")
    clerk.close("2026-10")
    clerk.must("void", "HM-2027-000002", "--reason", "wrong")
    clerk.close("2026-12")  # passes over November alone
    assert lines(clerk.close("2026-10")[0])[0] == ("usage", "2026-10", "1.00")


def test_a_void_month_that_was_paid_in_advance_is_the_one_that_comes_first(clerk: Clerk) -> None:
    fee = COSTING["a fee"] + 'timing = "advance"\n'
    clerk.must("price-book", "load", clerk.file("x.toml", other(fee)))
    clerk.subscribe(acme="p,2025-01-01,2026-09-01;x,2026-09-01,")
    clerk.close("2026-09")
    clerk.close("2026-10")
    clerk.must("void", "HM-2027-000003", "--reason", "wrong")
    assert refused(clerk, "2026-11") == "2026-10"


@pytest.mark.drawn(3, of="what comes later")
def test_late_usage_of_a_month_that_was_passed_over_is_adjusted(clerk: Clerk) -> None:
    clerk.close("2026-11")
    clerk.use("acme", "2026-09-15", "2026-10-15")
    clerk.use("acme", "2026-09-30T21:59:59Z", "2026-09-30T22:00:00Z")  # midnight in Berlin
    (document,) = clerk.close("2026-12")
    expected = [("usage", "2026-12", "0.00"), ("adjustment", "2026-09", "2.00")]
    assert lines(document) == [*expected, ("adjustment", "2026-10", "2.00")]
    assert [one["origin"] for one in document["lines"]] == [None, None, None]
    (again,) = clerk.close("2027-01")
    assert lines(again) == [("usage", "2027-01", "0.00")]
    proved(clerk)


@pytest.mark.drawn(3, of="what comes later")
def test_a_plan_told_late_for_a_month_that_was_passed_over_is_adjusted(clerk: Clerk) -> None:
    clerk.close("2026-11")
    done = clerk.must("account", "plan", "acme", "base", "--from", "2026-10-01")
    assert "2026-10 was passed over with nothing to bill" in done.stderr
    (document,) = clerk.close("2026-12")
    assert [line for line in lines(document) if line[2] != "0.00"] == [
        ("fee", "2026-12", "10.00"),
        ("adjustment", "2026-10", "10.00"),
        ("adjustment", "2026-11", "10.00"),
    ]


@pytest.mark.drawn(3, of="what comes later")
def test_what_is_passed_over_keeps_its_prices(clerk: Clerk) -> None:
    clerk.close("2026-10")
    dearer = BOOK.replace("2025-01-01", "2026-09-01").replace("unit_price = 1", "unit_price = 7")
    clerk.must("price-book", "load", clerk.file("dearer.toml", dearer))
    clerk.use("acme", "2026-09-15", "2026-11-15")
    (document,) = clerk.close("2026-11")
    assert lines(document) == [("usage", "2026-11", "7.00"), ("adjustment", "2026-09", "1.00")]


@pytest.mark.drawn(3, of="what comes later")
def test_the_months_of_an_account_that_moved_have_no_gap(clerk: Clerk) -> None:
    """September begins as in Berlin, October ends where November begins in Honolulu."""
    clerk.subscribe("Pacific/Honolulu", acme="p,2025-01-01,")
    clerk.close("2026-11")
    edges = ("2026-08-31T22:00:00Z", "2026-11-01T09:59:59Z", "2026-11-01T10:00:00Z")
    clerk.use("acme", *edges)
    (document,) = clerk.close("2026-12")
    assert [(line["kind"], line["amount"]) for line in document["lines"]] == [
        ("usage", "0.00"), *[("adjustment", "1.00")] * 3,
    ]  # fmt: skip
    proved(clerk)


def test_usage_in_the_hours_that_a_move_adds_to_a_month_keeps_it(clerk: Clerk) -> None:
    clerk.subscribe("Pacific/Honolulu", acme="p,2025-01-01,")
    clerk.use("acme", "2026-11-01T09:30:00Z")  # October there, November in Berlin
    assert refused(clerk, "2026-11") == "2026-10"


@pytest.mark.drawn(3, of="what comes later")
def test_a_later_document_made_void_leaves_what_it_passed_over(clerk: Clerk) -> None:
    clerk.use("acme", "2026-11-05")
    clerk.close("2026-11")
    clerk.must("void", "HM-2027-000002", "--reason", "wrong")
    clerk.use("acme", "2026-10-15")
    (document,) = clerk.close("2026-11")[-1:]
    assert lines(document) == [("usage", "2026-11", "1.00"), ("adjustment", "2026-10", "1.00")]


@pytest.mark.drawn(1)
@pytest.mark.parametrize("plan", ["p,2025-01-01,", "p,2025-01-01,2026-09-01;p,2026-10-01,"])
@pytest.mark.parametrize("is_drafted", [False, True])
def test_an_item_of_a_month_that_is_passed_over_is_billed_after_it(
    clerk: Clerk, plan: str, is_drafted: bool
) -> None:
    """With or without a plan. On a draft it waits until that can be closed no more."""
    clerk.subscribe(acme=plan)
    words = ("--description", "Training", "--amount", "5", "--on", "2026-09-05")
    clerk.must("invoice", "item", "acme", *words)
    if is_drafted:
        clerk.must("invoice", "run", "--month", "2026-09")
    clerk.close("2026-10")
    clerk.close("2026-11")
    (item,) = clerk.sees("invoice", "items")
    assert item["billed"] == ("HM-2027-000002")
    documents = {one["id"]: one for one in clerk.sees("invoice", "list")}
    billed = "2026-11.acme" if is_drafted else "2026-10.acme"
    assert ("item", "2026-09", "5.00") in lines(documents[billed])


def test_usage_is_read_only_where_a_month_costs_nothing_without_it(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    import billing.idle_months as idle  # noqa: PLC0415

    whole = idle.copy_tables
    monkeypatch.setattr(idle, "copy_tables", lambda *told: (reads.append("read"), whole(*told)))
    clerk.close("2026-09")
    clerk.subscribe(base="base,2025-01-01,")
    clerk.close("2026-10", "--account", "base")
    assert refused_of(clerk, "base", "2026-12")
    assert reads == []
    clerk.close("2026-12", "--account", "acme")
    assert reads == ["read"]


def refused_of(clerk: Clerk, account: str, month: str) -> bool:
    return f"MONTH_ORDER: {account}" in clerk.told_by(*FINALIZE, month, "--account", account)


def test_what_costs_nothing_unused_is_what_the_engine_makes_nothing_of(
    rng: random.Random, tmp_path: Path
) -> None:
    """Of drawn books, in whole months and parts of them; only a commitment may be too careful."""
    currency = rng.choice(["EUR", "JPY", "KWD"])
    plans = [f"p{n}" for n in range(150)]
    head = {"book": "b", "currency": currency, "effective_from": "2026-01-01"}
    meters = {"participant": (), "dial_in": ("DE", "FR", "US"), "money": ()}
    text = draw_book(rng, head, plans, meters)
    text += f'[[plan]]\ncode = "idle"\nname = "I"\n{CHARGE}model = "per_unit"\nunit_price = 1\n'
    rows = [f"idle,A,a@a.example,DE,en,UTC,{currency},idle,2026-01-01,,1"]
    for number, plan in enumerate(plans):
        told = f"a{number},A,a@a.example,DE,en,UTC,{currency}"
        since, until = rng.choice(
            [("2026-01-01", ""), ("2026-10-07", ""), ("2026-01-01", "2026-10-20")]
        )
        rows.append(f"{told},{plan},{since},{until},{rng.choice([1, 3])}")
        if until:
            rows.append(f"{told},{rng.choice(plans)},{until},,1")
    home = Settings(tmp_path / "home", None, "clerk")
    fill_books(home, [text], HEADER + "\n".join(rows) + "\n")
    store_usage(home, [])
    month = Month(2026, 10)
    with open_books(home) as books:
        assert not run_invoices(books, home, month, None, None)
        documents = {one["account_id"]: one for one in list_invoices(books, month)}
        layout = lay_out(books, load_catalogue(books), month)
    seen = set()
    for cohort, accounts in layout.cohorts:
        for account in accounts:
            is_nil = not any(Fraction(line["amount"]) for line in documents[account]["lines"])
            terms = [one for part in cohort.stretches for one in part.terms]
            is_careful = any(one.commitment for one in terms)
            assert is_nil == (not cohort.costs_unused) or (is_nil and is_careful), account
            seen.add(is_nil)
    assert seen == {True, False}
