"""Taxes of documents: what is decided on each line, and the tax on the sums of each rate.

Owns the tables in which that is done for all drafts at once, and what tax comes to in the seller's
own currency. The rule is `billing.tax`'s, the rates are `billing.tax_rates`'.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from billing.apart import part_drafts
from billing.layout import NOW
from billing.money import minor_text, minor_to_money, round_money
from billing.month import Month
from billing.pricebook import STANDARD
from billing.queries import TAX
from billing.rows import load_rows
from billing.tax import Party, find_rule
from billing.tax_rates import rate_rows
from edge import Fault, Settings
from edge.instants import instant
from edge.tax_settings import Exchange
from warehouse import Store

_TEXT: Final = pa.string()
_RULE: Final = {"rule": pa.struct([(name, _TEXT) for name in ("category", "country", "reason")])}
_TERMS: Final = {**dict.fromkeys(("term", "zone", "tax_category"), _TEXT), "day": pa.date32()}
_RATES: Final = {
    **dict.fromkeys(("country", "tax_category"), _TEXT),
    "ppm": pa.int64(),
    **dict.fromkeys(("since", "until"), pa.date32()),
}
_FOREIGN: Final = {"id": _TEXT, "tax_in": _TEXT}
_NONE: Final = ("no_decided_taxes", "no_drafted_taxes", "no_untaxed")


def tax_drafts(books: Store, home: Settings, month: Month, issued: date | None) -> None:
    """Leaves of `drafts` and their lines: `taxed_lines`, the lines with what is decided on each;
    `drafted_taxes`, the sums of each rate; `untaxed`, the accounts on which nothing could be
    decided, and why; and each draft's tax and kind. Nothing is decided for a seller without a
    country. `issued` is the day of issue, where rates go by that.
    """
    seller = dict(home.seller)
    if "country" not in seller:
        for name in (*_NONE, "taxed_lines"):
            books.execute(TAX[name])
        return
    for name in ("tax_text", "tax_of", "tax_subjects"):
        books.execute(TAX[name])
    _load_rules(books, seller, oss=home.tax.oss)
    load_rows(books, "tax_rates", rate_rows(home.tax), _RATES)
    rows = _terms(books, issued if home.tax.by_issue else None)
    load_rows(books, "tax_terms", rows, _TERMS, {"term": "UUID"})
    if books.value("SELECT count(*) FROM tax_subjects WHERE is_adjustment"):
        books.execute(TAX["charged_taxes"], {"act": NOW})
    else:  # as nearly always: what they charged need not be looked for
        books.execute(TAX["no_charged_taxes"])
    books.execute(TAX["decided_taxes"])
    books.execute(TAX["apart_lines"])
    if part_drafts(books, {"month": str(month), "act": NOW}):  # then they stand elsewhere
        for name in ("tax_subjects", "decided_taxes"):
            books.execute(TAX[name])
    for name in ("taxed_drafts", "summed_taxes", "drafted_taxes", "draft_sums"):
        books.execute(TAX[name])
    books.execute(
        TAX["untaxed"],
        {"tax_currency": _tax_currency(seller), "exchanged": [one for one, _ in home.tax.exchange]},
    )
    for name in ("tax_drafts", "taxed_lines"):
        books.execute(TAX[name])


def _load_rules(books: Store, seller: Party, *, oss: bool) -> None:
    """`buyer_rules`, by account, and `origin_rules`, by the document that is adjusted: of those of
    a seller without a country nothing was decided.
    """
    buyers = books.records(TAX["subject_buyers"])
    rows = ({"account_id": one["account_id"], "rule": _rule(seller, one, oss)} for one in buyers)
    load_rows(books, "buyer_rules", rows, {"account_id": _TEXT, **_RULE})
    origins = (
        (id, json.loads(sold), json.loads(bought))
        for id, sold, bought in books.rows(TAX["subject_origins"])
    )
    rows = (
        {"origin": id, "rule": _rule(sold, bought, oss)}
        for id, sold, bought in origins
        if "country" in sold
    )
    load_rows(books, "origin_rules", rows, {"origin": _TEXT, **_RULE})


def _rule(seller: Party, buyer: Party, oss: bool) -> dict[str, str | None]:
    found = find_rule(seller, buyer, oss=oss)
    if isinstance(found, Fault):
        return {"category": None, "country": None, "reason": found.message}
    return {"category": found.category, "country": found.country, "reason": found.reason}


def _terms(books: Store, day: date | None) -> Iterator[dict[str, Any]]:
    """The day that decides on the rate: the last one of what is billed, by the account's clock."""
    for term, zone, category, end_us in books.rows(TAX["subject_terms"]):
        last = instant(end_us - 1).astimezone(ZoneInfo(zone)).date()
        yield {
            "term": term,
            "zone": zone,
            "tax_category": category or STANDARD,
            "day": day or last,
        }


