"""The emitter's works: time, threads, waiting, and what is due.

Owns interims, cuts, heartbeats and when to write. What a record is lies in `record`, what a full
buffer gives up in `buffer`, sequences and bytes in `spool`, the typed calls in `emitter`.
"""

import heapq
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from edge import Refused
from eventlog.journal_writer import Fsync, JournalWriter
from producers.buffer import INTERIM, SAMPLE, Buffer
from producers.record import OpenRecord, QuantityKind
from producers.spool import BeatPhase, Spool
from schemas import LIMITS

USAGE: Final = "meetings.usage"
_PIECE: Final = 500  # records whose turn it is, at a time: callers wait meanwhile
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EmitterSettings:
    """`block_ms` is the longest a call waits for room; `buffer_events` bounds what may wait."""

    flush_interval_ms: int = 50
    interim_s: int = 60
    beat_s: int = 60
    cut_s: int = 24 * 3600
    buffer_events: int = 100_000
    block_ms: int = 100
    fsync: Fsync = "interval"

    def __post_init__(self) -> None:
        assert 0 < self.cut_s * _SECOND_US <= LIMITS.record_us_max
        assert min(self.flush_interval_ms, self.interim_s, self.beat_s) > 0
        assert self.buffer_events >= 2, "a cut is two events"


