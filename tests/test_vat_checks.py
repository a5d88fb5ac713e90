"""Checks of VAT numbers as a clerk types them: what is recorded, refused and listed."""

from pathlib import Path
from typing import Any

import pytest

from billing import open_books
from edge import Settings
from tests.clerk import HEADER, Clerk

CHECK = ("account", "vat-check")
OURS, THEIRS = "DE123456788", "DE 136 695 976"


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    clerk = Clerk(tmp_path, "2026-11-04T09:00:00Z")
    tell(clerk, acme=OURS, beta=THEIRS, gamma="")
    return clerk


def tell(clerk: Clerk, **numbers: str) -> None:
    about = "A,a@a.example,DE,de,Europe/Berlin,EUR,free,2026-01-01,"
    rows = [f"{account},{about},{number}" for account, number in numbers.items()]
    text = "\n".join([f"{HEADER},vat_number", *rows])
    clerk.must("account", "import", clerk.file("numbers.csv", text))


def said(clerk: Clerk, account: str, reference: str, day: str) -> str:
    done = clerk.must(*CHECK, account, "--reference", reference, "--on", day)
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


def refused(clerk: Clerk, account: str, reference: str, day: str) -> list[str]:
    """The faults of a check that leaves nothing behind."""
    before = _kept(clerk)
    told = clerk.told_by(*CHECK, account, "--reference", reference, "--on", day).splitlines()
    assert _kept(clerk) == before
    faults = "1 fault" if len(told) == 2 else f"{len(told) - 1} faults"
    assert told[-1] == f"CHECK_REFUSED: {faults}; nothing was recorded"
    return told[:-1]


def checked(clerk: Clerk) -> dict[str, str]:
    """The accounts whose present number has a check, and the day of the last."""
    with open_books(Settings(clerk.home, None, "ann")) as books:
        return {name: str(day) for name, day in books.rows("FROM vat_checked ORDER BY ALL")}


def _kept(clerk: Clerk) -> tuple[Any, ...]:
    return clerk.sees("account", "vat-checks"), clerk.sees("audit", "log")


def test_an_answer_is_recorded_once_and_told_in_the_trail(clerk: Clerk) -> None:
    told = "DE123456788 of acme, checked on 2026-11-02, WAPI 1"
    assert said(clerk, "acme", "WAPI 1", "2026-11-02") == f"recorded: {told}"
    known = _kept(clerk)
    again = said(clerk, "acme", "WAPI 1", "2026-11-02")
    assert again == f"nothing changed: {told} is in the books already"
    assert _kept(clerk) == known
    *_, entry = known[1]
    assert [entry[name] for name in ("at", "who", "action", "subject")] == [
        *("2026-11-04T09:00:00Z", "ann", "account vat-check", "acme")
    ]
    assert entry["details"] == {
        "vat_number": OURS,
        "reference": "WAPI 1",
        "checked_on": "2026-11-02",
    }


def test_every_number_is_listed_with_its_checks_or_as_unchecked(clerk: Clerk) -> None:
    said(clerk, "acme", "second", "2026-11-03")
    said(clerk, "acme", "first", "2026-11-01")
    row = {"account_id": "acme", "country": "DE", "vat_number": OURS, "who": "ann"}
    acme = [
        {**row, "state": "current", "checked_on": day, "reference": reference}
        for reference, day in (("first", "2026-11-01"), ("second", "2026-11-03"))
    ]
    beta = {**row, "account_id": "beta", "vat_number": THEIRS, "who": None, "state": "unchecked"}
    listed = clerk.sees("account", "vat-checks")
    assert listed == [*acme, {**beta, "checked_on": None, "reference": None}]
    assert clerk.sees("account", "vat-checks", "--account", "acme") == acme
    assert clerk.sees("account", "vat-checks", "--account", "gamma") == []
    assert clerk.told_by("account", "vat-checks", "--account", "acm").startswith("ACCOUNT_UNKNOWN")
    assert checked(clerk) == {"acme": "2026-11-03"}


