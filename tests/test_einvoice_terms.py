"""What an electronic invoice says of a document, as a reader that is not ours finds it."""

from datetime import date
from typing import Any

import pytest

from billing.documents.einvoice import electronic_invoice
from tests.einvoice_documents import (
    AHEAD,
    AMERICAN,
    BUYER,
    FRENCH,
    MATRIX,
    ODD,
    OUTSIDE,
    REVERSED,
    S7,
    SELLER,
    adjustment,
    credit_note,
    document,
    fee,
    line,
    of,
    packages,
    tiers,
    usage,
)
from tests.einvoice_rules import terms

BOUND = usage("2", "0.8", unit="board")
BOUND |= {"amount": "10.00", "bound": "8.4", "basis": {"model": "per_unit", "minimum": "10"}}
FLAT = fee("20", unit="month", kind="usage", discount="-2.5")
FLAT |= {"amount": "17.50", "basis": {"model": "flat", "amount": "20", "discount_percent": "12.5"}}
ONCE = of(usage("100", "0.04"), amount="6.50")
ONCE["tiers"][0] |= {"flat": "2.5", "amount": "6.5"}
ONCE["basis"] = {"model": "graduated"}
QUANTITY, PRICE, AMOUNT = "BT-129", "BT-146", "BT-131"


def read(told: Any) -> dict[str, Any]:
    """By the XML inside the PDF; that UBL says the same, `tests.test_einvoice` holds."""
    found = electronic_invoice(told)
    assert found.cii, found.why
    return terms(found.cii)


def read_line(told: Any) -> dict[str, Any]:
    (found,) = read(document(told))["BG-25"]
    return found  # type: ignore[no-any-return]


def note(found: Any) -> list[str]:
    return found["BT-127-00"][0]["BT-127"].split("\n")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("told", "quantity", "unit", "price"),
    [
        (fee("12", 3), "3", "C62", "12"),
        (fee("49.00", unit="month"), "1", "MON", "49.00"),
        (usage("100", "0.004"), "100", "MIN", "0.004"),
        (usage("13345", "0.004", included=1000), "12345", "MIN", "0.004"),
        (usage("11.25", "3", unit="hour"), "11.25", "HUR", "3"),
        (usage("2.5", "4.5", unit="GB"), "2.5", "E34", "4.5"),
        (usage("3", "0.8", unit="Minutes"), "3", "MIN", "0.8"),
        (packages(), "3", "XPK", "4.5"),
        (tiers(), "1", "C62", "49.54"),
        (line("450"), "1", "C62", "450"),
        (line("-5.00", kind="discount"), "-1", "C62", "5.00"),
        (adjustment("-12.34", "X-1"), "-1", "C62", "12.34"),
        (of(fee("4.00", 2), amount="-8.00"), "-2", "C62", "4.00"),  # of a credit note
        (of(fee("49.00"), amount="22.87", proration="14/30"), "1", "C62", "22.87"),
        (BOUND, "1", "C62", "10.00"),
        (FLAT, "1", "MON", "17.5"),
        (ONCE, "1", "C62", "6.50"),
        (fee("12", 0), "1", "C62", "0"),
        (of(usage("1", "-0.004"), amount="0.00"), "1", "C62", "0.00"),
        (of(fee("10.00"), amount="10.01"), "1", "C62", "10.01"),
        (usage("0", "0.8"), "1", "C62", "0.00"),
    ],
)
def test_a_line_is_quantity_times_price_where_that_is_its_amount(
    told: Any, quantity: str, unit: str, price: str
) -> None:
    found = read_line(told)
    assert [found[term] for term in (QUANTITY, "BT-130", PRICE)] == [quantity, unit, price]
    assert found[AMOUNT] == told["amount"]


def test_a_discount_stands_between_the_gross_and_the_net_price() -> None:
    found = read_line(usage("100", "3", "12.5"))
    assert (found["BT-148"], found["BT-147-00"][0]["BT-147"], found[PRICE]) == (
        "3",
        "0.375",
        "2.625",
    )


def test_yen_are_a_quantity_only_where_they_come_to_it_without_rounding() -> None:
    """Peppol lets them be two hundredths apart, which in yen is nothing."""
    told = document(usage("13345", "0.4", places=0), usage("13346", "0.4", places=0), places=0)
    exact, rounded = read({**told, "currency": "JPY"})["BG-25"]
    assert (exact[QUANTITY], exact[PRICE], exact[AMOUNT]) == ("13345", "0.4", "5338")
    assert (rounded[QUANTITY], rounded[PRICE], rounded[AMOUNT]) == ("1", "5338", "5338")


