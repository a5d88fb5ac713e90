"""Credit notes by hand, and documents made void: what is given back, and what is billed again."""

from pathlib import Path
from typing import Any

import pytest

from billing.described import described
from tests.clerk import Clerk

OCTOBER = "HM-2026-000001"
SIGN = "must have the sign of the line"
RUN = ("invoice", "run", "--month")


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    """October of `acme` is final: 3.00 for usage, 7.77 and −2.00 for items."""
    clerk = Clerk(tmp_path_factory.mktemp("october"), "2026-12-10T09:00:00Z", acme="p")
    clerk.use("acme", "2026-10-02", "2026-10-03", "2026-10-04")
    for amount in ("7.77", "-2"):
        item(clerk, amount, "2026-10-05")
    (invoice,) = clerk.close("2026-10")
    assert [line["amount"] for line in invoice["lines"]] == ["3.00", "7.77", "-2.00"]
    assert (invoice["number"], invoice["total"]) == (OCTOBER, "8.77")
    return clerk


@pytest.fixture
def clerk(october: Clerk, tmp_path: Path) -> Clerk:
    """A copy to be changed."""
    return october.copied(tmp_path)


def item(clerk: Clerk, amount: str, day: str) -> None:
    told = ("--description", f"Item of {amount}", "--amount", amount, "--on", day)
    clerk.must("invoice", "item", "acme", *told)


def credit(clerk: Clerk, *lines: str, kind: str = "concession", number: str = OCTOBER) -> Any:
    told = [word for line in lines for word in ("--line", line)]
    words = ("credit-note", number, "--kind", kind, "--reason", "outage", *told)
    (note,) = clerk.sees(*words)
    return note


def refused(clerk: Clerk, *words: str) -> str:
    """What is said of a refusal, which changes nothing."""
    known = clerk.sees("invoice", "list"), clerk.sees("audit", "log")
    said = clerk.told_by(*words)
    assert (clerk.sees("invoice", "list"), clerk.sees("audit", "log")) == known
    return said


def give(*words: str, number: str = OCTOBER) -> tuple[str, ...]:
    return ("credit-note", number, "--kind", "concession", "--reason", "outage", *words)


def amounts(document: Any) -> list[str]:
    return [line["amount"] for line in document["lines"]]


def test_a_whole_invoice_is_given_back_once(clerk: Clerk) -> None:
    note = credit(clerk)
    assert (note["number"], note["kind"], note["status"]) == (
        "CN-2026-000001",
        "credit_note",
        "final",
    )
    assert (note["corrects"], note["total"], note["due"]) == (OCTOBER, "8.77", "8.77")
    assert amounts(note) == ["3.00", "7.77", "-2.00"]
    assert (clerk.home / "documents" / "CN-2026-000001.pdf").exists()
    assert refused(clerk, *give()) == (
        f"NOTHING_LEFT: {OCTOBER}: nothing is left to give back\n"
        "CREDIT_REFUSED: nothing was credited\n"
    )


def test_parts_in_any_order_end_at_nothing_left(clerk: Clerk) -> None:
    first = credit(clerk, "2=0.77", "1=1")
    assert sorted(amounts(first)) == ["0.77", "1.00"]
    second = credit(clerk, "2026-10.acme.0002=3", "3=-0.50")
    assert second["total"] == "2.50"
    rest = credit(clerk)
    assert sorted(amounts(rest)) == ["-1.50", "2.00", "4.00"]
    total = sum(round(float(one["total"]) * 100) for one in (first, second, rest))
    assert total == 877
    assert "NOTHING_LEFT" in refused(clerk, *give())


