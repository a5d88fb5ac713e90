"""An invoice in UN/CEFACT's Cross Industry Invoice (D16B), by the EN 16931 profile of Factur-X.

Owns that syntax: the order of its elements is the schema's.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from billing.documents.semantic_invoice import (
    EN16931,
    Days,
    Line,
    Party,
    Preceding,
    Price,
    SemanticInvoice,
    TaxBreakdown,
    TaxCategory,
)
from billing.documents.xml_text import Element, maker, written

_STANDARD: Final = "urn:un:unece:uncefact:data:standard:"
_PREFIXES: Final[dict[str | None, str]] = {
    "rsm": f"{_STANDARD}CrossIndustryInvoice:100",
    "ram": f"{_STANDARD}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_STANDARD}UnqualifiedDataType:100",
    "qdt": f"{_STANDARD}QualifiedDataType:100",
}
_rsm, _ram, _udt, _qdt = (maker(namespace) for namespace in _PREFIXES.values())


def cii_xml(invoice: SemanticInvoice) -> bytes:
    """The whole document, in UTF-8."""
    root = _rsm(
        "CrossIndustryInvoice",
        _rsm(
            "ExchangedDocumentContext",
            _ram("GuidelineSpecifiedDocumentContextParameter", _ram("ID", EN16931)),
        ),
        _rsm(
            "ExchangedDocument",
            _ram("ID", invoice.number),
            _ram("TypeCode", invoice.type_code),
            _day("IssueDateTime", invoice.issued_on),
            _ram("IncludedNote", _ram("Content", invoice.note)),
        ),
        _rsm(
            "SupplyChainTradeTransaction",
            *(_line(line) for line in invoice.lines),
            _ram(
                "ApplicableHeaderTradeAgreement",
                _ram("BuyerReference", invoice.buyer_reference),
                _party("SellerTradeParty", invoice.seller),
                _party("BuyerTradeParty", invoice.buyer),
                _ram(
                    "BuyerOrderReferencedDocument", _ram("IssuerAssignedID", invoice.purchase_order)
                ),
            ),
            _ram(
                "ApplicableHeaderTradeDelivery",
                _ram("ShipToTradeParty", _ram("Name", invoice.delivered_to)),
            ),
            _settlement(invoice),
        ),
    )
    return written(root, _PREFIXES)


def _settlement(invoice: SemanticInvoice) -> Element:
    return _ram(
        "ApplicableHeaderTradeSettlement",
        _ram("PaymentReference", invoice.payment and invoice.payment.reference),
        _ram("TaxCurrencyCode", invoice.tax_currency),
        _ram("InvoiceCurrencyCode", invoice.currency),
        _payment(invoice),
        *(_breakdown(entry) for entry in invoice.breakdown),
        _days(invoice.days),
        _ram(
            "SpecifiedTradePaymentTerms",
            _ram("Description", invoice.terms),
            _day("DueDateDateTime", invoice.due_on),
        ),
        _ram(
            "SpecifiedTradeSettlementHeaderMonetarySummation",
            _ram("LineTotalAmount", _number(invoice.line_total)),
            _ram("TaxBasisTotalAmount", _number(invoice.line_total)),
            *_tax_totals(invoice),
            _ram("GrandTotalAmount", _number(invoice.total)),
            _ram("TotalPrepaidAmount", None if invoice.paid is None else _number(invoice.paid)),
            _ram("DuePayableAmount", _number(invoice.due)),
        ),
        *(_preceding(one) for one in invoice.preceding),
    )


def _preceding(one: Preceding) -> Element:
    day = one.issued_on and _qdt("DateTimeString", f"{one.issued_on:%Y%m%d}", format="102")
    return _ram(
        "InvoiceReferencedDocument",
        _ram("IssuerAssignedID", one.number),
        _ram("FormattedIssueDateTime", day),
    )


def _tax_totals(invoice: SemanticInvoice) -> Iterator[Element]:
    yield _ram("TaxTotalAmount", _number(invoice.tax), currencyID=invoice.currency)
    if invoice.tax_in_tax_currency is not None:
        told = _number(invoice.tax_in_tax_currency)
        yield _ram("TaxTotalAmount", told, currencyID=invoice.tax_currency)


def _payment(invoice: SemanticInvoice) -> Element:
    if (payment := invoice.payment) is None:
        return None
    return _ram(
        "SpecifiedTradeSettlementPaymentMeans",
        _ram("TypeCode", payment.means),
        _ram("PayeePartyCreditorFinancialAccount", _ram("IBANID", payment.account)),
        _ram("PayeeSpecifiedCreditorFinancialInstitution", _ram("BICID", payment.bank)),
    )


def _breakdown(entry: TaxBreakdown) -> Element:
    return _ram(
        "ApplicableTradeTax",
        _ram("CalculatedAmount", _number(entry.tax)),
        _ram("TypeCode", "VAT"),
        _ram("ExemptionReason", entry.reason),
        _ram("BasisAmount", _number(entry.taxable)),
        _ram("CategoryCode", entry.category.code),
        _ram("ExemptionReasonCode", entry.reason_code),
        _rate(entry.category),
    )


def _party(tag: str, party: Party) -> Element:
    registration, endpoint = party.registration, party.endpoint
    return _ram(
        tag,
        _ram("ID", party.identifier),
        _ram("Name", party.name),
        _ram(
            "SpecifiedLegalOrganization",
            registration and _ram("ID", registration.value, schemeID=registration.scheme),
            _ram("TradingBusinessName", party.trading_name),
        ),
        _ram(
            "DefinedTradeContact",
            _ram("EmailURIUniversalCommunication", _ram("URIID", party.email)),
        ),
        _ram(
            "PostalTradeAddress",
            _ram("PostcodeCode", party.postal_code),
            _ram("LineOne", party.street),
            _ram("CityName", party.city),
            _ram("CountryID", party.country),
            _ram("CountrySubDivisionName", party.region),
        ),
        endpoint
        and _ram(
            "URIUniversalCommunication", _ram("URIID", endpoint.value, schemeID=endpoint.scheme)
        ),
        _ram("SpecifiedTaxRegistration", _ram("ID", party.vat_number, schemeID="VA")),
    )


def _line(line: Line) -> Element:
    return _ram(
        "IncludedSupplyChainTradeLineItem",
        _ram(
            "AssociatedDocumentLineDocument",
            _ram("LineID", line.id),
            _ram("IncludedNote", _ram("Content", line.note)),
        ),
        _ram("SpecifiedTradeProduct", _ram("SellerAssignedID", line.item), _ram("Name", line.name)),
        _ram(
            "SpecifiedLineTradeAgreement",
            _gross(line.price),
            _ram("NetPriceProductTradePrice", _ram("ChargeAmount", _number(line.price.net))),
        ),
        _ram(
            "SpecifiedLineTradeDelivery",
            _ram("BilledQuantity", _number(line.quantity), unitCode=line.unit),
        ),
        _ram(
            "SpecifiedLineTradeSettlement",
            _ram(
                "ApplicableTradeTax",
                _ram("TypeCode", "VAT"),
                _ram("CategoryCode", line.category.code),
                _rate(line.category),
            ),
            _days(line.days),
            _ram(
                "SpecifiedTradeSettlementLineMonetarySummation",
                _ram("LineTotalAmount", _number(line.amount)),
            ),
        ),
    )


def _gross(price: Price) -> Element:
    if price.gross is None or price.discount is None:
        return None
    return _ram(
        "GrossPriceProductTradePrice",
        _ram("ChargeAmount", _number(price.gross)),
        _ram(
            "AppliedTradeAllowanceCharge",
            _ram("ChargeIndicator", _udt("Indicator", "false")),
            _ram("ActualAmount", _number(price.discount)),
        ),
    )


def _rate(category: TaxCategory) -> Element:
    return _ram("RateApplicablePercent", None if category.rate is None else _number(category.rate))


def _days(days: Days) -> Element:
    return _ram(
        "BillingSpecifiedPeriod", _day("StartDateTime", days.first), _day("EndDateTime", days.last)
    )


def _day(tag: str, day: date | None) -> Element:
    return _ram(tag, day and _udt("DateTimeString", f"{day:%Y%m%d}", format="102"))


def _number(value: Decimal) -> str:
    return f"{value:f}"
