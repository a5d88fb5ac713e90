"""Money: the one function that rounds it, and how exact numbers are written as decimals.

Owns rounding to a currency's precision. Knows nothing of prices, lines or invoices.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final, Literal

from babel.numbers import get_currency_precision

_PLACES: Final = 12
LineRounding = Literal["half_up", "half_even"]


def currency_precision(currency: str) -> int:
    """Decimal places of the currency: EUR 2, JPY 0, KWD 3."""
    places: int = get_currency_precision(currency)
    return places


def round_half_up(value: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    if 2 * rest >= value.denominator:
        whole += 1
    return -whole if value < 0 else whole


def round_half_even(value: Fraction) -> int:
    """The nearest whole number, halves to the even one."""
    return round(value)  # so defined for a Fraction, exactly


def round_together(amounts: Sequence[Fraction]) -> list[int]:
    """Whole numbers, each less than one from its amount, that add up to the sum rounded half up: up
    go the amounts with the largest remainders, the first of equal ones.
    """
    wholes = [floor(amount) for amount in amounts]
    left = round_half_up(sum(amounts, Fraction(0))) - sum(wholes)
    for at in sorted(range(len(amounts)), key=lambda at: wholes[at] - amounts[at])[:left]:
        wholes[at] += 1
    return wholes


def round_line(amount: Fraction, currency: str, rounding: LineRounding) -> int:
    """A line's amount in the currency's smallest units, by the rounding of its book."""
    exact = amount * 10 ** currency_precision(currency)
    return round_half_even(exact) if rounding == "half_even" else round_half_up(exact)


def round_money(amount: Fraction | Decimal | int, currency: str) -> Decimal:
    """`amount` in the currency's own precision, halves away from zero.

    The result always has all its places (`5.00`).
    """
    places = currency_precision(currency)
    return minor_to_money(round_half_up(Fraction(amount) * 10**places), currency)


def minor_to_money(minor: int, currency: str) -> Decimal:
    """The amount that so many of the currency's smallest units make."""
    return _decimal(minor, currency_precision(currency))


def minor_text(minor: int, currency: str) -> str:
    """As documents have it: with all its places and no exponent."""
    return f"{minor_to_money(minor, currency):f}"


def decimal_text(value: Fraction | Decimal | int) -> str:
    """`value` as a plain decimal without trailing zeros: exact where it is finite, else half
    up to 12 places. For quantities and exact amounts; money is printed as `round_money` gives it.
    """
    exact = Fraction(value)
    places = _finite_places(exact.denominator)
    if places is None:
        places = _PLACES
    scaled = round_half_up(exact * 10**places)
    text = f"{_decimal(scaled, places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _finite_places(denominator: int) -> int | None:
    """Places after the point that show 1/denominator exactly; None where no number of them does."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    return max(twos, fives) if denominator == 1 else None


def _decimal(scaled: int, places: int) -> Decimal:
    # Built from its digits: arithmetic such as scaleb would round to the context's 28 digits.
    digits = tuple(int(digit) for digit in str(abs(scaled)))
    return Decimal((1 if scaled < 0 else 0, digits, -places))
