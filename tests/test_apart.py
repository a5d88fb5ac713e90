"""What is outside the scope of VAT and what is not, of one month: two documents of one run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clerk import HEADER, Clerk
from tests.einvoice_rules import faults
from tests.oracle_tax import check_taxes
from tests.test_einvoice import made
from tests.test_tax import BOOK, SELLER, proved, told

# Where no VAT is due, electronic invoices have this in place of the VAT number.
REGISTERED = SELLER + 'registration_id = "HRB 12345"\n'
DE, US = "DE", "US"
OCTOBER, NOVEMBER, DECEMBER = (f"2026-{month}-10T09:00:00Z" for month in (10, 11, 12))


def move(clerk: Clerk, country: str, *until: str) -> None:
    """The account is there from now on; `until`: leaves plan `sk/pro` that day for `base`."""
    row = f"mover,M,m@a.example,{country},en,Europe/Berlin,EUR"
    plans = ["sk/pro,2026-09-01,", *(f"b/base,{day}," for day in until)]
    rows = [f"{HEADER},street,city", *(f"{row},{plan},Street 1,Town" for plan in plans)]
    clerk.must("account", "import", clerk.file("a.csv", "\n".join(rows)))


OUTSIDE = [("fee", "3.39", "O", None), ("usage", "1.00", "O", None), ("fee", "5.16", "O", None)]


@pytest.fixture(scope="module")
def september(tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    """It is closed, of a buyer at home; usage of that month came late. Made once."""
    found = Clerk(tmp_path_factory.mktemp("september"), OCTOBER)
    found.settings(REGISTERED)
    found.must("price-book", "load", found.file("sk.toml", BOOK))
    move(found, DE)
    found.use("mover", "2026-09-05")
    found.close("2026-09")
    found.now = NOVEMBER
    found.use("mover", "2026-09-06", "2026-10-05")
    return found


@pytest.fixture(scope="module")
def october(september: Clerk, tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    """The buyer has moved out of the Union, and takes less since the middle of October."""
    found = september.copied(tmp_path_factory.mktemp("october"))
    move(found, US, "2026-10-16")
    return found


@pytest.fixture
def clerk(october: Clerk, tmp_path: Path) -> Clerk:
    return october.copied(tmp_path)


@pytest.fixture(scope="module")
def parted(october: Clerk, tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    """October is closed."""
    found = october.copied(tmp_path_factory.mktemp("parted"))
    closed(found, "2026-10")
    return found


def closed(clerk: Clerk, month: str) -> list[Any]:
    """The month's documents of the run, which must be whole."""
    found = clerk.close(month)
    for one in found:
        check_taxes(one)
        assert len({line["tax"]["category"] == "O" for line in one["lines"]}) == 1
        numbers = [int(line["id"].rpartition(".")[2]) for line in one["lines"]]
        assert numbers == list(range(1, len(numbers) + 1))
    proved(clerk)
    return [one for one in found if one["status"] == "final"]


def test_what_was_invoiced_with_vat_stands_apart(parted: Clerk) -> None:
    _, october, apart = parted.sees("invoice", "list")
    assert told(october) == OUTSIDE
    assert (october["kind"], october["total"], october["number"], october["apart"]) == (
        "invoice", "9.55", "HM-2026-000002", False,
    )  # fmt: skip
    # October's fee was charged in advance, with VAT; so is what came late to September.
    assert told(apart) == [("adjustment", "5.16", "S", "19"), ("adjustment", "-1.00", "S", "19")]
    assert (apart["kind"], apart["total"], apart["number"], apart["corrects"]) == (
        "credit_note", "4.95", "CN-2026-000001", "HM-2026-000001",
    )  # fmt: skip
    assert (october["id"], apart["id"], apart["apart"]) == (
        "2026-10.mover", "2026-10.mover#2", True,
    )  # fmt: skip
    assert all(faults(xml) == [] for one in (october, apart) for xml in made(one))
    files = {path.name for path in (parted.home / "documents").iterdir()}
    assert {"HM-2026-000002.xml", "CN-2026-000001.xml"} < files


def test_drafts_show_both_and_are_closed_together(clerk: Clerk) -> None:
    said = clerk.must("invoice", "run", "--month", "2026-10", "--format", "json").stdout
    drafts = json.loads(said)
    assert [one["id"] for one in drafts] == ["2026-10.mover", "2026-10.mover#2"]
    preview = clerk.sees("invoice", "preview", "--account", "mover", "--month", "2026-10")
    assert preview == {**drafts[0], "apart": [drafts[1]]}
    table = clerk.must("invoice", "preview", "--account", "mover", "--month", "2026-10").stdout
    assert "2026-10.mover," in table and "2026-10.mover#2," in table
    clerk.must("invoice", "finalize", "2026-10.mover#2")
    assert clerk.states() == {
        "2026-09.mover": "final", "2026-10.mover": "final", "2026-10.mover#2": "final",
    }  # fmt: skip
    proved(clerk)


