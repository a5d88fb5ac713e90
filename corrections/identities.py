"""Identities of usage records as the usage store has them, and the hash that names one.

Owns the hash: it stands in audit trails, so what it is made of does not change.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from edge.instants import instant
from warehouse import Queries, Store, read_store

HASH_DIGITS: Final = 12  # as many as are shown; any beginning that is not ambiguous will do
_SQL: Final = Queries(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity of a record, and its state. Times are UTC microseconds."""

    record_id: UUID
    started_us: int
    account_id: str
    meeting_id: str
    participant_id: str | None
    meter: str
    variant: str | None
    last_seen_us: int
    cancelled: bool

    @property
    def sha256(self) -> str:
        """Of what the identity consists of; no id holds a control character."""
        parts = (
            *(str(self.record_id), str(self.started_us), self.account_id, self.meeting_id),
            *(self.participant_id, self.meter, self.variant),
        )
        text = "\x1f".join("\x1e" if part is None else part for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def hash(self) -> str:
        return self.sha256[:HASH_DIGITS]

    def __str__(self) -> str:
        return f"{self.record_id}:{self.hash}"

    def row(self) -> dict[str, Any]:
        """As `usage conflicts` shows it."""
        return {
            "record_id": self.record_id,
            "hash": self.hash,
            "started_at": instant(self.started_us),
            "last_seen": instant(self.last_seen_us),
            "account_id": self.account_id,
            "meeting_id": self.meeting_id,
            "participant_id": self.participant_id,
            "meter": self.meter,
            "variant": self.variant,
        }


def find_conflicts(usage: Path) -> list[Identity]:
    """Every uncancelled identity of each record that has several. Refuses as `read_store`."""
    copies = {"conflicts": _SQL["conflicts"]}
    with read_store(usage, "usage", copies).closing() as store:
        return _identities(store, "FROM conflicts")


def find_identities(usage: Path, records: Sequence[UUID]) -> dict[UUID, list[Identity]]:
    """Every identity of these records, cancelled ones too. Refuses as `read_store`."""
    copies, bounds = {"identities": _SQL["identities"]}, {"records": records}
    found: dict[UUID, list[Identity]] = {}
    with read_store(usage, "usage", copies, bounds).closing() as store:
        for one in _identities(store, "FROM identities"):
            found.setdefault(one.record_id, []).append(one)
    return found


def _identities(store: Store, sql: str) -> list[Identity]:
    found = [Identity(**row) for row in store.records(sql)]
    return sorted(found, key=lambda one: (one.record_id, one.hash))
