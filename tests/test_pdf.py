"""The PDF of an invoice: the same bytes each time, PDF/A, and no text in it is markup."""

import re
from typing import Any

import pytest

from billing.documents.pdf import print_document, render_pdf, render_png
from tests.papers import BUYER, SELLER, fee_line, invoice, usage_line
from tests.pdf_text import pdf_pages, pdf_rows


def test_the_same_invoice_gives_the_same_bytes() -> None:
    first = render_pdf(invoice())
    assert first.startswith(b"%PDF-")
    assert first == render_pdf(invoice())
    assert first != render_pdf(invoice(number="2026-000043"))


def test_what_was_printed_before_changes_no_byte() -> None:
    """One compiler prints all documents of a process."""
    first = render_pdf(invoice())
    render_pdf(invoice(3, buyer={**BUYER, "language": "ja", "legal_name": "A\u0378"}), [])
    render_png(invoice(30), ppi=10)
    assert render_pdf(invoice()) == first


def test_it_is_pdf_a_3b_dated_as_issued() -> None:
    pdf = render_pdf(invoice())
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert b"2026-11-02" in pdf


def test_long_invoices_go_on_over_pages() -> None:
    assert len(render_png(invoice(2), ppi=20)) == 1
    assert len(render_png(invoice(60), ppi=20)) > 2


@pytest.mark.parametrize(
    "name",
    [
        '#panic("markup ran")',
        "$x$ *bold* _it_ `raw` = Title",
        '"}\\u0000 #read("/etc/passwd")',
        "@ref <label> // comment /* open",
        "[#sys.inputs]",
    ],
)
def test_markup_in_names_is_inert(name: str) -> None:
    line = {**fee_line(0), "description": name, "variant": name}
    buyer = {**BUYER, "legal_name": name, "street": name}
    document = invoice(lines=0, buyer=buyer, seller={**SELLER, "name": name}, number=name)
    assert render_pdf({**document, "lines": [line]}).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("株式会社ホーム", "会社株式ムーホ"),
        ("北京会议", "京北议会"),
        ("한국 주식", "국한 식주"),
        ("Ωμέγα", "Αγέμω"),
        ("Кафе", "Ефак"),
        ("شركة", "كرشة"),
        ("חברה", "הרבח"),
        ("บริษัท", "ษัทบริ"),
        ("मीटिंग", "टिंगमी"),
        ("Łódź ș", "ódźŁ ș"),
        ("🎉 Party", "🎂 Party"),
    ],
)
def test_names_in_any_script_are_printed(name: str, other: str) -> None:
    """Names that came out as `?` would give one and the same document."""
    first, second = (render_pdf(invoice(buyer={**BUYER, "legal_name": at})) for at in (name, other))
    assert first != second
    assert first == render_pdf(invoice(buyer={**BUYER, "legal_name": name}))


@pytest.mark.parametrize("odd", ["\u0378", "\U00013000", "\x07", "\U0003ffff"])
def test_only_what_no_font_has_becomes_a_question_mark(odd: str) -> None:
    name = f"株式 {odd} Ltd"
    printed = render_pdf(invoice(buyer={**BUYER, "legal_name": name}))
    assert printed == render_pdf(invoice(buyer={**BUYER, "legal_name": name.replace(odd, "?")}))


def test_what_is_not_printed_as_it_was_written_is_named() -> None:
    buyer = {**BUYER, "legal_name": "A\u0378B\x07", "street": "\U00013000\ud800 株式"}
    printed = print_document(invoice(buyer=buyer))
    assert [(fault.code, fault.place) for fault in printed.faults] == [
        ("GLYPH_MISSING", "2026-000042")
    ] * 4
    assert [fault.message.split()[0] for fault in printed.faults] == [
        "U+0007", "U+0378", "U+D800", "U+13000",
    ]  # fmt: skip
    rows = pdf_rows(printed.pages[0])
    assert "A?B?" in rows
    assert print_document(invoice()).faults == []