def test_the_note_of_a_line_has_its_tiers() -> None:
    assert note(read_line(tiers())) == [
        "Quantity: 12,345 minutes",
        "The first 10,000: 10,000 minutes at 0.004 = 40.00",
        "Once, for the first 10,000 = 2.50",
        "Above 10,000: 2,345 minutes at 0.003 = 7.035",
    ]
    assert note(read_line(packages()))[0] == "Quantity: 117.25 GB"
    assert "BT-127-00" not in read_line(usage("100", "0.004"))
    assert note(read_line(usage("13345", "0.004", included=1000)))[0] == "Quantity: 13,345 minutes"


def test_periods_are_of_whole_days_and_the_invoice_spans_its_lines() -> None:
    found = read(document(fee("1", period=AHEAD), adjustment("1", "X-1"), fee("2")))
    spans = [(one["BT-134"], one["BT-135"]) for one in found["BG-25"]]
    assert spans == [
        (date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 9, 1), date(2026, 9, 30)),
        (date(2026, 10, 1), date(2026, 10, 31)),
    ]
    assert (found["BT-73"], found["BT-74"]) == (date(2026, 9, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("start", "end", "last"),
    [
        ("2026-10-15T10:00:00+02:00", "2026-10-16T00:30:00+02:00", 16),
        ("2026-10-15T10:00:00+02:00", "2026-10-16T00:00:00+02:00", 15),
        ("2026-10-15T00:00:00+02:00", "2026-10-15T00:00:00+02:00", 15),
    ],
)
def test_a_day_that_has_begun_is_one(start: str, end: str, last: int) -> None:
    found = read_line(fee("1", period={"start": start, "end": end}))
    assert (found["BT-134"], found["BT-135"]) == (date(2026, 10, 15), date(2026, 10, last))


def test_parties_and_what_is_told_to_the_buyer() -> None:
    told = document(fee("1"), reason="a wrong price", buyer=of(BUYER, buyer_reference="R-7"))
    found = read(told)
    assert found["BG-1"] == [{"BT-22": "a wrong price\nManaging director: Ada Example"}]
    assert (found["BT-10"], "BT-13" in found) == ("R-7", False)
    seller, buyer = found["BG-4"], found["BG-7"]
    assert (seller["name"], seller["biz_name"]) == ("HomeMeeting GmbH", "HomeMeeting")
    assert buyer["identifiers"] == {None: "acme"}
    assert seller["contacts"] == [
        {name: SELLER[key] for name, key in (("name", "contact"), ("phone", "phone"))}
        | {"email": SELLER["email"]}
    ]
    assert buyer["contacts"] == [{"email": BUYER["email"]}]
    assert [buyer[name] for name in ("addr_l1", "postcode", "city", "country_code")] == [
        BUYER["street"], BUYER["postal_code"], BUYER["city"], "DE",
    ]  # fmt: skip
    bare = read(MATRIX["bare parties"])
    assert bare["BG-4"]["name"] == "A"
    assert "biz_name" not in bare["BG-4"]
    assert "BG-1" not in bare


def test_the_documents_that_it_corrects_are_named_once() -> None:
    lines = [adjustment("1", number) for number in ("X-1", None, "X-2", "X-1")]
    found = read(credit_note(*lines, corrects="X-2"))
    assert [(one["BT-25"], one["BT-26"]) for one in found["BG-3"]] == [
        ("X-2", date(2026, 11, 2)),
        ("X-1", date(2026, 10, 2)),
    ]
    assert found["BT-3"] == "381"
    assert "BG-3" not in read(document(fee("1")))


def test_what_is_to_be_paid_and_how() -> None:
    found = read(document(fee("100.00"), prepaid="20.00"))
    names = ("BT-106", "BT-109", "BT-110", "BT-112", "BT-113", "BT-115", "BT-9")
    assert [found[name] for name in names] == [
        "100.00", "100.00", "19.00", "119.00", "20.00", "99.00", date(2026, 11, 16),
    ]  # fmt: skip
    payment = [found[name] for name in ("BT-81", "BT-83", "BT-84", "BT-86")]
    assert payment == ["58", "HM-2026-000042", "DE02120300000000202051", "BYLADEM1001"]
    assert read(document(fee("1"), currency="CHF"))["BT-81"] == "30"
    for other in (document(fee("1"), prepaid="1.19"), credit_note(fee("1"))):
        assert "BT-81" not in read({**other, "buyer": of(BUYER, country="AT")})
        germans = read(other)  # some instruction must be there
        assert (germans["BT-81"], germans.get("BT-84")) == ("1", None)
    assert read(document(fee("1"), due_on=None))["BT-20"] == "As agreed."
    given_back = read(credit_note(fee("1"), due_on="2026-11-16"))
    assert given_back["BT-20"] == "1.19 EUR is credited to you."
    assert "BT-9" not in given_back


def test_taxes_of_one_category_and_rate_are_one_whichever_countries_they_are_of() -> None:
    told = document(fee("10.00"), line("20.00"), line("5.00", S7))
    nineteen, seven = told["taxes"]
    parts = [
        {**nineteen, "taxable": "10.00", "tax": "1.90", "country": "CY"},
        seven,
        {**nineteen, "taxable": "20.00", "tax": "3.80"},
    ]
    found = read({**told, "taxes": parts})
    assert found == read(told)
    shown = [
        [one[name] for name in ("BT-118", "BT-119", "BT-116", "BT-117")] for one in found["BG-23"]
    ]
    assert shown == [["S", "19", "30.00", "5.70"], ["S", "7", "5.00", "0.35"]]


def test_who_owes_the_tax_is_told_with_both_numbers() -> None:
    found = read(MATRIX["reverse charge"])
    assert [found[side]["vat_identifier"] for side in ("BG-4", "BG-7")] == [
        SELLER["vat_number"], FRENCH["vat_number"],
    ]  # fmt: skip
    (entry,) = found["BG-23"]
    assert (entry["BT-120"], entry["BT-121"]) == ("Reverse charge", "VATEX-EU-AE")


def test_without_vat_there_is_no_number_and_no_rate() -> None:
    told = document(fee("49.00", tax=OUTSIDE), buyer=of(AMERICAN, vat_number="US123"))
    made = electronic_invoice(told)
    assert made.cii and made.ubl
    for xml in (made.cii, made.ubl):
        assert "vat_identifier" not in terms(xml)["BG-4"]
        assert b"US123" not in xml and b"Percent" not in xml and b'schemeID="VA"' not in xml
    found = read(told)
    assert found["BG-4"]["legal_identifier"] == "HRB 12345"
    assert found["BG-23"][0]["BT-121"] == "VATEX-EU-O"


def test_tax_in_the_sellers_currency_stands_beside() -> None:
    found = read(MATRIX["tax in another currency"])
    assert [found[name] for name in ("BT-5", "BT-6", "BT-110", "BT-111")] == [
        "USD", "EUR", "19.00", "17.50",
    ]  # fmt: skip
    footer = SELLER["footer"]
    assert found["BG-1"] == [{"BT-22": f"VAT in EUR (1 USD = 0.9213 EUR).\n{footer}"}]
    told = MATRIX["tax in another currency"]["tax_in"]
    dated = {**told, "rate_on": "2026-10-30", "rate_source": "ECB"}
    (note,) = read({**MATRIX["tax in another currency"], "tax_in": dated})["BG-1"]
    assert note["BT-22"].startswith("VAT in EUR (1 USD = 0.9213 EUR; ECB, 30 October 2026).\n")
    same = {"currency": "EUR", "rate": "1", "tax": "9.31"}
    assert "BT-6" not in read(document(fee("49.00"), tax_in=same))


@pytest.mark.parametrize(
    ("country", "number", "told"),
    [
        ("DE", "de 136 695 976", "DE136695976"),
        ("GR", "094259216", "EL094259216"),
        ("GR", "EL094259216", "EL094259216"),
        ("GB", "XI123456789", "XI123456789"),
        ("US", "12-3456789", "US12-3456789"),
    ],
)
def test_vat_numbers_have_the_prefix_of_their_country(country: str, number: str, told: str) -> None:
    found = read(document(fee("1"), buyer=of(BUYER, country=country, vat_number=number)))
    assert found["BG-7"]["vat_identifier"] == told


def test_numbers_of_a_scheme_are_told_with_it() -> None:
    buyer = of(BUYER, registration_id="0106:30265432", endpoint="0088:4000000000006")
    found = read(document(fee("1"), buyer=buyer))["BG-7"]
    assert found["legal_identifier"] == "30265432"
    assert found["legal_identifier_schemeid"] == "0106"
    assert (found["einvoicing_addr_schemeid"], found["einvoicing_addr"]) == (
        "0088",
        "4000000000006",
    )
    plain = read(document(fee("1"), buyer=of(buyer, registration_id="HRB: 1", endpoint="x:1")))
    assert plain["BG-7"]["legal_identifier"] == "HRB: 1"
    assert "einvoicing_addr" not in plain["BG-7"]


def test_no_text_is_markup_and_what_xml_cannot_carry_is_a_question_mark() -> None:
    shown = ODD.translate(dict.fromkeys([0, 7, 27, 0xD800, 0xFFFE], "?"))
    found = read(MATRIX["odd texts"])
    assert found["BG-7"]["name"] == found["BG-7"]["addr_l1"] == shown
    (entry,) = found["BG-25"]
    assert entry["BT-153"] == f"{shown} ({shown})"
    assert len(entry["BT-155"]) == len(ODD) > 2000


def test_reverse_charge_and_an_old_adjustment_are_two_entries() -> None:
    told = document(fee("49.00", tax=REVERSED), adjustment("-1.00", "X-1"), buyer=FRENCH)
    entries = {one["BT-118"]: one for one in read(told)["BG-23"]}
    assert entries["AE"]["BT-117"] == "0.00"
    assert entries["S"]["BT-117"] == "-0.19"
    assert "BT-120" not in entries["S"]
