"""What a batch of slices becomes before SQL sees it: Arrow tables of events, and rejected rows.

Decodes and shapes; decides nothing. `ordinal` numbers the messages of a batch, slice by slice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from eventlog import Damage, Partition, Slice
from schemas import TOPICS, DecodeFailure, decode
from schemas.datums import Longs

USAGE: Final = "meetings.usage"


@dataclass(frozen=True, slots=True)
class Columns:
    """The valid events of each topic, the sequences of all, and what goes to quarantine."""

    events: dict[str, pa.Table]
    sequences: pa.Table
    rejected: pa.Table


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
        ("account_id", pa.string()),
        ("started_us", pa.int64()),
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


def columns(slices: Sequence[Slice], read_us: int, places: Mapping[Partition, int]) -> Columns:
    """Decode `slices`; their damages are rejected beside what cannot be decoded.

    Where the log keeps no arrival time, it is `read_us`. Events of usage have their offset, and
    their partition's number, which `places` tells.
    """
    events: dict[str, pa.Table] = {}
    rejected: list[tuple[Any, ...]] = []
    sequences: list[pa.Table] = []
    bounds = np.cumsum([0, *(len(piece.payloads) for piece in slices)])
    for topic in TOPICS:
        ours = [n for n, piece in enumerate(slices) if piece.partition.topic == topic]
        decoded = decode(topic, [payload for n in ours for payload in slices[n].payloads])
        spans = [np.arange(bounds[n], bounds[n + 1]) for n in ours]
        ordinals = np.concatenate([bounds[:0], *spans])
        kept = pa.array(ordinals[decoded.index], pa.int64())
        events[topic] = decoded.columns.append_column("ordinal", kept)
        if topic == USAGE:
            placed = [(places[slices[n].partition], slices[n].offsets) for n in ours]
            events[topic] = _placed(events[topic], placed, decoded.index)
        sequences.append(_sequences(topic, events[topic]))
        for failure in decoded.failures:
            ordinal = int(ordinals[failure.index])
            number = int(np.searchsorted(bounds, ordinal, "right")) - 1
            at = ordinal - int(bounds[number])
            rejected.append(_rejected(ordinal, slices[number], at, failure, read_us))
    for piece in slices:
        rejected += [_damaged(int(bounds[-1]), piece, one, read_us) for one in piece.damages]
    return Columns(events, pa.concat_tables(sequences), _rows(rejected))


def _placed(
    events: pa.Table, placed: Sequence[tuple[int, Sequence[int]]], index: Longs
) -> pa.Table:
    """With where each lies. `placed` are the number and the offsets of each slice."""
    numbers = np.repeat([one for one, _ in placed], [len(offsets) for _, offsets in placed])
    offsets = np.array([offset for _, some in placed for offset in some], np.int64)
    events = events.append_column("place", pa.array(numbers[index], pa.int32()))
    return events.append_column("offset", pa.array(offsets[index], pa.int64()))


def _sequences(topic: str, events: pa.Table) -> pa.Table:
    topics = pa.repeat(pa.scalar(topic), len(events))
    return pa.table(
        [topics, events["source"], events["sequence"], events["ordinal"]], schema=_SEQUENCES
    )


def _rejected(
    ordinal: int, piece: Slice, at: int, why: DecodeFailure, read_us: int
) -> tuple[Any, ...]:
    payload = piece.payloads[at]
    return (
        ordinal,
        *piece.partition,
        piece.offsets[at],
        payload,
        hashlib.sha256(payload).hexdigest(),
        why.source or piece.sources[at],
        why.sequence,
        why.code,
        why.reason,
        piece.arrived_us[at] if piece.arrived_us else read_us,
        why.account_id,
        why.started_us,
    )


def _damaged(ordinal: int, piece: Slice, why: Damage, read_us: int) -> tuple[Any, ...]:
    sha256 = hashlib.sha256(why.raw).hexdigest()
    unread = (None, None, why.code, why.reason)
    return (ordinal, *piece.partition, why.offset, why.raw, sha256, *unread, read_us, None, None)


def _rows(rejected: list[tuple[Any, ...]]) -> pa.Table:
    values = list(zip(*rejected, strict=True)) or [()] * len(_REJECTED)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(values, _REJECTED, strict=True)],
        schema=_REJECTED,
    )