def test_never_more_than_is_left_and_every_fault_is_told(clerk: Clerk) -> None:
    credit(clerk, "1=2.50")
    lines = ("1=0.51", "2=-1", "3=1", "4", "9=1", "2026-10.acme.0003=-2.01")
    told = [word for line in lines[:5] for word in ("--line", line)]
    assert refused(clerk, *give(*told)) == (
        "MORE_THAN_LEFT: 2026-10.acme.0001: 0.50 EUR is left of it\n"
        f"BAD_AMOUNT: 2026-10.acme.0002: {SIGN}, of which 7.77 EUR is left\n"
        f"BAD_AMOUNT: 2026-10.acme.0003: {SIGN}, of which -2.00 EUR is left\n"
        "LINE_UNKNOWN: 2026-10.acme.0004: there is no such line; it has 3\n"
        "LINE_UNKNOWN: 2026-10.acme.0009: there is no such line; it has 3\n"
        "CREDIT_REFUSED: nothing was credited\n"
    )
    assert "MORE_THAN_LEFT: 2026-10.acme.0003: -2.00 EUR" in refused(
        clerk, *give("--line", lines[5])
    )
    assert "0001: " in refused(clerk, *give("--line", "1=0.001"))
    assert refused(clerk, *give("--line", "3")) == (
        f"BAD_AMOUNT: {OCTOBER}: these lines come to -2.00 EUR: a credit note gives something "
        "back, 6.27 EUR is left of all lines\n"
        "CREDIT_REFUSED: nothing was credited\n"
    )
    assert refused(clerk, *give("--line", "2")) == (
        f"MORE_THAN_LEFT: {OCTOBER}: 6.27 EUR is left of it, negative lines included\n"
        "CREDIT_REFUSED: nothing was credited\n"
    )
    for wrong in (("one",), ("1=x",), ("1=Infinity",), ("1=0.10", "--line", "1=0.20")):
        assert clerk.types(*give("--line", *wrong)).returncode == 2
    assert clerk.types("credit-note", OCTOBER, "--reason", "no kind").returncode == 2
    assert clerk.types("void", "--reason", "nothing named").returncode == 2
    assert clerk.types("void", OCTOBER, "--month", "2026-10", "--reason", "both").returncode == 2


def test_the_same_once_more_is_done_and_told(clerk: Clerk) -> None:
    credit(clerk, "1=0.50")
    said = clerk.must(*give("--line", "1=0.50")).stderr
    assert "warning: CN-2026-000001 says the same; `void` takes back both" in said


def test_only_a_final_invoice_is_credited(clerk: Clerk) -> None:
    credit(clerk, "1=1")
    clerk.must(*RUN, "2026-11")
    assert "NOT_FINAL: 2026-11.acme: is draft: only a final invoice is credited" in (
        refused(clerk, *give(number="2026-11.acme"))
    )
    assert "NOT_AN_INVOICE: CN-2026-000001: is a credit note: it can only be made void" in (
        refused(clerk, *give(number="CN-2026-000001"))
    )
    assert refused(clerk, *give(number="HM-1")) == "INVOICE_UNKNOWN: there is no invoice HM-1\n"


def test_a_concession_is_never_billed_back(clerk: Clerk) -> None:
    credit(clerk, "1=2")
    clerk.use("acme", "2026-10-06")
    (november,) = clerk.close("2026-11")
    assert amounts(november) == ["0.00", "1.00"]  # the late record alone
    late = november["lines"][1]
    assert described(late, "EUR") == "Records: 4.00 instead of 3.00 charged"
    assert late["origin"]["number"] == OCTOBER
    for command in (("export", "--month", "2026-11"), ("show", november["number"])):
        rows = clerk.must("invoice", *command, "--format", "csv").stdout
        assert ",Records: 4.00 instead of 3.00 charged," in rows


def test_a_correction_is_set_against_what_the_period_costs(clerk: Clerk) -> None:
    """It says that too much was charged: usage that bears it out is withdrawn before or after."""
    record = "00000000-0000-0000-0000-000000000001"
    credit(clerk, "1=2", kind="correction")
    clerk.must("usage", "cancel", record, "--reason", "a test call")
    clerk.must("consume", "--once")
    (november,) = clerk.close("2026-11")
    assert amounts(november) == ["0.00", "1.00"]  # 2.00 by the records instead of 1.00
    assert described(november["lines"][1], "EUR") == "Records: 2.00 instead of 1.00 charged"


