"""The bytes of an archive's segment: the journal's container, whose records are *runs*.

A run is values at consecutive offsets of one partition that came from one source at one time. So
every message keeps its offset, and what takes offsets without being a message (transaction
markers) stays a gap. Any Avro reader opens a segment.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from eventlog.journal_format import (
    SYNC_BYTES,
    Damaged,
    container_header,
    octets,
    pack,
    read_varint,
    split,
    unpack,
    varint,
)
from eventlog.slices import Partition

SCHEMA: Final = json.dumps(
    {
        "type": "record",
        "name": "Run",
        "namespace": "homemeeting",
        "fields": [
            {"name": "offset", "type": "long"},
            {"name": "arrived_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "source", "type": ["null", "string"]},
            {"name": "values", "type": {"type": "array", "items": "bytes"}},
        ],
    }
)
_EMPTY: Final = varint(0)
_NO_SOURCE, _A_SOURCE = varint(0), varint(1)


@dataclass(slots=True)
class Messages:
    """Messages of one partition in order of offset, as columns of one length."""

    offsets: list[int] = field(default_factory=list)
    arrived_us: list[int] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offsets)

    def part(self, first: int, last: int) -> "Messages":
        """Those numbered from `first` to before `last`."""
        cut = slice(first, last)
        return Messages(
            self.offsets[cut], self.arrived_us[cut], self.sources[cut], self.payloads[cut]
        )

    def add(self, more: "Messages") -> None:
        self.offsets += more.offsets
        self.arrived_us += more.arrived_us
        self.sources += more.sources
        self.payloads += more.payloads


def sync_marker(place: Partition, first: int) -> bytes:
    """The 16 bytes that end every block of the segment that begins at position `first`."""
    text = "\n".join([*place, str(first)]).encode()
    return hashlib.blake2b(text, digest_size=SYNC_BYTES).digest()


def segment_header(place: Partition, first: int) -> bytes:
    """A pure function of the segment's place, hence verifiable."""
    told = {**place._asdict(), "first": str(first)}
    return container_header(SCHEMA, told, sync_marker(place, first))


def block_of_runs(messages: Messages, sync: bytes) -> bytes:
    """One block of at least one message."""
    told = list(zip(messages.arrived_us, messages.sources, strict=True))
    offsets = messages.offsets
    breaks = [
        n
        for n in range(1, len(offsets))
        if offsets[n] != offsets[n - 1] + 1 or told[n] != told[n - 1]
    ]
    bounds = [0, *breaks, len(offsets)]
    runs = [
        _run(offsets[first], *told[first], messages.payloads[first:last])
        for first, last in pairwise(bounds)
    ]
    return pack(len(runs), b"".join(runs), sync)


def _run(offset: int, arrived_us: int, source: str | None, values: Sequence[bytes]) -> bytes:
    named = _NO_SOURCE if source is None else _A_SOURCE + octets(source.encode())
    items = b"".join(map(octets, values))
    return b"".join([varint(offset), varint(arrived_us), named, varint(len(values)), items, _EMPTY])


def read_segment(data: bytes, place: Partition, first: int, start: int = 0) -> Iterator[Messages]:
    """The messages of a segment, block by block, but blocks that lie wholly before offset `start`.

    Raises Damaged or Torn where it is not one; every block is proven, those passed over too.
    """
    waiting: tuple[int, bytes] | None = None
    for runs, plain in _blocks(data, place, first):
        if waiting and read_varint(memoryview(plain), 0)[0] > start:
            yield _messages(*waiting)
        waiting = runs, plain
    if waiting:
        yield _messages(*waiting)


def _blocks(data: bytes, place: Partition, first: int) -> Iterator[tuple[int, bytes]]:
    head, sync = segment_header(place, first), sync_marker(place, first)
    if data[: len(head)] != head:
        raise Damaged("the header is not that of this place")
    view, at = memoryview(data), len(head)
    while at < len(data):
        runs, plain, at = unpack(view, at, sync)
        yield runs, plain


def _messages(runs: int, plain: bytes) -> Messages:
    found, view, at = Messages(), memoryview(plain), 0
    for _ in range(runs):
        offset, at = read_varint(view, at)
        arrived_us, at = read_varint(view, at)
        source, at = _source(plain, at)
        count, at = read_varint(view, at)
        values, at = split(plain, at, count)
        if count < 1 or plain[at : at + 1] != _EMPTY:
            raise Damaged("a run does not end where it says")
        at += 1
        found.offsets += range(offset, offset + count)
        found.arrived_us += [arrived_us] * count
        found.sources += [source] * count
        found.payloads += values
    if at != len(plain):
        raise Damaged("the block does not hold as many runs as it says")
    return found


def _source(plain: bytes, at: int) -> tuple[str | None, int]:
    kind, at = plain[at : at + 1], at + 1
    if kind == _NO_SOURCE:
        return None, at
    if kind != _A_SOURCE:
        raise Damaged("a run's source is neither there nor missing")
    (name,), at = split(plain, at, 1)
    return name.decode(), at
