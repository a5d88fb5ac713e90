"""An archive as a log to read, and behind its end the living log, which goes on there.

Every message stands at the (log, topic, partition, offset) it has in the living log.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from edge import Refused
from eventlog.archive_format import Messages, read_segment
from eventlog.archive_manifest import Archive, Archived, ArchivedFile
from eventlog.journal_format import Damaged, Torn
from eventlog.slices import POLL_OCTETS_MAX, LogSource, Partition, Slice, Tail, gone
from schemas import TOPICS


class ArchiveSource:
    """`eventlog.LogSource` over `archive`, then over `live`, where there is one: it is closed with
    this. Reads the topics given, which must be those that `live` reads.

    Polling refuses with ARCHIVE_DAMAGED, handing on nothing of a file that is not what was written.
    """

    def __init__(
        self, archive: Archive, live: LogSource | None = None, topics: Iterable[str] = TOPICS
    ) -> None:
        self._archive = archive
        self._live = live
        self._topics = frozenset(topics)
        self._reading: Iterator[Slice] = iter(())
        self._rest: Slice | None = None

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """As the interface says, over both. Refuses with LOG_GONE where the archive begins after a
        position, or the living log after the archive's end; with TOPIC_CHANGED where the living
        log is not the one that was archived.
        """
        parts = self._parts(self._topics)
        faults = [
            gone(place, positions[place], part.first)
            for place, part in sorted(parts.items())
            if positions.get(place, part.first) < part.first
        ]
        if faults:
            raise Refused("LOG_GONE", f"{self._archive.folder} begins too late", faults)
        at = {place: positions.get(place, part.first) for place, part in parts.items()}
        if self._live is not None:
            ends = {place: max(at[place], part.next) for place, part in parts.items()}
            self._live.assign({**positions, **ends})
        # Nobody counts from where these begin, and no message says so.
        untold = [place for place in parts if place not in positions and at[place]]
        self._reading = self._read(at, untold)
        self._rest = None

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        """As the interface says: a partition's archived messages before all of the living log."""
        found = self._gather(events_max)
        if found or self._live is None:
            return found
        return self._live.poll(events_max, timeout_s)

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        names = set(topics)
        found = {place: part.next for place, part in self._parts(names).items()}
        return found | (self._live.ends(names) if self._live is not None else {})

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        names = set(topics)
        live = self._live.begins(names) if self._live is not None else {}
        return live | {place: part.first for place, part in self._parts(names).items()}

    def tails(self) -> list[Tail]:
        return self._live.tails() if self._live is not None else []

    def advise(self, positions: Mapping[Partition, int]) -> None:
        """Who reads an archive reads again: lag tools are told by who follows the living log."""

    def close(self) -> None:
        self._reading = iter(())
        if self._live is not None:
            self._live.close()

    def _parts(self, topics: Iterable[str]) -> dict[Partition, Archived]:
        names = set(topics)
        return {
            place: part for place, part in self._archive.partitions.items() if place.topic in names
        }

    def _gather(self, events_max: int) -> list[Slice]:
        found: list[Slice] = []
        room, octets = events_max, POLL_OCTETS_MAX
        while room > 0 and octets > 0:
            piece = self._rest or next(self._reading, None)
            if piece is None:
                break
            now, self._rest = _parted(piece, room)
            found.append(now)
            room -= len(now.payloads)
            octets -= sum(map(len, now.payloads))
        return found

    def _read(self, at: Mapping[Partition, int], untold: Iterable[Partition]) -> Iterator[Slice]:
        """Block by block, a segment of each partition in its turn, so that all come on alike."""
        for place in sorted(untold):
            yield _slice(place, at[place], at[place], Messages())
        turns = sorted(
            (turn, place, one)
            for place, part in self._parts(self._topics).items()
            for turn, one in enumerate(part.files)
            if one.next > at[place]
        )
        for _, place, one in turns:
            yield from self._segment(place, one, max(one.first, at[place]))

    def _segment(self, place: Partition, one: ArchivedFile, start: int) -> Iterator[Slice]:
        data, begin = self._archive.read(one), start
        count = 0
        try:
            for block in read_segment(data, place, one.first, start):
                count += len(block)
                told = block.part(bisect_left(block.offsets, start), len(block))
                if told:
                    after = told.offsets[-1] + 1
                    yield _slice(place, start, after, told)
                    start = after
        except (Damaged, Torn, UnicodeDecodeError) as error:
            raise self._archive.damaged(one, str(error)) from error
        if begin == one.first and count != one.messages:
            raise self._archive.damaged(one, f"holds {count} messages, not {one.messages}")
        if start < one.next:  # nothing but transaction markers
            yield _slice(place, start, one.next, Messages())


def _slice(place: Partition, start: int, after: int, told: Messages) -> Slice:
    return Slice(place, start, after, told.offsets, told.payloads, told.sources, told.arrived_us)


def _parted(piece: Slice, room: int) -> tuple[Slice, Slice | None]:
    """The first `room` messages of `piece`, and the rest of it."""
    if len(piece.payloads) <= room:
        return piece, None
    middle = piece.offsets[room]
    told = Messages(piece.offsets, piece.arrived_us or [], piece.sources, piece.payloads)
    first, rest = told.part(0, room), told.part(room, len(told))
    return (
        _slice(piece.partition, piece.start, middle, first),
        _slice(piece.partition, middle, piece.next, rest),
    )
