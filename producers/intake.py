"""An event as a caller gives it, turned into one that the contract takes; or every reason why not.

Owns types, absent fields and the notation of times and ids; the rules proper are `schemas.rules`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from edge import Fault, Refused
from edge.instants import micros
from schemas import CONTRACTS, violations

TOPICS_IN = ("meetings.usage", "meetings.quality", "servers.load")
_OURS = ("source", "sequence")
_TIMES = frozenset({"started_at", "observed_at", "sampled_at"})
_LONG_MAX = 2**63 - 1
_FINER = re.compile(r"[.,]\d{6}\d*[1-9]")  # which would be cut off without a word
_Reader = Callable[[Any], Any]


def event_from(topic: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` as an event of `topic`, but for source and sequence, which the emitter assigns.

    Raises Refused(EVENT_REFUSED) with a fault for every reason. Times: integer microseconds or
    ISO 8601 with zone. Record ids: bytes, UUID or its text. Nullable fields may be left out, and
    those with a default: who was there before a field was added goes on as before.
    """
    if topic not in TOPICS_IN:
        raise Refused("UNKNOWN_TOPIC", f"topic {topic!r:.80}: use one of {', '.join(TOPICS_IN)}")
    event: dict[str, Any] = {}
    faults: list[Fault] = []
    fields, defaults = _FIELDS[topic], CONTRACTS[topic].defaults
    for name, (nullable, read) in fields.items():
        value = given.get(name)
        try:
            if value is not None:
                event[name] = read(value)
            elif name in defaults and name not in given:
                event[name] = defaults[name]
            elif nullable:
                event[name] = None
            else:
                raise ValueError("must not be null" if name in given else "is missing")
        except ValueError as error:
            faults.append(Fault("BAD_FIELD", name, str(error)))
    faults += [
        Fault(
            "BAD_FIELD",
            str(name)[:80],
            "is assigned here: leave it out" if name in _OURS else f"is no field of {topic}",
        )
        for name in given
        if name not in fields
    ]
    if not faults:
        broken = violations(topic, {"source": "-", "sequence": 1, **event})
        faults = [Fault("RULE_BROKEN", topic, reason) for reason in broken]
    if faults:
        reasons = "; ".join(
            f"{fault.place} {fault.message}" if fault.code == "BAD_FIELD" else fault.message
            for fault in faults
        )
        raise Refused("EVENT_REFUSED", reasons, faults)
    return event


def _long(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("must be an integer")
    if not -_LONG_MAX <= given <= _LONG_MAX:
        raise ValueError("must fit 64 bits")
    return given


def _double(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("must be a number")
    try:
        return float(given)
    except OverflowError:
        raise ValueError("must be a finite number") from None


def _time(given: Any) -> int:
    if not isinstance(given, str):
        try:
            return _long(given)
        except ValueError:
            raise ValueError("must be ISO 8601 with zone or integer microseconds") from None
    try:
        moment = datetime.fromisoformat(given.upper())
    except ValueError:
        raise ValueError("must be ISO 8601 with zone or integer microseconds") from None
    if _FINER.search(given):
        raise ValueError("must have at most six decimals of a second")
    if moment.tzinfo is None:
        raise ValueError("must have a time zone, such as Z or +02:00")
    return micros(moment)


def _record_id(given: Any) -> bytes:
    if isinstance(given, UUID):
        return given.bytes
    if isinstance(given, bytes) and len(given) == 16:
        return given
    if isinstance(given, str):
        try:
            return UUID(given).bytes
        except ValueError:
            pass
    raise ValueError("must be a UUID")


def _string(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("must be a string")
    return given


def _one_of(symbols: frozenset[str]) -> _Reader:
    def read(given: Any) -> str:
        if not isinstance(given, str) or given not in symbols:
            raise ValueError(f"must be one of {', '.join(sorted(symbols))}")
        return given

    return read


def _reader(name: str, kind: Any) -> tuple[bool, _Reader]:
    """Whether a field of the Avro type `kind` may be null, and what reads its value."""
    nullable = isinstance(kind, list)
    if nullable:
        kind = next(branch for branch in kind if branch != "null")
    if isinstance(kind, dict) and "symbols" in kind:
        return nullable, _one_of(frozenset(kind["symbols"]) - {"UNKNOWN"})
    if name in _TIMES:
        return nullable, _time
    # A fixed is spelt out where it first occurs and is a name thereafter.
    plain = kind["type"] if isinstance(kind, dict) else kind
    return nullable, {"string": _string, "long": _long, "double": _double}.get(plain, _record_id)


_FIELDS: Final[Mapping[str, Mapping[str, tuple[bool, _Reader]]]] = {
    topic: {
        field["name"]: _reader(field["name"], field["type"])
        for field in CONTRACTS[topic].newest["fields"]
        if field["name"] not in _OURS
    }
    for topic in TOPICS_IN
}
