"""What a line is of, in words: the text of the price book or the clerk, within words of ours.

Owns those words' places. A line has the parts of them: the text, the number of a credit note, what
an adjustment compares.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing.language import ENGLISH, Language
from billing.pricebook import MINIMUM_COMMITMENT

Line = Mapping[str, Any]


def named(line: Line, language: Language = ENGLISH) -> str:
    """Without an amount. `line` is one of `billing.document`."""
    told: str = line["description"]
    if told == MINIMUM_COMMITMENT:  # the book left it to us
        told = language.say(told)
    if number := line["concession"]:
        return language.text("concession_of", number=number, description=told)
    return told


def described(line: Line, currency: str, language: Language = ENGLISH) -> str:
    """As it stands on the document: of an adjustment with what it is the difference of."""
    told, basis = named(line, language), line["basis"]
    if line["kind"] != "adjustment" or "charged" not in basis:
        return told
    key = "charged_already"
    if "owed" in basis:
        key = "instead_of_in_advance" if basis["advance"] else "instead_of"
    amounts = {
        name: language.money(Decimal(basis[name]), currency)
        for name in ("owed", "charged")
        if name in basis
    }
    return language.text(key, description=told, **amounts)
