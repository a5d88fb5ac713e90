"""From the journal to Kafka: every message value as it is, keyed by its source.

Owns order and patience: a heartbeat is sent only when all that it promises was acknowledged, the
cursor moves only after the acknowledgement, and while Kafka is down it waits. What was sent may be
sent again, after a restart or to a topic made anew: readers recognise it by its sequence. Topics
are checked before the first send and every few seconds, and never created.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from edge import Fault, Refused
from edge.patience import Patience
from edge.private import make_folder
from eventlog import JournalSource, Partition, Slice, Tail
from eventlog.journal_layout import hold, readable
from eventlog.kafka import KafkaTopics
from eventlog.kafka_settings import KafkaSettings
from producers.cursor import CURSOR, Cursor
from producers.sender import Message, Sender
from producers.spool import HEARTBEATS
from schemas import LIMITS, TOPICS

_LOCK: Final = "forward.lock"
_EVENTS: Final = tuple(topic for topic in TOPICS if topic != HEARTBEATS)
_BATCH_EVENTS: Final = 20_000
_SIZE_MAX: Final = LIMITS.event_bytes_max
_LOOK_S: Final = 5.0
_LOGGER: Final = logging.getLogger("homemeeting.forward")


@dataclass(frozen=True, slots=True)
class _Held:
    """Heartbeats read, and where the other topics ended afterwards: they promise no more."""

    beats: list[Slice]
    ends: Mapping[Partition, int]


class Forwarder:
    """The one process that forwards the journal under `root`; a second is refused (LOCK_HELD).

    `sleep` is called between attempts while Kafka does not answer. `forwarded` counts events.
    `unsent` is told what the journal holds and Kafka will not have, once each: stretches that
    cannot be read (JOURNAL_DAMAGED), values above 64 KiB, which no projector takes
    (EVENT_NOT_SENT), and what topics made anew do not get because it was pruned (JOURNAL_PRUNED).
    They are passed over and show in Kafka as holes. By default they are logged.

    Refuses with JOURNAL_UNREADABLE, here and whenever it reads.
    """

    def __init__(
        self,
        root: Path,
        settings: KafkaSettings,
        *,
        sleep: Callable[[float], object],
        unsent: Callable[[Fault], object] = _LOGGER.warning,
    ) -> None:
        with readable(root):
            make_folder(root)
            self._lock = hold(root / _LOCK, "forwarding this journal")
        self._settings, self._sleep, self._unsent = settings, sleep, unsent
        try:
            self._cursor = Cursor(root / CURSOR)
        except Refused:
            os.close(self._lock)
            raise
        self._beats = JournalSource(root, [HEARTBEATS])
        self._events = JournalSource(root, _EVENTS)
        self._held: _Held | None = None
        self._topics: KafkaTopics | None = None
        self._sender: Sender | None = None
        self._looked_s = 0.0
        self._told: set[Partition] = set()
        self.forwarded = 0

    def run_once(self) -> int:
        """Forward up to the journal's present end and return how many events that were.

        Raises Refused: KAFKA_UNREACHABLE where Kafka does not answer, KAFKA_REFUSED where it will
        not take an event, which is named. The cursor says how far it came.
        """
        begin = self.forwarded
        ends = self._ends()
        try:
            self._connect()
            while not self._reached(ends) and self._forward(0.0):
                pass
        except Refused:
            self._disconnect()
            raise
        return self.forwarded - begin

    def run(self, stopping: Callable[[], bool], poll_s: float = 0.5) -> None:
        """Forward until `stopping()`. While Kafka is down, wait, longer each time, and go on.

        Raises Refused for what waiting does not mend, such as a topic that is missing or an event
        that Kafka will not take.
        """
        patience = Patience("Kafka", self._sleep, _LOGGER.warning)
        while not stopping():
            try:
                self._connect()
                self._forward(poll_s)
            except Refused as refusal:
                self._disconnect()
                if refusal.code != "KAFKA_UNREACHABLE":
                    raise
                patience.wait(refusal.summary, stopping)
            else:
                patience.over()

    def tails(self) -> list[Tail]:
        """The journal's torn tails; Kafka gets nothing of them."""
        return [*self._events.tails(), *self._beats.tails()]

    def close(self) -> None:
        self._disconnect()
        self._beats.close()
        self._events.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _forward(self, timeout_s: float) -> bool:
        """Send one batch, wait for its acknowledgement, move the cursor. False: nothing was there.

        Bounded: one batch of heartbeats waits at most, and no more are read before it is sent.
        """
        if self._held is None and (beats := self._beats.poll(_BATCH_EVENTS, 0.0)):
            self._held = _Held(beats, self._events.ends(_EVENTS))
        held = self._held
        if held is None or not self._reached(held.ends):
            slices = self._events.poll(_BATCH_EVENTS, 0.0 if held else timeout_s)
            if slices:
                self._deliver(slices)
                return True
        if held is None:
            return False
        self._deliver(held.beats)
        self._held = None
        return True

    def _deliver(self, slices: Sequence[Slice]) -> None:
        messages = [
            Message(one.partition, offset, value)
            for one in slices
            for offset, value in zip(one.offsets, one.payloads, strict=True)
            if len(value) <= _SIZE_MAX
        ]
        assert self._sender is not None
        try:
            self._sender.send(messages)
        except Refused as refusal:
            if refusal.code != "KAFKA_REFUSED":
                raise
            if self._look():
                return  # they were not the topics that we knew: all of it is read again
            raise self._name(refusal, messages) from refusal
        for one in slices:
            self._tell_unsent(one)
        self._cursor.move({one.partition: one.next for one in slices})
        self.forwarded += len(messages)

    def _name(self, refusal: Refused, messages: Sequence[Message]) -> Refused:
        assert self._sender is not None
        faults = self._sender.isolate(messages, self._taken)
        if not faults:
            return Refused("KAFKA_UNREACHABLE", f"{refusal.summary}, and then took all of it")
        what = "nothing behind these is sent before them, and nothing is lost"
        return Refused(refusal.code, f"{refusal.summary}: mend topic or rights; {what}", faults)

    def _taken(self, messages: Sequence[Message]) -> None:
        self._cursor.move({one.partition: one.sequence + 1 for one in messages})
        self.forwarded += len(messages)

    def _tell_unsent(self, one: Slice) -> None:
        for damage in one.damages:
            self._unsent(_fault("JOURNAL_DAMAGED", one, damage.offset, damage.reason))
        for offset, value in zip(one.offsets, one.payloads, strict=True):
            if len(value) > _SIZE_MAX:
                why = f"it has {len(value)} bytes, {_SIZE_MAX} at most"
                self._unsent(_fault("EVENT_NOT_SENT", one, offset, why))

    def _connect(self) -> None:
        if self._sender is None:
            self._disconnect()  # an attempt may have come half-way
            self._topics = KafkaTopics.connect(self._settings)
            self._look()
            self._sender = Sender(self._settings)
            self._assign()
        elif time.monotonic() - self._looked_s >= _LOOK_S:
            self._look()

    def _look(self) -> bool:
        """Check the topics; whether some are not those that were sent to, and begin anew."""
        assert self._topics is not None
        found = self._topics.check(TOPICS)
        self._looked_s = time.monotonic()
        anew = self._cursor.meet({name: topic.log for name, topic in found.items()})
        if not anew:
            return False
        names = ", ".join(anew)
        _LOGGER.warning("not the topics that were sent to before, all is sent again: %s", names)
        if self._sender is not None:
            self._sender.renew()  # its numbering belongs to the topics of before
        self._assign()
        return True

    def _assign(self) -> None:
        self._held = None
        for log, topics in ((self._beats, [HEARTBEATS]), (self._events, _EVENTS)):
            log.assign(self._cursor.positions)
            self._tell_pruned(log.begins(topics))

    def _tell_pruned(self, begins: Mapping[Partition, int]) -> None:
        """What topics made anew do not get: it was pruned when those before them had it."""
        pruned = {place for place, begin in begins.items() if begin > 1}
        for place in sorted(pruned - self._cursor.positions.keys() - self._told):
            what = f"sequences 1 to {begins[place] - 1} were pruned"
            advice = "they are in the archive alone, and a hole in Kafka"
            where = f"{place.topic} {place.partition}"
            self._unsent(Fault("JOURNAL_PRUNED", where, f"{what}: {advice}"))
            self._told.add(place)

    def _disconnect(self) -> None:
        if self._sender is not None:
            sender, self._sender = self._sender, None
            sender.close()
        if self._topics is not None:
            topics, self._topics = self._topics, None
            topics.close()

    def _ends(self) -> dict[Partition, int]:
        return {**self._beats.ends([HEARTBEATS]), **self._events.ends(_EVENTS)}

    def _reached(self, ends: Mapping[Partition, int]) -> bool:
        at = self._cursor.positions
        return all(at.get(partition, 1) >= end for partition, end in ends.items())


def _fault(code: str, one: Slice, sequence: int, why: str) -> Fault:
    place = f"{one.partition.topic} {one.partition.partition} sequence {sequence}"
    return Fault(code, place, f"{why}: passed over, a hole in Kafka")
