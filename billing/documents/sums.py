"""The sums of a document: what its lines come to, the tax by category and rate, what is due.

Owns their rows and what must be said of a tax that is not charged. Decides no tax.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from billing.language import ENGLISH, Language

Document = Mapping[str, Any]
Tax = Mapping[str, Any]
# Of the categories of EN 16931 those that charge nothing, by the texts that say why.
UNTAXED: Final = {"AE": "reverse_charge", "E": "exempt", "O": "not_subject"}
# Label, amount, and whether it is one of those that are paid.
SumRow = tuple[str, str, bool]


def sum_rows(document: Document, language: Language) -> Iterator[SumRow]:
    """From the subtotal down to what is due. With no tax decided there is none."""
    is_credit = document["kind"] == "credit_note"
    is_decided = document["tax"] is not None
    has_tax = any(tax["category"] not in UNTAXED for tax in document["taxes"])

    def row(key: str, amount: str, *, strong: bool = False) -> SumRow:
        return language.text(key), signed_sum(amount, document["currency"], language), strong

    yield row("net_total" if is_decided else "subtotal", document["subtotal"])
    for tax in document["taxes"]:
        yield _tax_row(tax, document, language)
    yield row("gross_total" if has_tax else "total", document["total"], strong=True)
    if told := document.get("tax_in"):
        yield _converted(told, document["currency"], language)
    if document["prepaid"] is not None and Decimal(document["prepaid"]):
        yield row("back_to_prepaid" if is_credit else "prepaid", document["prepaid"])
    if Decimal(document["due"]) != Decimal(document["total"]):
        yield row("credited" if is_credit else "due", document["due"], strong=True)


def tax_notes(document: Document, language: Language) -> Iterator[str]:
    """Why no tax is charged; for a reverse charge both languages and both VAT numbers."""
    for tax in document["taxes"]:
        match tax["category"]:
            case "AE":
                yield from _reverse_charge(document, language)
            case "E":
                what = language.text("exempt")
                reason = tax["reason"]
                yield language.text("told", what=what, told=reason) if reason else what
            case "O":
                yield language.text("not_subject")


def carries_several(document: Document) -> bool:
    """Whether lines differ in how they are taxed, so that each must say it."""
    return len(document["taxes"]) > 1


def line_rate(tax: Tax | None, language: Language) -> str:
    """Of a line: its rate, or in short why it has none."""
    if tax is None:
        return ""
    if key := UNTAXED.get(tax["category"]):
        return language.text(f"{key}_line")
    return language.percent(Decimal(tax["rate_percent"]))


def signed_sum(amount: str, currency: str, language: Language) -> str:
    """With its currency and a true minus sign."""
    return minus(language.sum(Decimal(amount), currency))


def minus(shown: str) -> str:
    return shown.replace("-", "\N{MINUS SIGN}")


def _tax_row(tax: Tax, document: Document, language: Language) -> SumRow:
    currency = document["currency"]
    taxable = signed_sum(tax["taxable"], currency, language)
    if tax["category"] not in UNTAXED:
        told = _taxed(tax, document, language)
        label = language.text("tax_on", tax=told, taxable=taxable)
    else:
        what = language.text(UNTAXED[tax["category"]])
        label = language.text("told", what=what, told=taxable)
    return label, signed_sum(tax["tax"], currency, language), False


def _taxed(tax: Tax, document: Document, language: Language) -> str:
    """`VAT 19 %`, with the country where it is not the seller's."""
    rate = line_rate(tax, language)
    if tax.get("country") in (None, document["seller"].get("country")):
        return language.text("taxed_jp" if tax.get("country") == "JP" else "taxed", rate=rate)
    return language.text("taxed_in", rate=rate, country=language.country(tax["country"]))


def exchanged(told: Mapping[str, str], currency: str, language: Language) -> str:
    """In which currency the tax is told too, at which rate, and of when and whom that is."""
    rate = language.number(Decimal(told["rate"]))
    values = {"currency": told["currency"], "foreign": currency, "rate": rate}
    day = told.get("rate_on")
    of = [told.get("rate_source"), language.day_of(day) if day else None]
    if source := ", ".join(filter(None, of)):
        return language.text("tax_in_by", **values, source=source)
    return language.text("tax_in", **values)


def _converted(told: Mapping[str, str], currency: str, language: Language) -> SumRow:
    label = exchanged(told, currency, language)
    return label, signed_sum(told["tax"], told["currency"], language), False


def _reverse_charge(document: Document, language: Language) -> Iterator[str]:
    what, english = (told.text("reverse_charge") for told in (language, ENGLISH))
    law = language.text("reverse_charge_law")
    yield f"{what if what == english else f'{what} / {english}'}. {law}"
    numbers = {name: document[name].get("vat_number") or "–" for name in ("seller", "buyer")}
    yield language.text("both_vat_numbers", **numbers)
