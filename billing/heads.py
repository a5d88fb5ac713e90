"""Documents found by the names that people give them: number or id."""

from collections.abc import Iterable
from typing import Any

from edge import Refused
from warehouse import Store

# First which: all else that a document's row holds is then read of those alone.
_NAMED = """SELECT * FROM invoices WHERE id IN (
    SELECT id FROM invoices
    WHERE number IN (SELECT unnest($names)) OR id IN (SELECT unnest($names))
) ORDER BY month, id"""


def find_heads(books: Store, names: Iterable[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The documents of these numbers or ids, by column, in the order of their names; and the names
    that are none's.
    """
    asked = list(dict.fromkeys(names))
    if not asked:
        return [], []
    rows = books.records(_NAMED, {"names": asked})
    known = {name: row for row in rows for name in (row["number"], row["id"])}
    found = {known[name]["id"]: known[name] for name in asked if name in known}
    return list(found.values()), [name for name in asked if name not in known]


def find_head(books: Store, name: str) -> dict[str, Any]:
    """That of one name. Refuses with INVOICE_UNKNOWN."""
    found, _ = find_heads(books, [name])
    if not found:
        raise Refused("INVOICE_UNKNOWN", f"there is no invoice {name}")
    return found[0]
