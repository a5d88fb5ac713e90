"""The codes that EN 16931 lets an invoice use, and ours in them.

Owns units, countries, currencies and schemes of identifiers. A test holds them against the lists in
the official rules.
"""

from typing import Final

from billing.money import currency_precision
from edge.party import countries

ONE: Final = "C62"
PACKAGE: Final = "XPK"
# UN/ECE Recommendation 20. A word that is not here is counted in ones.
_UNITS: Final = {
    "second": "SEC", "minute": "MIN", "hour": "HUR", "day": "DAY", "week": "WEE", "month": "MON",
    "year": "ANN", "byte": "AD", "kB": "2P", "MB": "4L", "GB": "E34", "TB": "E35", "PB": "E36",
    "KiB": "E64", "MiB": "E63", "GiB": "E62", "TiB": "E61",
}  # fmt: skip
# Electronic address schemes (EAS). Those of four digits that begin with 0 are ISO 6523's too.
_SCHEMES: Final = """
    0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183
    0184 0188 0190 0191 0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209
    0210 0211 0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 0235 0240 0242 0244 0245 0246
    0248 9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932
    9933 9934 9935 9936 9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 9947 9948 9949 9950 9951
    9952 9953 9957 9959 AN AQ AS AU EM
"""
_NO_CURRENCIES: Final = frozenset({"STN"})  # the official list is older than the coin
_VAT_PREFIXES: Final = frozenset({"EL", "XI"})


def unit_code(unit: str | None) -> str:
    """The code of a unit as price books name it."""
    if unit is None:
        return ONE
    return _UNITS.get(unit) or _UNITS.get(unit.lower().removesuffix("s"), ONE)


def is_scheme(code: str) -> bool:
    """Whether an electronic address may be of it."""
    return code in _SCHEMES.split()


def is_registry(code: str) -> bool:
    """Whether a registration number may be of it."""
    return is_scheme(code) and len(code) == 4 and code.startswith("0")


def is_country(code: str) -> bool:
    """Whether it is a country that an address may be in."""
    return code in countries()


def is_currency(code: str) -> bool:
    """Whether amounts may be in it: the standard knows no third decimal place."""
    return code not in _NO_CURRENCIES and currency_precision(code) <= 2


def vat_identifier(number: str, country: str) -> str:
    """The number with the prefix of its country, which for Greece is EL."""
    told = "".join(number.split()).upper()
    if told[:2] in countries() | _VAT_PREFIXES:
        return told
    return ("EL" if country == "GR" else country) + told
