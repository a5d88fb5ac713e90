"""The events of an invoice's records, as `invoice explain` shows them, read where they lie.

Owns the fields of an event, and what is said of records whose place nobody knows.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from audit.explain_events import Event, read_events
from audit.explain_places import find_places
from billing.measured import Record
from billing.proven_lines import Proof
from consumers.columns import USAGE
from edge import Fault, Settings
from edge.instants import instant, micros

_SAME: Final = ("started_at", "account_id", "meeting_id", "participant_id", "meter", "variant")
_UNPLACED: Final = "the usage store does not know where it lies: `homemeeting rebuild` finds out"
Row = dict[str, Any]


def tell_events(
    home: Settings, proof: Proof, archive: Path | None
) -> tuple[Callable[[Record], list[Row]], list[Fault]]:
    """The rows of each record's events, and the faults of what is not there any more: LOG_GONE,
    PLACE_UNKNOWN. Refuses as `read_events` and `find_places`.
    """
    records = [record for one in proof.lines for record in one.records]
    places = find_places(home.usage, records)
    found = read_events(home, places, archive)
    placed = {str(place.record_id) for place in places}
    unplaced = sorted({record["record_id"] for record in records} - placed)
    known = _snapshot_positions(proof)

    def rows(record: Record) -> list[Row]:
        events = found.by_record.get(UUID(record["record_id"]), ())
        return [_event(event, record, known) for event in events]

    return rows, [*found.faults, *(Fault("PLACE_UNKNOWN", one, _UNPLACED) for one in unplaced)]


def _snapshot_positions(proof: Proof) -> dict[tuple[str, str], int]:
    """By log and partition of usage, how far the log had been read when the document was frozen."""
    snapshot = proof.evidence.snapshot if proof.evidence else {}
    return {
        (log, partition): after
        for log, topic, partition, after in snapshot.get("positions", ())
        if topic == USAGE
    }


def _event(event: Event, record: Record, known: Mapping[tuple[str, str], int]) -> Row:
    told, partition = event.told, event.partition
    notes = []
    if not _is_of(told, record):
        notes.append(f"another identity: {told['account_id']} {told['meeting_id']}")
    if event.offset >= known.get((partition.log, partition.partition), 0):
        notes.append("read after the document was made")
    return {
        "record_id": record["record_id"],
        "phase": told["phase"],
        "observed_at": instant(told["observed_at"]),
        "quantity": told["quantity"],
        "log": partition.log,
        "topic": partition.topic,
        "partition": partition.partition,
        "offset": event.offset,
        "source": told["source"],
        "sequence": told["sequence"],
        "note": "; ".join(notes),
    }


def _is_of(told: Mapping[str, Any], record: Record) -> bool:
    """Whether an event is of the identity that was charged."""
    return all(told[name] == _plain(record[name]) for name in _SAME)


def _plain(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value
