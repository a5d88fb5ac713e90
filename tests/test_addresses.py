"""Addresses of businesses: whose are asked for, what is said, and that others are closed beside."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from edge.party import NO_POSTAL_CODES, countries
from tests.clerk import HEADER, Clerk

PLACE = "street = 'Weg 2'\npostal_code = '10115'\ncity = 'Berlin'\n"
SELLER = f"[seller]\nname = 'S'\ncountry = 'DE'\n{PLACE}"
RUN = ("invoice", "run", "--month")
MORE = "customer_type,vat_number,registration_id,street,postal_code,city"
WHOLE = "Weg 1,10115,Berlin"
ADVICE = "import the account with it, then run again"


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z")
    clerk.settings(SELLER)
    return clerk


def tell(clerk: Clerk, rows: Iterable[str], plan: str = "base") -> None:
    """Accounts by id, country, and what else is told of a buyer."""
    whole = []
    for row in rows:
        account, country, more = row.split(",", 2)
        about = f"{account},{account},a@a.example,{country},de,Europe/Berlin,EUR"
        whole.append(f"{about},{plan},2026-10-01,,{more}")
    text = "\n".join([f"{HEADER},{MORE}", *whole])
    clerk.must("account", "import", clerk.file("buyers.csv", text))


def missing(said: str) -> dict[str, str]:
    """What is said to be missing, by account."""
    told = [line.split(": ", 2) for line in said.splitlines()]
    return {line[1]: line[2] for line in told if line[0] == "ADDRESS_MISSING"}


def test_businesses_without_an_address_stay_drafts_and_the_others_are_closed(
    clerk: Clerk,
) -> None:
    tell(
        clerk,
        [
            "told,DE,business,,,,,",
            f"tells,DE,business,,,{WHOLE}",
            "number,DE,,DE123456788,,Weg 1,,Berlin",
            "register,DE,,,HRB 1,,10115,Berlin",
            "nobody,DE,,,,,,",
            "private,DE,consumer,DE123456788,HRB 1,,,",
            "harbour,HK,business,,,Pier 7,,Hong Kong",
        ],
    )
    said = clerk.told_by(*RUN, "2026-10", "--finalize", "--format", "csv")
    assert missing(said) == {
        "number": f"is a business without postal_code: {ADVICE}",
        "register": f"is a business without street: {ADVICE}",
        "told": f"is a business without street, postal_code, city: {ADVICE}",
    }
    assert "ADDRESS_MISSING         3  number  a business without street, postal code or" in said
    assert clerk.states() == {
        **{f"2026-10.{name}": "draft" for name in ("number", "register", "told")},
        **{f"2026-10.{name}": "final" for name in ("harbour", "nobody", "private", "tells")},
    }
    closed = [number for number in clerk.numbers() if number is not None]
    assert sorted(closed) == [f"HM-2026-00000{n}" for n in range(1, 5)]  # none was lost


def test_the_address_imported_since_closes_it_and_months_wait_for_it(clerk: Clerk) -> None:
    tell(clerk, ["acme,DE,business,,,,,"])
    assert list(missing(clerk.told_by(*RUN, "2026-10", "--finalize"))) == ["acme"]
    said = clerk.told_by(*RUN, "2026-11", "--finalize")
    assert "MONTH_ORDER: acme: 2026-10 comes first: months are closed in order\n" in said
    tell(clerk, [f"acme,DE,business,,,{WHOLE}"])
    (october,) = clerk.close("2026-10")
    assert (october["number"], october["buyer"]["city"]) == ("HM-2026-000001", "Berlin")
    tell(clerk, ["acme,DE,business,,,,,"])  # what is closed stays as it is
    clerk.close("2026-10")
    assert list(missing(clerk.told_by(*RUN, "2026-11", "--finalize"))) == ["acme"]


def test_drafts_are_told_of_what_would_keep_them_open(clerk: Clerk) -> None:
    tell(clerk, ["acme,DE,business,,,,,"])
    report = clerk.must(*RUN, "2026-10").stdout
    assert "ADDRESS_MISSING         1  acme   a business without street, postal code or" in report


def test_a_seller_who_is_nowhere_yet_asks_for_no_address(clerk: Clerk) -> None:
    clerk.settings("[seller]\nname = 'S'\n")
    tell(clerk, ["acme,DE,business,,,,,"])
    assert clerk.close("2026-10")[0]["status"] == "final"


def test_what_gets_no_document_needs_no_address(clerk: Clerk) -> None:
    tell(clerk, ["idle,DE,business,,,,,"], plan="free")
    assert clerk.close("2026-10")[0]["status"] == "nil"
    clerk.settings(f"{SELLER}[billing]\nzero_invoices = 'issue'\n")
    assert list(missing(clerk.told_by(*RUN, "2026-11", "--finalize"))) == ["idle"]


def test_a_hold_is_told_with_it_to_who_names_the_account(clerk: Clerk) -> None:
    tell(clerk, ["acme,DE,business,,,,,"])
    clerk.must("invoice", "hold", "acme", "--month", "2026-10", "--reason", "a call")
    said = clerk.told_by(*RUN, "2026-10", "--finalize", "--account", "acme")
    assert "HELD: acme: is held: a call" in said
    assert list(missing(said)) == ["acme"]
    clerk.must(*RUN, "2026-10", "--finalize")  # held, and so no fault of anybody


def test_all_that_would_keep_drafts_open_is_told_before_the_month_is_over(clerk: Clerk) -> None:
    """Also what comes after it: an address, a rate of tax and one of exchange."""
    clerk.settings(f"{SELLER}tax_currency = 'USD'\n")
    tell(clerk, ["acme,DE,business,,,,,", f"fine,DE,business,,,{WHOLE}", "odd,DE,,,,,,"])
    item = ("invoice", "item", "odd", "--description", "D", "--amount", "1", "--on", "2026-10-05")
    for category in ("odd", "even"):
        clerk.must(*item, "--tax-category", category)
    early = "2026-10-20T12:00:00Z"
    report = clerk.must(*RUN, "2026-10", now=early).stdout
    at = report.index("Blocked")
    wanted = (
        ("ADDRESS_MISSING", "1", "acme"),
        ("PERIOD_OPEN", "3", "acme"),
        ("RATE_MISSING", "3", "acme"),
        ("TAX_RATE_MISSING", "1", "odd"),
    )
    told = [tuple(row.split()[:3]) for row in report[at:].splitlines()[3:7]]
    assert told == list(wanted)
    mended = report[report.index("To mend before it is closed") :].split("\n\n")[0].splitlines()
    assert [tuple(row.split()[:2]) for row in mended[3:]] == [
        *(("acme", "ADDRESS_MISSING"), ("acme", "RATE_MISSING"), ("fine", "RATE_MISSING")),
        *(("odd", "RATE_MISSING"), ("odd", "TAX_RATE_MISSING"), ("odd", "TAX_RATE_MISSING")),
    ]
    closing = clerk.types(*RUN, "2026-10", "--finalize", now=early)
    assert "To mend before it is closed" not in closing.stdout
    faults = [tuple(row.split(": ")[:2]) for row in closing.stderr.splitlines()]
    for code, account in (
        *(("PERIOD_OPEN", "acme"), ("ADDRESS_MISSING", "acme"), ("RATE_MISSING", "acme")),
        *(("PERIOD_OPEN", "odd"), ("TAX_RATE_MISSING", "odd"), ("RATE_MISSING", "fine")),
    ):
        assert (code, account) in faults


def test_countries_without_postal_codes_are_countries() -> None:
    assert len(set(NO_POSTAL_CODES)) == len(NO_POSTAL_CODES)
    assert countries().issuperset(NO_POSTAL_CODES)
