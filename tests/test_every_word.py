"""Every word of ours on a document is in the customer's language, on the page and in the XML alike:
of lines of every kind, under every way of being taxed, and of what has no electronic invoice.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing.documents.einvoice import electronic_invoice, why_not
from billing.documents.en16931 import reasons_against
from billing.documents.pdf import render_pdf
from billing.explanation import turned
from billing.language import LANGUAGES, language_of
from billing.pricebook import MINIMUM_COMMITMENT
from tests.einvoice_documents import (
    EXEMPT,
    OUTSIDE,
    REVERSED,
    S19,
    ZERO,
    credit_note,
    document,
    line,
)
from tests.every_line import documents
from tests.pdf_text import pdf_rows
from tests.test_languages import OTHERS, catalogue

Told = dict[str, Any]
Found = dict[tuple[str, str], Any]
# What others wrote, in no language at all.
OWN = "Xq"
SELLER: Told = {
    **{"name": OWN, "street": OWN, "city": OWN, "country": "ES", "vat_number": "ESX9999999X"},
    **{"registration_id": OWN, "iban": "DE02120300000000202051", "payment_terms_days": 14},
}
BUYER: Told = {
    **{"name": OWN, "street": OWN, "city": OWN, "country": "FR", "vat_number": "FR83404833048"},
    **{"purchase_order": OWN, "buyer_reference": OWN},
}


@pytest.fixture(scope="module")
def found(every_home: Path) -> Found:
    return documents(every_home)


def lines_of(found: Found) -> Iterator[Told]:
    """Of every kind, with nothing in them that a book or a clerk wrote."""
    category, rate = S19
    for whole in found.values():
        for one in whole["lines"]:
            is_ours = one["description"] == MINIMUM_COMMITMENT
            yield {
                **one,
                "description": MINIMUM_COMMITMENT if is_ours else OWN,
                "unit": one["unit"] and one["unit"].replace("board", OWN),
                "code": OWN,
                "tax": {"category": category, "rate_percent": rate},
            }
    yield line("-2.00", S19, description=OWN, code=OWN, concession="CN-7")
    charged = {"charged": "4.00", "advance": False}
    yield line("-4.00", S19, description=OWN, code=OWN, kind="adjustment", basis=charged)


def in_language(found: Found, code: str) -> Iterator[Told]:
    """Documents with all there is to say, but that reasons are told by those who know them."""
    parties = {"seller": SELLER, "buyer": {**BUYER, "language": code}}
    about = {**parties, "account_id": OWN, "period": found["acme", "2026-11"]["period"]}
    yield document(*lines_of(found), **about, prepaid="1.00")
    for tax in (REVERSED, EXEMPT, OUTSIDE, ZERO):
        told = document(line("9.00", tax, description=OWN), **about, prepaid="1.00")
        yield told | {"taxes": [{**one, "reason": OWN} for one in told["taxes"]]}
    yield document(line("1.00", S19, description=OWN), **about, due_on=None)
    yield document(line("1.00", S19, description=OWN), **about, status="draft", number=None)
    back = [{**turned(one), "tax": one["tax"]} for one in lines_of(found)]
    for credit in ("concession", "correction", "void", None):
        given = {"credit": credit, "reason": OWN, "prepaid": "-1.00"}
        yield credit_note(*(back if credit is None else back[:1]), **about, **given)
    several = (line("1", S19, description=OWN), line("1", ZERO, description=OWN))
    yield document(*several, line("1", REVERSED, description=OWN), **about)
    exchange = {"currency": "EUR", "rate": "3.1", "tax": "0.59", "rate_on": "2026-10-31"}
    told = {"currency": "KWD", "tax_in": {**exchange, "rate_source": OWN}}
    yield document(line("1.000", S19, description=OWN), places=3, **about, **told)
    yield document(line("1", S19, description=OWN), **about, credit="void", corrects="CN-7")


def words(text: str) -> set[str]:
    """Those in Latin letters."""
    return set(re.findall(r"[a-z\u00df-\u024f]{3,}", text.lower()))


def vocabulary(code: str) -> set[str]:
    """The words that our English has and that language has not."""
    english, other = catalogue("en"), catalogue(code)
    own = [*other["texts"].values(), *other["said"].values()]
    own += [form for forms in other["units"].values() for form in forms.values()]
    ours = [re.sub(r"{\w+}", "", text) for text in english["texts"].values()]
    ours += [*other["said"], *other["units"], *(f"{unit}s" for unit in other["units"])]
    # In any language an invoice says Reverse charge in English too.
    return words(" ".join(ours)) - words(" ".join(own)) - {"reverse", "charge"}


@pytest.mark.parametrize("code", OTHERS)
def test_no_word_of_ours_is_english(found: Found, code: str) -> None:
    english, made = vocabulary(code), 0
    for told in in_language(found, code):
        page = " ".join(pdf_rows(render_pdf(told))).replace("\u200b", "")
        assert words(page) & english == set()
        invoice = electronic_invoice(told)
        for xml in filter(None, (invoice.cii, invoice.ubl)):
            made += 1
            assert words(_texts(xml)) & english == set()
    assert made >= 16


def test_the_words_that_are_looked_for_are_those_of_english_documents(found: Found) -> None:
    """So that finding none of them in another language says something."""
    looked_for = vocabulary("ja")
    for told in in_language(found, "en"):
        page = " ".join(pdf_rows(render_pdf(told)))
        assert len(words(page) & looked_for) > 10
        if xml := electronic_invoice(told).ubl:
            assert len(words(_texts(xml)) & looked_for) >= (10 if len(told["lines"]) > 10 else 0)


def _texts(xml: bytes) -> str:
    """What elements hold, but what is a code or a profile's name."""
    held = re.findall(r">([^<]+)<", xml.decode())
    return " ".join(text for text in held if not text.startswith(("urn:", "VATEX", "VAT")))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_page_without_an_electronic_invoice_says_why(code: str) -> None:
    language = language_of(code)
    dinar = document(line("1.000"), places=3, currency="KWD", buyer={**BUYER, "language": code})
    assert [(one.code, one.values) for one in reasons_against(dinar)] == [
        ("CURRENCY", {"currency": "KWD"})
    ]
    why = language.text("no_einvoice", why=language.text("against_currency", currency="KWD"))
    assert _packed(why) in _packed("".join(pdf_rows(render_pdf(dinar))))
    assert why_not(dinar, language) in why


def test_a_page_says_nothing_of_it_where_nobody_looks_for_one() -> None:
    """Such as a draft, or where no tax was decided."""
    told = document(line("1.00"))
    for one in (told, {**told, "number": None}, {**told, "tax": None, "taxes": []}):
        assert "electronic" not in "".join(pdf_rows(render_pdf(one)))
    assert [one.code for one in reasons_against({**told, "tax": None})] == ["NO_TAX"]


def _packed(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())