def test_either_is_proved_and_explained_alone(parted: Clerk, tmp_path: Path) -> None:
    clerk, numbers = parted.copied(tmp_path), ["HM-2026-000002", "CN-2026-000001"]
    for number in numbers:
        clerk.must("invoice", "verify", number, "--from-log")
        clerk.must("invoice", "statement", number)
        assert clerk.sees("invoice", "explain", number, "--events")
    assert "Apart from the month's own" in clerk.must("invoice", "show", numbers[1]).stdout
    assert "2026-09-06" in clerk.must("invoice", "explain", numbers[1], "--events").stdout
    changes = (
        ("UPDATE invoice_lines SET charged = charged + 1 WHERE invoice = '2026-10.mover#2'", 1),
        ("UPDATE invoice_lines SET quantity = quantity + 1 WHERE invoice = '2026-10.mover#2'", 1),
        ("UPDATE invoice_lines SET quantity = quantity + 1 WHERE invoice = '2026-10.mover'", 0),
    )
    for statement, at in changes:
        with clerk.changed_books(statement):
            said = clerk.told_by("invoice", "verify", numbers[at], "--no-documents")
            assert f"LINE_DIFFERS: {numbers[at]} line" in said
            other = clerk.types("invoice", "verify", numbers[1 - at], "--no-documents")
            assert other.returncode == 0, other.stderr
    gone = "DELETE FROM invoice_lines WHERE invoice = '2026-10.mover#2' AND line = 2"
    with clerk.changed_books(gone):  # then it is on neither
        said = clerk.told_by("invoice", "verify", numbers[0], "--no-documents")
        assert "an adjustment of records of 2026-09 is missing: 1.00" in said


def test_no_two_documents_have_one_id(parted: Clerk, tmp_path: Path) -> None:
    """The month is run again as drafts, one of them apart, when what stands apart is made void."""
    clerk = parted.copied(tmp_path)
    clerk.must("void", "HM-2026-000002", "--reason", "wrong")
    clerk.use("mover", "2026-09-08")
    clerk.must("invoice", "run", "--month", "2026-10")
    assert {"2026-10.mover#4", "2026-10.mover#5"} < clerk.states().keys()
    clerk.must("void", "CN-2026-000001", "--reason", "wrong")
    listed = clerk.sees("invoice", "list")
    assert len({one["id"] for one in listed}) == len(listed)
    again, apart = [one for one in closed(clerk, "2026-10") if not one["credit"]][-2:]
    assert (again["id"], apart["id"]) == ("2026-10.mover#7", "2026-10.mover#8")
    assert told(again) == OUTSIDE
    assert told(apart) == [("adjustment", "5.16", "S", "19"), ("adjustment", "-2.00", "S", "19")]


@pytest.mark.drawn(1)
@pytest.mark.parametrize("what", ["the one apart", "the month's own", "both", "none"])
def test_it_is_all_made_again(parted: Clerk, tmp_path: Path, what: str) -> None:
    clerk = parted.copied(tmp_path)
    if what == "none":
        clerk.now = DECEMBER
        move(clerk, DE, "2026-10-16")
        clerk.use("mover", "2026-10-06", "2026-09-07")
        november, apart = closed(clerk, "2026-11")  # the other way round
        assert told(november) == [("fee", "10.00", "S", "19"), ("adjustment", "1.00", "S", "19")]
        assert told(apart) == [("adjustment", "1.00", "O", None)]
        assert (apart["kind"], apart["total"], apart["tax"]) == ("invoice", "1.00", "0.00")
        return
    number = {"the one apart": "CN-2026-000001", "the month's own": "HM-2026-000002"}.get(what)
    which = [number] if number else ["--month", "2026-10"]
    clerk.must("void", *which, "--reason", "wrong")
    proved(clerk)
    again = [told(one) for one in closed(clerk, "2026-10") if not one["credit"]][-1:]
    clerk.now = DECEMBER
    november, *others = (told(one) for one in closed(clerk, "2026-11"))
    assert november == [("fee", "10.00", "O", None)]
    if (
        what == "the one apart"
    ):  # the month stays closed: what it adjusted is adjusted with the next
        assert others == [[("adjustment", "-1.00", "S", "19"), ("adjustment", "5.16", "S", "19")]]
    elif what == "both":
        assert again == [[("adjustment", "5.16", "S", "19"), ("adjustment", "-1.00", "S", "19")]]
        assert not others
    else:
        assert again == [OUTSIDE] and not others


def test_who_has_nothing_else_has_one_document(september: Clerk, tmp_path: Path) -> None:
    """An account that has left: its adjustments have nothing to stand apart from."""
    clerk = september.copied(tmp_path)
    row = "mover,M,m@a.example,US,en,Europe/Berlin,EUR,sk/pro,2026-09-01,2026-10-01"
    clerk.must("account", "import", clerk.file("a.csv", f"{HEADER}\n{row}"))
    (one,) = closed(clerk, "2026-10")
    assert told(one) == [("adjustment", "10.00", "S", "19"), ("adjustment", "-1.00", "S", "19")]
