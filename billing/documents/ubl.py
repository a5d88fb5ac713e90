"""An invoice in UBL 2.1, as an Invoice or a CreditNote.

Owns that syntax: the order of its elements is the schema's. It names Peppol where it may go by it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from billing.documents.peppol import BILLING, PROCESS, goes_by_peppol
from billing.documents.semantic_invoice import (
    EN16931,
    Days,
    Identifier,
    Line,
    Party,
    Price,
    SemanticInvoice,
    TaxBreakdown,
    TaxCategory,
)
from billing.documents.xml_text import Element, maker, written

_SCHEMA: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_PREFIXES: Final[dict[str | None, str]] = {
    "cac": f"{_SCHEMA}CommonAggregateComponents-2",
    "cbc": f"{_SCHEMA}CommonBasicComponents-2",
}
_cac, _cbc = (maker(namespace) for namespace in _PREFIXES.values())


def ubl_xml(invoice: SemanticInvoice) -> bytes:
    """The whole document, in UTF-8."""
    form = "CreditNote" if invoice.is_credit_note else "Invoice"
    namespace = f"{_SCHEMA}{form}-2"
    is_peppol = goes_by_peppol(invoice)
    document = maker(namespace)(
        form,
        _cbc("CustomizationID", BILLING if is_peppol else EN16931),
        _cbc("ProfileID", PROCESS if is_peppol else None),
        _cbc("ID", invoice.number),
        _cbc("IssueDate", invoice.issued_on.isoformat()),
        _cbc("DueDate", invoice.due_on and invoice.due_on.isoformat()),
        _cbc(f"{form}TypeCode", invoice.type_code),
        _cbc("Note", invoice.note),
        _cbc("DocumentCurrencyCode", invoice.currency),
        _cbc("TaxCurrencyCode", invoice.tax_currency),
        _cbc("BuyerReference", invoice.buyer_reference),
        _days(invoice.days),
        _order(invoice),
        *(
            _cac(
                "BillingReference",
                _cac(
                    "InvoiceDocumentReference",
                    _cbc("ID", one.number),
                    _cbc("IssueDate", one.issued_on and one.issued_on.isoformat()),
                ),
            )
            for one in invoice.preceding
        ),
        _cac("AccountingSupplierParty", _party(invoice.seller)),
        _cac("AccountingCustomerParty", _party(invoice.buyer)),
        _delivery(invoice),
        _payment(invoice),
        _cac("PaymentTerms", _cbc("Note", invoice.terms)),
        *_tax_totals(invoice),
        _totals(invoice),
        *(_line(line, form, invoice.currency) for line in invoice.lines),
    )
    return written(document, {None: namespace, **_PREFIXES})


def _order(invoice: SemanticInvoice) -> Element:
    return _cac("OrderReference", _cbc("ID", invoice.purchase_order))


def _party(party: Party) -> Element:
    return _cac(
        "Party",
        _id("EndpointID", party.endpoint),
        _cac("PartyIdentification", _cbc("ID", party.identifier)),
        _cac("PartyName", _cbc("Name", party.trading_name)),
        _cac(
            "PostalAddress",
            _cbc("StreetName", party.street),
            _cbc("CityName", party.city),
            _cbc("PostalZone", party.postal_code),
            _cbc("CountrySubentity", party.region),
            _cac("Country", _cbc("IdentificationCode", party.country)),
        ),
        party.vat_number
        and _cac("PartyTaxScheme", _cbc("CompanyID", party.vat_number), _tax_scheme()),
        _cac(
            "PartyLegalEntity",
            _cbc("RegistrationName", party.name),
            _id("CompanyID", party.registration),
        ),
        _cac("Contact", _cbc("ElectronicMail", party.email)),
    )


def _id(tag: str, identifier: Identifier | None) -> Element:
    if identifier is None:
        return None
    return _cbc(tag, identifier.value, schemeID=identifier.scheme)


def _delivery(invoice: SemanticInvoice) -> Element:
    name = _cac("PartyName", _cbc("Name", invoice.delivered_to))
    return _cac("Delivery", _cac("DeliveryParty", name))


def _payment(invoice: SemanticInvoice) -> Element:
    if (payment := invoice.payment) is None:
        return None
    return _cac(
        "PaymentMeans",
        _cbc("PaymentMeansCode", payment.means),
        _cbc("PaymentID", payment.reference),
        _cac(
            "PayeeFinancialAccount",
            _cbc("ID", payment.account),
            _cac("FinancialInstitutionBranch", _cbc("ID", payment.bank)),
        ),
    )


def _tax_totals(invoice: SemanticInvoice) -> Iterator[Element]:
    yield _cac(
        "TaxTotal",
        _amount("TaxAmount", invoice.tax, invoice.currency),
        *(_subtotal(entry, invoice.currency) for entry in invoice.breakdown),
    )
    if invoice.tax_currency is not None:
        told = _amount("TaxAmount", invoice.tax_in_tax_currency, invoice.tax_currency)
        yield _cac("TaxTotal", told)


def _subtotal(entry: TaxBreakdown, currency: str) -> Element:
    return _cac(
        "TaxSubtotal",
        _amount("TaxableAmount", entry.taxable, currency),
        _amount("TaxAmount", entry.tax, currency),
        _category("TaxCategory", entry.category, entry.reason_code, entry.reason),
    )


def _category(
    tag: str, category: TaxCategory, reason_code: str | None = None, reason: str | None = None
) -> Element:
    return _cac(
        tag,
        _cbc("ID", category.code),
        _cbc("Percent", None if category.rate is None else f"{category.rate:f}"),
        _cbc("TaxExemptionReasonCode", reason_code),
        _cbc("TaxExemptionReason", reason),
        _tax_scheme(),
    )


def _tax_scheme() -> Element:
    return _cac("TaxScheme", _cbc("ID", "VAT"))


def _totals(invoice: SemanticInvoice) -> Element:
    currency = invoice.currency
    return _cac(
        "LegalMonetaryTotal",
        _amount("LineExtensionAmount", invoice.line_total, currency),
        _amount("TaxExclusiveAmount", invoice.line_total, currency),
        _amount("TaxInclusiveAmount", invoice.total, currency),
        _amount("PrepaidAmount", invoice.paid, currency),
        _amount("PayableAmount", invoice.due, currency),
    )


def _line(line: Line, form: str, currency: str) -> Element:
    counted = "CreditedQuantity" if form == "CreditNote" else "InvoicedQuantity"
    return _cac(
        f"{form}Line",
        _cbc("ID", line.id),
        _cbc("Note", line.note),
        _cbc(counted, f"{line.quantity:f}", unitCode=line.unit),
        _amount("LineExtensionAmount", line.amount, currency),
        _days(line.days),
        _cac(
            "Item",
            _cbc("Name", line.name),
            _cac("SellersItemIdentification", _cbc("ID", line.item)),
            _category("ClassifiedTaxCategory", line.category),
        ),
        _price(line.price, currency),
    )


def _price(price: Price, currency: str) -> Element:
    discount = price.discount and _cac(
        "AllowanceCharge",
        _cbc("ChargeIndicator", "false"),
        _amount("Amount", price.discount, currency),
        _amount("BaseAmount", price.gross, currency),
    )
    return _cac("Price", _amount("PriceAmount", price.net, currency), discount)


def _days(days: Days) -> Element:
    return _cac(
        "InvoicePeriod",
        _cbc("StartDate", days.first.isoformat()),
        _cbc("EndDate", days.last.isoformat()),
    )


def _amount(tag: str, value: Decimal | None, currency: str) -> Element:
    return _cbc(tag, None if value is None else f"{value:f}", currencyID=currency)
