"""What stands on the pages of an invoice or credit note: every text, in the customer's language.

Owns which facts are told and where; how they look is `invoice.typ`'s, which gets them as JSON.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import zip_longest
from typing import Any, Final

from billing.documents.annex import Rows, annex_table
from billing.documents.einvoice import why_not
from billing.documents.parties import facts, full_name, party, shortened
from billing.documents.payment import payment_code, payment_words
from billing.documents.sums import carries_several, line_rate, minus, sum_rows, tax_notes
from billing.explanation import Row, dated, explain
from billing.language import Language, language_of

Document = Mapping[str, Any]
_WHY: Final = {
    ("invoice", "void"): "why_void_credit_note",
    ("credit_note", "void"): "why_void_invoice",
    ("credit_note", "concession"): "why_concession",
    ("credit_note", "correction"): "why_correction",
    ("credit_note", None): "why_more_given",
}
# One Han character has a form of its own in each of these; the buyer's is the right one.
_HAN: Final = {"CN": "SC", "SG": "SC", "TW": "TC", "HK": "HK", "MO": "HK", "KR": "KR"}
_FOOTER_LINES: Final = 8
_DRAFT_DATE: Final = date(1980, 1, 1)  # a draft has no date of issue, and its bytes no clock


def page(document: Document, annex: Rows | None = None) -> dict[str, Any]:
    """Of a document as `invoice show` prints it and, as an annex, rows of its statement."""
    language = language_of(document["buyer"].get("language"))
    title, full_title = _titles(document, language)
    seller, is_draft = document["seller"], document["number"] is None
    draft_title = language.text("title_of_draft", title=title)
    return {
        "language": language.code,
        "han": _han(document["buyer"], language),
        "date": issued(document).isoformat().split("-"),
        "title": title,
        "full_title": full_title,
        "told_title": draft_title if is_draft else f"{title} {shortened(document['number'])}",
        "subtitle": language.text(document["credit"]) if document["credit"] else None,
        "stamp": language.text("draft_stamp") if document["status"] == "draft" else None,
        "running": shortened(full_name(seller)),
        "foot": _foot(seller, language),
        "footer": _footer(seller.get("footer") or ""),
        "page": language.text("page", page="{page}", pages="{pages}"),
        "seller": party(seller, language),
        "buyer": party(document["buyer"], language),
        "caption": language.text("credited_to" if _is_credit(document) else "billed_to"),
        "facts": list(_facts(document, language)),
        "why": list(_why(document, language)),
        **_table(document, language),
        "sums": list(sum_rows(document, language)),
        "notes": list(tax_notes(document, language)),
        "payment": list(payment_words(document, language)),
        "code": payment_code(document),
        "scan": language.text("scan_to_pay"),
        "fine": list(_fine(document, language)),
        "annex": None if annex is None else _annex(annex, full_title, language),
    }


def issued(document: Document) -> date:
    """The date of its bytes."""
    return date.fromisoformat(document["issued_on"]) if document["issued_on"] else _DRAFT_DATE


def _is_credit(document: Document) -> bool:
    return bool(document["kind"] == "credit_note")


def _titles(document: Document, language: Language) -> tuple[str, str]:
    """What it is, alone and with its number."""
    is_cancelling = _is_credit(document) and document["credit"] == "void"
    title = language.text("cancellation_note" if is_cancelling else document["kind"])
    number = document["number"]
    return title, f"{title} {number}" if number else language.text("title_of_draft", title=title)


def _han(buyer: Mapping[str, Any], language: Language) -> str:
    return "JP" if language.code == "ja" else _HAN.get(buyer.get("country") or "", "JP")


def _foot(seller: Mapping[str, Any], language: Language) -> str:
    told = (full_name(seller), seller.get("email") or "", *facts(seller, language))
    return "  ·  ".join(shortened(text) for text in told if text)


def _footer(text: str) -> list[str]:
    """As it was written; more lines than a page has room for follow on each other."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= _FOOTER_LINES else ["  ·  ".join(lines)]


def _facts(document: Document, language: Language) -> Iterator[tuple[str, str]]:
    is_credit = _is_credit(document)
    due_on = None if is_credit else document["due_on"]
    told = {
        "number": document["number"] or language.text("draft"),
        "date": document["issued_on"] and language.day_of(document["issued_on"]),
        "due_on": due_on and language.day_of(due_on),
        "period": document["period"] and language.span(document["period"]),
        "customer": document["account_id"],
        "for_invoice" if is_credit else "for_credit_note": _corrected(document, language),
        "purchase_order": document["buyer"].get("purchase_order"),
        "buyer_reference": document["buyer"].get("buyer_reference"),
    }
    yield from ((language.text(key), value) for key, value in told.items() if value)


def _corrected(document: Document, language: Language) -> str | None:
    """The number with the day, which together are one document beyond doubt."""
    number, day = document["corrects"], document["corrects_issued_on"]
    return dated(number, day, language) if number else None


def _why(document: Document, language: Language) -> Iterator[str]:
    """Why there is a document that corrects another."""
    key = _WHY.get((document["kind"], document["credit"]))
    if document["corrects"] is None or key is None:
        return
    yield language.text(key, number=document["corrects"])
    if document["reason"]:
        yield language.text("reason", reason=document["reason"])


def _fine(document: Document, language: Language) -> Iterator[str]:
    """Why a document with taxes is for people alone; with none, nobody looks for anything else."""
    if document["number"] and document["tax"] is not None and (why := why_not(document, language)):
        yield language.text("no_einvoice", why=why)


def _table(document: Document, language: Language) -> dict[str, Any]:
    """The head of the table, and its lines: of each the rows, of these the cells."""
    net = "_net" if document["tax"] is not None else ""
    has_rates = carries_several(document)
    head = [
        language.text("description"),
        language.text("quantity"),
        language.text(f"unit_price{net}"),
        *([language.text("tax_rate")] if has_rates else []),
        language.text(f"amount{net}", currency=document["currency"]),
    ]
    lines = []
    for line in document["lines"]:
        rates = [line_rate(line["tax"], language)] if has_rates else None
        lines.append(_line_cells(explain(line, document, language), rates, language))
    return {"head": head, "lines": lines}


def _line_cells(rows: list[Row], rates: list[str] | None, language: Language) -> list[list[str]]:
    """Amounts beneath a line have as many places as the longest of them, so that their points
    stand under each other. The rate stands on the line itself.
    """
    places = max((_places(row.amount, language) for row in rows[1:]), default=0)
    cells = []
    for at, (row, rate) in enumerate(zip_longest(rows, rates or ())):
        amount = _aligned(row.amount, places, language) if at and row.amount else row.amount
        quantity = " ".join(filter(None, (row.quantity, row.unit)))
        of_rate = [] if rates is None else [rate or ""]
        cells.append([row.text, minus(quantity), minus(row.price), *of_rate, minus(amount)])
    return cells


def _places(amount: str, language: Language) -> int:
    return len(amount.partition(language.decimal_sign)[2])


def _aligned(amount: str, places: int, language: Language) -> str:
    missing = places - _places(amount, language)
    point = "" if language.decimal_sign in amount or not missing else language.decimal_sign
    return f"{amount}{point}{'0' * missing}"


def _annex(rows: Rows, full_title: str, language: Language) -> dict[str, Any]:
    of = language.text("statement_to", title=full_title)
    return {"title": language.text("statement"), "of": of, **annex_table(rows, language)}