def test_a_void_month_is_run_again_with_all_that_it_carried(clerk: Clerk) -> None:
    clerk.must("account", "credit", "acme", "5", "--expires", "2027-12-31", "--reference", "r1")
    clerk.close("2026-11")
    clerk.use("acme", "2026-10-09", "2026-12-01")
    clerk.now = "2027-01-10T09:00:00Z"
    (december,) = clerk.close("2026-12")
    assert (amounts(december), december["prepaid"], december["due"]) == (
        ["1.00", "1.00"],
        "2.00",
        "0.00",
    )
    credit(clerk, "1=0.50", number=december["number"])
    void = ("void", december["number"], "--reason", "wrong book")
    (note,) = clerk.sees(*void)
    assert (note["kind"], note["corrects"], note["total"]) == (
        "credit_note",
        december["number"],
        "1.50",
    )
    # Half a euro is credited already: what was prepaid comes back as far as it is taken back.
    assert (note["prepaid"], note["due"]) == ("1.50", "0.00")
    ledger = clerk.sees("account", "credits", "acme")
    assert [one["amount"] for one in ledger["credits"][0]["draws"]] == ["2.00", "-1.50"]
    assert clerk.sees("invoice", "show", december["number"])["status"] == "void"
    told = clerk.must("invoice", "show", december["number"]).stdout
    assert "Made void by ann at 2027-01-10 09:00 UTC: wrong book\n" in told
    assert f"Taken back by {note['number']}, 1.50 EUR: wrong book\n" in told
    again = clerk.close("2026-12")[-1]
    assert again["number"] != december["number"]
    assert sorted(amounts(again)) == ["-0.50", "1.00", "1.00"]
    assert (again["total"], again["prepaid"], again["due"]) == ("1.50", "1.50", "0.00")
    told = clerk.must("invoice", "show", again["number"]).stdout
    assert "\nPrepaid 1.50, due 0.00 EUR by 2027-01-24\n" in told
    (concession,) = [line for line in again["lines"] if line["kind"] == "item"]
    assert (concession["description"], concession["concession"]) == ("Records", "CN-2027-000001")
    words = "Concession of CN-2027-000001: Records"
    assert words in told
    listed = [one["description"] for one in clerk.sees("invoice", "items")]
    assert listed.count(words) == 1
    assert clerk.told_by(*void) == (
        f"NOT_FINAL: {december['number']}: is void: only what is final is made void\n"
        "VOID_REFUSED: nothing was made void\n"
    )


def test_a_month_is_made_void_whole_and_its_items_are_billed_again(clerk: Clerk) -> None:
    clerk.subscribe(acme="p,2025-01-01,", idle="free,2025-01-01,")
    clerk.close("2026-10")
    page = clerk.home / "documents" / f"{OCTOBER}.pdf"
    issued = page.read_bytes()
    page.unlink()
    clerk.must("void", "--month", "2026-10", "--reason", "wrong rates")
    states = {one["id"]: (one["status"], one["number"]) for one in clerk.sees("invoice", "list")}
    assert states == {
        "2026-10.acme": ("void", OCTOBER),
        "2026-10.acme#2": ("final", "CN-2026-000001"),
        "2026-10.idle": ("void", None),
    }
    assert "NOTHING_CLOSED: nothing is closed in 2026-10" in refused(
        clerk, "void", "--month", "2026-10", "--reason", "again"
    )
    again = clerk.close("2026-10")
    assert page.read_bytes() == issued  # a void document is made again as it was
    assert [one["status"] for one in again].count("nil") == 1
    (acme,) = [one for one in again if one["number"] == "HM-2026-000002"]
    assert (acme["id"], amounts(acme)) == ("2026-10.acme#3", ["3.00", "7.77", "-2.00"])


def test_what_cannot_be_made_void_is_told_at_once(clerk: Clerk) -> None:
    credit(clerk, "1=1")
    clerk.must(*RUN, "2026-11")
    names = ("HM-1", "2026-11.acme", "CN-2026-000001", OCTOBER)
    assert refused(clerk, "void", *names, "--reason", "wrong") == (
        "INVOICE_UNKNOWN: HM-1: there is no invoice HM-1\n"
        "NOT_FINAL: 2026-11.acme: is draft: only what is final is made void\n"
        "NOT_OF_A_RUN: CN-2026-000001: was issued by hand: what a run has issued is made void, "
        "with what was given on it\n"
        "VOID_REFUSED: nothing was made void\n"
    )
