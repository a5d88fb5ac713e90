"""What every log yields: slices of consecutive messages of one partition, and what lies damaged.

One interface for the journal and for Kafka; the same contract test runs on every implementation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from edge import Fault

JOURNAL: Final = "journal"
# What one poll hands on at most, or one block more: an event has some 150 octets, but a message
# that is none may have millions.
POLL_OCTETS_MAX: Final = 64 * 1024 * 1024


class Partition(NamedTuple):
    """Where a position counts. `log` is `journal`, or Kafka's `cluster id/topic id`.

    In the journal the partition is the source; in Kafka its number, as text.
    """

    log: str
    topic: str
    partition: str

    @property
    def is_journal(self) -> bool:
        return self.log == JOURNAL

    @property
    def begin(self) -> int:
        """Where it once began: sequences count from 1, Kafka's offsets from 0."""
        return 1 if self.is_journal else 0

    @property
    def where(self) -> str:
        """Its name in faults."""
        return f"{self.topic}[{self.partition}]"


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of the log that cannot be read: `raw` bytes found where `offset` was due."""

    offset: int
    raw: bytes
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tail:
    """`octets` at the end of a source's topic in the journal that no living process completes.

    A process that is killed leaves them, and had accepted nothing of them; the power, when it
    fails, may take what was accepted within the fsync interval.
    """

    topic: str
    source: str
    octets: int

    def __str__(self) -> str:
        why = "left by a process that was killed or by a power failure; all before them is read"
        what = f"{self.octets} octets at its end are no whole block"
        return f"JOURNAL_TORN: {self.source} {self.topic}: {what}, {why}"


@dataclass(frozen=True, slots=True)
class Slice:
    """Messages of one partition in order of offset, and the position after them.

    `start` is the position they were read from, `next` the consumer's position afterwards (not
    the last offset + 1: transaction markers and damage take offsets too). `offsets`, `payloads`
    and `sources` have one length; `sources` holds the message keys, None where a key is missing.
    `arrived_us` is the log's arrival time of each message (UTC microseconds), None where the log
    keeps none.
    """

    partition: Partition
    start: int
    next: int
    offsets: list[int]
    payloads: list[bytes]
    sources: list[str | None]
    arrived_us: list[int] | None
    damages: tuple[Damage, ...] = ()


class LogSource(Protocol):
    """A log to be read from given positions. Errors are `edge.Refused` with a stable code."""

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Begin reading every topic at `positions`; partitions not named there at their start.

        Refuses with TOPIC_CHANGED where a position belongs to another incarnation of its topic or
        lies beyond the log's end, with LOG_GONE where the log no longer holds what follows it.
        """
        ...

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        """What is there now, at most about `events_max` messages; [] after `timeout_s`."""
        ...

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        """The position after the last message of every partition of `topics`, as of now."""
        ...

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        """The first position of every partition of `topics` that can still be read, as of now."""
        ...

    def tails(self) -> list[Tail]:
        """The torn tails of sources that no living process holds; [] where a log has none."""
        ...

    def advise(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log, for lag tools only, what has been committed elsewhere."""
        ...

    def close(self) -> None: ...


def gone(place: Partition, wanted: int, begin: int) -> Fault:
    """LOG_GONE: position `wanted` was asked for, and nothing before `begin` is there."""
    lost = f"offset {wanted} is" if begin == wanted + 1 else f"offsets {wanted} to {begin - 1} are"
    advice = "name the archive that holds them, or put them back"
    text = f"begins at {begin}, {lost} gone: {advice}"
    return Fault("LOG_GONE", place.where, text)
