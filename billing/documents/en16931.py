"""A frozen document as the semantic model of EN 16931, or why there is none.

Owns which term of the standard each of our fields is, and what a document must have to be one. Sums
are the document's own: they are held against each other, never made to fit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from functools import reduce
from itertools import groupby
from typing import Any, Final

from billing.documents.code_lists import (
    is_country,
    is_currency,
    is_registry,
    is_scheme,
    vat_identifier,
)
from billing.documents.reason import Reason
from billing.documents.semantic_invoice import (
    Identifier,
    Party,
    Payment,
    Preceding,
    SemanticInvoice,
    TaxBreakdown,
    TaxCategory,
)
from billing.documents.semantic_lines import category, semantic_lines, whole_days
from billing.documents.sums import UNTAXED, exchanged, signed_sum
from billing.documents.xml_text import clean
from billing.language import ENGLISH, Language, language_of

_INVOICE: Final = "380"
_CREDIT_NOTE: Final = "381"
_TRANSFER: Final = "30"
_SEPA_TRANSFER: Final = "58"
_REASONED: Final = frozenset({"E", "AE", "O"})
_REASON_CODES: Final = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
# Receivers reckon with doubles, and so do the official rules: those have 15 digits.
_LONGEST: Final = Decimal(10) ** 13
_EXACT: Final = Context(prec=100)  # sums of amounts of any length
_Told = Mapping[str, Any]


def reasons_against(document: _Told) -> list[Reason]:
    """Why the document cannot be an invoice of EN 16931; empty where it can."""
    if document["tax"] is None:
        return [Reason("against_no_tax")]
    found = [*_missing(document), *_unlisted(document), *_taxes_against(document)]
    return found or list(_sums_against(document))


def semantic_invoice(document: _Told) -> SemanticInvoice:
    """The document, against which there must be no reason."""
    kept = not _is_untaxed(document)
    seller, buyer = (_party(document[side], has_vat=kept) for side in ("seller", "buyer"))
    language = language_of(document["buyer"].get("language"))
    lines = semantic_lines(document, language)
    is_credit_note, due = document["kind"] == "credit_note", Decimal(document["due"])
    tax_in, prepaid = _tax_in(document), document["prepaid"]
    due_on = _day(document["due_on"])
    return SemanticInvoice(
        number=_text(document["number"]),
        issued_on=date.fromisoformat(document["issued_on"]),
        type_code=_CREDIT_NOTE if is_credit_note else _INVOICE,
        currency=document["currency"],
        tax_currency=tax_in["currency"] if tax_in else None,
        due_on=None if is_credit_note else due_on,
        buyer_reference=clean(document["buyer"].get("buyer_reference")),
        purchase_order=clean(document["buyer"].get("purchase_order")),
        terms=_terms(document, language),
        note=_note(document, tax_in, language),
        preceding=_preceding(document),
        seller=seller,
        buyer=replace(buyer, identifier=clean(document["account_id"])),
        delivered_to=buyer.name,
        days=whole_days(lines),
        payment=None if is_credit_note or due <= 0 else _payment(document),
        line_total=Decimal(document["subtotal"]),
        tax=Decimal(document["tax"]),
        tax_in_tax_currency=Decimal(tax_in["tax"]) if tax_in else None,
        total=Decimal(document["total"]),
        paid=None if prepaid is None else Decimal(prepaid),
        due=due,
        breakdown=_breakdown(document["taxes"], language),
        lines=lines,
    )


def _missing(document: _Told) -> Iterator[Reason]:
    """What every invoice must have."""
    seller, buyer = document["seller"], document["buyer"]
    terms = {
        "against_no_number": document["number"],
        "against_no_issue_date": document["issued_on"],
        "against_no_seller_name": _name(seller),
        "against_no_seller_country": seller.get("country"),
        "against_no_buyer_name": _name(buyer),
        "against_no_buyer_country": buyer.get("country"),
        "against_no_line": "some" if document["lines"] else None,
    }
    yield from (Reason(text) for text, value in terms.items() if clean(value) is None)
    if _is_untaxed(document):
        if clean(seller.get("registration_id")) is None:
            yield Reason("against_no_registration")
        return
    if clean(seller.get("vat_number")) is None:
        yield Reason("against_no_seller_vat_number")
    is_reversed = any(tax["category"] == "AE" for tax in document["taxes"])
    if is_reversed and clean(buyer.get("vat_number")) is None:
        yield Reason("against_no_buyer_vat_number")


def _unlisted(document: _Told) -> Iterator[Reason]:
    tax_in = _tax_in(document)
    currencies = [document["currency"], *([tax_in["currency"]] if tax_in else [])]
    for currency in currencies:
        if not is_currency(currency):
            yield Reason("against_currency", {"currency": currency})
    for side, text in (("seller", "against_seller_country"), ("buyer", "against_buyer_country")):
        country = document[side].get("country")
        if clean(country) is not None and not is_country(country):
            yield Reason(text, {"country": country})


def _taxes_against(document: _Told) -> Iterator[Reason]:
    codes = {tax["category"] for tax in document["taxes"]}
    if not codes or any(line.get("tax") is None for line in document["lines"]):
        yield Reason("against_line_untold")
    if "O" in codes and len(codes) > 1:
        yield Reason("against_mixed")
    for tax in document["taxes"]:
        if tax["category"] in _REASONED and clean(tax["reason"]) is None:
            yield Reason("against_no_reason", {"category": tax["category"]})


def _sums_against(document: _Told) -> Iterator[Reason]:
    """BR-CO-10 and those after it, and that each category is the sum of its lines."""
    subtotal, tax, total, due, prepaid = (
        Decimal(document[name] or 0) for name in ("subtotal", "tax", "total", "due", "prepaid")
    )
    breakdown = _breakdown(document["taxes"])
    lines: dict[TaxCategory, Decimal] = {}
    for line in document["lines"]:
        of = category(line["tax"])
        lines[of] = _sum([lines.get(of, Decimal(0)), Decimal(line["amount"])])
    holds = (
        lines == {entry.category: entry.taxable for entry in breakdown}
        and _sum(lines.values()) == subtotal
        and all(_is_reckoned(entry) for entry in breakdown)
        and _sum(entry.tax for entry in breakdown) == tax
        and _sum([subtotal, tax]) == total
        and _sum([due, prepaid]) == total
    )
    if not holds:
        yield Reason("against_sums")
    amounts = [*lines.values(), *(Decimal(line["amount"]) for line in document["lines"])]
    amounts += [subtotal, tax, total, due, prepaid]
    if any(abs(amount) >= _LONGEST for amount in amounts):
        yield Reason("against_digits")


def _is_reckoned(entry: TaxBreakdown) -> bool:
    """Whether the tax is that of the rate, within what the rules leave to rounding; another
    category than S has neither.
    """
    rate, tax = Fraction(entry.category.rate or 0), Fraction(entry.tax)
    if entry.category.code != "S":
        return rate == tax == 0
    return rate > 0 and abs(tax - Fraction(entry.taxable) * rate / 100) < 1


def _tax_in(document: _Told) -> _Told | None:
    """The tax in the seller's currency, where that is another."""
    found: _Told | None = document.get("tax_in")
    return None if found is None or found["currency"] == document["currency"] else found


