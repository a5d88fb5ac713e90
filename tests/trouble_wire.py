"""Kafka in this process, and all that may befall messages on the way into it: twice, out of order,
late by days, broken, dropped and sent again. What is in `entries` was accepted; it never changes.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from eventlog import Partition, Slice
from eventlog.slices import Tail
from schemas import TOPICS

PARTITIONS: Final = 2
LOG: Final = "wire/1"


@dataclass(frozen=True)
class Message:
    topic: str
    source: str
    payload: bytes
    due_us: int = 0  # not delivered before


@dataclass(frozen=True)
class Entry:
    """Where a message lies, and when it came."""

    offset: int
    message: Message
    arrived_us: int


class Wire:
    """`flight` is sent and not there yet, the next to come first; `sent` is all that ever was."""

    def __init__(self) -> None:
        self.flight: list[Message] = []
        self.sent: list[Message] = []
        self.entries: dict[Partition, list[Entry]] = {
            Partition(LOG, topic, str(number)): []
            for topic in TOPICS
            for number in range(PARTITIONS)
        }
        self._next = dict.fromkeys(self.entries, 0)

    def send(self, messages: list[Message]) -> None:
        self.sent += messages
        self.flight += messages

    def deliver(self, count: int, now_us: int) -> list[Message]:
        """The first of those that are due."""
        waiting: list[Message] = []
        delivered: list[Message] = []
        for at, one in enumerate(self.flight):
            if count == 0:
                waiting += self.flight[at:]
                break
            if one.due_us > now_us:
                waiting.append(one)
                continue
            count -= 1
            delivered.append(one)
            number = zlib.crc32(one.source.encode()) % PARTITIONS
            place = Partition(LOG, one.topic, str(number))
            self.entries[place].append(Entry(self._next[place], one, now_us))
            self._next[place] += 1
        self.flight = waiting
        return delivered

    def mark(self) -> None:
        """A transaction's marker takes an offset of every partition."""
        for place in self._next:
            self._next[place] += 1

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        wanted = set(topics)
        return {place: end for place, end in self._next.items() if place.topic in wanted}

    def slice(self, place: Partition, start: int, room: int) -> Slice | None:
        """From a position on; None where nothing follows."""
        found = [one for one in self.entries[place] if one.offset >= start]
        taken = found[:room]
        after = self._next[place] if taken == found else taken[-1].offset + 1
        if after == start:
            return None
        return Slice(
            place, start, after,
            [one.offset for one in taken],
            [one.message.payload for one in taken],
            [one.message.source for one in taken],
            [one.arrived_us for one in taken],
        )  # fmt: skip


class WireSource:
    """`eventlog.LogSource` over a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._positions: dict[Partition, int] = {}

    def assign(self, positions: Mapping[Partition, int]) -> None:
        self._positions = dict(positions)

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        found: list[Slice] = []
        for place in self._wire.entries:
            start = self._positions.get(place, 0)
            if events_max > 0 and (one := self._wire.slice(place, start, events_max)):
                found.append(one)
                events_max -= len(one.payloads)
                self._positions[place] = one.next
        return found

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        return self._wire.ends(topics)

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        return dict.fromkeys(self._wire.ends(topics), 0)

    def tails(self) -> list[Tail]:
        return []

    def advise(self, positions: Mapping[Partition, int]) -> None:
        """There are no lag tools here."""

    def close(self) -> None: ...
