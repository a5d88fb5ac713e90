"""Electronic invoices of every kind of document, held against the official rules."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.documents.einvoice import electronic_invoice
from tests.einvoice_documents import (
    AMERICAN,
    BELGIAN,
    BUYER,
    EXEMPT,
    MATRIX,
    NATIONAL,
    OUTSIDE,
    REVERSED,
    S7,
    S19,
    SELLER,
    ZERO,
    credit_note,
    document,
    drawn_document,
    fee,
    line,
    national,
    of,
    sold,
    usage,
)
from tests.einvoice_jars import jars, peppol_rules
from tests.einvoice_rules import faults, rule_faults, terms
from tests.every_line import documents

PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PLAIN = "urn:cen.eu:en16931:2017"
PROFILE = "<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>"
DUTCH = of(
    SELLER, country="NL", vat_number="NL004495445B01", registration_id="0106:30265432",
    endpoint="0106:30265432",
)  # fmt: skip
SWEDISH = of(
    SELLER, country="SE", vat_number="SE556012579001", registration_id="0007:5560125790",
    endpoint="0007:5560125790",
)  # fmt: skip

ICELANDIC = of(
    SELLER, country="IS", vat_number="IS12345", registration_id="0196:5501692829",
    endpoint="0196:5501692829",
)  # fmt: skip
ITALIAN = of(SELLER, country="IT", vat_number="IT00743110157", endpoint="0211:IT00743110157")
GERMAN = of(BUYER, endpoint="9930:DE129273398", buyer_reference="04011000-12345-03")
CHECKED = (
    "0007:5560125790", "0088:4000000000006", "0151:51824753556", "0184:13585628",
    "0184:DK13585628", "0192:974760673", "0208:0403019261",
)  # fmt: skip


def made(told: Any) -> tuple[bytes, bytes]:
    """Both syntaxes of a document that has them."""
    invoice = electronic_invoice(told)
    assert invoice.why is None and invoice.cii and invoice.ubl, invoice.why
    return invoice.cii, invoice.ubl


@pytest.mark.parametrize("name", MATRIX)
def test_the_official_rules_find_no_fault(name: str) -> None:
    for xml in made(MATRIX[name]):
        assert faults(xml) == []


def test_nor_in_drawn_documents_which_say_the_same_in_both_syntaxes(rng: random.Random) -> None:
    for _ in range(8):
        told = drawn_document(rng)
        cii, ubl = made(told)
        assert faults(cii) == faults(ubl) == [], told
        assert _alike(cii) == _alike(ubl)


@pytest.mark.parametrize("name", [name for name in MATRIX if name != "200 lines"])
def test_both_syntaxes_say_the_same(name: str) -> None:
    cii, ubl = made(MATRIX[name])
    assert _alike(cii) == _alike(ubl)
    assert made(MATRIX[name]) == (cii, ubl)


def _alike(xml: bytes) -> dict[str, Any]:
    """All but what says whether it goes by Peppol, as UBL alone may."""
    return {term: value for term, value in terms(xml).items() if term not in ("BT-23", "BT-24")}


def test_nor_in_what_the_commands_make(every_home: Path) -> None:
    """Lines of every kind as they are frozen, with the taxes that a German seller would owe."""
    issued = {told["number"]: told["issued_on"] for told in documents(every_home).values()}
    for told in documents(every_home).values():
        lines = [{**line("0"), **one, "tax": line("0")["tax"]} for one in told["lines"]]
        about = {name: told[name] for name in ("kind", "number", "due_on", "period", "prepaid")}
        cii, ubl = made(document(*lines, **about))
        assert faults(cii) == faults(ubl) == []
        assert len(terms(ubl)["BG-25"]) == len(told["lines"]) > 10
        before = {one["BT-25"]: str(one["BT-26"]) for one in terms(ubl).get("BG-3", ())}
        assert before == {number: issued[number] for number in before}


@pytest.mark.parametrize(
    ("syntax", "planted", "instead", "rule"),
    [
        (0, "<ram:GrandTotalAmount>58.31", "<ram:GrandTotalAmount>58.32", "BR-CO-15"),
        (1, ">58.31</cbc:PayableAmount>", ">58.3</cbc:PayableAmount>", "BR-CO-16"),
        (0, "<ram:CategoryCode>S<", "<ram:CategoryCode>Z<", "BR-Z-09"),
        (1, "<cbc:IdentificationCode>DE<", "<cbc:IdentificationCode>XX<", "BR-CL-14"),
        (1, 'unitCode="C62"', 'unitCode="minute"', "BR-CL-23"),
        (0, "<ram:ID>HM-2026-000042<", "<ram:ID><", "BR-02"),
        (1, "<cbc:IssueDate>", "<cbc:UUID>1</cbc:UUID><cbc:IssueDate>", "UBL-CR-005"),
        (0, "<ram:TypeCode>380</ram:TypeCode>", "", "schema"),
        (1, "<cbc:ID>1</cbc:ID>", "", "schema"),
    ],
)
def test_the_check_finds_what_is_wrong(syntax: int, planted: str, instead: str, rule: str) -> None:
    xml = made(document(fee("49.00")))[syntax].decode()
    assert planted in xml
    found = faults(xml.replace(planted, instead).encode())
    assert any(rule in fault.split(": ")[0] for fault in found), found


def test_what_goes_by_peppol_keeps_its_rules(
    rng: random.Random, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    rules = peppol_rules(jars(pytestconfig), tmp_path)
    ordered = GERMAN
    french, austrian = (of(SELLER, country=country) for country in ("FR", "AT"))
    by_french = {"seller": french, "buyer": ordered}
    endpoints = [of(ordered, endpoint=number) for number in CHECKED]
    told = [
        MATRIX["by Peppol"],
        MATRIX["credit note by Peppol"],
        MATRIX["by Peppol"] | {"seller": DUTCH},
        MATRIX["by Peppol"] | {"seller": ICELANDIC},
        MATRIX["by Peppol"] | {"seller": ITALIAN},
        MATRIX["prepaid in full"] | {"seller": of(DUTCH, iban=None), "buyer": ordered},
        MATRIX["by Peppol"] | {"seller": of(austrian, endpoint="0088:4000000000006")},
        MATRIX["credit note of a run"] | {"seller": DUTCH, "buyer": ordered},
        document(fee("49.00", tax=("S", "25")), seller=SWEDISH, buyer=ordered),
        MATRIX["tiers and packages"] | by_french,
        MATRIX["tax in another currency"] | by_french,
        *(MATRIX[name] | {"buyer": ordered} for name in ("prepaid in full", "void", "two rates")),
        *(document(fee("1"), seller=french, buyer=buyer) for buyer in endpoints),
        *(drawn_document(rng) | by_french for _ in range(4)),
    ]
    for one in told:
        _, ubl = made(one)
        assert terms(ubl)["BT-24"] == PEPPOL
        assert [fault for rule in rules for fault in rule_faults(ubl, rule)] == []
    broken = ubl.replace(b"<cbc:BuyerReference>04011000-12345-03</cbc:BuyerReference>", b"")
    assert any("PEPPOL-EN16931-R003" in fault for fault in rule_faults(broken, rules[1]))


# Where they break a rule of the seller's country whatever is told: a Greek one's numbers are given
# by its tax office, and between Danes every number has a scheme.
NEVER = {("DK", "DK"), *(("GR", buyer) for buyer in NATIONAL)}


@pytest.mark.parametrize("seller", NATIONAL)
def test_every_countrys_rules_are_kept_or_the_document_stays_plain(
    seller: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    """What stays plain would break a rule as Peppol's."""
    _, rules = peppol_rules(jars(pytestconfig), tmp_path_factory.getbasetemp())
    for buyer in NATIONAL:
        for is_credit_note in (False, True):
            _, ubl = made(sold(seller, buyer, is_credit_note=is_credit_note))
            plain = f"<cbc:CustomizationID>{PLAIN}</cbc:CustomizationID>"
            peppol = f"<cbc:CustomizationID>{PEPPOL}</cbc:CustomizationID>{PROFILE}"
            is_plain = (seller, buyer) in NEVER
            assert (plain.encode() in ubl) == is_plain, (seller, buyer)
            told = ubl.replace(plain.encode(), peppol.encode())
            fatal = [one for one in rule_faults(told, rules) if one.startswith("fatal ")]
            assert bool(fatal) == is_plain, (seller, buyer, fatal)


