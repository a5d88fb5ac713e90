"""Which segments of a journal may go: closed, and whole in Kafka, by the forwarder's cursor.

What may go is a beginning of a topic of an incarnation, so what stays has no hole. Left alone are
incarnations that a living process holds, heartbeats, the last segment that holds events and what
follows it (a later opening tells their last sequences), and a segment with anything in it that
Kafka did not get.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from edge.durable import sync_folder
from eventlog import Archive, Partition
from eventlog.journal_layout import Incarnation, incarnations, readable
from eventlog.journal_scan import GoodBlock, last_sequences, scan
from eventlog.kafka import KafkaTopics
from eventlog.slices import JOURNAL
from producers.cursor import CURSOR, Cursor
from producers.spool import COUNTED
from schemas import LIMITS

_SIZE_MAX: Final = LIMITS.event_bytes_max


@dataclass(frozen=True, slots=True)
class Prunable:
    """A segment that may go: the sequences `first` to `last` of `topic` of `source`."""

    source: str
    topic: str
    first: int
    last: int
    octets: int
    path: Path


def acknowledged(
    root: Path, kafka: KafkaTopics, archive: Archive | None
) -> tuple[dict[Partition, int], list[str]]:
    """Up to where Kafka holds the journal, topic by topic, and a remark on each topic left out:
    made anew since it was sent to, or without its first offsets, and `archive` has not all of them.

    Refuses with CURSOR_DAMAGED, TOPIC_MISSING or TOPIC_SETTINGS.
    """
    cursor = Cursor(root / CURSOR)
    topics = kafka.check(COUNTED)
    begins = kafka.begins(topics.values())
    lost = sorted({place.topic for place, at in begins.items() if not _is_held(place, at, archive)})
    logs = {name: topic.log for name, topic in topics.items() if name not in lost}
    remarks = [
        f"{topic}: nothing of it is pruned: Kafka no longer holds its first offsets; name the"
        " archive that does with --archive"
        for topic in lost
    ]
    found = cursor.acknowledged(logs)
    anew = {place.topic for place in cursor.positions} & logs.keys()
    remarks += [
        f"{topic}: nothing of it is pruned: it is not the topic that was sent to"
        for topic in sorted(anew - {place.topic for place in found})
    ]
    return found, remarks


def _is_held(place: Partition, begin: int, archive: Archive | None) -> bool:
    if begin == 0:
        return True
    part = archive.partitions.get(place) if archive is not None else None
    return part is not None and part.first == 0 and part.next >= begin


def prunable(root: Path, sent: Mapping[Partition, int], before_us: int) -> list[Prunable]:
    """What may go of the journal under `root`, of what was last written before `before_us`.

    `sent` are the sequences before which all was acknowledged. Refuses with JOURNAL_UNREADABLE.
    """
    with readable(root):
        return [
            one
            for home in incarnations(root)
            if not home.is_open()
            for topic in COUNTED
            for one in _of_topic(home, topic, sent, before_us)
        ]


def _of_topic(
    home: Incarnation, topic: str, sent: Mapping[Partition, int], before_us: int
) -> Iterator[Prunable]:
    segments = home.segments(topic)
    position = sent.get(Partition(JOURNAL, topic, home.source), 1)
    # Wholly sent, and something behind it: only then is it worth reading.
    waiting = [(one, after) for one, (after, _) in pairwise(segments) if after <= position]
    last = last_sequences(home).get(topic, 0) if waiting else 0
    for (first, path), after in waiting:
        told = path.stat()
        is_old = told.st_mtime_ns // 1000 < before_us
        if not (is_old and after <= last and _is_whole(home, topic, first, after)):
            return
        yield Prunable(home.source, topic, first, after - 1, told.st_size, path)


def _is_whole(home: Incarnation, topic: str, first: int, after: int) -> bool:
    """Whether the forwarder passed nothing over in it."""
    due = first
    for found in scan(home, topic, first, sealed=True):
        if not isinstance(found, GoodBlock) or found.first != due:
            return False
        if any(len(payload) > _SIZE_MAX for payload in found.payloads):
            return False
        due += len(found.payloads)
    return due == after


def prune(found: Sequence[Prunable]) -> None:
    """Deletes them in order, so that what is left at any moment is without a hole."""
    for one in found:
        one.path.unlink(missing_ok=True)
        sync_folder(one.path.parent)
