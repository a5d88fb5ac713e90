"""Where the journal's files lie, and who holds them.

    ROOT/server=NAME/INCARNATION/lock
    ROOT/server=NAME/INCARNATION/TOPIC/FIRST-SEQUENCE.avro

The prefix keeps names such as `..` from being a path. Nothing here reads an event.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge import Refused

_PREFIX = "server="
_DIGITS = 20
_PROBES, _PROBE_S = 6, 0.01
_SEGMENT = re.compile(rf"[0-9]{{{_DIGITS}}}\.avro")
_SEQUENCE_END = 2**63
_NAME = re.compile(r"[A-Za-z0-9_:@+-][A-Za-z0-9_.:@+-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Incarnation:
    """One opening of one server's journal: the directory that one process wrote."""

    path: Path

    @property
    def server_id(self) -> str:
        return self.path.parts[-2].removeprefix(_PREFIX)

    @property
    def source(self) -> str:
        return f"{self.server_id}/{self.path.name}"

    def segments(self, topic: str) -> list[tuple[int, Path]]:
        """(first sequence, file) of every segment of `topic`, in order."""
        folder = self.path / topic
        names = [name for name in _listed(folder) if _SEGMENT.fullmatch(name)]
        found = [(int(name[:_DIGITS]), name) for name in names]
        return [(first, folder / name) for first, name in found if 0 < first < _SEQUENCE_END]

    def segment(self, topic: str, first: int) -> Path:
        return self.path / topic / f"{first:0{_DIGITS}}.avro"

    def is_open(self) -> bool:
        """Whether a living process still holds it."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locks(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def is_released(self) -> bool:
        """Whether its writer has said that all of it is on the disk."""
        try:
            return (self.path / "lock").stat().st_size == 0
        except FileNotFoundError:
            return False


def incarnation_at(root: Path, server_id: str, name: str) -> Incarnation:
    """Programmer's fault: a server or a name that is no plain name."""
    assert _NAME.fullmatch(name), f"{name!r} cannot name an incarnation"
    assert "/" not in server_id, f"{server_id!r} cannot name a server"
    return Incarnation(root / f"{_PREFIX}{server_id}" / name)


def incarnations(root: Path, server_id: str | None = None) -> list[Incarnation]:
    """Every incarnation under `root`, or those of one server, in order of name.

    Refuses with JOURNAL_UNREADABLE.
    """
    servers = [root / f"{_PREFIX}{server_id}"]
    if server_id is None:
        servers = [root / name for name in _listed(root) if name.startswith(_PREFIX)]
    found = [server / name for server in servers for name in _listed(server)]
    with readable(root):
        return [Incarnation(path) for path in found if path.is_dir() and _is_text(path)]


@contextmanager
def readable(place: Path) -> Iterator[None]:
    """Refuses with JOURNAL_UNREADABLE what cannot be read at `place`: that is not an empty one."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename or place} cannot be read ({error.strerror})"
        advice = "give this user the right to, or put back what stood there; nothing was changed"
        raise Refused("JOURNAL_UNREADABLE", f"{what}: {advice}") from error


def _is_text(path: Path) -> bool:
    """No writer of ours can have named it otherwise, and no store could keep such a name."""
    try:
        f"{path.parent.name}/{path.name}".encode()
    except UnicodeEncodeError:
        return False
    return True


def _listed(folder: Path) -> list[str]:
    """The names in `folder`, in order; none where there is no such place."""
    with readable(folder):
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []


def hold(file: Path, what: str) -> int:
    """Lock `file` for this process and say in it who holds it; the handle keeps the lock.

    Refuses with LOCK_HELD, naming the holder, where another process has it.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(_PROBES):  # `is_open` holds it too, for an instant
        if _locks(handle, fcntl.LOCK_EX):
            break
        time.sleep(_PROBE_S)
    else:
        holder = os.pread(handle, 100, 0).decode("utf-8", "replace").strip() or "a process"
        os.close(handle)
        raise Refused("LOCK_HELD", f"{what} is held by {holder}: stop it first")
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
    return handle


def _locks(handle: int, kind: int) -> bool:
    """Whether this process has the lock now; it does not wait for it."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(handle: int) -> None:
    """Say, before the handle is closed, that all that it guards was written through."""
    os.ftruncate(handle, 0)
