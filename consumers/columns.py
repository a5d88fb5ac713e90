"""What a batch of slices becomes before SQL sees it: Arrow tables of events, and rejected rows.

Decodes and shapes; decides nothing. `ordinal` numbers the messages of a batch across its topics.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from eventlog import Partition, Slice
from schemas import TOPICS, decode


class Message(NamedTuple):
    """One message value and where it lay."""

    partition: Partition
    offset: int
    payload: bytes
    source: str | None
    arrived_us: int


@dataclass(frozen=True, slots=True)
class Columns:
    """The valid events of each topic, the sequences of all, and what goes to quarantine."""

    events: dict[str, pa.Table]
    sequences: pa.Table
    rejected: pa.Table
    accepted: frozenset[int]


_TOTALS = pa.list_(
    pa.struct(
        [
            ("source", pa.string()),
            ("topic", pa.string()),
            ("last", pa.int64()),
            ("refused", pa.int64()),
        ]
    )
)
_KINDS: dict[str, pa.DataType] = {
    **dict.fromkeys(
        ["source", "phase", "account_id", "meeting_id", "participant_id", "meter", "variant"],
        pa.string(),
    ),
    **dict.fromkeys(
        ["server_id", "region", "server_version", "client", "network", "version"], pa.string()
    ),
    **dict.fromkeys(["record_id", "continues"], pa.binary(16)),
    **dict.fromkeys(["rtt_ms", "jitter_ms", "cpu", "memory"], pa.float64()),
    "totals": _TOTALS,
}
_REJECTED = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("log", pa.string()),
        ("topic", pa.string()),
        ("partition", pa.string()),
        ("offset", pa.int64()),
        ("payload", pa.binary()),
        ("sha256", pa.string()),
        ("source", pa.string()),
        ("sequence", pa.int64()),
        ("code", pa.string()),
        ("reason", pa.string()),
        ("arrived_us", pa.int64()),
    ]
)
_SEQUENCES = pa.schema(
    [
        ("topic", pa.string()),
        ("source", pa.string()),
        ("sequence", pa.int64()),
        ("ordinal", pa.int64()),
    ]
)


def messages(slices: Iterable[Slice], read_us: int) -> list[Message]:
    """The messages of `slices` in order; where the log keeps no arrival time, `read_us`."""
    found: list[Message] = []
    for piece in slices:
        arrived = piece.arrived_us or [read_us] * len(piece.payloads)
        rows = zip(piece.offsets, piece.payloads, piece.sources, arrived, strict=True)
        found += [Message(piece.partition, *row) for row in rows]
    return found


def columns(batch: Sequence[Message], slices: Iterable[Slice], read_us: int) -> Columns:
    """Decode `batch`; the damages of `slices` are rejected beside what cannot be decoded."""
    events: dict[str, pa.Table] = {}
    rejected: list[tuple[Any, ...]] = []
    sequences: list[pa.Table] = []
    accepted: set[int] = set()
    for topic in TOPICS:
        ordinals = [n for n, message in enumerate(batch) if message.partition.topic == topic]
        decoded = decode(topic, [batch[n].payload for n in ordinals])
        kept = pa.array([ordinals[index] for index in decoded.index], pa.int64())
        events[topic] = _table(decoded.columns).append_column("ordinal", kept)
        accepted.update(kept.to_pylist())
        sequences.append(_sequences(topic, events[topic]))
        for failure in decoded.failures:
            number = ordinals[failure.index]
            rejected.append(_rejected(number, batch[number], failure))
    for piece in slices:
        for damage in piece.damages:
            place = Message(piece.partition, damage.offset, damage.raw, None, read_us)
            rejected.append(_rejected(len(batch), place, damage))
    return Columns(events, pa.concat_tables(sequences), _rows(rejected), frozenset(accepted))


def _table(values: dict[str, list[Any]]) -> pa.Table:
    return pa.table(
        {name: pa.array(column, _KINDS.get(name, pa.int64())) for name, column in values.items()}
    )


def _sequences(topic: str, events: pa.Table) -> pa.Table:
    topics = pa.array([topic] * len(events), pa.string())
    return pa.table(
        [topics, events["source"], events["sequence"], events["ordinal"]], schema=_SEQUENCES
    )


def _rejected(ordinal: int, message: Message, why: Any) -> tuple[Any, ...]:
    return (
        ordinal,
        *message.partition,
        message.offset,
        message.payload,
        hashlib.sha256(message.payload).hexdigest(),
        getattr(why, "source", None) or message.source,
        getattr(why, "sequence", None),
        why.code,
        why.reason,
        message.arrived_us,
    )


def _rows(rejected: list[tuple[Any, ...]]) -> pa.Table:
    values = list(zip(*rejected, strict=True)) or [()] * len(_REJECTED)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(values, _REJECTED, strict=True)],
        schema=_REJECTED,
    )
