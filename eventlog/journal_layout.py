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
from dataclasses import dataclass
from pathlib import Path

from edge import Refused

_PREFIX = "server="
_DIGITS = 20
_PROBE_S = 0.01
_NAME = re.compile(r"[A-Za-z0-9_:@+-][A-Za-z0-9_.:@+-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Incarnation:
    """One opening of one server's journal: the directory that one process wrote."""

    path: Path

    @property
    def server_id(self) -> str:
        return self.path.parent.name.removeprefix(_PREFIX)

    @property
    def source(self) -> str:
        return f"{self.server_id}/{self.path.name}"

    def segments(self, topic: str) -> list[tuple[int, Path]]:
        """(first sequence, file) of every segment of `topic`, in order."""
        files = (self.path / topic).glob("*.avro")
        return sorted((int(file.stem), file) for file in files if file.stem.isdigit())

    def segment(self, topic: str, first: int) -> Path:
        return self.path / topic / f"{first:0{_DIGITS}}.avro"

    def is_open(self) -> bool:
        """Whether a living process still holds it."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def incarnation_at(root: Path, server_id: str, name: str) -> Incarnation:
    """Programmer's fault: a server or a name that is no plain name."""
    assert _NAME.fullmatch(name), f"{name!r} cannot name an incarnation"
    assert "/" not in server_id, f"{server_id!r} cannot name a server"
    return Incarnation(root / f"{_PREFIX}{server_id}" / name)


def incarnations(root: Path, server_id: str | None = None) -> Iterator[Incarnation]:
    """Every incarnation under `root`, or those of one server, in order of name.

    Refuses with JOURNAL_UNREADABLE: what cannot be read must not count as empty.
    """
    if not root.exists():
        return
    _refuse_unreadable(root)
    pattern = f"{_PREFIX}*" if server_id is None else None
    servers = sorted(root.glob(pattern)) if pattern else [root / f"{_PREFIX}{server_id}"]
    for server in servers:
        if server.exists():
            _refuse_unreadable(server)
            yield from (Incarnation(path) for path in sorted(server.iterdir()) if path.is_dir())


def _refuse_unreadable(folder: Path) -> None:
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        message = f"{folder} is no folder that this user may read: mend that, then try again"
        raise Refused("JOURNAL_UNREADABLE", message)


def hold(file: Path, what: str) -> int:
    """Lock `file` for this process and say in it who holds it; the handle keeps the lock.

    Refuses with LOCK_HELD, naming the holder, where another process has it.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    for patience in (*[_PROBE_S] * 5, None):  # `is_open` holds it too, for an instant
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if patience is not None:
                time.sleep(patience)
                continue
            holder = os.pread(handle, 100, 0).decode("utf-8", "replace").strip() or "a process"
            os.close(handle)
            raise Refused("LOCK_HELD", f"{what} is held by {holder}: stop it first") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
    return handle