@pytest.mark.parametrize("number", CHECKED)
def test_a_digit_that_is_wrong_leads_nowhere(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    for endpoint, goes in ((number, PEPPOL), (wrong, PLAIN), (f"{number} ", PEPPOL)):
        buyer = of(BELGIAN, endpoint=endpoint)
        _, ubl = made(document(fee("1", tax=REVERSED), buyer=buyer))
        assert terms(ubl)["BT-24"] == goes


@pytest.mark.parametrize(
    ("seller", "buyer"),
    [
        (SELLER, of(BELGIAN, endpoint=None)),
        (of(SELLER, endpoint=None), BELGIAN),
        (SELLER, of(BELGIAN, purchase_order=None)),
        (SELLER, of(BELGIAN, endpoint="0208:0403019262")),  # its check digits are wrong
        (SELLER, of(BELGIAN, endpoint="0208:BE0403019261")),
        (SELLER, of(BELGIAN, endpoint="1234:0403019261")),  # no such scheme
        (SELLER, of(BELGIAN, endpoint="0403019261")),
        (SELLER, of(BELGIAN, country="DE")),
        (national(SELLER, "GR"), BELGIAN),
        (of(SELLER, country="DK"), BELGIAN),
        (of(ICELANDIC, registration_id="5501692829"), BELGIAN),
        (of(ICELANDIC, postal_code=None), BELGIAN),
        (of(ITALIAN, street=None), BELGIAN),
        (of(DUTCH, city=None), BELGIAN),
        (DUTCH, of(BELGIAN, country="NL")),
        (of(DUTCH, registration_id="30265432"), BELGIAN),
        (of(DUTCH, iban=None), BELGIAN),
        (of(SWEDISH, registration_id="556012-5790"), BELGIAN),
        (of(SWEDISH, vat_number="SE5560125790"), BELGIAN),
        (of(national(SELLER, "NO"), vat_number="NO974760673"), BELGIAN),
        (of(national(SELLER, "NO"), vat_number="NO974760674MVA"), BELGIAN),
        (of(SELLER, vat_number="EL094259216"), BELGIAN),
        (of(national(SELLER, "DK"), registration_id="13585628"), BELGIAN),
        *((of(SELLER, **{key: None}), GERMAN) for key in ("contact", "phone", "email")),
        *((SELLER, of(GERMAN, **{key: None})) for key in ("city", "postal_code")),
        (SELLER, of(GERMAN, buyer_reference=None, purchase_order="PO-7")),
    ],
)
def test_what_may_not_go_by_peppol_stays_plain(seller: Any, buyer: Any) -> None:
    _, ubl = made(document(fee("49.00", tax=REVERSED), seller=seller, buyer=buyer))
    assert terms(ubl)["BT-24"] == PLAIN
    assert "BT-23" not in terms(ubl)
    assert faults(ubl) == []


def _taxed(tax: str, of_line: Any) -> Any:
    """49.00 with this tax, whatever that of its rate is."""
    told = document(fee("49.00", tax=of_line))
    total = f"{49 + Decimal(tax):f}"
    taxes = [{**told["taxes"][0], "tax": tax}]
    return {**told, "taxes": taxes, "tax": tax, "total": total, "due": total}


SWAPPED = document(fee("10.00"), line("20.00", S7)) | {
    name: document(fee("20.00"), line("10.00", S7))[name]
    for name in ("taxes", "tax", "total", "due")
}


@pytest.mark.parametrize(
    "told",
    [
        document(fee("49.00"), seller=SWEDISH, buyer=BELGIAN),  # a rate that is not Sweden's
        credit_note(fee("49.00"), line("-60.00"), seller=DUTCH, buyer=BELGIAN),  # how to pay it?
        credit_note(fee("49.00"), corrects=None, seller=DUTCH, buyer=BELGIAN),  # of what?
    ],
)
def test_nor_does_what_the_rules_of_a_country_forbid(told: Any) -> None:
    assert terms(made(told)[1])["BT-24"] == PLAIN


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (document(fee("49.00"), tax=None, taxes=[]), "no tax is decided"),
        (document(fee("49.00"), number=None), "it has no number"),
        (document(fee("49.00"), issued_on=None), "it has no date of issue"),
        (document(fee("49.00"), seller=of(SELLER, country=None)), "it has no seller's country"),
        (document(fee("49.00"), buyer=of(BUYER, country=None)), "it has no buyer's country"),
        (document(fee("49.00"), buyer=of(BUYER, country="XK")), "country XK, which is the buyer"),
        (document(fee("49.00"), seller=of(SELLER, vat_number=None)), "no VAT number of the seller"),
        (
            document(fee("49.00", tax=REVERSED), buyer=of(BUYER, vat_number=None)),
            "the buyer owes the tax",
        ),
        (
            document(fee("49", tax=OUTSIDE), buyer=AMERICAN, seller=of(SELLER, registration_id="")),
            "must have the seller's registration number",
        ),
        (document(fee("49", tax=OUTSIDE), fee("1")), "on a document of its own"),
        (document(fee("49.000"), places=3, currency="KWD"), "has no KWD"),
        (
            document(fee("49"), tax_in={"currency": "BHD", "rate": "0.4", "tax": "3.724"}),
            "has no BHD",
        ),
        (document(fee("49.00"), total="58.32"), "do not add up"),
        (document(fee("49.00"), due="58.32"), "do not add up"),
        (document(fee("49.00"), total="58.32", due="58.32"), "do not add up"),
        (document(fee("49.00"), tax="9.32", total="58.32", due="58.32"), "do not add up"),
        (document(fee("49.00"), subtotal="48.99", total="58.30", due="58.30"), "do not add up"),
        (document(fee("49.00"), line("1.00", S7), taxes=document(fee("50"))["taxes"]), "add up"),
        (SWAPPED, "do not add up"),
        (_taxed("0.00", ("S", "0")), "do not add up"),
        (_taxed("0.00", ("Z", "7")), "do not add up"),
        (_taxed("1.00", ZERO), "do not add up"),
        (_taxed("10.32", S19), "do not add up"),
        (document(line("10000000000000.00")), "more than 15 digits"),
        (document(line("10000000000000.00"), line("-9999999999999.00")), "more than 15 digits"),
        (document(line("1"), lines=[{**line("1"), "tax": None}]), "its tax category"),
        (credit_note(fee("49.00", tax=EXEMPT), taxes=[]), "its tax category"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_one_says_why(told: Any, why: str) -> None:
    found = electronic_invoice(told)
    assert found.cii is None and found.ubl is None
    assert found.why and why in found.why


def test_all_that_is_missing_is_said_at_once() -> None:
    bare = document(fee("49.00", tax=REVERSED), number=None, seller={"name": "A"}, buyer={})
    found = electronic_invoice(bare)
    assert found.why and found.why.split("; ") == [
        "it has no number",
        "it has no seller's country",
        "it has no buyer's name",
        "it has no buyer's country",
        "it has no VAT number of the seller",
        "the buyer owes the tax, and has no VAT number",
    ]


def test_an_exemption_must_have_its_reason() -> None:
    told = document(fee("49.00", tax=EXEMPT), usage("5", "1", tax=EXEMPT))
    told["taxes"][0]["reason"] = " "
    assert electronic_invoice(told).why == "tax category E must have a reason"
