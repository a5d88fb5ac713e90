"""The electronic invoice of a frozen document: a pure function of it, byte for byte.

Owns whether there is one, and what is put on record where there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.documents.cii import cii_xml
from billing.documents.en16931 import reasons_against, semantic_invoice
from billing.documents.ubl import ubl_xml
from billing.language import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class EInvoice:
    """The same invoice twice: `cii` goes into the PDF, `ubl` stands beside it. Both are None where
    `why` says why there is no electronic invoice.
    """

    cii: bytes | None
    ubl: bytes | None
    why: str | None = None


def electronic_invoice(document: Mapping[str, Any]) -> EInvoice:
    """Of one document of the shape that `invoice show` prints. Never refuses."""
    if why := why_not(document):
        return EInvoice(None, None, why)
    invoice = semantic_invoice(document)
    return EInvoice(cii_xml(invoice), ubl_xml(invoice))


def why_not(document: Mapping[str, Any], language: Language = ENGLISH) -> str | None:
    """Why there is no electronic invoice of it; None where there is one."""
    return "; ".join(reason.told(language) for reason in reasons_against(document)) or None