def _tax_currency(seller: Party) -> str | None:
    found = seller.get("tax_currency")
    return None if found is None else str(found)


def freeze_exchange(books: Store, home: Settings, run: int) -> None:
    """What tax comes to in the seller's tax currency, on the documents of an act that charge it in
    another, at the rate of the settings; within the caller's transaction.
    """
    own = _tax_currency(dict(home.seller))
    if own is None:
        return
    exchange = dict(home.tax.exchange)
    found = books.rows(TAX["foreign_taxes"], {"run": run, "tax_currency": own})
    _note_foreign(
        books, [(id, money, tax, _told(own, exchange[money])) for id, money, tax in found]
    )


def tax_credits(books: Store) -> None:
    """Leaves `credited_taxes`: the tax of what `crediting` takes back of documents."""
    for name in ("tax_of", "taxed_credits", "summed_taxes", "credited_taxes"):
        books.execute(TAX[name])


def keep_credited_taxes(books: Store) -> None:
    """Writes them with the credit notes, and what they are in another currency at the rate that the
    credited document had; within the caller's transaction.
    """
    books.execute(TAX["insert_credited_taxes"])
    found = books.rows(TAX["credited_exchange"])
    _note_foreign(books, [(id, money, tax, json.loads(told)) for id, money, tax, told in found])


def _told(own: str, exchange: Exchange) -> dict[str, Any]:
    """The rate as it is frozen, with its day and source where they are known."""
    told = {"currency": own, "rate": f"{exchange.rate:f}"}
    more = {"rate_on": exchange.on and exchange.on.isoformat(), "rate_source": exchange.source}
    return told | {name: value for name, value in more.items() if value}


def _note_foreign(books: Store, found: Iterable[tuple[str, str, int, dict[str, Any]]]) -> None:
    """Of documents by id: currency, tax, and the rate as it is frozen."""
    rows = (
        {"id": id, "tax_in": _tax_in(minor_to_money(tax, currency), told)}
        for id, currency, tax, told in found
    )
    load_rows(books, "foreign_sums", rows, _FOREIGN)
    books.execute(TAX["note_foreign"])


def _tax_in(tax: Decimal, told: dict[str, Any]) -> str:
    amount = round_money(Fraction(tax) * Fraction(told["rate"]), told["currency"])
    return json.dumps({**told, "tax": f"{amount:f}"})


def told_taxes(rows: Sequence[Mapping[str, Any]], sign: int, currency: str) -> list[dict[str, Any]]:
    """The sums of a document as it shows them."""
    return [
        {
            "category": row["category"],
            "rate_percent": rate_percent(row["category"], row["ppm"]),
            "country": row["country"],
            "taxable": minor_text(sign * row["taxable"], currency),
            "tax": minor_text(sign * row["tax"], currency),
            "reason": row["reason"],
        }
        for row in rows
    ]


def rate_percent(category: str, ppm: int) -> str | None:
    """As EN 16931 has it: none for what VAT does not apply to (O)."""
    if category == "O":
        return None
    text = f"{Decimal(ppm).scaleb(-4):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
