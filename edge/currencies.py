"""Currencies: which codes of ISO 4217 are money, and which of them are in use.

The data are CLDR's, as babel brings them.
"""

from functools import cache
from typing import Final

from babel.core import get_global
from babel.numbers import is_currency

OUT_OF_USE: Final = "is legal tender nowhere today: name the currency in use, such as EUR"
# Metals, units of account, the code for tests and that for no currency: ISO 4217 without a minor
# unit of its own.
_NO_MONEY: Final = frozenset(
    ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"]
)


def is_known_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 code of money that one can pay with, or once could."""
    return (
        code not in _NO_MONEY
        and len(code) == 3
        and code.isascii()
        and code.isupper()
        and bool(is_currency(code))
    )


def is_used_currency(code: str) -> bool:
    """Whether it is legal tender somewhere and to stay, as far as the installed data know."""
    return code in _used_currencies()


@cache
def _used_currencies() -> frozenset[str]:
    told = get_global("territory_currencies").values()
    return frozenset(
        code for spans in told for code, _, end, is_tender in spans if end is None and is_tender
    )
