"""The seller: the checks of `[seller]` in the settings, which stands on every document as told."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge.faults import Fault
from edge.party import (
    DAYS_MAX,
    NO_POSTAL_CODES,
    RULES,
    TEXT_MAX,
    is_printable,
    wrong_vat_number,
)

_FOOTER_MAX: Final = 2_000


def wrong_seller(told: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the values of the table; their keys and types are right."""
    for key, value in told.items():
        if wrong := _wrong(key, value, told.get("country")):
            yield Fault("SETTINGS_VALUE", f"seller.{key}", wrong)


def missing_of_seller(seller: Mapping[str, Any]) -> list[str]:
    """What an invoice must tell of a seller with a country (Directive 2006/112/EC, Article 226 (5):
    full name and address) and these settings do not, by their keys. Nothing of one without.
    """
    if (country := seller.get("country")) is None:
        return []
    wanted = ["street", "city"] if country in NO_POSTAL_CODES else ["street", "postal_code", "city"]
    named = [] if seller.get("name") or seller.get("legal_name") else ["name"]
    return [*named, *(key for key in wanted if not seller.get(key))]


def _wrong(key: str, value: Any, country: str | None) -> str | None:
    if key == "payment_terms_days":
        return None if 0 <= value <= DAYS_MAX else f"must be whole days, 0 to {DAYS_MAX}"
    if not value.strip():
        return "is empty: leave it out"
    most = _FOOTER_MAX if key == "footer" else TEXT_MAX
    lines = value.split("\n") if key == "footer" else [value]
    if len(value) > most or not all(map(is_printable, lines)):
        where = "" if key == "footer" else " on one line"
        return f"must be at most {most} printable characters{where}"
    if key == "vat_number":
        return wrong_vat_number(value, country)
    holds, wanted = RULES.get(key, (bool, ""))
    return None if holds(value) else f"{value!r} is not {wanted}"
