"""Files that a process can die on: the journal's system calls, with a fault at a chosen one.

Stands in for `os` where the journal is written. A process that has died does nothing more, whatever
`finally` says. Knows how far files were written through and which names in folders were, and takes
the rest away when the power fails. Nothing is really written through: that would be slow.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import pytest

from edge import durable
from eventlog import journal_layout, journal_writer

T = TypeVar("T")
How = Literal["before", "torn", "after"]
HOW: Final[tuple[How, ...]] = ("before", "torn", "after")


class Killed(BaseException):
    """What a process meets that is killed: nothing that it could handle."""


@dataclass
class Process:
    """One process: its open handles, and the call at which it is to die."""

    handles: set[int] = field(default_factory=set)
    calls_left: int | None = None
    how: How = "before"
    dead: bool = False


class Disk:
    """All else of `os` is as it is. Outside of a process nothing dies."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._paths: dict[int, Path] = {}
        self._through: dict[Path, int] = {}
        self._names: dict[Path, set[str]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    @contextmanager
    def installed(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for module in (journal_writer, journal_layout, durable):
                patch.setattr(module, "os", self)
            yield

    @contextmanager
    def run(self, process: Process) -> Iterator[None]:
        """All calls within the block are the process's."""
        before, self._process = self._process, process
        try:
            yield
        finally:
            self._process = before

    def bury(self, process: Process) -> None:
        """Gives up what a dead process held: its locks above all."""
        process.dead = True
        for handle in process.handles:
            os.close(handle)
            self._paths.pop(handle)
        process.handles.clear()

    def write_through(self, under: Path) -> None:
        """The system writes through what lies under a folder, of itself."""
        for path in under.rglob("*.avro"):
            self._through[path] = path.stat().st_size
        for folder in (under.parent, under, *under.rglob("*/")):
            self._names.setdefault(folder, set()).update(os.listdir(folder))

    def cut(self, under: Path, permille: int) -> None:
        """The power fails: of what was not written through, so much is left of each file, and of
        the names in folders all or none.
        """
        if permille < 500 and under.is_dir():
            self._forget(under.parent, under.name)
        for path in sorted(under.rglob("*.avro")):
            size = path.stat().st_size
            through = min(self._through.get(path, 0), size)
            os.truncate(path, through + (size - through) * permille // 1000)
        if under.is_dir():
            self.write_through(under)  # what is left is what the disk holds

    def _forget(self, folder: Path, name: str) -> None:
        """The name, unless it was written through; else those in it."""
        path = folder / name
        if name not in self._names.get(folder, ()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif path.is_dir():
            for one in os.listdir(path):
                self._forget(path, one)

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        return self._call(lambda: self._opened(path, flags, mode))

    def write(self, handle: int, data: Any) -> int:
        half = bytes(data)[: len(data) // 2]
        return self._call(lambda: os.write(handle, data), lambda: os.write(handle, half))

    def ftruncate(self, handle: int, length: int) -> None:
        self._call(lambda: os.ftruncate(handle, length))
        path = self._paths[handle]
        self._through[path] = min(self._through.get(path, 0), length)

    def fsync(self, handle: int) -> None:
        self._call(lambda: self._synced(handle))

    def close(self, handle: int) -> None:
        self._call(lambda: self._closed(handle))

    def _opened(self, path: Any, flags: int, mode: int) -> int:
        handle = os.open(path, flags, mode)
        self._paths[handle] = Path(path)
        if self._process is not None:
            self._process.handles.add(handle)
        return handle

    def _closed(self, handle: int) -> None:
        os.close(handle)
        self._paths.pop(handle, None)
        if self._process is not None:
            self._process.handles.discard(handle)

    def _synced(self, handle: int) -> None:
        path = self._paths.get(handle)  # None of what is no file of the journal
        if path is not None and path.is_file():
            self._through[path] = os.fstat(handle).st_size
        else:
            self._names.setdefault(path, set()).update(os.listdir(path))

    def _call(self, act: Callable[[], T], torn: Callable[[], object] = lambda: None) -> T:
        process = self._process
        if process is None:
            return act()
        if process.dead:
            raise Killed
        if process.calls_left is None:
            return act()
        process.calls_left -= 1
        if process.calls_left >= 0:
            return act()
        process.dead = True
        {"before": lambda: None, "torn": torn, "after": act}[process.how]()
        raise Killed
