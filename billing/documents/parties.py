"""Seller and buyer as they stand on the page: name, address, numbers.

Owns the order of an address. Any part of it may be missing; what is needed is checked before.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from billing.language import Language

Party = Mapping[str, Any]
_RUNNING: Final = 80  # characters of what stands on every page


def party(found: Party, language: Language) -> dict[str, Any]:
    """`name`, the `lines` beneath it and the `facts` that identify it, all texts."""
    return {
        "name": full_name(found),
        "lines": list(_address(found, language)),
        "facts": list(facts(found, language)),
    }


def full_name(found: Party) -> str:
    """The one it is registered under, where that is known."""
    return found.get("legal_name") or found.get("name") or ""


def facts(found: Party, language: Language) -> Iterator[str]:
    """The numbers that identify it. In Japan the one for tax has a name that the law asks for."""
    for key in ("vat_number", "registration_id"):
        if number := found.get(key):
            is_of_japan = key == "vat_number" and found.get("country") == "JP"
            yield language.text("vat_number_jp" if is_of_japan else key, number=number)


def shortened(text: str) -> str:
    """For the head and the foot of a page, which must not grow with a name."""
    return text if len(text) <= _RUNNING else f"{text[: _RUNNING - 1]}…"


def _address(found: Party, language: Language) -> Iterator[str]:
    if found.get("legal_name") and found.get("name") not in (None, "", found["legal_name"]):
        yield found["name"]
    country = language.country(found["country"]) if found.get("country") else ""
    town = " ".join(filter(None, (found.get("postal_code"), found.get("city"))))
    land = ", ".join(filter(None, (found.get("region"), country)))
    yield from filter(None, (found.get("street"), town, land))
