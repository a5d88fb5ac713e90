"""What goes to the customer of one document: its PDF, and the same for programs.

Owns how the page and the electronic invoice come together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing.documents.annex import Rows
from billing.documents.einvoice import electronic_invoice
from billing.documents.factur_x import embed_xml
from billing.documents.pdf import print_document
from edge import Fault


@dataclass(frozen=True, slots=True)
class Papers:
    """`pdf` has the invoice as Factur-X inside and `ubl` stands beside it; where `why` says why
    there is no electronic invoice, `pdf` is the page alone. The faults are of what the page could
    not show as it was written.
    """

    pdf: bytes
    ubl: bytes | None
    why: str | None
    faults: Sequence[Fault]


def papers(document: Mapping[str, Any], annex: Rows | None = None) -> Papers:
    """Those of a document of the shape that `invoice show` prints; as an annex rows of
    `billing.statement`. Never refuses.
    """
    printed = print_document(document, annex)
    (page,) = printed.pages
    invoice = electronic_invoice(document)
    pdf = page if invoice.cii is None else embed_xml(page, invoice.cii, document)
    return Papers(pdf, invoice.ubl, invoice.why, printed.faults)