def test_a_name_of_several_lines_is_one_line() -> None:
    rows = pdf_rows(render_pdf(invoice(buyer={**BUYER, "legal_name": "Acme\r\n\tTotal\u2028x"})))
    assert "Acme Total x" in rows


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_a_name_of_2000_characters_fills_no_other_page(language: str) -> None:
    """It is told whole once; the head and the foot of pages have its beginning."""
    name = "Word " * 200 + "w" * 1000
    buyer = {**BUYER, "legal_name": name, "name": name, "language": language}
    document = invoice(20, buyer=buyer, seller={**SELLER, "name": name}, number="9" * 200)
    pdf = render_pdf(document)
    assert len(pdf_pages(pdf)) < 10
    assert 2000 <= "".join(pdf_rows(pdf)).count("w") < 2100


def test_the_sellers_own_words_stand_at_the_foot_of_every_page() -> None:
    seller = {**SELLER, "phone": "+49 30 123456", "footer": "Directors: A, B\nHRB 4711"}
    document = invoice(60, seller=seller)
    pdf = render_pdf(document)
    rows = pdf_rows(pdf)
    assert len(pdf_pages(pdf)) > 2
    assert rows.count("Directors: A, B") == rows.count("HRB 4711") == len(pdf_pages(pdf))
    assert sum("+49 30 123456" in row for row in rows) == len(pdf_pages(pdf))


@pytest.mark.parametrize("footer", ["\n".join("x" * 1000), "Branch " * 285], ids=["lines", "words"])
def test_a_long_foot_takes_its_room_from_the_lines(footer: str) -> None:
    document = invoice(30)
    plain, long = (
        pdf_rows(render_pdf({**document, "seller": {**SELLER, "footer": told}}))
        for told in ("", footer)
    )
    letter = footer[0]
    pages = sum(row.startswith("Description  ") for row in long)
    assert sum(row.startswith("Description  ") for row in plain) < pages < 9
    assert sum(row.count(letter) for row in long) >= pages * footer.count(letter)


def test_a_language_without_texts_is_english() -> None:
    document = invoice(buyer={**BUYER, "language": "it-CH"})
    assert render_pdf(document) == render_pdf(invoice(buyer={**BUYER, "language": "en"}))


@pytest.mark.parametrize(
    ("code", "kind", "credit", "title"),
    [
        ("de", "invoice", None, "Rechnung"),
        ("de", "credit_note", "correction", "Rechnungskorrektur"),
        ("de", "credit_note", "void", "Stornorechnung"),
        ("fr", "credit_note", None, "Avoir"),
        ("es", "credit_note", None, "Factura rectificativa"),
        ("ja", "credit_note", None, "返還請求書"),
    ],
)
def test_it_is_called_what_the_law_calls_it(
    code: str, kind: str, credit: str | None, title: str
) -> None:
    buyer = {**BUYER, "language": code}
    document = invoice(kind=kind, credit=credit, corrects=credit and "X-1", buyer=buyer)
    rows = pdf_rows(render_pdf(document))
    assert title in rows
    assert not any("Gutschrift" in row for row in rows)


def test_a_credit_note_asks_for_no_payment() -> None:
    rows = pdf_rows(render_pdf(invoice(kind="credit_note", corrects="X-1")))
    assert "1,096.04 EUR is credited to you." in rows
    assert not any("Please pay" in row for row in rows)


def test_an_invoice_without_lines_is_one_page() -> None:
    document = invoice(0, subtotal="0.00", total="0.00", due="0.00")
    pdf = render_pdf(document)
    assert len(pdf_pages(pdf)) == 1
    rows = pdf_rows(pdf)
    assert "Total  0.00 EUR" in rows
    assert "There is nothing to pay. Thank you." in rows


@pytest.mark.parametrize(
    ("country", "form"),
    [("JP", b"jp"), ("CN", b"sc"), ("TW", b"tc"), ("HK", b"hk"), ("KR", b"kr"), ("GB", b"jp")],
)
def test_han_is_written_as_in_the_buyers_country(country: str, form: bytes) -> None:
    pdf = render_pdf(invoice(buyer={"name": "直骨", "country": country}))
    assert set(re.findall(rb"\+NotoSansCJK(\w+)-", pdf)) == {form}


def test_a_word_longer_than_its_column_is_broken() -> None:
    """Unbroken it would run on beside the page and cost no second line."""
    pages = []
    for length in (20, 500):
        line = {**fee_line(0), "description": "x" * length}
        pages.append(len(render_png({**invoice(0), "lines": [line] * 20}, ppi=20)))
    assert pages[0] == 1
    assert pages[1] > 1


