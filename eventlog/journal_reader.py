"""The journal as a log to read: every source of every topic is a partition, sequence is offset.

Follows files that are still being written; remembers where it stands in each. Changes nothing.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import Refused
from eventlog.journal_ends import JournalEnds
from eventlog.journal_layout import Incarnation, incarnations, readable
from eventlog.journal_scan import BadBlock, GoodBlock, TornTail, scan
from eventlog.slices import JOURNAL, POLL_OCTETS_MAX, Damage, Partition, Slice, Tail, gone
from schemas import TOPICS

_IDLE_S = 0.05


@dataclass(slots=True)
class _Cursor:
    """Where reading goes on: byte `at` of the segment that begins with `segment`."""

    segment: int
    at: int
    due: int


class JournalSource:
    """`eventlog.LogSource` over a journal directory, or over what one server has written there."""

    def __init__(
        self, root: Path, topics: Iterable[str] = TOPICS, server_id: str | None = None
    ) -> None:
        self._root = root
        self._server_id = server_id
        self._topics = tuple(topics)
        self._positions: dict[Partition, int] = {}
        self._cursors: dict[Partition, _Cursor] = {}
        self._ends = JournalEnds()
        self._served: tuple[Path, int] | None = None
        self._torn: set[Partition] = set()

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read on from `positions`. A journal restored from an older copy just has less to give.

        Refuses with LOG_GONE where `journal prune` took what follows a position.
        """
        begins = self.begins({place.topic for place in positions})
        faults = [
            gone(place, at, begins[place])
            for place, at in sorted(positions.items())
            if at < begins.get(place, at)
        ]
        if faults:
            raise Refused("LOG_GONE", "the journal no longer holds all that was asked for", faults)
        self._positions = dict(positions)
        self._cursors.clear()

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        """As the interface says. Refuses with JOURNAL_UNREADABLE; one not there yet is empty."""
        deadline = time.monotonic() + timeout_s
        while True:
            with readable(self._root):
                found = self._round(events_max)
            if found or time.monotonic() >= deadline:
                return found
            time.sleep(min(_IDLE_S, max(0.0, deadline - time.monotonic())))

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        """As the interface says. Refuses with JOURNAL_UNREADABLE."""
        wanted = set(topics)
        with readable(self._root):
            return {
                Partition(JOURNAL, topic, home.source): end
                for home in incarnations(self._root, self._server_id)
                for topic in TOPICS
                if topic in wanted and (end := self._ends.end(home, topic)) > 1
            }

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        """As the interface says: 1, but where segments were pruned."""
        wanted = [topic for topic in TOPICS if topic in set(topics)]
        with readable(self._root):
            return {
                Partition(JOURNAL, topic, home.source): segments[0][0]
                for home in incarnations(self._root, self._server_id)
                for topic in wanted
                if (segments := home.segments(topic))
            }

    def tails(self) -> list[Tail]:
        """As the interface says, of the topics read here. Refuses with JOURNAL_UNREADABLE."""
        with readable(self._root):
            return [
                Tail(topic, home.source, octets)
                for home in incarnations(self._root, self._server_id)
                for topic in self._topics
                # Asked again when no process is seen: it may have gone on, and closed, meanwhile.
                if self._ends.torn(home, topic)
                and not home.is_open()
                and (octets := self._ends.torn(home, topic))
            ]

    def advise(self, positions: Mapping[Partition, int]) -> None:
        """The journal has no lag tools of its own."""

    def close(self) -> None:
        self._cursors.clear()

    def _round(self, events_max: int) -> list[Slice]:
        """What is there now, of every partition in its turn."""
        found: list[Slice] = []
        room = _Room(events_max, POLL_OCTETS_MAX)
        for key, home, topic in self._in_turn():
            if room.is_full:
                break
            if one := self._read(home, topic, room):
                self._served = key
                found.append(one)
        return found

    def _in_turn(self) -> list[tuple[tuple[Path, int], Incarnation, str]]:
        """Every partition, those behind the last one served first: a busy one starves no other."""
        found = list(self._partitions())
        served = self._served
        later = [one for one in found if served is not None and one[0] > served]
        return later + found[: len(found) - len(later)]

    def _partitions(self) -> Iterator[tuple[tuple[Path, int], Incarnation, str]]:
        """In order of their keys."""
        for home in incarnations(self._root, self._server_id):
            for number, topic in enumerate(self._topics):
                yield (home.path, number), home, topic

    def _read(self, home: Incarnation, topic: str, room: "_Room") -> Slice | None:
        partition = Partition(JOURNAL, topic, home.source)
        files = home.segments(topic)
        if not files:
            return None
        segments = [first for first, _ in files]
        start = self._positions.get(partition, segments[0])
        cursor = self._cursors.get(partition) or _enter(segments, start)
        if cursor.segment == segments[-1] and files[-1][1].stat().st_size == cursor.at:
            return None  # nothing was added
        reading = _Reading(start, room)
        while True:
            later = [first for first in segments if first > cursor.segment]
            self._follow(home, topic, cursor, reading, bool(later))
            if room.is_full or not later or partition in self._torn:
                break
            cursor = _Cursor(later[0], 0, 0)
        self._cursors[partition] = cursor
        if reading.next == start:
            return None
        self._positions[partition] = reading.next
        return reading.slice(partition, home.source)

    def _follow(
        self,
        home: Incarnation,
        topic: str,
        cursor: _Cursor,
        reading: "_Reading",
        sealed: bool,
    ) -> None:
        partition = Partition(JOURNAL, topic, home.source)
        self._torn.discard(partition)
        blocks = scan(home, topic, cursor.segment, at=cursor.at, due=cursor.due, sealed=sealed)
        for found in blocks:
            if isinstance(found, TornTail):
                self._torn.add(partition)
                return
            reading.take(found)
            if isinstance(found, GoodBlock):  # what follows damage must be seen behind it
                cursor.at, cursor.due = found.end, found.first + len(found.payloads)
            if reading.room.is_full:
                return


