"""The projector under fire: its store dies at a chosen statement, and every commit is looked at."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consumers import Projector, broken_invariants
from consumers.horizon import Ends, nothing_unread
from consumers.projector import Applied
from eventlog import Slice
from tests.trouble_disk import How, Killed
from warehouse import Store, open_store
from warehouse.store import Parameters


class Watched(Projector):
    """What must hold after every commit is asked after every commit."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        super().__init__(store, clock)
        self._watched = store

    def apply(self, slices: Sequence[Slice], ends: Ends = nothing_unread) -> Applied:
        done = super().apply(slices, ends)
        if faults := broken_invariants(self._watched):
            raise AssertionError("; ".join(f"{one.place}: {one.message}" for one in faults))
        return done


class Mortal(Store):
    """Dies at the statement that comes after so many. What a killed process leaves on the disk is
    put aside then, whatever is done to the files while it unwinds; `resurrect` puts it back.
    """

    def __init__(self, connection: Any, path: Path, calls: int, how: How, permille: int) -> None:
        super().__init__(connection, path)
        self._calls, self._how, self._permille = calls, how, permille
        self.is_dead = False

    @property
    def _files(self) -> tuple[Path, Path]:
        return self.path, self.path.with_name(self.path.name + ".wal")

    def _run(self, sql: str, parameters: Parameters) -> Any:
        if self.is_dead:
            raise Killed
        self._calls -= 1
        if self._calls >= 0:
            return super()._run(sql, parameters)
        self.is_dead = True
        size = self._wal_octets()
        if self._how != "before":
            super()._run(sql, parameters)
        self._set_aside()
        if self._how == "torn" and size < (after := self._wal_octets()):
            with _aside(self._files[1]).open("r+b") as wal:
                wal.truncate(size + (after - size) * self._permille // 1000)
        raise Killed

    def _wal_octets(self) -> int:
        wal = self._files[1]
        return wal.stat().st_size if wal.exists() else 0

    def _set_aside(self) -> None:
        for file in self._files:
            if file.exists():
                shutil.copy(file, _aside(file))

    def resurrect(self) -> None:
        """Closes what is left of it, and leaves the files as they were when it died."""
        if not self.is_dead:  # killed while it did nothing
            self._set_aside()
        self.close()
        for file in self._files:
            file.unlink(missing_ok=True)
            if _aside(file).exists():
                _aside(file).replace(file)


def _aside(file: Path) -> Path:
    return file.with_name(file.name + ".aside")


def open_small(path: Path) -> Store:
    """Of a few hundred rows: there more threads only wait for one another."""
    store = open_store(path, "usage")
    store.execute("SET threads = 1")
    return store


def open_mortal(path: Path, calls: int, how: How, permille: int) -> Mortal:
    store = open_small(path)
    return store.use(lambda connection: Mortal(connection, path, calls, how, permille))
