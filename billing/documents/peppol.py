"""Whether an invoice may go by Peppol, and the identifiers that say it may.

Owns what BIS Billing 3 asks for beyond EN 16931, as far as we can know it from an invoice. An
invoice that may not go stays one of EN 16931.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from stdnum import ean
from stdnum.au import abn
from stdnum.be import vat as be_vat
from stdnum.dk import cvr
from stdnum.no import orgnr as no_orgnr
from stdnum.se import orgnr as se_orgnr

from billing.documents.semantic_invoice import Identifier, Party, SemanticInvoice

BILLING: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
# Numbers whose form and check digits the network looks at: a scheme's pattern and its rule.
_CHECKED: Final = {
    "0007": (r"\d{10}", se_orgnr),
    "0088": (r"\d{13}", ean),
    "0151": (r"\d{11}", abn),
    "0184": (r"(DK)?\d{8}", cvr),
    "0192": (r"\d{9}", no_orgnr),
    "0208": (r"\d{10}", be_vat),
}
_SWEDISH_RATES: Final = {Decimal(6), Decimal(12), Decimal(25)}


def goes_by_peppol(invoice: SemanticInvoice) -> bool:
    """Whether both can be reached there, the buyer can place it, and what the seller's country
    asks for is in it.
    """
    parties = (invoice.seller, invoice.buyer)
    numbers = [number for party in parties for number in (party.endpoint, party.registration)]
    return (
        all(party.endpoint for party in parties)
        and all(number is None or _is_well_formed(number) for number in numbers)
        and (invoice.buyer_reference or invoice.purchase_order) is not None
        and _suits_country(invoice)
    )


def _is_well_formed(number: Identifier) -> bool:
    if number.scheme not in _CHECKED:
        return True
    pattern, rule = _CHECKED[number.scheme]
    is_shaped = re.fullmatch(pattern, number.value, re.ASCII) is not None
    return is_shaped and bool(rule.is_valid(number.value))


def _suits_country(invoice: SemanticInvoice) -> bool:
    """The rules that the seller's country adds, which of the buyer hold for its own alone."""
    return _suits_address(invoice) and _suits_vat_number(invoice)


def _suits_address(invoice: SemanticInvoice) -> bool:
    """The rules of the countries that look at the address. Between two Danes every number has a
    scheme, and that of an account has none.
    """
    seller, buyer = invoice.seller, invoice.buyer
    is_domestic = seller.country == buyer.country
    parties = (seller, buyer) if is_domestic else (seller,)
    match seller.country:
        case "DK":
            suits = not is_domestic and _are_registered(parties, "0184")
        case "DE":
            suits = not is_domestic or _is_german(invoice)
        case "NL":
            is_told = invoice.payment is not None or not _is_owed(invoice)
            refers = bool(invoice.preceding) or not invoice.is_credit_note
            registered = _are_registered(parties, "0106", "0190")
            suits = is_told and refers and registered and _are_placed(parties)
        case "IS":
            suits = _are_placed(parties) and _are_registered(parties, "0196")
        case "SE":
            suits = _is_swedish(invoice)
        case _:
            suits = True
    return suits


def _suits_vat_number(invoice: SemanticInvoice) -> bool:
    """The rules of those that look at the VAT number, and at the address where there is none. A
    Greek one's invoices have numbers that its tax office gives.
    """
    seller = invoice.seller
    match (seller.vat_number or seller.country)[:2]:
        case "GR" | "EL":
            return False
        case "IT":
            return _are_placed((seller,))
        case "NO":
            return seller.vat_number is None or _is_norwegian(seller.vat_number)
    return True


def _is_german(invoice: SemanticInvoice) -> bool:
    """Between two Germans: whom to ask, where both are, who ordered, and how to pay."""
    seller, buyer = invoice.seller, invoice.buyer
    asked = (seller.contact, seller.phone, seller.email, invoice.buyer_reference)
    towns = (party.city and party.postal_code for party in (seller, buyer))
    return all((*asked, *towns, invoice.payment is not None))


def _is_norwegian(number: str) -> bool:
    """A VAT number as the country writes it on invoices."""
    found = re.fullmatch(r"NO(\d{9})MVA", number, re.ASCII)
    return found is not None and bool(no_orgnr.is_valid(found[1]))


def _is_owed(invoice: SemanticInvoice) -> bool:
    """Whether the buyer is to pay."""
    return invoice.due < 0 if invoice.is_credit_note else invoice.due > 0


def _are_registered(parties: Iterable[Party], *schemes: str) -> bool:
    return all(party.registration and party.registration.scheme in schemes for party in parties)


def _are_placed(parties: Iterable[Party]) -> bool:
    return all(party.street and party.city and party.postal_code for party in parties)


def _is_swedish(invoice: SemanticInvoice) -> bool:
    """Its own rates alone, and numbers as Swedish ones are."""
    own, vat = invoice.seller.registration, invoice.seller.vat_number or ""
    if vat.startswith("SE") and not re.fullmatch(r"SE\d{12}", vat, re.ASCII):
        return False
    rates = {entry.category.rate for entry in invoice.breakdown if entry.category.code == "S"}
    is_known = own is None or (own.value.isdigit() and bool(se_orgnr.is_valid(own.value)))
    return is_known and rates <= _SWEDISH_RATES
