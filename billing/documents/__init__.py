"""Documents of a frozen invoice: a pure function of it, byte for byte.

Owns what an invoice looks like; computes nothing that stands on it.
"""

from billing.documents.einvoice import EInvoice, electronic_invoice, why_not
from billing.documents.en16931 import reasons_against
from billing.documents.pdf import Printed, print_document, render_pdf, render_png

__all__ = [
    "EInvoice",
    "Printed",
    "electronic_invoice",
    "print_document",
    "reasons_against",
    "render_pdf",
    "render_png",
    "why_not",
]