def _enter(segments: list[int], start: int) -> _Cursor:
    at_or_before = [first for first in segments if first <= start]
    return _Cursor(at_or_before[-1] if at_or_before else segments[0], 0, 0)


@dataclass(slots=True)
class _Room:
    """What one poll may still take; the block at hand is taken whole."""

    events: int
    octets: int

    @property
    def is_full(self) -> bool:
        return self.events <= 0 or self.octets <= 0

    def take(self, events: int, octets: int) -> None:
        self.events -= events
        self.octets -= octets


class _Reading:
    """What one poll gathers from one partition, from position `start` on, while there is room."""

    def __init__(self, start: int, room: _Room) -> None:
        self.start = self.next = start
        self.room = room
        self.offsets: list[int] = []
        self.payloads: list[bytes] = []
        self.damages: list[Damage] = []

    def take(self, found: GoodBlock | BadBlock) -> None:
        if isinstance(found, BadBlock):
            # Read before: what follows it was taken, so the position lies beyond it.
            if found.first >= self.start:
                self.damages.append(Damage(found.first, found.raw, "BLOCK_DAMAGED", found.reason))
                self.next = max(self.next, found.first + 1)
                self.room.take(0, len(found.raw))
            return
        skip = max(0, self.start - found.first)
        payloads = found.payloads[skip:]
        if payloads:
            first = found.first + skip
            self.offsets.extend(range(first, first + len(payloads)))
            self.payloads.extend(payloads)
            self.next = first + len(payloads)
            self.room.take(len(payloads), sum(map(len, payloads)))

    def slice(self, partition: Partition, source: str) -> Slice:
        sources: list[str | None] = [source] * len(self.payloads)
        return Slice(
            partition,
            self.start,
            self.next,
            self.offsets,
            self.payloads,
            sources,
            None,
            tuple(self.damages),
        )
