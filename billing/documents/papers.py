"""What goes to the customer of one document: its PDF, and the same for programs.

Owns how the page and the electronic invoice come together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.documents.einvoice import electronic_invoice
from billing.documents.factur_x import embed_xml


@dataclass(frozen=True, slots=True)
class Papers:
    """`pdf` has the invoice as Factur-X inside and `ubl` stands beside it; where `why` says why
    there is no electronic invoice, `pdf` is the page alone.
    """

    pdf: bytes
    ubl: bytes | None
    why: str | None


def papers(page: bytes, document: Mapping[str, Any]) -> Papers:
    """Those of the document whose page this is, as `render_pdf` makes it. Never refuses."""
    invoice = electronic_invoice(document)
    pdf = page if invoice.cii is None else embed_xml(page, invoice.cii, document)
    return Papers(pdf, invoice.ubl, invoice.why)
