"""What there is to pay and the code that a banking app reads: what it says, and when there is none.

The payload is spelled here once more, by the European Payments Council's EPC069-12, version 2.
"""

import io
import re
from typing import Any

import pytest
import segno

from billing.documents.payment import payment_code
from billing.documents.pdf import render_pdf
from billing.language import LANGUAGES, language_of
from tests.papers import BUYER, SELLER, invoice
from tests.pdf_text import pdf_pages, pdf_rows

IBAN = "DE89370400440532013000"
PAID = {**SELLER, "iban": IBAN, "bic": "COBADEFFXXX"}


def document(**changes: Any) -> dict[str, Any]:
    return invoice(**{"seller": PAID, **changes})


def as_code(*lines: str) -> str:
    """The picture of the code with these lines."""
    made = segno.make_qr("\n".join(lines).encode("utf-8"), error="m", boost_error=False)
    out = io.BytesIO()
    made.save(out, kind="svg", xmldecl=False, border=4)
    return out.getvalue().decode()


def payload(name: str = "HomeMeeting GmbH", **changes: str) -> list[str]:
    told = {"bic": "COBADEFFXXX", "iban": IBAN, "amount": "1096.04", "text": "2026-000042"}
    told |= changes
    head = ["BCD", "002", "1", "SCT", told["bic"], name, told["iban"], f"EUR{told['amount']}"]
    return [*head, "", "", told["text"]]


def test_the_code_says_whom_how_much_and_for_what() -> None:
    assert payment_code(document()) == as_code(*payload())


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"due": "0.01"}, {"amount": "0.01"}),
        ({"due": "999999999.99"}, {"amount": "999999999.99"}),
        ({"due": "120.00"}, {"amount": "120"}),
        ({"seller": {**PAID, "bic": None}}, {"bic": ""}),
        ({"seller": {**PAID, "iban": "de89 3704 0044 0532 0130 00"}}, {}),
        ({"seller": {**PAID, "legal_name": "Ö & Söhne"}}, {"name": "Ö & Söhne"}),
        ({"seller": {**PAID, "name": "N" * 2000}}, {"name": "N" * 70}),
        ({"seller": {**PAID, "name": "Home\nMeeting"}}, {"name": "Home\ufffdMeeting"}),
        ({"number": "A\nB"}, {"text": "A\ufffdB"}),
    ],
)  # fmt: skip
def test_a_code_at_its_edges(changes: dict[str, Any], wanted: dict[str, str]) -> None:
    assert payment_code(document(**changes)) == as_code(*payload(**wanted))


@pytest.mark.parametrize(
    "changes",
    [
        {"due": "0.00"},
        {"due": "-1.00"},
        {"due": "1000000000.00"},
        {"currency": "CHF"},
        {"kind": "credit_note"},
        {"number": None},
        {"due_on": None},
        {"seller": SELLER},
        {"seller": {**PAID, "iban": "DE89370400440532013001"}},
        {"seller": {**PAID, "iban": "x"}},
        {"seller": {**PAID, "bic": "COBA"}},
        {"seller": {**PAID, "name": ""}},
        {"seller": {**PAID, "name": "\N{GRINNING FACE}" * 70}, "number": "9" * 140},
    ],
    ids=str,
)
def test_there_is_no_code_that_a_bank_would_refuse(changes: dict[str, Any]) -> None:
    asked = document(**changes)
    assert payment_code(asked) is None
    assert render_pdf(asked).startswith(b"%PDF-")


def test_the_code_stands_on_the_page_in_vectors() -> None:
    with_code, without = (
        render_pdf(document(seller=seller)) for seller in (PAID, {**PAID, "bic": "no"})
    )
    assert b"/Subtype/Image" not in with_code
    assert len(with_code) > len(without) + 1000
    assert "Scan to pay" in pdf_rows(with_code)
    assert "Scan to pay" not in pdf_rows(without)


def test_the_code_can_be_read_off_the_page() -> None:
    """Its dark modules are drawn as level strokes, one module high: those of the code, no other."""
    made = segno.make_qr("\n".join(payload()).encode(), error="m", boost_error=False)
    wanted, quiet = [bytearray(row) for row in made.matrix], 4
    matrix = [bytearray(len(row)) for row in wanted]
    strokes = [
        stroke for stream in pdf_pages(render_pdf(document())) for stroke in strokes_of(stream)
    ]
    for left, middle, right in strokes:
        for x in range(left - quiet, right - quiet):
            matrix[int(middle) - quiet][x] = 1
    assert matrix == wanted


def strokes_of(stream: bytes) -> list[tuple[int, float, int]]:
    found = re.findall(rb"(\d+) (\d+\.5) m (\d+) (\d+\.5) l", stream)
    return [(int(x), float(y), int(to)) for x, y, to, same in found if y == same]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_account_to_pay_to_is_on_the_page(code: str) -> None:
    asked = document(buyer={**BUYER, "language": code})
    rows = pdf_rows(render_pdf(asked))
    assert "IBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFFXXX" in rows
    assert language_of(code).text("scan_to_pay") in [row.replace("  ", "") for row in rows]


def test_nothing_is_asked_for_where_nothing_is_due() -> None:
    rows = pdf_rows(render_pdf(document(due="0.00", total="0.00", subtotal="0.00")))
    assert "There is nothing to pay. Thank you." in rows
    assert not any("IBAN" in row for row in rows)
