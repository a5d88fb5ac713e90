"""Closing a month as a clerk does: what is numbered and frozen, what stays open, what is said."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from billing import open_books
from edge import Settings
from eventlog import JournalWriter
from tests import command_line
from tests.clerk import Clerk
from tests.command_line import usage_event

FINALIZE = ("invoice", "finalize")
RUN = ("invoice", "run", "--month")
NEW_YEAR = "2027-01-05T12:00:00Z"


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    """`acme` pays by use, `base` a fee, `idle` nothing."""
    return Clerk(tmp_path, "2026-12-10T09:00:00Z", acme="p", base="base", idle="free")


def test_drafts_are_closed_by_id_and_the_rest_by_month(clerk: Clerk) -> None:
    clerk.use("acme", "2026-10-02")
    clerk.must(*RUN, "2026-10")
    assert set(clerk.states().values()) == {"draft"}
    (base,) = clerk.sees(*FINALIZE, "2026-10.base")
    assert (base["number"], base["status"], base["total"]) == ("HM-2026-000001", "final", "10.00")
    assert (base["issued_on"], base["due_on"]) == ("2026-12-10", "2026-12-24")
    clerk.must(*FINALIZE, "--month", "2026-10")
    assert clerk.numbers() == ["HM-2026-000002", "HM-2026-000001", None]
    assert list(clerk.states().values()) == ["final", "final", "nil"]
    for wrong in (FINALIZE, (*FINALIZE, "HM-1", "--month", "2026-10")):
        assert clerk.types(*wrong).returncode == 2
    assert clerk.types(*RUN, "2026-10", "--issue-date", "2026-12-10").returncode == 2
    assert clerk.told_by(*FINALIZE, "2026-10.acme", "nobody", "HM-1") == (
        "INVOICE_UNKNOWN: nobody: there is no such document\n"
        "INVOICE_UNKNOWN: HM-1: there is no such document\n"
        "INVOICE_UNKNOWN: nothing was closed\n"
    )


def test_a_draft_that_no_longer_says_what_was_shown_stays_one(clerk: Clerk) -> None:
    clerk.use("acme", "2026-10-02")
    clerk.must(*RUN, "2026-10")
    clerk.use("acme", "2026-10-03")
    clerk.subscribe(nova="base,2026-10-01,")  # was never shown at all
    said = clerk.told_by(*FINALIZE, "--month", "2026-10", "--format", "csv")
    advice = "look at the draft, then finalize again, or with --accept-changes"
    assert f"DRAFT_CHANGED: acme: is no longer what was shown: {advice}\n" in said
    assert f"DRAFT_CHANGED: nova: is no longer what was shown: {advice}\n" in said
    acme, base, idle, nova = clerk.sees("invoice", "list")
    assert [one["status"] for one in (acme, base, idle, nova)] == ["draft", "final", "nil", "draft"]
    assert acme["total"] == "2.00"  # refreshed, to be looked at
    clerk.must(*FINALIZE, "2026-10.acme")
    clerk.must(*FINALIZE, "2026-10.nova")
    clerk.must(*RUN, "2026-11")
    clerk.use("acme", "2026-11-03")
    clerk.must(*FINALIZE, "--month", "2026-11", "--accept-changes")
    assert "draft" not in clerk.states().values()


def test_closing_twice_changes_nothing(clerk: Clerk) -> None:
    clerk.use("acme", "2026-10-02")
    first = clerk.close("2026-10")
    known = _everything(clerk)
    assert clerk.close("2026-10", now="2026-12-11T09:00:00Z") == first
    clerk.must(*FINALIZE, "--month", "2026-10")
    assert _everything(clerk) == known


def _everything(clerk: Clerk) -> tuple[object, ...]:
    """What acts leave: documents, the trail, and the files."""
    files = {
        path: path.read_bytes()
        for folder in ("documents", "evidence")
        for path in (clerk.home / folder).iterdir()
    }
    return clerk.sees("invoice", "list"), clerk.sees("audit", "log"), files


def test_numbers_are_of_the_series_and_the_year_of_issue(clerk: Clerk) -> None:
    clerk.settings('[billing]\ninvoice_series = "AC"\ncredit_note_series = "AC-C"\n')
    clerk.close("2026-11", "--account", "base")
    clerk.close("2026-12", "--account", "base", "--issue-date", "2026-12-31", now=NEW_YEAR)
    clerk.use("acme", "2026-12-02")
    clerk.close("2026-12", "--account", "acme", now=NEW_YEAR)
    assert clerk.numbers() == ["AC-2026-000001", "AC-2027-000001", "AC-2026-000002"]
    clerk.must("void", "AC-2026-000001", "--reason", "wrong", now=NEW_YEAR)
    assert clerk.numbers()[1] == "AC-C-2027-000001"


def test_the_day_of_issue_is_the_sellers_and_never_falls_nor_is_to_come(clerk: Clerk) -> None:
    clerk.settings('[seller]\nname = "S"\ntime_zone = "Pacific/Auckland"\n')
    (base,) = clerk.close("2026-10", "--account", "base", now="2026-12-10T12:00:00Z")
    assert base["issued_on"] == "2026-12-11"
    close = (*RUN, "2026-11", "--finalize", "--issue-date")
    assert clerk.told_by(*close, "2026-12-12") == (
        "ISSUE_DATE: 2026-12-12 is to come: today is 2026-12-10 in Pacific/Auckland\n"
    )
    assert clerk.told_by(*close, "2026-12-09") == (
        "ISSUE_DATE: 2026-12-09 is too early: HM was issued on 2026-12-11 already: "
        "numbers and days rise together\n"
    )
    assert {state for id, state in clerk.states().items() if "2026-11" in id} == set()


def test_what_has_no_amount_is_nil_unless_it_is_to_be_issued(clerk: Clerk) -> None:
    october = clerk.close("2026-10")
    assert [(one["status"], one["number"]) for one in october] == [
        ("nil", None),
        ("final", "HM-2026-000001"),
        ("nil", None),
    ]
    assert [path.name for path in (clerk.home / "documents").iterdir()] == ["HM-2026-000001.pdf"]
    clerk.settings('[billing]\nzero_invoices = "issue"\n')
    november = clerk.close("2026-11")
    assert [(one["status"], one["number"], one["total"]) for one in november] == [
        ("final", "HM-2026-000002", "0.00"),
        ("final", "HM-2026-000003", "10.00"),
        ("final", "HM-2026-000004", "0.00"),
    ]


def test_a_nil_month_is_frozen_and_adjusted_as_any_other(clerk: Clerk) -> None:
    clerk.close("2026-10", "--account", "acme")
    clerk.use("acme", "2026-10-31T22:30:00Z", "2026-11-02")
    clerk.subscribe("Asia/Tokyo", acme="p,2025-01-01,")
    (november,) = clerk.close("2026-11", "--account", "acme")
    usage, late = november["lines"]
    assert (usage["kind"], usage["amount"]) == ("usage", "1.00")
    assert (late["kind"], late["amount"]) == ("adjustment", "1.00")
    assert late["origin"] == {
        "number": None,
        "issued_on": None,
        "period": {"start": "2026-10-01T07:00:00+09:00", "end": "2026-11-01T08:00:00+09:00"},
    }


def test_a_held_month_waits_and_so_do_the_later_ones(clerk: Clerk) -> None:
    clerk.must("invoice", "hold", "base", "--month", "2026-10", "--reason", "a call")
    clerk.close("2026-10")
    assert clerk.states()["2026-10.base"] == "draft"
    said = clerk.told_by(*RUN, "2026-11", "--finalize", "--format", "csv")
    assert "MONTH_ORDER: base: 2026-10 comes first: months are closed in order\n" in said
    clerk.must("invoice", "release", "base", "--month", "2026-10", "--reason", "settled")
    clerk.close("2026-10")
    clerk.close("2026-11")
    assert set(clerk.states().values()) == {"final", "nil"}
    assert [row["action"] for row in clerk.sees("audit", "log")][-6:] == [
        "invoice hold",
        "invoice finalize",
        "invoice finalize",
        "invoice release",
        "invoice finalize",
        "invoice finalize",
    ]


def test_usage_that_may_be_missing_is_waited_for_or_accepted_with_a_reason(clerk: Clerk) -> None:
    clerk.settings('[billing]\nexpected_servers = ["nyc-1"]\n')
    close = (*RUN, "2026-11", "--account", "base", "--finalize", "--format", "csv")
    early = clerk.told_by(*close, now="2026-12-01T12:00:00Z")
    assert (
        "GRACE_TIME: period to 2026-11-30 23:00:00 UTC: what is late is waited for until "
        "2026-12-02 23:00:00 UTC: close it then, or lower [billing] grace_hours\n"
    ) in early
    said = clerk.told_by(*close)
    assert "SERVER_SILENT: server nyc-1: " in said
    assert (
        "INCOMPLETE: 2026-11: 1 draft cannot be closed before what is missing is there, or by "
        '--accept-incomplete "reason"\n'
    ) in said
    assert clerk.states() == {"2026-11.base": "draft"}
    clerk.must(*close, "--accept-incomplete", "nyc-1 was never bought")
    told = clerk.must("invoice", "show", "HM-2026-000001").stdout
    assert "Closed by ann at 2026-12-10 09:00 UTC, run 1\n" in told
    assert "Closed although usage may be missing: nyc-1 was never bought\n" in told
    assert "Missing then: SERVER_SILENT, server nyc-1: " in told
    closing = clerk.sees("invoice", "show", "HM-2026-000001")["closing"]
    assert closing["overrides"] == {"accept_incomplete": "nyc-1 was never bought"}
    assert [gap["place"] for gap in closing["accepted"]] == ["server nyc-1"]
    (entry,) = [row for row in clerk.sees("audit", "log") if row["action"] == "invoice finalize"]
    assert (entry["who"], entry["subject"], entry["reason"]) == (
        "ann",
        "2026-11",
        "nyc-1 was never bought",
    )
    assert entry["details"]["first_invoice"] == "HM-2026-000001"


def test_who_was_let_go_is_named_by_what_was_closed_without_it(clerk: Clerk) -> None:
    clerk.settings('[billing]\nexpected_servers = ["nyc-1"]\n')
    gone = ("server", "retire", "nyc-1", "--on", "2026-10-31", "--reason", "sold")
    clerk.must(*gone)
    clerk.close("2026-11", "--account", "base")
    told = clerk.must("invoice", "show", "HM-2026-000001").stdout
    assert "Not waited for: server nyc-1, retired on 2026-10-31 by ann: sold\n" in told


def test_what_was_passed_over_is_named_by_what_was_closed_beside_it(clerk: Clerk) -> None:
    clerk.now = "2026-10-20T09:00:00Z"
    writer = JournalWriter.open(clerk.home / "journal", "par-1")
    writer.append("meetings.usage", [b"torn"])
    writer.close()  # as if killed: without a CLOSE
    clerk.told([], "par-1")
    clerk.must("quarantine", "dismiss", "1", "--reason", "a test")
    clerk.now = "2026-12-10T09:00:00Z"
    clerk.close("2026-10", "--account", "base")
    told = clerk.must("invoice", "show", "HM-2026-000001").stdout
    assert "Passed over: quarantine row 1, BAD_FRAME, dismissed by ann: a test\n" in told
    assert f"Not closed in good order: source {writer.source}\n" in told


def test_a_closed_month_that_cannot_be_rated_again_leaves_its_account_out(clerk: Clerk) -> None:
    clerk.close("2026-10")
    clerk.use("acme", "2026-10-02")
    with open_books(Settings(clerk.home, None, "clerk")) as books:
        books.execute("UPDATE price_books SET content = 'no prices'")
    said = clerk.told_by(*RUN, "2026-11", "--account", "acme", "--format", "csv")
    assert "PRICE_BOOK_UNREADABLE: acme: 2026-10, which is adjusted: b@2025-01-01 " in said


def test_a_month_left_open_by_a_fault_is_not_passed_over(clerk: Clerk) -> None:
    clerk.subscribe(nova="soon,2026-10-01,")
    assert "PLAN_UNKNOWN: nova: " in clerk.told_by(*RUN, "2026-10", "--finalize")
    assert clerk.numbers() == [None, "HM-2026-000001", None]  # a fault costs no number
    book = clerk.file("soon.toml", SOON)
    clerk.must("price-book", "load", book)
    said = clerk.told_by(*RUN, "2026-11", "--finalize")
    assert "MONTH_ORDER: nova: 2026-10 comes first: months are closed in order\n" in said
    clerk.close("2026-10")
    clerk.close("2026-11")
    assert clerk.states()["2026-11.nova"] == "final"


SOON = """\
book = "soon"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "soon"
name = "Soon"
[[plan.fee]]
code = "fee"
description = "Fee"
amount = 5
interval = "month"
"""


def test_a_total_below_zero_is_issued_as_a_credit_note(clerk: Clerk) -> None:
    clerk.close("2026-10", "--account", "base")
    item = ("invoice", "item", "base", "--description", "Gift", "--amount", "-30", "--on")
    clerk.must(*item, "2026-11-05")
    (note,) = clerk.close("2026-11", "--account", "base")
    assert (note["kind"], note["number"], note["corrects"]) == (
        "credit_note",
        "CN-2026-000001",
        "HM-2026-000001",
    )
    assert [line["amount"] for line in note["lines"]] == ["-10.00", "30.00"]
    assert (note["total"], note["due"]) == ("20.00", "20.00")
    told = clerk.must("invoice", "show", "CN-2026-000001").stdout
    assert "Corrects HM-2026-000001\n" in told
    told = clerk.must("invoice", "show", "HM-2026-000001").stdout
    assert "Corrected by CN-2026-000001, credit note of a run of 20.00 EUR\n" in told


def test_the_evidence_says_what_was_known_and_which_records_were_left_out(clerk: Clerk) -> None:
    clerk.use("acme", "2026-10-02")
    clerk.close("2026-10", "--account", "acme")
    at = "2026-10-05T12:00:00Z"  # a second start of the same record
    clerk.told([usage_event(1, "acme", at, at)], server="fra-2")
    clerk.use("acme", "2026-11-03")
    (november,) = clerk.close("2026-11", "--account", "acme")
    assert [line["amount"] for line in november["lines"]] == ["1.00"]
    assert not (clerk.home / "evidence" / "run-000001.left-out.parquet").exists()
    metadata = pq.read_metadata(clerk.home / "evidence" / "run-000002.parquet").metadata
    assert json.loads(metadata[b"snapshot"])["last_batch"] > 0
    assert json.loads(metadata[b"overrides"]) == {}
    told = json.loads(metadata[b"left_out"])
    path = clerk.home / "evidence" / told["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    rows = pq.read_table(path).to_pylist()
    assert [(row["month"], row["account_id"], row["started_at"].day) for row in rows] == [
        ("2026-10", "acme", 2),
        ("2026-10", "acme", 5),
    ]


def test_of_two_clerks_at_once_the_second_waits_and_is_told(clerk: Clerk) -> None:
    with open_books(Settings(clerk.home, None, "ann")):
        second = command_line.run(clerk.home, *RUN, "2026-10", "--finalize", now=clerk.now)
    assert second.returncode == 1
    (_, told) = second.stderr.splitlines()
    assert told.startswith("STORE_BUSY: process ")
    clerk.close("2026-10")


def test_every_act_is_in_the_trail(clerk: Clerk) -> None:
    clerk.close("2026-10")
    clerk.must("credit-note", "HM-2026-000001", "--kind", "concession", "--reason", "outage")
    clerk.must("void", "HM-2026-000001", "--reason", "wrong plan", user="bob")
    acts = [row for row in clerk.sees("audit", "log") if "import" not in row["action"]][1:]
    assert [(row["who"], row["action"], row["subject"], row["reason"]) for row in acts] == [
        ("ann", "invoice finalize", "2026-10", ""),
        ("ann", "credit-note", "HM-2026-000001", "outage"),
        ("bob", "void", "HM-2026-000001", "wrong plan"),
    ]
    assert "Closed by ann at " in clerk.must("invoice", "show", "CN-2026-000001").stdout
    told = clerk.must("invoice", "show", "HM-2026-000001").stdout  # nothing was left to take back
    assert "Made void by bob at 2026-12-10 09:00 UTC: wrong plan\n" in told
