"""What a tax office asks of an invoice stands on the page, in every language."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.documents.pdf import render_pdf
from billing.language import LANGUAGES, Language, language_of
from tests.papers import BUYER, SELLER, invoice, tax, taxed
from tests.pdf_text import pdf_rows

AUSTRIAN = {**BUYER, "country": "AT", "vat_number": "ATU12345678"}
REVERSE = tax("AE", "0", reason="Reverse charge")
ABROAD = tax("O", None, reason="Not subject to VAT")


def rows(document: dict[str, Any]) -> list[str]:
    """With soft breaks taken out."""
    return [row.replace("\u200b", "") for row in pdf_rows(render_pdf(document))]


def text(document: dict[str, Any]) -> str:
    """All of it, without the spaces that a line break may or may not take the place of."""
    return "".join("".join(rows(document)).split())


def within(wanted: str, found: str) -> bool:
    return "".join(wanted.replace("-", "−").split()) in found.replace("-", "−")


# Article 226 of Directive 2006/112/EC by its points, and articles 219 and 230; what it asks of
# others (self-billing, travel agents, margin schemes, new means of transport, cash accounting) is
# no case of ours.
Told = Callable[[Language], list[str]]
ALWAYS: dict[str, Told] = {
    "(1) date of issue": lambda told: [told.day_of("2026-11-02")],
    "(2) sequential number": lambda _: ["2026-000042"],
    "(3) VAT number of the supplier": lambda told: [told.text("vat_number", number="DE123456789")],
    "(5) names and addresses": lambda told: [
        *("HomeMeeting GmbH", "Lindenallee 4", "10115 Berlin", told.country("DE")),
        *("Acme Trading Limited", "1 High Street", "SW1A 1AA London", told.country("AT")),
    ],
    "(6) quantity and nature": lambda told: [
        *("Participant minutes", f"13{_group(told)}345{told.unit('minute', Decimal(2))}"),
        "Business plan 0",
    ],
    "(7) date of supply": lambda told: [
        told.span({"start": "2026-10-01T00:00:00", "end": "2026-11-01T00:00:00"})
    ],
    "(8) taxable amount": lambda told: [told.sum(Decimal("1096.04"), "EUR")],
    "(8) unit price without VAT": lambda told: [
        told.text("unit_price_net"), told.money(Decimal("49.00"), "EUR"),
        told.money(Decimal("0.003"), "EUR"),
    ],
}  # fmt: skip
CHARGED: dict[str, Told] = {
    "(9) rate": lambda told: [told.text("taxed", rate=told.percent(Decimal(19)))],
    "(10) VAT payable": lambda told: [told.sum(Decimal("208.25"), "EUR")],
    "(8) taxable amount of the rate": lambda told: [
        told.text(
            "tax_on",
            tax=told.text("taxed", rate=told.percent(Decimal(19))),
            taxable=told.sum(Decimal("1096.04"), "EUR"),
        )
    ],
}
LIABLE: dict[str, Told] = {
    "(4) VAT number of the customer": lambda told: [
        told.text("vat_number", number="ATU12345678"),
        told.text("both_vat_numbers", seller="DE123456789", buyer="ATU12345678"),
    ],
    "(11a) mention of the reverse charge": lambda told: [
        told.text("reverse_charge"), "Reverse charge", told.text("reverse_charge_law"),
    ],
}  # fmt: skip
EXEMPT: dict[str, Told] = {
    "(11) reference for the exemption": lambda told: [
        told.text("told", what=told.text("exempt"), told="Art. 132(1)(i) of 2006/112/EC")
    ]
}


def _group(language: Language) -> str:
    return language.separators[ord(",")]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    ("taxes", "asked"),
    [
        ([tax()], ALWAYS | CHARGED),
        ([REVERSE], ALWAYS | LIABLE),
        ([tax("E", "0", reason="Art. 132(1)(i) of 2006/112/EC")], ALWAYS | EXEMPT),
    ],
    ids=["charged", "reverse charge", "exempt"],
)
def test_all_that_article_226_asks_for_is_on_the_page(
    code: str, taxes: list[dict[str, Any]], asked: dict[str, Told]
) -> None:
    document = taxed(*taxes, buyer={**AUSTRIAN, "language": code})
    found = text(document)
    missing = {
        point: [wanted for wanted in told(language_of(code)) if not within(wanted, found)]
        for point, told in asked.items()
    }
    assert {point: wanted for point, wanted in missing.items() if wanted} == {}


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_document_that_corrects_names_the_one_it_corrects(code: str) -> None:
    """Article 219: by its number and its day. What a line corrects is named as well."""
    buyer = {**AUSTRIAN, "language": code}
    about = {"corrects": "X-7", "corrects_issued_on": "2026-10-02"}
    note = taxed(tax(), kind="credit_note", credit="correction", buyer=buyer, **about)
    line = note["lines"][0]
    origin = {"number": "X-6", "issued_on": "2026-09-03", "period": line["period"]}
    adjusts = {"kind": "adjustment", "origin": origin, "basis": {"advance": False, "charged": "1"}}
    note["lines"][0] = {**line, **adjusts, "quantity": None}
    language, found = language_of(code), text(note)
    for wanted in (
        language.text("why_correction", number="X-7"),
        f"X-7 ({language.day_of('2026-10-02')})",
        language.text("charged_before_in", number=f"X-6 ({language.day_of('2026-09-03')})"),
    ):
        assert within(wanted, found), wanted


def test_tax_is_told_in_the_sellers_currency_too() -> None:
    """Article 230."""
    told = {"currency": "EUR", "rate": "0.9213", "tax": "191.86"}
    found = rows(taxed(tax(), currency="USD", tax_in=told))
    assert "VAT in EUR (1 USD = 0.9213 EUR)  191.86 EUR" in found
    assert "VAT 19 % on 1,096.04 USD  208.25 USD" in found


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_rate_is_told_with_its_day_and_source(code: str) -> None:
    told = {"currency": "EUR", "rate": "0.9213", "tax": "191.86", "rate_on": "2026-10-30"}
    buyer, language = {**BUYER, "language": code}, language_of(code)
    day, rate = language.day_of("2026-10-30"), language.number(Decimal("0.9213"))
    values = {"currency": "EUR", "foreign": "USD", "rate": rate}
    for source, wanted in (("ECB", f"ECB, {day}"), (None, day)):
        exchange = {**told, "rate_source": source}
        found = text(taxed(tax(), currency="USD", tax_in=exchange, buyer=buyer))
        assert within(language.text("tax_in_by", **values, source=wanted), found)


def test_the_sums_of_two_rates() -> None:
    taxes = [tax(taxable="1000.00", tax="190.00"), tax(rate="7", taxable="96.04", tax="6.72")]
    found = rows(taxed(*taxes, prepaid="100.00", due="1192.76"))
    at = found.index("Total excluding VAT  1,096.04 EUR")
    assert found[at + 1 : at + 6] == [
        "VAT 19 % on 1,000.00 EUR  190.00 EUR",
        "VAT 7 % on 96.04 EUR  6.72 EUR",
        "Total including VAT  1,292.76 EUR",
        "Prepaid  100.00 EUR",
        "Due  1,192.76 EUR",
    ]
    assert "Business plan 0  1  49.00  19 %  49.00" in found
    assert "Participant minutes  13,345 minutes  7 %  47.04" in found
    assert "The first 10,000  10,000 minutes  0.004  40.000" in found


def test_lines_say_no_rate_where_there_is_one() -> None:
    assert "Business plan 0  1  49.00  49.00" in rows(taxed(tax()))


def test_a_rate_of_another_country_names_it() -> None:
    found = rows(taxed(tax(rate="21", country="ES"), tax(rate="19", country="DE")))
    assert any(row.startswith("VAT 21 % (Spain) on ") for row in found)
    assert any(row.startswith("VAT 19 % on ") for row in found)


def test_in_japan_the_tax_and_its_number_are_called_as_its_law_asks() -> None:
    """A qualified invoice (適格請求書) has 登録番号, and 消費税 by rate; VAT is 付加価値税."""
    seller = {**SELLER, "country": "JP", "vat_number": "T1234567890123"}
    buyer = {**BUYER, "language": "ja"}
    rates = (tax(rate="10", country="JP"), tax(rate="8", country="JP"))
    found = text(taxed(*rates, seller=seller, buyer=buyer))
    for wanted in ("登録番号T1234567890123", "消費税10％（対象額€1,096.04）", "消費税8％"):
        assert wanted in found
    german = text(taxed(tax(), buyer=buyer))
    assert "VAT番号DE123456789" in german and "付加価値税19％" in german
    assert "消費税" not in german


def test_lines_that_are_not_taxed_say_why() -> None:
    found = rows(taxed(tax(), REVERSE))
    assert "Business plan 0  1  49.00  19 %  49.00" in found
    # In its narrow column it takes two rows.
    at = found.index("Participant minutes  13,345 minutes  reverse ")
    assert found[at + 1 : at + 3] == ["charge", "47.04"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_abroad_is_not_subject_to_tax(code: str) -> None:
    language = language_of(code)
    found = text(taxed(ABROAD, buyer={**BUYER, "language": code}))
    assert found.count("".join(language.text("not_subject").split())) == 2
    assert not within(language.text("gross_total"), found)


def test_a_zero_rate_is_a_rate() -> None:
    found = rows(taxed(tax("Z", "0")))
    assert "VAT 0 % on 1,096.04 EUR  0.00 EUR" in found
    assert "Total including VAT  1,096.04 EUR" in found


def test_with_no_tax_decided_the_page_says_nothing_of_tax() -> None:
    """But for the seller's own number."""
    document = invoice(seller={**SELLER, "vat_number": None})
    assert not any("VAT" in row for row in rows(document))
    assert "Total  1,096.04 EUR" in rows(document)


def test_an_exemption_without_a_reason_is_told_bare() -> None:
    found = rows(taxed(tax("E", "0")))
    assert "Exempt from VAT: 1,096.04 EUR  0.00 EUR" in found
    assert "Exempt from VAT" in found


def test_a_reverse_charge_without_a_number_shows_that_there_is_none() -> None:
    buyer = {**AUSTRIAN, "vat_number": None}
    assert "Our VAT number: DE123456789. Your VAT number: –." in rows(taxed(REVERSE, buyer=buyer))
