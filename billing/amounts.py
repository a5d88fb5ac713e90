"""Amounts as a clerk types them: which texts are one, and in which smallest units.

Owns what is said of a text that is none. Rounds nothing: an amount that does not fit is refused.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

import click

from billing.money import currency_precision
from edge import Refused

_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
MINOR_DIGITS: Final = 15  # before the point: a payment in the smallest of currencies fits

Callback = Callable[[click.Context, click.Parameter, str], Decimal]


def amount_option(*, whole: int, places: int, signed: bool) -> Callback:
    """The callback of an amount with at most so many digits before and after its point, and not
    zero: others are wrong usage.
    """
    least = "not zero" if signed else "more than zero"
    wanted = f"a decimal such as 12.50, {least}, at most {whole} digits before and {places} after"

    def callback(_: click.Context, __: click.Parameter, value: str) -> Decimal:
        if not _DECIMAL.fullmatch(value):
            raise click.BadParameter(f"{value!r} is not {wanted} the point.")
        before, _dot, after = value.removeprefix("-").partition(".")
        amount = Decimal(value)
        fits = len(before.lstrip("0")) <= whole and len(after) <= places
        if not fits or amount == 0 or (amount < 0 and not signed):
            raise click.BadParameter(f"{value!r} is not {wanted} the point.")
        return amount

    return callback


def to_minor(amount: Decimal, currency: str) -> int:
    """In the currency's smallest units. Refuses with AMOUNT_PRECISION."""
    places = currency_precision(currency)
    exact = Fraction(amount) * 10**places
    if exact.denominator != 1:
        message = f"{amount:f} has more decimals than {currency}, which has {places}"
        raise Refused("AMOUNT_PRECISION", message)
    return int(exact.numerator)
