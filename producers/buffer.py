"""What waits to be written: a bounded buffer that keeps what matters most when it is full.

Owns order, replacement and what is given up; knows no clock, no thread, no file. Its owner guards
it with a lock. Events are cumulative, so the newest state of a record stands for the older ones.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
SAMPLE = "SAMPLE"
INTERIM = "INTERIM"


@dataclass(slots=True)
class _Slot:
    topic: str
    label: str
    event: Event
    record: bytes | None


@dataclass(slots=True)
class Buffer:
    """At most `capacity` events, those taken and not yet `settled` included.

    `refused` counts what was given up, by (topic, label); the label is the usage phase or SAMPLE.
    """

    capacity: int
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)
    _slots: dict[int, _Slot] = field(default_factory=dict)
    _samples: dict[int, None] = field(default_factory=dict)
    _interims: dict[int, None] = field(default_factory=dict)
    _records: dict[bytes, int] = field(default_factory=dict)
    _ticket: int = 0
    _taken: int = 0

    def __len__(self) -> int:
        """Events held, written or not yet taken."""
        return len(self._slots) + self._taken

    @property
    def room(self) -> int:
        return self.capacity - len(self)

    @property
    def full(self) -> bool:
        return self.room <= 0

    def replaces(self, label: str, record: bytes | None) -> bool:
        """Whether an event of `record` would take the place of one that waits."""
        ticket = self._records.get(record) if record is not None else None
        return ticket is not None and self._supersedes(label, ticket)

    def add(self, topic: str, label: str, event: Event, record: bytes | None = None) -> bool:
        """Hold `event`; False where it, and nothing lesser, had to be given up.

        `record` names the record whose newest state this is; None for an event that stands alone
        and is never replaced.
        """
        waiting = self._records.get(record) if record is not None else None
        if waiting is not None and self._supersedes(label, waiting):
            self._replace(waiting, label, event)
            return True
        if self.full and not self._give_up(label):
            self._refuse(topic, label, record)
            return False
        self._ticket += 1
        ticket = self._ticket
        self._slots[ticket] = _Slot(topic, label, event, record)
        if label == SAMPLE:
            self._samples[ticket] = None
        elif label == INTERIM:
            self._interims[ticket] = None
        if record is not None:
            self._records[record] = ticket
        return True

    def take(self) -> dict[str, list[Event]]:
        """All that waits, by topic in order of arrival. It counts until `settle`."""
        batch: dict[str, list[Event]] = {}
        for slot in self._slots.values():
            batch.setdefault(slot.topic, []).append(slot.event)
        self._taken += len(self._slots)
        self._slots.clear()
        self._samples.clear()
        self._interims.clear()
        self._records.clear()
        return batch

    def settle(self) -> None:
        """What was taken is written: its room is free again."""
        self._taken = 0

    def lost(self) -> Mapping[str, int]:
        """What was given up so far and no later event mends, by topic: all but INTERIMs of records
        that go on. An INTERIM that stands alone may be the last that anybody knows of its record.
        """
        return Counter(self._lost)

    def _supersedes(self, label: str, waiting: int) -> bool:
        """An INTERIM gives way to its record's next state at once, a START only for want of room,
        so that in normal running every record's beginning is in the log.
        """
        held = self._slots[waiting].label
        return (held == INTERIM and label == INTERIM) or (
            self.full and held in (INTERIM, "START") and label in (INTERIM, "STOP")
        )

    def _replace(self, ticket: int, label: str, event: Event) -> None:
        slot = self._slots[ticket]
        # A START that meets its record's INTERIM keeps its rank: it must not be given up for less.
        if slot.label == "START" and label == INTERIM:
            slot.event = event
            return
        self._interims.pop(ticket, None)
        slot.label, slot.event = label, event
        if label == INTERIM:
            self._interims[ticket] = None

    def _give_up(self, label: str) -> bool:
        """Make room for an event by giving up a lesser one: samples first, then INTERIMs."""
        lesser = [] if label == SAMPLE else [self._samples]
        if label not in (SAMPLE, INTERIM):
            lesser.append(self._interims)
        for tickets in lesser:
            if tickets:
                ticket, _ = tickets.popitem()
                slot = self._slots.pop(ticket)
                if slot.record is not None and self._records.get(slot.record) == ticket:
                    del self._records[slot.record]
                self._refuse(slot.topic, slot.label, slot.record)
                return True
        return False

    def _refuse(self, topic: str, label: str, record: bytes | None) -> None:
        self.refused[topic, label] += 1
        if label != INTERIM or record is None:
            self._lost[topic] += 1
