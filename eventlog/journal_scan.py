"""Reading one segment or incarnation off the disk: good blocks, damage between them, torn tail.

A bad block is stepped over at the next sync marker; a tail that no marker follows is torn and is
left as it is. Nothing here changes a file.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eventlog.journal_format import (
    SYNC_BYTES,
    Damaged,
    Torn,
    header,
    read_block,
    sync_marker,
)
from eventlog.journal_layout import Incarnation
from schemas import TOPICS, decode, peek


@dataclass(frozen=True, slots=True)
class GoodBlock:
    """Message values from sequence `first` on; the block ends at `end` in its file."""

    first: int
    payloads: list[bytes]
    end: int


@dataclass(frozen=True, slots=True)
class BadBlock:
    """`raw` bytes where the block with sequence `first` was due; reading resumes at `end`."""

    first: int
    raw: bytes
    reason: str
    end: int


@dataclass(frozen=True, slots=True)
class TornTail:
    """The file ends within a block, at `start`; a living writer may still complete it."""

    start: int
    octets: int


Found = GoodBlock | BadBlock | TornTail
# Snappy's best is 64 octets in 3, and a record takes one at least.
_RECORDS_PER_OCTET_MAX: Final = 22


def scan(
    home: Incarnation, topic: str, first: int, *, at: int = 0, due: int = 0, sealed: bool = False
) -> Iterator[Found]:
    """What the segment beginning with `first` holds from byte `at` on, where `due` is next.

    `sealed`: a later segment exists, so bytes at the end that are no block are damage, not torn.
    """
    sync = sync_marker(home.source, topic, first)
    begin = at or len(header(home.source, topic, first))  # a damaged header has the same length
    data = _read(home.segment(topic, first), begin)
    yield from _blocks(data, begin, due or first, sync, home.source, sealed)


def _read(path: Path, begin: int) -> bytes:
    """What lies behind `begin`. Copied, for a writer that meets a full disk takes its half-written
    block back, and a mapped page that goes kills its reader.
    """
    with path.open("rb") as file:
        file.seek(begin)
        return file.read()


def _blocks(  # noqa: PLR0913  all tell where `data` stands
    data: bytes, base: int, due: int, sync: bytes, source: str, sealed: bool
) -> Iterator[Found]:
    """The blocks of `data`, which lies at `base` in its file."""
    view, at, damaged = memoryview(data), 0, 0
    while at < len(data):
        try:
            good = read_block(view, at, sync)
        except (Torn, Damaged) as error:
            end = _resume(data, at, sync, error)
            if end is None and not sealed:
                yield TornTail(base + at, len(data) - at)
                return
            end = end or len(data)
            yield BadBlock(due, data[at:end], str(error), base + end)
            damaged += end - at
            at, due = end, due + 1
            continue
        if damaged:
            due, damaged = _due_behind(damaged, good.payloads, source, due), 0
        yield GoodBlock(due, good.payloads, base + good.end)
        due, at = due + len(good.payloads), good.end


def _resume(data: bytes, at: int, sync: bytes, error: Torn | Damaged) -> int | None:
    """The place after the damage that begins at `at`; None where nothing shows it."""
    if isinstance(error, Damaged) and error.end:
        return error.end
    marker = data.find(sync, at)
    return marker + SYNC_BYTES if marker >= 0 else None


def _due_behind(damaged: int, payloads: Sequence[bytes], source: str, due: int) -> int:
    """Where `payloads` begin, `due` at the earliest: what was in so many `damaged` octets before
    them nobody counts, but the source's own events say where they stand. Believed only then, most
    of them, and only as far as can be: a forged number would lead past all that follows.
    """
    last = due + damaged * _RECORDS_PER_OCTET_MAX
    told = Counter(
        seen[1] - number
        for number, payload in enumerate(payloads)
        if (seen := peek(payload)) and seen[0] == source and due <= seen[1] - number <= last
    )
    return max(told, key=lambda first: (told[first], -first), default=due)


def last_sequences(home: Incarnation) -> dict[str, int]:
    """The last readable sequence of every topic of `home`; topics without one are left out."""
    last: dict[str, int] = {}
    for topic in TOPICS:
        for first, _ in reversed(home.segments(topic)):
            ends = [
                found.first + len(found.payloads) - 1
                for found in scan(home, topic, first)
                if isinstance(found, GoodBlock)
            ]
            if ends:
                last[topic] = ends[-1]
                break
    return last


def is_closed(home: Incarnation) -> bool:
    """Whether the last heartbeat of `home` is its CLOSE."""
    topic = "sources.heartbeat"
    for first, _ in reversed(home.segments(topic)):
        last: list[bytes] = []
        for found in scan(home, topic, first):
            if isinstance(found, GoodBlock):
                last = found.payloads[-1:]
        if last:
            beats = decode(topic, last)
            return bool(beats.columns["phase"].to_pylist() == ["CLOSE"])
    return False
