"""Archiving: what a log holds up to a log time, as segments that go on where the archive ended.

A segment is written beside its place, through to the disk, then renamed; the manifest that names
them comes last. Changes nothing in the log.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge import Refused
from edge.durable import sync_folder, write_whole
from edge.private import make_folder
from eventlog.archive_format import Messages, block_of_runs, segment_header, sync_marker
from eventlog.archive_manifest import (
    Archive,
    Archived,
    ArchivedFile,
    find_archive,
    write_manifest,
)
from eventlog.journal_layout import hold
from eventlog.slices import LogSource, Partition, Slice

# Smaller than the journal's: one is read and proven whole, and held in memory until it is written.
_SEGMENT_BYTES: Final = 16 * 1024 * 1024
_BLOCK_EVENTS: Final = 20_000
_BLOCK_BYTES: Final = 4 * 1024 * 1024
_POLL_EVENTS, _WAIT_S = 20_000, 0.5
_NAME_DIGITS: Final = 20


@dataclass(slots=True)
class _Growing:
    """One partition as it is archived: what was there, the segment at hand, where it stands.

    `pieces` are the header and blocks since `begin`; `waiting` messages are in no block yet.
    """

    place: Partition
    before: Archived
    next: int
    begin: int
    files: list[ArchivedFile] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    waiting: Messages = field(default_factory=Messages)
    messages: int = 0
    is_cut: bool = False


class Archiver:
    """The one process that writes the archive at `folder`; a second is refused (LOCK_HELD).

    Refuses with ARCHIVE_DAMAGED where a manifest is there that cannot be read, or one of its files
    is not there in its length.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._lock = hold(folder / "archive.lock", f"the archive {folder}")
        self._folder = folder
        try:
            self.before = find_archive(folder)
            if self.before:
                self.before.look()
        except Refused:
            os.close(self._lock)
            raise

    def close(self) -> None:
        os.close(self._lock)

    def backlog(self, log: LogSource, topics: tuple[str, ...]) -> int:
        """How far `log` goes beyond the archive, in offsets of all partitions together."""
        stood = self.before.partitions if self.before else {}
        begins = log.begins(topics)
        at = {place: stood[place].next if place in stood else begins[place] for place in begins}
        return sum(max(end - at.get(place, 0), 0) for place, end in log.ends(topics).items())

    def extend(
        self,
        log: LogSource,
        topics: tuple[str, ...],
        until: str,
        until_us: int,
        progress: Callable[[int], object] = lambda offsets: None,
    ) -> Archive:
        """The archive, with what `log` holds of `topics` up to the first message of each partition
        whose log time is not before `until_us`, the beginning of the day `until`, or to the end.

        `progress` is called with the offsets passed. Refuses as the log does: LOG_GONE or
        TOPIC_CHANGED where it no longer goes on where the archive ended. Nothing is part of the
        archive before all of it is.
        """
        stood = dict(self.before.partitions) if self.before else {}
        log.assign({place: one.next for place, one in stood.items() if place.topic in topics})
        # After it: what is made anew from here on is refused by the reading.
        ends, begins = log.ends(topics), log.begins(topics)
        growing = {
            place: self._growing(place, stood.get(place) or Archived(begins[place], begins[place]))
            for place in ends
        }
        while any(not one.is_cut and one.next < ends[place] for place, one in growing.items()):
            for piece in log.poll(_POLL_EVENTS, _WAIT_S):
                one = growing.get(piece.partition)
                if one is not None and not one.is_cut:
                    self._take(one, piece, until_us)
                    progress(piece.next - piece.start)
        done = {place: self._finish(one) for place, one in growing.items()}
        later = max(until, self.before.until) if self.before else until
        archive = Archive(self._folder, later, {**stood, **done})
        write_manifest(archive)
        self.before = archive
        return archive

    @staticmethod
    def _growing(place: Partition, before: Archived) -> _Growing:
        return _Growing(place, before, before.next, before.next)

    def _take(self, one: _Growing, piece: Slice, until_us: int) -> None:
        assert piece.arrived_us is not None, "a log without arrival times cannot be cut by time"
        assert not piece.damages, "Kafka has no damaged blocks"
        found = Messages(piece.offsets, piece.arrived_us, piece.sources, piece.payloads)
        late = next((n for n, at in enumerate(found.arrived_us) if at >= until_us), None)
        one.is_cut = late is not None
        # What lies between the last one taken and the first one left are no messages.
        one.next = piece.next if late is None else found.offsets[late]
        one.waiting.add(found.part(0, len(found) if late is None else late))
        while len(one.waiting) >= _BLOCK_EVENTS or _size(one.waiting) >= _BLOCK_BYTES:
            self._block(one, _fitting(one.waiting))
        if sum(map(len, one.pieces)) >= _SEGMENT_BYTES:
            self._segment(one, one.waiting.offsets[0] if one.waiting else one.next)

    @staticmethod
    def _block(one: _Growing, count: int) -> None:
        if not one.pieces:
            one.pieces.append(segment_header(one.place, one.begin))
        taken = one.waiting.part(0, count)
        one.waiting = one.waiting.part(count, len(one.waiting))
        one.pieces.append(block_of_runs(taken, sync_marker(one.place, one.begin)))
        one.messages += count

    def _segment(self, one: _Growing, after: int) -> None:
        """Writes the segment at hand, which reaches to before position `after`."""
        name = _file(one.place, one.begin)
        path = self._folder / name
        make_folder(path.parent)
        data = b"".join(one.pieces)
        write_whole(path, data)
        for folder in [*path.parents][: len(Path(name).parents)]:  # those it may have made
            sync_folder(folder)
        sha256 = hashlib.sha256(data).hexdigest()
        one.files.append(ArchivedFile(name, sha256, len(data), one.begin, after, one.messages))
        one.begin, one.pieces, one.messages = after, [], 0

    def _finish(self, one: _Growing) -> Archived:
        while one.waiting:
            self._block(one, _fitting(one.waiting))
        if not one.pieces and not one.files and not one.before.files and one.next > one.begin:
            one.pieces.append(segment_header(one.place, one.begin))  # of a range without messages
        if one.pieces:
            self._segment(one, one.next)
        files = [*one.before.files, *one.files]
        if files and files[-1].next < one.next:  # nothing but transaction markers since
            files[-1] = replace(files[-1], next=one.next)
        return Archived(one.before.first, one.next, tuple(files))


def _size(messages: Messages) -> int:
    return sum(map(len, messages.payloads))


def _fitting(messages: Messages) -> int:
    """How many of them, from the first on, go into one block; one always does."""
    size = 0
    for count, payload in enumerate(messages.payloads[:_BLOCK_EVENTS]):
        size += len(payload)
        if size > _BLOCK_BYTES:
            return max(count, 1)
    return min(len(messages), _BLOCK_EVENTS)


def _file(place: Partition, first: int) -> str:
    parts = (f"{name}={quote(text, safe='')}" for name, text in place._asdict().items())
    return "/".join([*parts, f"{first:0{_NAME_DIGITS}}.avro"])
