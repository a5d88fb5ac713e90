"""An invoice explained: its lines tier by tier, the records of each, and the events of those.

Owns the fields; reads nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit.explain_events import Event
from billing.explanation import explain
from billing.measured import Measured, Record, is_continuing, shown
from billing.proven_lines import Proof, ProvenLine
from billing.statement import CONTINUES, duration_us, time_text
from consumers.columns import USAGE
from edge.instants import instant, micros

RECORDS: Final = (
    *("started_at", "record_id", "meeting_id", "participant_id", "meter", "variant", "time"),
    *("last_seen", "stopped", "quantity", "chargeable", "unit", "note"),
)
EVENTS: Final = (
    *("record_id", "phase", "observed_at", "quantity", "log", "topic", "partition", "offset"),
    *("source", "sequence", "note"),
)
LAST_SEEN: Final = "no STOP: billed to the last time it was seen"
_SAME: Final = ("started_at", "account_id", "meeting_id", "participant_id", "meter", "variant")
Row = dict[str, Any]


def explained(proof: Proof, events: Mapping[UUID, list[Event]] | None = None) -> list[Row]:
    """Each line as the document has it, with `explanation` (its tiers, as texts), `rounding`,
    `records` (each with its `events`, where they were read), `own` (what belongs to no single
    record) and `why` there are none.
    """
    return [_line(proof, one, events) for one in proof.lines]


def _line(proof: Proof, one: ProvenLine, events: Mapping[UUID, list[Event]] | None) -> Row:
    told: Row = {
        **one.line,
        "explanation": [asdict(row) for row in explain(one.line, proof.document)],
        "rounding": one.measured.how if one.measured else "",
        "records": [],
        "own": None,
        "why": one.why,
    }
    if not one.records or one.measured is None:
        return told
    parts = [*one.parts, one.own]
    *quantities, own = shown(parts, one.measured.unit)
    told["records"] = [
        _record(record, quantity, one)
        for record, quantity in zip(one.records, quantities, strict=True)
    ]
    if one.own or not one.measured.has_parts:
        told["own"] = {"note": one.measured.own_text, "chargeable": own, "unit": one.line_unit}
    if events is not None:
        known = _snapshot_positions(proof)
        for row, record in zip(told["records"], one.records, strict=True):
            found = events.get(UUID(record["record_id"]), ())
            row["events"] = [_event(event, record, known) for event in found]
    return told


def _record(record: Record, quantity: str, one: ProvenLine) -> Row:
    assert one.measured is not None
    return {
        "started_at": instant(micros(record["started_at"])),
        "record_id": record["record_id"],
        "meeting_id": record["meeting_id"],
        "participant_id": record["participant_id"],
        "meter": record["meter"],
        "variant": record["variant"],
        "time": time_text(duration_us(record)),
        "last_seen": instant(micros(record["last_seen"])),
        "stopped": record["stopped"],
        "quantity": record["quantity"],
        "chargeable": quantity or None,
        "unit": one.line_unit,
        "note": "; ".join(_notes(record, one.measured)),
    }


def _notes(record: Record, measured: Measured) -> Iterator[str]:
    if is_continuing(record):
        yield CONTINUES
    if not record["stopped"]:
        yield LAST_SEEN
    if measured.scope == "record" and measured.part(record) != measured.value(record):
        yield "rounded"


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