def test_a_check_is_of_the_number_however_it_is_parted_and_of_no_other(clerk: Clerk) -> None:
    said(clerk, "beta", "WAPI 1", "2026-11-02")
    tell(clerk, beta="de136695976")
    assert checked(clerk) == {"beta": "2026-11-02"}
    assert said(clerk, "beta", "WAPI 1", "2026-11-02").startswith("nothing changed: ")
    tell(clerk, beta=OURS)
    assert checked(clerk) == {}
    assert [(row["state"], row["vat_number"]) for row in clerk.sees("account", "vat-checks")] == [
        ("unchecked", OURS),
        ("former", THEIRS),
        ("unchecked", OURS),
    ]
    (fault,) = refused(clerk, "beta", "WAPI 1", "2026-11-02")  # was about the other number
    assert fault == (
        f"CHECK_DIFFERS: WAPI 1: beta has this answer already, of 2026-11-02 and for {THEIRS}: "
        "`account vat-check-remove` takes out one that was mistyped"
    )
    said(clerk, "beta", "WAPI 2", "2026-11-04")
    assert checked(clerk) == {"beta": "2026-11-04"}
    tell(clerk, beta="")
    assert checked(clerk) == {}
    said(clerk, "acme", "WAPI 2", "2026-11-04")  # two accounts of one number, asked about once


def test_what_cannot_be_is_refused_all_at_once(clerk: Clerk) -> None:
    assert refused(clerk, "gamma", "WAPI 1", "2026-11-05") == [
        "VAT_NUMBER_MISSING: gamma: has no VAT number to ask about: import the account with it "
        "first",
        "CHECK_DATE: 2026-11-05: is to come: today is 2026-11-04",
    ]
    (fault,) = refused(clerk, "acm", "WAPI 1", "2026-11-02")
    assert fault.startswith("ACCOUNT_UNKNOWN: acm: there is no such account; did you mean acme")
    said(clerk, "acme", "WAPI 1", "2026-11-02")
    (fault,) = refused(clerk, "acme", "WAPI 1", "2026-11-03")
    assert fault.startswith("CHECK_DIFFERS: WAPI 1: acme has this answer already, of 2026-11-02")
    for words in (
        ("acme", "--reference", " ", "--on", "2026-11-02"),
        ("acme", "--reference", "a\nb", "--on", "2026-11-02"),
        ("acme", "--reference", "WAPI 1", "--on", "2.11.2026"),
        ("acme", "--reference", "WAPI 1"),
    ):
        assert clerk.types(*CHECK, *words).returncode == 2


def test_what_was_mistyped_is_taken_out_with_a_reason_and_typed_anew(clerk: Clerk) -> None:
    said(clerk, "acme", "WAPI 1", "2026-11-01")
    said(clerk, "beta", "WAPI 1", "2026-11-01")
    remove = ("account", "vat-check-remove", "acme", "--reference")
    because = ("--reason", "was the 2nd")
    assert clerk.told_by(*remove, "WAPI", *because) == (
        "CHECK_UNKNOWN: acme has no answer WAPI: see `homemeeting account vat-checks`\n"
    )
    assert clerk.must(*remove, "WAPI 1", *because).stderr.endswith("taken out: WAPI 1 of acme\n")
    assert checked(clerk) == {"beta": "2026-11-01"}
    *_, entry = clerk.sees("audit", "log")
    assert (entry["action"], entry["subject"], entry["reason"]) == (
        *("account vat-check-remove", "acme", "was the 2nd"),
    )
    assert entry["details"] == {
        "vat_number": OURS,
        "reference": "WAPI 1",
        "checked_on": "2026-11-01",
    }
    assert said(clerk, "acme", "WAPI 1", "2026-11-02").startswith("recorded: ")


def test_today_is_the_sellers(clerk: Clerk) -> None:
    clerk.settings("[seller]\nname = 'S'\ntime_zone = 'Pacific/Auckland'\n")
    clerk.now = "2026-11-04T12:00:00Z"
    said(clerk, "acme", "WAPI 1", "2026-11-05")
    assert refused(clerk, "acme", "WAPI 2", "2026-11-06") == [
        "CHECK_DATE: 2026-11-06: is to come: today is 2026-11-05"
    ]
