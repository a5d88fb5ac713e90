"""Bytes to columns and back, in Avro single-object encoding (`C3 01`, fingerprint, datum).

`decode` takes a whole batch of one topic and gives columns. Good messages are read many at once;
whatever is not evidently good is read by itself, by fastavro, which alone decides and gives the
reason. What cannot be decoded, or breaks a rule, comes back as a failure with its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
from fastavro import schemaless_reader, schemaless_writer

from schemas.contracts import CONTRACTS, Contract
from schemas.datums import Longs, Octets, read
from schemas.rules import LIMITS, obeys, violations, whose

_MAGIC = b"\xc3\x01"
_HEAD = len(_MAGIC) + 8
_VARINT_BYTES_MAX = 10
_LONG_MAX = 2**63 - 1
_CHUNK = 16_384  # its columns fit a processor's cache; measured: twice or half as many is slower


@dataclass(frozen=True, slots=True)
class DecodeFailure:
    """Payload `index` of the batch is not a valid event. `code` is stable, `reason` a sentence.

    `source` and `sequence` are given where they could be read; `account_id` and `started_us` of
    usage that broke a rule, where they broke none.
    """

    index: int
    code: str
    reason: str
    source: str | None
    sequence: int | None
    account_id: str | None = None
    started_us: int | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """The valid events of a batch, one row each, with the columns of the newest schema.

    `index[i]` is the position of row i in the batch given to `decode`; it ascends.
    """

    index: Longs
    columns: pa.Table
    failures: list[DecodeFailure]


class _Undecodable(Exception):
    def __init__(
        self, code: str, reason: str, whose: tuple[str | None, int | None] = (None, None)
    ) -> None:
        self.code, self.reason, self.whose = code, reason, whose
        super().__init__(reason)


class _Body(BytesIO):
    """Its name stands in fastavro's errors, and so in reasons: they must not change by the run."""

    def __repr__(self) -> str:
        return "the message"


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
    parts: list[tuple[Longs, pa.Table]] = []
    for begin in range(0, len(payloads), _CHUNK):
        good = _evidently_good(contract, payloads[begin : begin + _CHUNK])
        parts += [(rows + begin, columns) for rows, columns in good]
    left = np.ones(len(payloads), np.bool_)
    for rows, _ in parts:
        left[rows] = False
    one_by_one, columns, failures = _one_by_one(contract, payloads, np.flatnonzero(left))
    parts.append((one_by_one, columns))
    index = np.concatenate([rows for rows, _ in parts])
    table = pa.concat_tables([columns for _, columns in parts])
    if len(parts) > 1 and not np.all(index[:-1] < index[1:]):
        order = np.argsort(index)
        index, table = index[order], table.take(order)
    return Decoded(index, table, failures)


def _evidently_good(
    contract: Contract, payloads: Sequence[bytes]
) -> Iterator[tuple[Longs, pa.Table]]:
    """Positions and columns of those messages that can be read many at once and break no rule."""
    if contract.quick and max(map(len, payloads)) > LIMITS.event_bytes_max:
        payloads = [one if len(one) <= LIMITS.event_bytes_max else b"" for one in payloads]
    octets = Octets(payloads)
    framed = octets.ends - octets.begins >= _HEAD
    framed &= octets.words(octets.begins) & np.uint64(0xFFFF) == int.from_bytes(_MAGIC, "little")
    prints = octets.words(octets.begins + len(_MAGIC))
    for fingerprint, fields in contract.quick.items():
        rows = np.flatnonzero(framed & (prints == int.from_bytes(fingerprint, "little")))
        if not len(rows):
            continue
        found, good = read(fields, octets, rows, _HEAD)
        table = _newest(contract, found, len(rows))
        good &= obeys(contract.topic, table)
        yield (rows, table) if good.all() else (rows[good], table.filter(pa.array(good)))


def _newest(contract: Contract, found: Mapping[str, pa.Array], count: int) -> pa.Table:
    """Columns as some version wrote them, as those of the newest."""
    columns = [
        found[field.name]
        if field.name in found
        else pa.repeat(pa.scalar(contract.defaults[field.name], field.type), count)
        for field in contract.columns
    ]
    return pa.table(columns, schema=contract.columns)


def _one_by_one(
    contract: Contract, payloads: Sequence[bytes], positions: Longs
) -> tuple[Longs, pa.Table, list[DecodeFailure]]:
    index: list[int] = []
    rows: list[dict[str, Any]] = []
    failures: list[DecodeFailure] = []
    for position in positions.tolist():
        payload = payloads[position]
        try:
            rows.append(_event(contract, payload))
            index.append(position)
        except _Undecodable as error:
            source, sequence = peek(payload) or (None, None)
            read = (source, sequence, *error.whose)
            failures.append(DecodeFailure(position, error.code, error.reason, *read))
    columns = [
        pa.array([row[field.name] for row in rows], field.type) for field in contract.columns
    ]
    return np.array(index, np.int64), pa.table(columns, schema=contract.columns), failures


def _event(contract: Contract, payload: bytes) -> dict[str, Any]:
    if len(payload) > LIMITS.event_bytes_max:
        raise _Undecodable("TOO_LARGE", f"more than {LIMITS.event_bytes_max} bytes")
    if payload[:2] != _MAGIC:
        raise _Undecodable("BAD_FRAME", "does not begin with the single-object marker C3 01")
    schema = contract.versions.get(payload[2:_HEAD])
    if schema is None:
        known = f"fingerprint {payload[2:_HEAD].hex()} is no schema of {contract.topic}"
        raise _Undecodable("UNKNOWN_SCHEMA", f"{known}: add the schema, then retry")
    body = _Body(payload)
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
        raise _Undecodable("RULE_BROKEN", "; ".join(broken), whose(contract.topic, event))
    return event


def peek(payload: bytes) -> tuple[str, int] | None:
    """Source and sequence of a message value without its schema; None where they are not there.

    They are the first two fields of every contract, in every version.
    """
    length, at = _long(payload, _HEAD)
    if payload[:2] != _MAGIC or length is None or not 0 < length <= len(payload) - at:
        return None
    sequence, _ = _long(payload, at + length)
    if sequence is None or not 1 <= sequence <= _LONG_MAX:
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
