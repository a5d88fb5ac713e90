"""Seller and buyer: what is told of both, and the checks of how it is written.

Owns the checks. They know codes, forms and check digits; whether a number is registered, only its
registry can say.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final
from zoneinfo import available_timezones

from babel import Locale

from edge.currencies import is_used_currency

Rule = tuple[Callable[[str], bool], str]
TEXT_MAX: Final = 500
DAYS_MAX: Final = 999
# What CLDR knows besides ISO 3166-1: reserved codes, groups of countries, codes of its own.
_NO_COUNTRIES: Final = frozenset(
    [*("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC"), *("QO", "TA", "UN", "XA", "XB", "XK", "ZZ")]
)
# Where there is none to write, as the Universal Postal Union has it.
NO_POSTAL_CODES: Final = (
    *("AE", "AG", "AO", "AW", "BF", "BI", "BJ", "BO", "BS", "BW", "BZ", "CD", "CF", "CG", "CI"),
    *("CK", "CM", "CW", "DJ", "DM", "ER", "FJ", "GA", "GD", "GM", "GQ", "GY", "HK", "JM", "KI"),
    *("KM", "KP", "LY", "ML", "MO", "MR", "NR", "NU", "QA", "RW", "SB", "SC", "SL", "SR", "ST"),
    *("SX", "SY", "TD", "TG", "TK", "TL", "TO", "TV", "UG", "VU", "YE", "ZW"),
)
# Numbers that a country's module does not know, though its businesses are told to give them: those
# of sole traders, and that of Switzerland without the letters for the tax.
_ALSO: Final = {
    **{"CH": "ch.uid", "CR": "cr.cpf", "DO": "do.cedula", "IL": "il.idnr"},
    "TR": "tr.tckimlik",
}
_UNCHECKED: Final = frozenset(["SG"])  # its module has the register of companies, not of the tax


def shape(pattern: str, wanted: str) -> Rule:
    """A value that this pattern matches whole."""
    compiled = re.compile(pattern, re.ASCII)
    return (lambda value: compiled.fullmatch(value) is not None), wanted


def is_printable(value: str) -> bool:
    """On one line. Every kind of space is: names copied from elsewhere hold those that do not
    break.
    """
    return all(char.isprintable() or unicodedata.category(char) == "Zs" for char in value)


@cache
def countries() -> frozenset[str]:
    """The two-letter codes of ISO 3166-1."""
    known = (code for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", code))
    return frozenset(known) - _NO_COUNTRIES


@cache
def _zones() -> frozenset[str]:
    """Those that mean the same on every machine."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def wrong_vat_number(number: str, country: str | None) -> str | None:
    """What is wrong with the VAT number of somebody in this country, if anything is and its check
    is known. One of a state of the EU begins with its letters, wherever its owner is; others may.
    """
    known = _union().MEMBER_STATES
    letters = number[:2].lower()
    is_union = country is not None and country.lower() in known
    if not is_union and any(one.is_valid(form) for one, form in _domestic(number, country)):
        return None
    if is_union or letters in known or letters in ("el", "eu"):
        if _union().is_valid(number):
            return None
        whole = f"{'EL' if country == 'GR' else country}{number}"
        if is_union and _union().is_valid(whole):
            return f"{number!r} lacks the letters of its country: {whole}"
        country = "an EU state"
    elif not any(_domestic(number, country)):
        return None
    return f"{number!r} is not a VAT number of {country}: look at its letters and check digit"


def union_country(number: str) -> str | None:
    """The state of the EU whose VAT number it is, by its letters, form and check digits, or XI, of
    Northern Ireland. None where it is none.
    """
    if not _union().is_valid(number):
        return None
    letters = str(_union().compact(number)[:2].upper())
    return "GR" if letters == "EL" else letters


def _domestic(number: str, country: str | None) -> Iterator[tuple[Any, str]]:
    """The checks of a country, each with a way of writing the number that it may take."""
    if country is None or country in _UNCHECKED:
        return
    module = import_module("stdnum").get_cc_module(country, "vat")
    if module is None:
        return
    bare = number.upper().removeprefix(country).strip()
    if country == "JP":
        bare = bare.removeprefix("T")  # that of an issuer of qualified invoices
    for form in dict.fromkeys((number, bare)):
        yield module, form
        if country in _ALSO:
            yield import_module(f"stdnum.{_ALSO[country]}"), form


def _union() -> Any:
    """Read when there is a number to check: most homes and accounts have none."""
    return import_module("stdnum.eu.vat")


def _is(module: str) -> Callable[[str], bool]:
    return lambda value: bool(import_module(f"stdnum.{module}").is_valid(value))


RULES: Final[Mapping[str, Rule]] = {
    "email": (
        lambda value: re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None,
        "an e-mail address",
    ),
    "phone": shape(
        r"(?=(?:\D*\d){3})\+?[0-9 ()/.-]{3,40}", "a telephone number such as +49 30 123456"
    ),
    "country": (lambda value: value in countries(), "a two-letter ISO 3166 code such as DE"),
    "time_zone": (lambda value: value in _zones(), "an IANA time zone such as Europe/Berlin"),
    "tax_currency": (is_used_currency, "an ISO 4217 code of money in use, such as EUR"),
    "iban": (_is("iban"), "an IBAN: look at its check digits"),
    "bic": (_is("bic"), "a BIC, 8 or 11 characters such as DEUTDEFF"),
    "endpoint": shape(
        r"\d{4}:[!-~]{1,135}", "a scheme of four digits, a colon and an id, such as 0088:4012345"
    ),
}
