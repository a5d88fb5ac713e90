"""Kafka as a log to read, whichever client fetches: assignment, positions, incarnations.

Owns the promise that nothing read under another topic id, and nothing after a gap that retention
made, is ever handed on. The fetching is a `KafkaClient`'s.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge import Fault, Refused
from eventlog.kafka import KafkaTopics, Topic
from eventlog.slices import Partition, Slice, Tail

Place = tuple[str, int]
_LOOK_S = 1.0
_JUDGE_S = 5.0


class OutOfRange(Exception):
    """A partition no longer holds the offset we are at."""


class LogCut(Exception):
    """`places` were cut back to before the offset we are at, and written anew from there: a replica
    came to lead that lacked what was acknowledged.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        super().__init__()
        self.places = sorted(places)


@dataclass(slots=True)
class Fetched:
    """What a client has read of one partition; `next` is its position afterwards."""

    next: int
    offsets: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    arrived_us: list[int] = field(default_factory=list)


class KafkaClient(Protocol):
    """The part of a Kafka consumer that differs between libraries: manual assignment, no group."""

    def assign(self, positions: Mapping[Place, int]) -> None:
        """Read exactly these partitions, from these offsets on."""
        ...

    def fetch(self, events_max: int, timeout_s: float) -> dict[Place, Fetched]:
        """What is there now, of partitions whose position moved. Raises OutOfRange or LogCut."""
        ...

    def close(self) -> None: ...


class KafkaSource:
    """`eventlog.LogSource` over Kafka topics. Takes over `topics` and `client`, closing both."""

    def __init__(self, topics: KafkaTopics, client: KafkaClient, names: Iterable[str]) -> None:
        self._topics = topics
        self._client = client
        self._names = tuple(names)
        self._known: dict[str, Topic] = {}
        self._positions: dict[Place, int] = {}
        self._untold: set[Place] = set()
        self._looked_s = self._judged_s = 0.0

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read on from `positions`; those of topics not ours and of the journal are not looked at.

        Refuses with TOPIC_MISSING, TOPIC_SETTINGS, TOPIC_CHANGED or LOG_GONE.
        """
        known = self._topics.check(self._names)
        ours = {
            place: offset
            for place, offset in positions.items()
            if place.topic in known and "/" in place.log
        }
        begins = self._judge(known, ours)
        self._known, self._judged_s = known, time.monotonic()
        self._positions = {
            (place.topic, int(place.partition)): ours.get(place, begin)
            for place, begin in begins.items()
        }
        # Nobody counts from where these begin: an empty one would never be seen to reach its end.
        self._untold = {
            (place.topic, int(place.partition))
            for place, begin in begins.items()
            if begin and place not in ours
        }
        self._client.assign(self._positions)

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        """As the interface says; a slice without messages moves the position past markers.

        Refuses with TOPIC_CHANGED, LOG_GONE, TOPIC_SETTINGS or KAFKA_UNREACHABLE, handing on
        nothing of what it had read; it is read again after `assign`.
        """
        assert self._known, "assign before poll"
        try:
            return self._poll(events_max, timeout_s)
        except Refused:
            self._known = {}
            raise

    def _poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        try:
            fetched = self._client.fetch(events_max, timeout_s)
        except OutOfRange:
            self._judge(self._found(), self._standing())
            self._client.assign(self._positions)  # the bounds moved back under us: ask again
            return []
        except LogCut as cut:
            what = "was cut back to before what was read, and written anew"
            _refuse([_changed(f"{topic}[{number}]", what) for topic, number in cut.places])
        is_grown = False
        if fetched or time.monotonic() - self._looked_s >= _LOOK_S:
            # After the reading: what a topic made anew gave us must not pass as the old one's.
            is_grown = self._follow(self._found())
        for place in self._untold - fetched.keys():
            fetched[place] = Fetched(self._positions[place])
        self._untold.clear()
        slices = [self._slice(place, one) for place, one in sorted(fetched.items())]
        if is_grown:  # from behind what is handed on here, or it would be read twice
            self._client.assign(self._positions)
        return slices

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        return self._topics.ends(self._topics.find(topics).values())

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        return self._topics.begins(self._topics.find(topics).values())

    def tails(self) -> list[Tail]:
        """Kafka takes whole messages."""
        return []

    def advise(self, positions: Mapping[Partition, int]) -> None:
        self._topics.advise({place: at for place, at in positions.items() if "/" in place.log})

    def close(self) -> None:
        self._client.close()
        self._topics.close()

    def _slice(self, place: Place, one: Fetched) -> Slice:
        topic, number = place
        start = self._positions[place]
        self._positions[place] = one.next
        return Slice(
            Partition(self._known[topic].log, topic, str(number)),
            start,
            one.next,
            one.offsets,
            one.payloads,
            one.sources,
            one.arrived_us,
        )

    def _found(self) -> dict[str, Topic]:
        found = self._topics.find(self._names)
        self._looked_s = time.monotonic()
        faults = [
            _changed(topic.name, "was deleted" if topic.name not in found else "was made anew")
            for topic in self._known.values()
            if topic.name not in found or found[topic.name].log != topic.log
        ]
        _refuse(faults)
        if self._looked_s - self._judged_s >= _JUDGE_S:
            self._topics.judge(found)
            self._judged_s = self._looked_s
        return found

    def _follow(self, found: dict[str, Topic]) -> bool:
        """Whether partitions were added since; they are to be read from their beginning."""
        grown = [topic for topic in found.values() if topic != self._known[topic.name]]
        if not grown:
            return False
        for place, begin in self._topics.begins(grown).items():
            self._positions.setdefault((place.topic, int(place.partition)), begin)
        self._known = found
        return True

    def _standing(self) -> dict[Partition, int]:
        return {
            Partition(self._known[topic].log, topic, str(number)): offset
            for (topic, number), offset in self._positions.items()
        }

    def _judge(
        self, known: Mapping[str, Topic], positions: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Where every partition begins, if all of `positions` can be read on from."""
        begins = self._topics.begins(known.values())
        ends = self._topics.ends(known.values())
        faults: list[Fault] = []
        for place, offset in sorted(positions.items()):
            where = place.where
            if place not in ends:
                text = f"position {offset} belongs to topic id {place.log}, there is now"
                faults.append(_changed(where, f"{text} {known[place.topic].log}"))
            elif offset > ends[place]:
                faults.append(_changed(where, f"ends at {ends[place]}, before position {offset}"))
            elif offset < begins[place]:
                text = f"begins at {begins[place]}, after position {offset}: the events between"
                fault = f"{text} were deleted; restore the topic, or rebuild from the journals"
                faults.append(Fault("LOG_GONE", where, fault))
        _refuse(faults)
        return begins


def source_of(key: bytes | None) -> str | None:
    """The source a message's key names; None where there is none that is text."""
    if key is None:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def _changed(where: str, what: str) -> Fault:
    return Fault(
        "TOPIC_CHANGED", where, f"{what}; restore the topic, or begin a new home and rebuild"
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Refused(
            faults[0].code,
            "the topic no longer continues what was read; nothing was changed",
            faults,
        )