def _is_untaxed(document: _Told) -> bool:
    """Not subject to VAT: then the standard wants no VAT number in it at all."""
    return any(tax["category"] == "O" for tax in document["taxes"])


def _breakdown(taxes: Any, language: Language = ENGLISH) -> tuple[TaxBreakdown, ...]:
    """One entry for each category and rate, whichever countries' they are."""

    def order(tax: _Told) -> tuple[str, Decimal]:
        of = category(tax)
        return of.code, -(of.rate or Decimal(0))

    grouped = groupby(sorted(taxes, key=order), key=category)
    return tuple(_entry(of, list(entries), language) for of, entries in grouped)


def _entry(of: TaxCategory, entries: list[_Told], language: Language) -> TaxBreakdown:
    return TaxBreakdown(
        category=of,
        taxable=_sum(Decimal(entry["taxable"]) for entry in entries),
        tax=_sum(Decimal(entry["tax"]) for entry in entries),
        reason=_reason(of.code, entries, language),
        reason_code=_REASON_CODES.get(of.code),
    )


def _reason(code: str, entries: list[_Told], language: Language) -> str | None:
    """Why no tax is charged: of an exemption what the account says, else in our words."""
    if code not in _REASONED:
        return None
    if code != "E":
        return language.text(UNTAXED[code])
    reasons = dict.fromkeys(clean(entry["reason"]) for entry in entries)
    return "; ".join(filter(None, reasons))


