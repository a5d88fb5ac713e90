"""Documents of a frozen invoice: a pure function of it, byte for byte.

Owns what an invoice looks like; computes nothing that stands on it.
"""

from billing.documents.einvoice import EInvoice, electronic_invoice
from billing.documents.papers import Papers, papers
from billing.documents.pdf import render_pdf, render_png

__all__ = ["EInvoice", "Papers", "electronic_invoice", "papers", "render_pdf", "render_png"]
