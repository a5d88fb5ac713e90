"""One transaction takes what has come from all topics and partitions together (DESIGN §5).

Positions, deduplication and aggregates commit together or not at all, so whatever is killed,
repeated or reordered, the store says what the log says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consumers.columns import USAGE, Columns, columns
from consumers.horizon import Ends, Horizons, nothing_unread
from consumers.positions import move_positions, read_positions
from edge import Refused
from edge.settings import SAMPLE_DAYS
from eventlog import LogSource, Partition, Slice
from schemas import TOPICS
from warehouse import Queries, Store

SQL = Queries(Path(__file__).parent / "sql")
EVENTS_MAX = 100_000
_WAIT_S = 0.5
_CEILING_ROWS, _CEILING_SHARE = 500, 20  # at least 500 rows, and one event in 20

_USAGE = ("touched_records", "merge_records", "count_records", "merge_daily")
_PLACES = ("touched_places", "merge_places", "count_places")
_QUALITY = ("fresh_quality", "insert_samples", "merge_quality", "merge_sketch")
_HEARTBEAT = ("merge_states", "merge_totals", "merge_settlements", "merge_refusals")
_SEQUENCES = ("merge_sequences", "drop_sequences", "insert_sequences", "touched")


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction did: its number, messages read, rows newly in quarantine.

    `rejected` are the ordinals, over all slices, of the messages that could not be applied.
    """

    batch: int
    events: int
    quarantined: int
    rejected: frozenset[int]


class Projector:
    """The single writer of a usage store. `clock` gives UTC microseconds.

    Raw quality samples are kept for `sample_days` whole UTC days of event time before the clock's.
    """

    def __init__(
        self, store: Store, clock: Callable[[], int], *, sample_days: int = SAMPLE_DAYS
    ) -> None:
        self._store = store
        self._clock = clock
        self._sample_days = sample_days
        self._horizons = Horizons(store)

    def backlog(self, source: LogSource) -> int:
        """How far `source` goes beyond the store, in offsets of all partitions together."""
        at = self.positions()
        ends = source.ends(TOPICS).items()
        return sum(max(end - at.get(place, place.begin), 0) for place, end in ends)

    def run_once(
        self,
        source: LogSource,
        *,
        events_max: int = EVENTS_MAX,
        progress: Callable[[int], object] = lambda offsets: None,
    ) -> int:
        """Read `source` up to its present end; the number of messages read. `progress` is called
        with the offsets passed after each batch.

        Refuses with QUARANTINE_CEILING before the first batch and after any.
        """
        self._begin(source)
        ends = source.ends(TOPICS)
        read, at = 0, self.positions()
        while any(at.get(place, place.begin) < end for place, end in ends.items()):
            if slices := source.poll(events_max, _WAIT_S):
                read += self.apply(slices, source.ends).events
                at = self.positions()
                source.advise(at)
                progress(sum(piece.next - piece.start for piece in slices))
                self.refuse_past_ceiling()
        return read

    def run(self, source: LogSource, stopping: Callable[[], bool]) -> None:
        """Follow `source` until `stopping`; the batch at hand is finished first."""
        self._begin(source)
        while not stopping():
            if slices := source.poll(EVENTS_MAX, _WAIT_S):
                self.apply(slices, source.ends)
                source.advise(self.positions())
                self.refuse_past_ceiling()

    def positions(self) -> dict[Partition, int]:
        return read_positions(self._store)

    def apply(self, slices: Sequence[Slice], ends: Ends = nothing_unread) -> Applied:
        """Commit `slices`, which must go on where the store stands.

        `ends` tells the log's ends where something is missing: up to them it may still come.
        Refuses with POSITION_MOVED, nothing changed, where another writer was here.
        """
        read_us = self._clock()
        with self._store.transaction():
            number = self._number(read_us)
            move_positions(self._store, number, slices)
            self._keep_samples(read_us)
            done = self._merge(number, slices, columns(slices, read_us, self._places(slices)))
            self._horizons.move(ends)
        return done

    def reapply(self, slices: Sequence[Slice]) -> Applied:
        """Messages that were read before, once more, in a transaction that is the caller's."""
        now = self._clock()
        done = self._merge(self._number(now), slices, columns(slices, now, self._places(slices)))
        self._horizons.wait()
        return done

    def refuse_past_ceiling(self) -> None:
        ((rows, events),) = self._store.rows(SQL["ceiling"])
        if rows >= _CEILING_ROWS and rows * _CEILING_SHARE > events:
            what = f"{rows} open quarantine rows among the last {events} events"
            raise Refused(
                "QUARANTINE_CEILING", f"{what}: see `homemeeting quarantine list`, retry or dismiss"
            )

    def _begin(self, source: LogSource) -> None:
        self.refuse_past_ceiling()
        source.assign(self.positions())
        with self._store.transaction():
            self._horizons.resume(source.ends)

    def _keep_samples(self, now_us: int) -> None:
        moved = {"now_us": now_us, "days": self._sample_days}
        if self._store.rows(SQL["move_samples_kept"], moved):
            self._store.execute(SQL["drop_samples"])

    def _number(self, now_us: int) -> int:
        last = self._store.value(
            "SELECT greatest((SELECT max(batch) FROM batches), (SELECT max(batch) FROM additions),"
            " (SELECT max(last_batch) FROM usage_daily))"
        )
        return max(now_us, (last or 0) + 1)

    def _places(self, slices: Sequence[Slice]) -> dict[Partition, int]:
        """The numbers that partitions of usage have in this store, given where they have none."""
        found = {piece.partition for piece in slices if piece.partition.topic == USAGE}
        if not found:
            return {}
        told = {
            "logs": [place.log for place in found],
            "partitions": [place.partition for place in found],
        }
        self._store.execute(SQL["number_places"], told)
        rows = self._store.rows(SQL["numbered_places"], told)
        return {Partition(log, USAGE, partition): place for log, partition, place in rows}

    def _merge(self, number: int, slices: Sequence[Slice], found: Columns) -> Applied:
        store = self._store
        before = store.value("SELECT count(*) FROM quarantine")
        with store.tables(
            incoming_usage=found.events[USAGE],
            incoming_quality=found.events["meetings.quality"],
            incoming_load=found.events["servers.load"],
            incoming_heartbeat=found.events["sources.heartbeat"],
            incoming_sequences=found.sequences,
            incoming_quarantine=found.rejected,
        ):
            if len(found.rejected):
                store.execute(SQL["insert_quarantine"], {"batch": number})
            store.execute(SQL["fresh"])
            for name in self._steps(found):
                told = {"batch": number, "topics": list(TOPICS)}
                needed = {key: value for key, value in told.items() if f"${key}" in SQL[name]}
                store.execute(SQL[name], needed)
        quarantined = store.value("SELECT count(*) FROM quarantine") - before
        store.execute(SQL["insert_additions"], {"batch": number, "quarantined": quarantined})
        events = sum(len(piece.payloads) for piece in slices)
        rejected = frozenset(found.rejected["ordinal"].to_pylist())
        return Applied(number, events, quarantined, rejected)

    def _steps(self, found: Columns) -> Iterator[str]:
        """The statements that this batch needs, in order; the sequences last."""
        if len(found.events[USAGE]):
            yield from _USAGE
            if self._store.value(SQL["is_scattered"]):
                yield from _PLACES
        if len(found.events["meetings.quality"]):
            yield from _QUALITY
        if len(found.events["servers.load"]):
            yield "merge_servers"
        if len(found.events["sources.heartbeat"]):
            yield from _HEARTBEAT
        yield from _SEQUENCES