class Engine:
    """Takes checked events and open records, writes them in time. Safe to call from many threads.

    Order of locks: `_writing`, then `_state`. Callers wait for `_state` alone, which is never held
    during a write.
    """

    def __init__(
        self,
        writer: JournalWriter,
        server_id: str,
        settings: EmitterSettings,
        clock: Callable[[], int],
        ids: Callable[[], UUID],
        *,
        threaded: bool,
        replay: bool,
    ) -> None:
        self._clock, self._ids, self._settings, self._replay = clock, ids, settings, replay
        self._now = clock()
        self._latest = LIMITS.time_us_min
        self._due: list[tuple[int, int, OpenRecord]] = []
        self._started = 0
        self._held: list[int] = []
        self._buffer = Buffer(settings.buffer_events)
        self._spool = Spool(writer, server_id)
        self._threaded = threaded
        self._closing = self._stopping = self._closed = False
        self._ending = threading.Lock()
        self._write_due = self._beat_due = self._now
        self._writing = threading.Lock()
        self._state = threading.Condition()
        self._wake = threading.Event()
        self.write_failures = 0
        self._thread: threading.Thread | None = None
        self._write_or_refuse("OPEN")
        self._begin_thread()

    @property
    def refused(self) -> Counter[str]:
        with self._state:
            kinds: Counter[str] = Counter()
            for (_, label), count in self._buffer.refused.items():
                kinds[label] += count
            return kinds

    @property
    def accepted(self) -> dict[str, int]:
        return self._spool.written()

    def start(
        self, identity: dict[str, Any], quantity: int | None, kind: QuantityKind
    ) -> OpenRecord:
        self._relieve()
        with self._state:
            assert not self._closing, "the emitter is closed"
            at = self._time()
            record = OpenRecord(identity, self._ids().bytes, at, quantity, kind)
            self._put_own(record, "START", at)
            self._schedule(record)
            return record

    def observe(self, record: OpenRecord, phase: str, quantity: int | None) -> None:
        self._relieve()
        with self._state:
            assert not self._closing, "the emitter is closed"
            if record.stopped:
                return
            at = self._time()
            self._cut(record, at - 1)  # what ends at its 24 hours needs no second record
            record.observe(quantity)
            record.stopped = phase == "STOP"
            self._put_own(record, phase, at)

    def sample(self, topic: str, event: dict[str, Any]) -> None:
        """Take a sample and stamp it with the time now."""
        self._relieve()
        with self._state:
            assert not self._closing, "the emitter is closed"
            event["sampled_at"] = at = self._time()
            self._put(topic, SAMPLE, event, at, None)

    def pass_in(self, topic: str, event: dict[str, Any]) -> bool:
        """Take a whole event as it is; it replaces nothing and is replaced by nothing."""
        self._relieve()
        with self._state:
            assert not self._closing, "the emitter is closed"
            seen_at = event["observed_at"] if topic == USAGE else event["sampled_at"]
            self._latest = max(self._latest, seen_at)
            label = event["phase"] if topic == USAGE else SAMPLE
            return self._put(topic, label, event, self._time(), None)

    def flush(self) -> None:
        self._spool.refuse_child()
        self._write_or_refuse(None)

    def tick(self, now: int | None) -> None:
        self._spool.refuse_child()
        with self._state:
            if self._closed:
                return
            at = self._time(now)
        while self._advance(at):
            if not self._try_write(None):
                break
        with self._state:
            beat, due = at >= self._beat_due, at >= self._write_due
            due = due or len(self._buffer) * 2 > self._settings.buffer_events
        if beat or due:
            self._try_write("BEAT" if beat else None)

    def close(self) -> None:
        self._spool.refuse_child()
        with self._ending:
            if self._closed:
                return
            with self._state:
                self._closing = True
                # Whoever waits for room gets it, or gives up in `block_ms`; nobody new comes.
                self._state.wait_for(lambda: not self._held)
            self._end_thread()
            try:
                self._last_states()
                self._write_or_refuse("CLOSE")
            except Refused:
                self._closing = False
                self._begin_thread()
                raise
            self._closed = True
            try:
                self._spool.close()
            except OSError as error:
                raise _refusal(error) from error

    def _begin_thread(self) -> None:
        self._stopping = False
        if self._threaded:
            self._thread = threading.Thread(target=self._run, name="emitter", daemon=True)
            self._thread.start()

    def _end_thread(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _last_states(self) -> None:
        with self._state:
            at = self._time()
        more = True
        while more:
            more = self._advance(at)
            self._write_or_refuse(None)
        records = [record for _, _, record in self._due]
        for record in records:
            if self._buffer.full:
                self._write_or_refuse(None)
            with self._state:
                if not record.stopped and record.seen_at < at:
                    self._put_state(record, INTERIM, at)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._settings.flush_interval_ms / 1000)
            self._wake.clear()
            try:
                self.tick(None)
            except Exception:  # the clock's, say: what waits must be written at the next turn
                self.write_failures += 1

    def _time(self, now: int | None = None) -> int:
        """The time now, which never falls back even where the clock does."""
        latest = max(self._now, self._clock() if now is None else now)
        self._now = min(latest, LIMITS.time_us_end - 1)
        return self._now

    def _schedule(self, record: OpenRecord) -> None:
        self._started += 1
        due = min(
            record.seen_at + self._settings.interim_s * _SECOND_US,
            record.started_at + self._settings.cut_s * _SECOND_US,
        )
        heapq.heappush(self._due, (due, self._started, record))

    def _advance(self, at: int) -> bool:
        """A piece of what is due at `at`: cuts, and the states of open records that were not seen
        for as long as `interim_s`. Whether something is left; a full buffer must be written first.
        """
        with self._state:
            for _ in range(_PIECE):
                if not self._due or self._due[0][0] > at:
                    return False
                if self._buffer.room < 2:
                    return True
                _, _, record = heapq.heappop(self._due)
                if not record.stopped:
                    self._turn(record, at)
                    self._schedule(record)
            return True

    def _turn(self, record: OpenRecord, at: int) -> None:
        if record.started_at + self._settings.cut_s * _SECOND_US <= at:
            self._cut_once(record)
        elif record.seen_at + self._settings.interim_s * _SECOND_US <= at:
            self._put_state(record, INTERIM, at)

    def _cut(self, record: OpenRecord, at: int) -> None:
        """All cuts of the record up to `at`, before its caller's own event."""
        while record.started_at + self._settings.cut_s * _SECOND_US <= at:
            self._cut_once(record)

    def _cut_once(self, record: OpenRecord) -> None:
        """Stop the record at exactly started_at + 24 h and go on from then under a new one."""
        end = record.started_at + self._settings.cut_s * _SECOND_US
        self._put_state(record, "STOP", end)
        record.go_on(self._ids().bytes, end)
        self._put_state(record, "START", end)

    def _put_state(self, record: OpenRecord, phase: str, at: int) -> None:
        if self._buffer.add(USAGE, phase, record.event(phase, at), record.record_id):
            record.seen_at = max(record.seen_at, at)

    def _put_own(self, record: OpenRecord, phase: str, at: int) -> None:
        """What is refused was not seen: the record's next turn says it."""
        if self._put(USAGE, phase, record.event(phase, at), at, record.record_id):
            record.seen_at = max(record.seen_at, at)

    def _put(
        self, topic: str, label: str, event: dict[str, Any], at: int, record: bytes | None
    ) -> bool:
        buffer = self._buffer
        if self._threaded and buffer.full and not buffer.replaces(label, record):
            self._held.append(at)  # a heartbeat meanwhile must not promise this event
            self._wake.set()
            self._state.wait_for(lambda: not buffer.full, self._settings.block_ms / 1000)
            self._held.remove(at)
            self._state.notify_all()
        taken = buffer.add(topic, label, event, record)
        if len(buffer) * 2 > buffer.capacity:
            self._wake.set()
        return taken

    def _relieve(self) -> None:
        """Without a thread the caller makes room itself."""
        self._spool.refuse_child()
        if not self._threaded and self._buffer.full:
            self._try_write(None)

    def _try_write(self, phase: BeatPhase | None) -> bool:
        try:
            self._write(phase)
        except OSError:
            self.write_failures += 1
            return False
        return True

    def _write_or_refuse(self, phase: BeatPhase | None) -> None:
        try:
            self._write(phase)
        except OSError as error:
            self.write_failures += 1
            raise _refusal(error) from error
        if unsynced := self._spool.sync_error:
            self.write_failures += 1
            raise _refusal(unsynced) from unsynced

    def _write(self, phase: BeatPhase | None) -> None:
        """Write all that was passed in before, then a heartbeat if one is asked for."""
        with self._writing:
            self._spool.write()  # what the disk refused before
            with self._state:
                self._buffer.settle()
                at = self._time()
                batch = self._buffer.take()
                watermark = self._watermark(at, phase)
                lost = self._buffer.lost()
                self._write_due = at + self._settings.flush_interval_ms * 1000
            self._spool.add(batch)
            self._spool.write()
            if phase is not None:
                self._spool.beat(phase, at, watermark, lost)
            with self._state:
                if phase is not None:
                    self._beat_due = at + self._settings.beat_s * _SECOND_US
                self._buffer.settle()
                self._state.notify_all()

    def _watermark(self, at: int, phase: BeatPhase | None) -> int:
        if self._replay:  # the order of the times is not known: nothing is promised before the end
            return self._latest if phase == "CLOSE" else LIMITS.time_us_min
        # A cut whose turn has not come yet begins a record within this time.
        turns = [self._due[0][0] - 1] if self._due else []
        return min([at, *turns, *(held - 1 for held in self._held)])


def _refusal(error: OSError) -> Refused:
    reason = f"the journal cannot be written ({error.strerror or error})"
    advice = "make room or mend the disk, then try again; this process keeps what waits"
    return Refused("JOURNAL_WRITE", f"{reason}: {advice}")
