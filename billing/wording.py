"""How numbers stand in a sentence or a table, to be read by people: grouped, with a unit.

Owns the digits; every number comes as a decimal, exact at any length.
"""

from decimal import Decimal

from billing.money import currency_precision


def number(value: Decimal) -> str:
    """Without trailing zeros: `1,234.5`."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal, currency: str) -> str:
    """With the places of the currency, or as many more as there are."""
    whole, _, places = number(amount).partition(".")
    told = places.ljust(currency_precision(currency), "0")
    return f"{whole}.{told}" if told else whole


def counted(count: int, word: str) -> str:
    """`1 fault`, `1,200 faults`."""
    return f"{count:,} {plural(word, Decimal(count))}"


def plural(unit: str, count: Decimal | None = None) -> str:
    """Words take an s; symbols such as GB do not, nor words that would need more than an s."""
    if count == 1:
        return unit
    is_word = len(unit) > 2 and unit.isascii() and unit.islower() and unit[-1].isalpha()
    return f"{unit}s" if is_word and (unit[-1] not in "shxyz" or unit == "month") else unit
