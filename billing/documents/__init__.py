"""Documents of a frozen invoice: a pure function of it, byte for byte.

Owns what an invoice looks like; computes nothing that stands on it.
"""

from billing.documents.pdf import render_pdf, render_png

__all__ = ["render_pdf", "render_png"]
