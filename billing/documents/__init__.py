"""Documents of a frozen invoice: a pure function of it, byte for byte.

Owns what an invoice looks like; computes nothing that stands on it.
"""

from billing.documents.einvoice import EInvoice, electronic_invoice
from billing.documents.factur_x import embed_xml
from billing.documents.pdf import render_pdf, render_png

__all__ = ["EInvoice", "electronic_invoice", "embed_xml", "render_pdf", "render_png"]
