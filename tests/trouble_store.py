"""Stores under fire: a process that dies at a chosen statement, and every commit looked at."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from consumers import Projector, broken_invariants
from consumers.horizon import Ends, nothing_unread
from consumers.projector import Applied
from eventlog import LogSource, Slice
from tests.trouble_disk import How, Killed
from warehouse import Store, open_store
from warehouse.store import Parameters

# What a projector or a billing command may change in a home.
_KEPT: Final = (
    "usage.duckdb", "usage.duckdb.wal", "books.duckdb", "books.duckdb.wal", "evidence", "documents",
)  # fmt: skip


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


class Portions:
    """A log of which a poll hands on so many messages at most, one size after another, then all.
    The journal's block at hand is handed on whole.
    """

    def __init__(self, source: LogSource, sizes: Iterable[int]) -> None:
        self._source = source
        self._sizes = iter(sizes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        return self._source.poll(next(self._sizes, events_max), timeout_s)


class Death:
    """Comes at the statement after so many, whichever store of `home` it is for. What a killed
    process leaves on the disk is put aside then, whatever is done to the files while it unwinds.
    A COMMIT that is torn leaves so many thousandths of what it adds to the write-ahead log.
    """

    def __init__(self, home: Path, calls: int, how: How, permille: int) -> None:
        self._home, self._calls, self._how, self._permille = home, calls, how, permille
        self._aside = home.with_name(home.name + ".aside")
        self.has_come = False

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """No store is open before the block nor behind it, where the files are as death left
        them. Ends with the block, too, where death has come.
        """
        run = Store._run

        def mortal(store: Store, sql: str, parameters: Parameters) -> Any:
            if self.has_come:
                raise Killed
            self._calls -= 1
            if self._calls >= 0:
                return run(store, sql, parameters)
            wal = store.path.with_name(store.path.name + ".wal")
            before = _octets(wal)
            if self._how != "before":
                run(store, sql, parameters)
            added = _octets(wal) - before
            self.come()
            if self._how == "torn" and added > 0:
                with (self._aside / wal.name).open("r+b") as file:
                    file.truncate(before + added * self._permille // 1000)
            raise Killed

        with suppress(Killed), pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "_run", mortal)
            yield
        if self.has_come:
            self._put_back()

    def come(self) -> None:
        """Now."""
        self.has_come = True
        self._aside.mkdir()
        for name in _KEPT:
            if (self._home / name).is_dir():
                shutil.copytree(self._home / name, self._aside / name)
            elif (self._home / name).exists():
                shutil.copy(self._home / name, self._aside / name)

    def _put_back(self) -> None:
        for name in _KEPT:
            shutil.rmtree(self._home / name, ignore_errors=True)
            (self._home / name).unlink(missing_ok=True)
            if (self._aside / name).exists():
                (self._aside / name).rename(self._home / name)
        self._aside.rmdir()


def _octets(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def open_small(path: Path) -> Store:
    """Of a few hundred rows: there more threads only wait for one another."""
    store = open_store(path, "usage")
    store.execute("SET threads = 1")
    return store
