"""The journal's writing side: append-only segments of one incarnation, a block per append.

Every opening begins a new incarnation; no file of another is appended to, cut or renamed, so no
crash, restored backup or cloned disk can use a sequence twice. Sequence = position.
"""

import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from edge import Refused
from edge.durable import sync_file, sync_folder
from edge.private import make_folder
from eventlog.journal_format import block, header, sync_marker
from eventlog.journal_layout import Incarnation, hold, incarnation_at, incarnations, release
from eventlog.journal_scan import is_closed, last_sequences
from schemas import TOPICS

Fsync = Literal["interval", "always", "never"]
SEGMENT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class _Segment:
    """The open segment of one topic; `end` is where the last whole block ends."""

    handle: int
    sync: bytes
    end: int
    path: Path


class JournalWriter:
    """One incarnation of one server's journal, open for writing.

    *Accepted* means that `append` has returned: the process may be killed afterwards. A power
    failure loses at most what the fsync policy has not yet written through.
    """

    def __init__(
        self, home: Incarnation, lock: int, fsync: Fsync, settles: dict[tuple[str, str], int]
    ) -> None:
        self.source = home.source
        self.settles = settles
        self._home = home
        self._lock = lock
        self._fsync: Fsync = fsync
        self._last: dict[str, int] = {}
        self._open: dict[str, _Segment] = {}
        self._dirty: set[str] = set()
        self._process = os.getpid()
        self._guard = threading.RLock()
        self.sync_error: OSError | None = None
        self._stop = threading.Event()
        self._syncer: threading.Thread | None = None
        if fsync == "interval":
            self._syncer = threading.Thread(target=self._sync_loop, daemon=True)
            self._syncer.start()

    @classmethod
    def open(
        cls,
        root: Path,
        server_id: str,
        *,
        fsync: Fsync = "interval",
        incarnation: str | None = None,
    ) -> Self:
        """Begin a new incarnation under `root`. Refuses with LOCK_HELD, JOURNAL_EXISTS or, where
        nothing can be made there, JOURNAL_WRITE.
        """
        home = incarnation_at(root, server_id, incarnation or secrets.token_hex(16))
        try:
            settles = _unclosed(root, server_id)
            make_folder(home.path)
            lock = hold(home.path / "lock", f"the journal of {home.source}")
            for folder in (home.path.parent, root):
                sync_folder(folder)
        except (OSError, Refused) as error:
            if isinstance(error, Refused) and error.code != "JOURNAL_UNREADABLE":
                raise
            why = error.summary if isinstance(error, Refused) else error.strerror or error
            reason = f"no journal can be made at {home.path} ({why})"
            raise Refused("JOURNAL_WRITE", f"{reason}: mend that, then try again") from error
        if any(home.segments(topic) for topic in TOPICS):
            os.close(lock)
            raise Refused("JOURNAL_EXISTS", f"{home.source} was written before: open a new one")
        return cls(home, lock, fsync, settles)

    def last(self, topic: str) -> int:
        """The last sequence written to `topic`; 0 before the first."""
        return self._last.get(topic, 0)

    def append(self, topic: str, payloads: Sequence[bytes]) -> None:
        """Write `payloads`, at least one, as one block; their sequences follow `last(topic)`.

        Raises OSError where the disk refuses; then nothing of the block counts, and the same
        call may be made again.
        """
        self.refuse_child()
        with self._guard:
            segment = self._segment(topic)
            begin = segment.end
            _write_whole(segment, block(payloads, segment.sync))
            if self._fsync == "always":
                _sync_or_cut(segment, begin)
            else:
                self._dirty.add(topic)
            self._last[topic] = self.last(topic) + len(payloads)

    def sync(self) -> None:
        """Write through to the disk what was appended. After OSError the next call tries again."""
        self.refuse_child()
        with self._guard:
            for topic in sorted(self._dirty):
                os.fsync(self._open[topic].handle)
                self._dirty.discard(topic)
            self.sync_error = None

    def close(self) -> None:
        """Write through and give up the lock. The CLOSE heartbeat is the emitter's to write.

        Raises OSError where the disk does not write through; it is closed all the same.
        """
        self.refuse_child()
        self._stop.set()
        if self._syncer:
            self._syncer.join()
        with self._guard:
            try:
                if self._fsync != "never":
                    self.sync()
                    release(self._lock)
            finally:
                for segment in self._open.values():
                    os.close(segment.handle)
                self._open.clear()
                os.close(self._lock)

    def refuse_child(self) -> None:
        """A forked child shares the parent's file handles: what it wrote would cut the parent's."""
        if os.getpid() != self._process:
            raise Refused(
                "JOURNAL_FORKED",
                f"this journal is of process {self._process}: open one of your own",
            )

    def _segment(self, topic: str) -> _Segment:
        current = self._open.get(topic)
        if current and current.end < SEGMENT_BYTES:
            return current
        if current:
            os.fsync(current.handle)
            os.close(current.handle)
            del self._open[topic]
            self._dirty.discard(topic)
        first = self.last(topic) + 1
        path = self._home.segment(topic, first)
        make_folder(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        segment = _Segment(
            os.open(path, flags, 0o600), sync_marker(self.source, topic, first), 0, path
        )
        try:
            _write_whole(segment, header(self.source, topic, first))
            for folder in (path.parent, self._home.path):
                sync_folder(folder)
        except OSError:
            os.close(segment.handle)
            raise
        self._open[topic] = segment
        return segment

    def _sync_loop(self) -> None:
        while not self._stop.wait(1.0):
            try:
                self.sync()
            except OSError as error:  # tried again; who flushes is told
                self.sync_error = error


def _write_whole(segment: _Segment, data: bytes) -> None:
    """All of `data` behind the last whole block, or none of it and OSError."""
    try:
        os.ftruncate(segment.handle, segment.end)  # our own half-written block, if there is one
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(segment.handle, rest) :]
    except OSError:
        os.ftruncate(segment.handle, segment.end)
        raise
    segment.end += len(data)


def _sync_or_cut(segment: _Segment, begin: int) -> None:
    """Write through what lies behind `begin`, or take it back: nothing of it counts then."""
    try:
        os.fsync(segment.handle)
    except OSError:
        segment.end = begin
        os.ftruncate(segment.handle, begin)
        raise


def _unclosed(root: Path, server_id: str) -> dict[tuple[str, str], int]:
    """Last sequences on disk of this server's earlier incarnations that ended without CLOSE."""
    found: dict[tuple[str, str], int] = {}
    for earlier in incarnations(root, server_id):
        if earlier.is_open():
            continue
        if not earlier.is_released():
            _write_through(earlier)
        if not is_closed(earlier):
            for topic, last in last_sequences(earlier).items():
                found[earlier.source, topic] = last
    return found


def _write_through(earlier: Incarnation) -> None:
    """What a killed process left may be in memory alone: no power failure must take back what is
    named, or taken for closed. Names of files, and all segments but the last, were written through
    before anything followed them.
    """
    for topic in TOPICS:
        if segments := earlier.segments(topic):
            _, last = segments[-1]
            sync_file(last)
