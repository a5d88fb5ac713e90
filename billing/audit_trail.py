"""The audit trail: who did what, when and why, in a chain of hashes in the books.

Owns the chain. An entry that was changed, put in or taken out is found by the entries after it;
that the newest are missing, only a copy of their last hash kept elsewhere can show.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from billing.rows import append_rows
from edge import Fault
from warehouse import Store

_COLUMNS: Final = {
    **dict.fromkeys(("entry", "at_us"), pa.int64()),
    **dict.fromkeys(("who", "action", "subject", "reason", "details"), pa.string()),
    **dict.fromkeys(("previous_sha256", "sha256"), pa.string()),
}


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did on purpose. `at_us` is UTC; `details` is what JSON can hold."""

    at_us: int
    who: str
    action: str
    subject: str
    reason: str
    details: Mapping[str, Any]


def record(books: Store, acts: Iterable[Act]) -> None:
    """Adds an entry for each act, within the caller's transaction."""
    last = books.rows("SELECT entry, sha256 FROM audit_trail ORDER BY entry DESC LIMIT 1")
    before, previous = last[0] if last else (0, None)
    rows = []
    for entry, act in enumerate(acts, before + 1):
        texts = {name: getattr(act, name) for name in ("who", "action", "subject", "reason")}
        details = json.dumps(act.details, ensure_ascii=False)
        row = {"entry": entry, "at_us": act.at_us, **texts, "details": details}
        row["previous_sha256"] = previous
        row["sha256"] = previous = _sha256(row)
        rows.append(row)
    append_rows(books, "audit_trail", rows, _COLUMNS)


def entries(books: Store) -> list[dict[str, Any]]:
    """Every entry by its columns, oldest first."""
    return books.records(f"SELECT {', '.join(_COLUMNS)} FROM audit_trail ORDER BY entry")


def broken_links(rows: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """A fault for each of these entries that is not what was written, or not where."""
    faults = []
    before: Mapping[str, Any] = {"entry": 0, "sha256": None}
    for row in rows:
        place = f"entry {row['entry']}"
        if row["sha256"] != _sha256(row):
            faults.append(Fault("AUDIT_BROKEN", place, "was changed after it was written"))
        if (row["entry"], row["previous_sha256"]) != (before["entry"] + 1, before["sha256"]):
            message = "does not follow the entry before it: one was changed, put in or taken out"
            faults.append(Fault("AUDIT_BROKEN", place, message))
        before = row
    return faults


def _sha256(row: Mapping[str, Any]) -> str:
    """Of the row's values as a JSON array in UTF-8, in the order of the table's columns."""
    values = [row[name] for name in _COLUMNS if name != "sha256"]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()
