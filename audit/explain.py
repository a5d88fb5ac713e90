"""An invoice explained: its lines tier by tier, the records of each, and the events of those.

Owns the fields; reads nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final

from billing.explanation import explain
from billing.measured import Measured, Record, is_continuing, shown
from billing.proven_lines import Proof, ProvenLine
from billing.statement import CONTINUES, duration_us, time_text
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
Row = dict[str, Any]


def explained(proof: Proof, events: Callable[[Record], list[Row]] | None = None) -> list[Row]:
    """Each line as the document has it, with `explanation` (its tiers, as texts), `rounding`,
    `records` (each with its `events`, where they were read), `own` (what belongs to no single
    record) and `why` there are none.
    """
    return [_line(proof, one, events) for one in proof.lines]


def _line(proof: Proof, one: ProvenLine, events: Callable[[Record], list[Row]] | None) -> Row:
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
        for row, record in zip(told["records"], one.records, strict=True):
            row["events"] = events(record)
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
