"""Our codes against the lists that stand in the official rules."""

from babel.core import get_global

from billing.documents.code_lists import (
    is_country,
    is_currency,
    is_registry,
    is_scheme,
    unit_code,
    vat_identifier,
)
from billing.money import currency_precision
from tests.einvoice_rules import UBL_RULES, codes

LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
PAIRS = [a + b for a in LETTERS for b in LETTERS]


def test_countries() -> None:
    listed = codes(UBL_RULES, "1A AD AE")
    assert {code for code in PAIRS if is_country(code)} == listed - {"1A", "XI"}


def test_currencies_in_use_are_listed_or_refused() -> None:
    listed = codes(UBL_RULES, "AED AFN")
    spans = [span for spans in get_global("territory_currencies").values() for span in spans]
    used = {code for code, _, end, is_tender in spans if end is None and is_tender}
    assert len(used) > 140
    for code in used:
        assert is_currency(code) == (code in listed and currency_precision(code) <= 2), code


def test_schemes_of_addresses_and_of_registers() -> None:
    listed, registers = codes(UBL_RULES, "0002 0007 0009"), codes(UBL_RULES, "0002 0003 0004")
    numbers = [f"{number:04}" for number in range(10_000)]
    assert {code for code in [*numbers, *PAIRS] if is_scheme(code)} == listed
    assert {code for code in numbers if is_registry(code)} <= registers


def test_units() -> None:
    listed = codes(UBL_RULES, "10 11 13")
    known = {
        "second": "SEC", "minutes": "MIN", "Hour": "HUR", "day": "DAY", "week": "WEE",
        "month": "MON", "year": "ANN", "byte": "AD", "kB": "2P", "MB": "4L", "GB": "E34",
        "TB": "E35", "GiB": "E62", "seat": "C62", "message": "C62", "": "C62", "s": "C62",
        "gb": "C62",
    }  # fmt: skip
    for unit, code in known.items():
        assert unit_code(unit) == code
        assert code in listed
    assert unit_code(None) == "C62"


def test_prefixes_of_vat_numbers() -> None:
    prefixes = codes(UBL_RULES, "1A AD AE") | {"EL"}
    for country in ("DE", "GR", "US", "XI"):
        assert vat_identifier("123", country)[:2] in prefixes