def test_drafts_credit_notes_and_bare_parties() -> None:
    bare: dict[str, Any] = {"name": "A"}
    draft = invoice(number=None, status="draft", issued_on=None, due_on=None)
    assert render_pdf({**draft, "buyer": bare, "seller": bare, "lines": []}).startswith(b"%PDF-")
    credit = invoice(kind="credit_note", corrects="2026-000041", total="-7.25", due="-7.25")
    assert render_pdf({**credit, "prepaid": "5.00", "due": "2.25"}).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("kind", "credit", "told"),
    [
        ("credit_note", "concession", "We give you this back of invoice X-1, as a concession."),
        ("credit_note", "correction", "This corrects what invoice X-1 charged too much."),
        ("credit_note", "void", "This takes back what was left of invoice X-1, which is void."),
        ("invoice", "void", "This takes back what was left of credit note X-1, which is void."),
        ("credit_note", None, "More is given back than is charged. This credit note refers to"),
    ],
)
def test_what_corrects_another_document_says_which_and_why(
    kind: str, credit: str | None, told: str
) -> None:
    document = invoice(kind=kind, credit=credit, corrects="X-1", reason=credit and "an *outage*")
    rows = pdf_rows(render_pdf(document))
    assert any(row.startswith(told) for row in rows)
    assert ("Reason: an *outage*" in rows) == (credit is not None)
    assert ("Due  16 November 2026" in rows) == (kind == "invoice")


def test_numbers_of_any_length_are_printed() -> None:
    long = "123456789012345.123456789012345678901234"
    tier = {"up_to": None, "quantity": long, "unit_price": "0.1", "flat": long, "amount": long}
    line = {**usage_line(0), "tiers": [tier], "discount": "-" + long, "bound": long}
    line["basis"] |= {"discount_percent": "10", "minimum": long}
    assert render_pdf({**invoice(), "lines": [line]}).startswith(b"%PDF-")


def test_a_line_of_many_tiers_goes_on_over_pages() -> None:
    line = usage_line(0)
    line["tiers"] = [{**line["tiers"][0], "up_to": str(edge)} for edge in range(1, 151)]
    assert len(render_png({**invoice(), "lines": [line]}, ppi=20)) > 2


def test_what_the_lines_say_is_on_the_page() -> None:
    rows = pdf_rows(render_pdf(invoice(2)))
    start = rows.index("Description  Quantity  Unit price  Amount EUR")
    assert rows[start + 1 : start + 8] == [
        "Business plan 0  1  49.00  49.00",
        "Participant minutes  13,345 minutes  47.04",
        "1,000 included free of charge  12,345 charged",
        "The first 10,000  10,000 minutes  0.004  40.000",
        "Above 10,000  2,345 minutes  0.003  7.035",
        "Subtotal  1,096.04 EUR",
        "Total  1,096.04 EUR",
    ]


@pytest.mark.parametrize(
    ("currency", "amount", "told"),
    [("JPY", "-1234567", "−1,234,567"), ("KWD", "1234.500", "1,234.500"), ("EUR", "0.00", "0.00")],
)
def test_amounts_have_the_places_of_their_currency(currency: str, amount: str, told: str) -> None:
    fee = {**fee_line(0), "amount": amount, "basis": {"amount": "12"}}
    document = invoice(currency=currency, subtotal=amount, total=amount, due=amount)
    rows = pdf_rows(render_pdf({**document, "lines": [fee]}))
    price = {"JPY": "12", "KWD": "12.000", "EUR": "12.00"}[currency]
    assert f"Business plan 0  1  {price}  {told}" in rows
    assert f"Total  {told} {currency}" in rows


def test_what_there_is_to_pay_stands_on_the_page_of_the_sums() -> None:
    """However many lines there are, the last page never has that sentence alone."""
    for count in range(20, 32):
        rows = pdf_rows(render_pdf(invoice(count)))
        at = rows.index("Subtotal  1,096.04 EUR")
        assert rows[at + 1] == "Total  1,096.04 EUR"
        assert rows[at + 2].startswith("Please pay 1,096.04 EUR by 16 November 2026")
