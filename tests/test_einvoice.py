"""Electronic invoices of every kind of document, held against the official rules of EN 16931."""

import random
from typing import Any

import pytest

from billing.documents.einvoice import electronic_invoice
from tests.einvoice_documents import MATRIX, drawn_document
from tests.einvoice_rules import faults


def made(document: Any) -> tuple[bytes, bytes]:
    """Both syntaxes of a document that has them."""
    invoice = electronic_invoice(document)
    assert invoice.why is None and invoice.cii and invoice.ubl, invoice.why
    return invoice.cii, invoice.ubl


@pytest.mark.parametrize("name", MATRIX)
def test_the_official_rules_find_no_fault(name: str) -> None:
    for xml in made(MATRIX[name]):
        assert faults(xml) == []


def test_nor_in_drawn_documents(rng: random.Random) -> None:
    for _ in range(12):
        document = drawn_document(rng)
        for xml in made(document):
            assert faults(xml) == [], document
