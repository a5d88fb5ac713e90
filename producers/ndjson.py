"""Events as lines of JSON, passed into an emitter: every bad line is named, good ones go on."""

import json
from collections.abc import Iterable
from typing import Any

from edge import Fault, Refused
from producers.emitter import Emitter
from schemas import LIMITS

# A line is refused before it is parsed; JSON spells an event longer than Avro does.
_LINE_BYTES_MAX = 8 * LIMITS.event_bytes_max


def emit_lines(lines: Iterable[bytes], emitter: Emitter) -> tuple[int, list[Fault]]:
    """How many lines were emitted, and a fault for each that was not; blank lines are skipped."""
    emitted, faults = 0, []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            topic, event = _event(line)
            while not emitter.emit(topic, event):
                emitter.flush()
            emitted += 1
        except Refused as refused:
            if refused.code == "JOURNAL_WRITE":
                raise
            faults.append(Fault(refused.code, f"line {number}", refused.summary))
    emitter.flush()
    return emitted, faults


def _event(line: bytes) -> tuple[str, dict[str, Any]]:
    if len(line) > _LINE_BYTES_MAX:
        raise Refused("TOO_LARGE", f"the line has more than {_LINE_BYTES_MAX} bytes")
    try:
        event = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused("BAD_JSON", f"not JSON: {error}"[:200]) from None
    if not isinstance(event, dict):
        raise Refused("BAD_JSON", "must be an object")
    topic = event.pop("topic", None)
    if not isinstance(topic, str):
        raise Refused("BAD_FIELD", "topic is missing or not a string")
    return topic, event


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice would silently lose one of its values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found
