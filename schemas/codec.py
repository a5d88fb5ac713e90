"""Bytes to columns and back, in Avro single-object encoding (`C3 01`, fingerprint, datum).

`decode` takes a whole batch of one topic and gives columns: how it does so may change, its
results may not. What cannot be decoded, or breaks a rule, comes back as a failure with its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from schemas.contracts import CONTRACTS, Contract
from schemas.rules import LIMITS, violations

_MAGIC = b"\xc3\x01"
_HEAD = len(_MAGIC) + 8
_VARINT_BYTES_MAX = 10


@dataclass(frozen=True, slots=True)
class DecodeFailure:
    """Payload `index` of the batch is not a valid event. `code` is stable, `reason` a sentence.

    `source` and `sequence` are given where they could be read.
    """

    index: int
    code: str
    reason: str
    source: str | None
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """The valid events of a batch: one list per field, all as long as `index`.

    `index[i]` is the position of row i in the batch given to `decode`.
    """

    index: list[int]
    columns: dict[str, list[Any]]
    failures: list[DecodeFailure]


class _Undecodable(Exception):
    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


def encode(topic: str, event: Mapping[str, Any]) -> bytes:
    """One event as a message value, by the newest schema of `topic`.

    Raises ValueError where the event does not fit the schema or exceeds 64 KiB.
    """
    contract = CONTRACTS[topic]
    out = BytesIO()
    out.write(_MAGIC)
    out.write(contract.fingerprint)
    schemaless_writer(out, contract.newest, event)
    payload = out.getvalue()
    if len(payload) > LIMITS.event_bytes_max:
        raise ValueError(f"the event has {len(payload)} bytes, {LIMITS.event_bytes_max} at most")
    return payload


def decode(topic: str, payloads: Sequence[bytes]) -> Decoded:
    """A batch of message values of one topic as columns, the rest as failures, in order."""
    contract = CONTRACTS[topic]
    index: list[int] = []
    rows: list[dict[str, Any]] = []
    failures: list[DecodeFailure] = []
    for position, payload in enumerate(payloads):
        try:
            rows.append(_event(contract, payload))
            index.append(position)
        except _Undecodable as error:
            source, sequence = peek(payload) or (None, None)
            failures.append(DecodeFailure(position, error.code, error.reason, source, sequence))
    columns = {name: [row[name] for row in rows] for name in contract.fields}
    return Decoded(index, columns, failures)


def _event(contract: Contract, payload: bytes) -> dict[str, Any]:
    if len(payload) > LIMITS.event_bytes_max:
        raise _Undecodable("TOO_LARGE", f"more than {LIMITS.event_bytes_max} bytes")
    if payload[:2] != _MAGIC:
        raise _Undecodable("BAD_FRAME", "does not begin with the single-object marker C3 01")
    schema = contract.versions.get(payload[2:_HEAD])
    if schema is None:
        known = f"fingerprint {payload[2:_HEAD].hex()} is no schema of {contract.topic}"
        raise _Undecodable("UNKNOWN_SCHEMA", f"{known}: add the schema, then retry")
    body = BytesIO(payload)
    body.seek(_HEAD)
    try:
        # Resolution costs time; the newest writer needs none.
        reader = None if schema is contract.newest else contract.newest
        event: dict[str, Any] = schemaless_reader(body, schema, reader)
    except Exception as error:  # a decoder fed foreign bytes raises nearly anything
        raise _Undecodable("BAD_DATUM", f"not a datum of its schema: {error!r}"[:300]) from error
    if body.tell() != len(payload):
        raise _Undecodable("TRAILING_BYTES", f"{len(payload) - body.tell()} bytes after the datum")
    if broken := violations(contract.topic, event):
        raise _Undecodable("RULE_BROKEN", "; ".join(broken))
    return event


def peek(payload: bytes) -> tuple[str, int] | None:
    """Source and sequence of a message value without its schema; None where they are not there.

    They are the first two fields of every contract, in every version.
    """
    length, at = _long(payload, _HEAD)
    if payload[:2] != _MAGIC or length is None or not 0 < length <= len(payload) - at:
        return None
    sequence, _ = _long(payload, at + length)
    if sequence is None or sequence < 1:
        return None
    try:
        return payload[at : at + length].decode("utf-8"), sequence
    except UnicodeDecodeError:
        return None


def _long(data: bytes, at: int) -> tuple[int | None, int]:
    """A zig-zag varint at `at` and the place after it; None where it is cut or too long."""
    value = 0
    for count, byte in enumerate(data[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at + count + 1
    return None, at
