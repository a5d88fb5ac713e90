"""The events of records, read from the log in the stretches where they lie and nowhere else.

Owns the reading, and what is said of events that the log no longer holds: LOG_GONE, with where
they lay.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from audit.explain_places import RecordPlace, Stretch, stretches
from consumers.columns import USAGE
from edge import Fault, Refused, Settings
from eventlog import LogSource, Partition, Slice, open_log
from eventlog.opening import no_kafka
from eventlog.slices import JOURNAL
from schemas import decode

_EVENTS_MAX, _WAIT_S, _PATIENCE = 20_000, 1.0, 10
_GONE: Final = frozenset({"LOG_GONE", "TOPIC_CHANGED"})


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the contract has it, times in UTC microseconds, and where it lies."""

    partition: Partition
    offset: int
    told: Mapping[str, Any]

    @property
    def record_id(self) -> UUID:
        return UUID(bytes=self.told["record_id"])


@dataclass(slots=True)
class Events:
    """What was found, by record, in order of time and place; and what was not."""

    by_record: dict[UUID, list[Event]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_events(
    home: Settings, places: Sequence[RecordPlace], archive: Path | None = None
) -> Events:
    """Every event of these records that is there, in the `archive` of Kafka before Kafka. The
    faults are LOG_GONE, one for each record and place of which the log does not hold all. Refuses
    as `open_log`.
    """
    if archive is not None and not home.bootstrap_servers:
        raise no_kafka()
    found: dict[UUID, list[Event]] = {}
    why: dict[RecordPlace, str] = {}
    by_log: dict[str, list[RecordPlace]] = {}
    for place in places:
        by_log.setdefault(place.partition.log, []).append(place)
    for log, some in sorted(by_log.items()):
        is_journal = log == JOURNAL
        if not is_journal and not home.bootstrap_servers:
            why |= dict.fromkeys(some, f"lie in Kafka {log}, and no Kafka is set")
            continue
        kind, kept = ("journal", None) if is_journal else ("kafka", archive)
        with closing(open_log(home, kind, kept, [USAGE])) as source:
            reading = _Reading(source, {place.record_id for place in some}, why)
            for event in reading.events(stretches(some)):
                found.setdefault(event.record_id, []).append(event)
    for events in found.values():
        events.sort(key=lambda one: (one.told["observed_at"], one.partition, one.offset))
    return Events(found, list(_gone(places, found, why)))


class _Reading:
    """Reads stretches of one log. `why` is filled with what keeps a place from being read."""

    def __init__(
        self, source: LogSource, records: Iterable[UUID], why: dict[RecordPlace, str]
    ) -> None:
        self._source = source
        self._records = pa.array([one.bytes for one in records], pa.binary(16))
        self._why = why
        self._begins, self._ends = source.begins([USAGE]), source.ends([USAGE])

    def events(self, wanted: Mapping[Partition, Sequence[Stretch]]) -> Iterator[Event]:
        for partition, some in wanted.items():
            for stretch in some:
                yield from self._stretch(partition, stretch)

    def _stretch(self, partition: Partition, stretch: Stretch) -> Iterator[Event]:
        try:
            for piece in self._slices(partition, stretch):
                yield from self._chosen(piece, stretch)
        except Refused as refused:
            if refused.code not in _GONE:
                raise
            if len(stretch.places) == 1:
                (fault, *_) = refused.faults or (refused,)
                self._why[stretch.places[0]] = f"are gone: {getattr(fault, 'message', fault)}"
                return
            for place in stretch.places:  # what lies behind the gap may be there
                yield from self._stretch(partition, Stretch(place.first, place.last, (place,)))

    def _slices(self, partition: Partition, stretch: Stretch) -> Iterator[Slice]:
        """What the log has of the stretch. Other partitions are begun at their ends."""
        begin = self._begins.get(partition, stretch.first)
        self._why |= {
            place: f"are not all there: it begins at {begin}"
            for place in stretch.places
            if place.first < begin
        }
        end = min(self._ends.get(partition, 0), stretch.last + 1)
        at, patience = max(stretch.first, begin), _PATIENCE
        if at >= end:
            return
        self._source.assign({**self._ends, partition: at})
        while at < end and patience:
            slices = self._source.poll(min(end - at, _EVENTS_MAX), _WAIT_S)
            ours = [piece for piece in slices if piece.partition == partition]
            patience -= not ours
            for piece in ours:
                at = piece.next
                yield piece

    def _chosen(self, piece: Slice, stretch: Stretch) -> Iterator[Event]:
        for damage in piece.damages:
            for place in stretch.places:
                if place.first <= damage.offset <= place.last:
                    self._why[place] = f"are not all there: {damage.offset} cannot be read"
        decoded = decode(USAGE, piece.payloads)
        is_ours = pc.is_in(decoded.columns["record_id"], value_set=self._records)
        rows = decoded.columns.filter(is_ours).to_pylist()
        index = decoded.index[is_ours.to_numpy()].tolist()
        for at, told in zip(index, rows, strict=True):
            if stretch.first <= piece.offsets[at] <= stretch.last:
                yield Event(piece.partition, piece.offsets[at], told)


def _gone(
    places: Iterable[RecordPlace],
    found: Mapping[UUID, Sequence[Event]],
    why: Mapping[RecordPlace, str],
) -> Iterator[Fault]:
    """A place is whole when its first and last event were found, and nothing was in the way. What
    the journal no longer has may have been read from Kafka: its offsets are sequences.
    """
    for place in places:
        events = found.get(place.record_id, ())
        seen = {(one.partition, one.offset) for one in events}
        copies = {(one.told["source"], one.told["sequence"]) for one in events}
        partition, bounds = place.partition, {place.first, place.last}
        is_there = all((partition, offset) in seen for offset in bounds)
        if partition.is_journal and not is_there:
            is_copied = all((partition.partition, offset) in copies for offset in bounds)
            if is_copied:
                continue
        if not is_there or place in why:
            reason = why.get(place, "are not there any more")
            span = f"offsets {place.first} to {place.last} of {partition.log}"
            message = f"events of record {place.record_id}, {span}, {reason}"
            yield Fault("LOG_GONE", partition.where, message)
