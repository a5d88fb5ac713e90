"""What there is to pay, until when and to which account, with a code that a banking app reads.

Owns the words of it and the EPC QR code (European Payments Council, EPC069-12, also GiroCode).
"""

import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from segno.helpers import make_epc_qr

from billing.documents.parties import full_name
from billing.documents.sums import signed_sum
from billing.language import Language
from edge.faults import inert

Document = Mapping[str, Any]
_LEAST: Final = Decimal("0.01")
_MOST: Final = Decimal("999999999.99")
_NAME_MAX: Final = 70
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
_BIC: Final = re.compile(r"[A-Z0-9]{8}([A-Z0-9]{3})?", re.ASCII)


def payment_words(document: Document, language: Language) -> Iterator[str]:
    """Nothing of a draft. A credit note says what is given back."""
    if document["number"] is None:
        return
    owed = signed_sum(document["due"], document["currency"], language)
    if document["kind"] == "credit_note":
        if Decimal(document["due"]):
            yield language.text("is_credited", amount=owed)
    elif document["due_on"] is None:
        return
    elif Decimal(document["due"]) <= 0:
        yield language.text("nothing_to_pay")
    else:
        day = language.day_of(document["due_on"])
        yield language.text("please_pay", amount=owed, day=day, number=document["number"])
        yield from _account(document["seller"])


def payment_code(document: Document) -> str | None:
    """The code as SVG, where there is euro to pay to an IBAN. None where a bank would refuse it."""
    seller = document["seller"]
    iban, bic = _packed(seller.get("iban")), _packed(seller.get("bic"))
    name = inert(full_name(seller)).strip()[:_NAME_MAX].strip()
    is_asked = document["kind"] != "credit_note" and document["number"] and document["due_on"]
    amount = Decimal(document["due"])
    if not is_asked or document["currency"] != "EUR" or not _LEAST <= amount <= _MOST:
        return None
    if not name or not _is_iban(iban) or (bic and not _BIC.fullmatch(bic)):
        return None
    # In UTF-8, which every reader must know; what is told is one line.
    told = inert(document["number"])[:140]
    try:
        code = make_epc_qr(name, iban, amount, text=told, bic=bic or None, encoding="utf-8")
    except ValueError:  # more than a code of this kind holds: letters of three octets each
        return None
    out = io.BytesIO()
    code.save(out, kind="svg", xmldecl=False, border=4)
    return out.getvalue().decode()


def _account(seller: Mapping[str, Any]) -> Iterator[str]:
    if iban := _packed(seller.get("iban")):
        fours = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
        bic = _packed(seller.get("bic"))
        yield f"IBAN {fours}" + (f" · BIC {bic}" if bic else "")


def _packed(text: str | None) -> str:
    return "".join((text or "").split()).upper()


def _is_iban(iban: str) -> bool:
    """By ISO 13616: letters are numbers from 10 on, and the whole is 1 modulo 97."""
    if not _IBAN.fullmatch(iban):
        return False
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1
