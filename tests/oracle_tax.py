"""Tax, slow and obvious: what each line of a document is charged, and what that comes to.

Documents are read as the program prints them. Shares no code with billing: the rates that tests
need are written down here once more.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from tests.oracle_text import money, text

Document = Mapping[str, Any]
# By country, the days from which rates hold: from the members' own acts.
RATES: Final = {
    "DE": ((date(2021, 1, 1), 19),),
    "FR": ((date(2014, 1, 1), 20),),
    "FI": ((date(2013, 1, 1), 24), (date(2024, 9, 1), Fraction(51, 2))),
    "SK": ((date(2011, 1, 1), 20), (date(2025, 1, 1), 23)),
}
_UNION: Final = {"DE", "FR", "FI", "SK"}  # of the countries that tests use


def rate_on(country: str, day: date) -> Fraction:
    return Fraction([percent for since, percent in RATES[country] if since <= day][-1])


def last_day(line: Mapping[str, Any]) -> date:
    """Of what is billed, by the account's clock: periods are half-open."""
    end = datetime.fromisoformat(line["period"]["end"])
    return (end - timedelta(microseconds=1)).date()


def line_tax(
    seller: Mapping[str, Any], buyer: Mapping[str, Any], day: date, *, oss: bool
) -> tuple[str, Fraction | None]:
    """Category and percent."""
    if buyer["tax_exempt_reason"]:
        return "E", Fraction(0)
    if buyer["country"] == seller["country"]:
        return "S", rate_on(seller["country"], day)
    if buyer["country"] not in _UNION:
        return "O", None
    if buyer["vat_number"]:  # tests tell none that is not of the buyer's country
        return "AE", Fraction(0)
    return "S", rate_on(buyer["country"] if oss else seller["country"], day)


def taxes(document: Document) -> list[dict[str, Any]]:
    """The sums, from what is told of each line."""
    sums: dict[tuple[str, Fraction], Fraction] = {}
    for line in document["lines"]:
        told = line["tax"]
        key = told["category"], -Fraction(told["rate_percent"] or 0)
        sums[key] = sums.get(key, Fraction(0)) + Fraction(line["amount"])
    currency = document["currency"]
    return [
        {
            "category": category,
            "rate_percent": None if category == "O" else text(-percent),
            "taxable": money(taxable, currency),
            "tax": money(taxable * -percent / 100, currency),
        }
        for (category, percent), taxable in sorted(sums.items())
    ]


def check_taxes(document: Document) -> None:
    """The document's sums are those of its lines, and its total is what they add up to; in the tax
    currency each is less than a smallest unit beside its own.
    """
    names = ("category", "rate_percent", "taxable", "tax")
    told = [{name: one[name] for name in names} for one in document["taxes"]]
    assert told == taxes(document), document["id"]
    tax = sum((Fraction(one["tax"]) for one in told), Fraction(0))
    assert Fraction(document["tax"]) == tax
    assert Fraction(document["total"]) == Fraction(document["subtotal"]) + tax
    if whole := document["tax_in"]:
        parts = [(Fraction(one["tax"]), Fraction(one["tax_in"])) for one in document["taxes"]]
        assert sum(part for _, part in parts) == Fraction(whole["tax"])
        least = Fraction(1, 10 ** len(whole["tax"].partition(".")[2]))
        for tax, part in parts:
            assert abs(tax * Fraction(whole["rate"]) - part) < least, document["id"]
    assert Fraction(document["due"]) == Fraction(document["total"]) - Fraction(
        document["prepaid"] or 0
    )
