"""Whose tax is due, if any: by who sells, who buys, and where each of them is.

Owns the rule and its order (Council Directive 2006/112/EC: Articles 44, 45, 58, 196). The category
is a code of EN 16931 (UNCL 5305). Knows no amount, day or rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from edge import Fault
from edge.party import union_country

Category = Literal["S", "E", "AE", "O"]
# Those of the EU. Greek VAT numbers begin with EL.
EU: Final = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
# Countries that are part of another's for VAT (Article 7).
_PART_OF: Final = {"MC": "FR", "IM": "GB"}
REVERSE_CHARGE: Final = "Reverse charge"
OUTSIDE: Final = "Not subject to VAT"
Party = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """`country` is the one whose rate is charged (S), else the seller's; `reason` says why there is
    none.
    """

    category: Category
    country: str
    reason: str | None = None


def find_rule(seller: Party, buyer: Party, *, oss: bool) -> Rule | Fault:
    """What a seller with a country charges a buyer: parties as they are frozen with documents. The
    fault TAX_UNDECIDED says what is missing, at the buyer's account.
    """
    home, there = _country(seller), _country(buyer)
    if buyer.get("tax_exempt_reason"):
        return Rule("E", home, buyer["tax_exempt_reason"])
    if there == home:
        return Rule("S", home)
    if there not in EU:
        return Rule("O", home, OUTSIDE)
    if is_business(buyer, home):
        return _reverse_charge(seller, buyer, home)
    if oss:
        return Rule("S", there)
    return Rule("S", home) if home in EU else Rule("O", home, OUTSIDE)


def _country(party: Party) -> str:
    found = str(party["country"])
    return _PART_OF.get(found, found)


def _reverse_charge(seller: Party, buyer: Party, home: str) -> Rule | Fault:
    """Who sells from outside the EU has no number to show, and charges nothing."""
    if home not in EU:
        return Rule("O", home, OUTSIDE)
    if not seller.get("vat_number"):
        message = "is charged in reverse, which needs the seller's vat_number in [seller]"
        return Fault("TAX_UNDECIDED", buyer["account_id"], message)
    return Rule("AE", home, REVERSE_CHARGE)


def is_business(buyer: Party, home: str) -> bool:
    """Whether its VAT number is one of the EU, by its form and check digits, of another country
    than `home`.
    """
    number = buyer.get("vat_number") or ""
    return bool(number) and union_country(number) not in (None, home)