def _party(told: _Told, *, has_vat: bool) -> Party:
    name, country = _name(told), told["country"]
    trading, vat = clean(told.get("name")), clean(told.get("vat_number"))
    return Party(
        name=_text(name),
        country=country,
        trading_name=None if trading == name else trading,
        registration=_identifier(told.get("registration_id"), is_registry),
        vat_number=vat_identifier(vat, country) if vat and has_vat else None,
        endpoint=_endpoint(told.get("endpoint")),
        **{
            term: clean(told.get(term))
            for term in ("street", "city", "postal_code", "region", "email")
        },
    )


def _identifier(told: Any, is_known: Any) -> Identifier | None:
    """`scheme:value` where the scheme is one, else all of it as the value."""
    text = clean(told)
    if text is None:
        return None
    scheme, _, value = text.partition(":")
    return Identifier(value, scheme) if value and is_known(scheme) else Identifier(text)


def _endpoint(told: Any) -> Identifier | None:
    """An address without a scheme is none."""
    found = _identifier(told, is_scheme)
    return found if found and found.scheme else None


def _name(party: _Told) -> str | None:
    return clean(party.get("legal_name")) or clean(party.get("name"))


def _preceding(document: _Told) -> tuple[Preceding, ...]:
    """The documents it corrects, as a whole or by a line, once each. A nil one has no number."""
    origins = [line["origin"] for line in document["lines"] if line["origin"]]
    told = {document["corrects"]: document["corrects_issued_on"]}
    for origin in origins:
        told.setdefault(origin["number"], origin["issued_on"])
    numbered = ((clean(number), _day(day)) for number, day in told.items())
    return tuple(Preceding(number, day) for number, day in numbered if number)


def _payment(document: _Told) -> Payment | None:
    seller = document["seller"]
    iban, bic = ("".join((clean(seller.get(name)) or "").split()) for name in ("iban", "bic"))
    if not iban:
        return None
    means = _SEPA_TRANSFER if document["currency"] == "EUR" else _TRANSFER
    return Payment(means, _text(document["number"]), iban, bic or None)


def _note(document: _Told, tax_in: _Told | None, language: Language) -> str | None:
    """All that is told in words. No term of the standard has the rate of exchange."""
    rate = f"{exchanged(tax_in, document['currency'], language)}." if tax_in else None
    told = (document["reason"], rate, document["seller"].get("footer"))
    return clean("\n".join(filter(None, told)))


def _terms(document: _Told, language: Language) -> str | None:
    """In words, where there is no day that says until when to pay."""
    if Decimal(document["due"]) <= 0:
        return None
    if document["kind"] == "credit_note":
        amount = signed_sum(document["due"], document["currency"], language)
        return language.text("is_credited", amount=amount)
    return None if document["due_on"] else language.text("as_agreed")


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _text(value: Any) -> str:
    text = clean(value)
    assert text is not None, "reasons_against was asked"
    return text
