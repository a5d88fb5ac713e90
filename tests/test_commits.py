"""A COMMIT that fails: for want of memory, or so that nobody knows whether it is on the disk. What
is there is read again before anything is decided: nothing is lost by it, nothing is there twice.
"""

import errno
import os
import random
import resource
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from billing import Month, list_invoices, open_books
from billing.audit_trail import entries
from consumers import Projector
from edge import Refused, Settings
from eventlog import JournalSource
from tests.billed import bill, fill_books, record, store_usage
from tests.deaths import run
from tests.test_killed_projectors import filled, project, said, wanted
from tests.test_no_float import ACCOUNTS, book
from tests.test_projector import T
from warehouse import Store, open_store

ROWS: Final = "INSERT INTO rows SELECT range, repeat('x', 100) || range FROM range(50000)"


class Failing:
    """A connection whose first COMMIT behind so many statements of a kind says that it failed,
    whether it was kept or not.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, kind: str, left: int, *, kept: bool
    ) -> None:
        self._connection, self._kind, self._left, self._kept = connection, kind, left, kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *told: Any) -> Any:
        self._left -= sql.startswith(self._kind)
        if sql != "COMMIT" or self._left > 0:
            return self._connection.execute(sql, *told)
        self._left = 10**9
        if self._kept:
            self._connection.execute(sql)
        raise duckdb.FatalException("FATAL Error: Failed to commit: Could not fsync file")


def fail(store: Store, kind: str, left: int, *, kept: bool) -> None:
    store._connection = Failing(store._connection, kind, left, kept=kept)  # type: ignore[assignment]


@pytest.mark.parametrize("kept", [True, False])
def test_a_projector_looks_up_what_became_of_its_commit(
    tmp_path: Path, rng: random.Random, kept: bool
) -> None:
    """The same one goes on, or another does."""
    events = filled(tmp_path, rng)
    same = rng.random() < 0.5
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector, source = Projector(store, count(T).__next__), JournalSource(tmp_path / "journal")
        fail(store, "BEGIN", rng.randrange(1, 4), kept=kept)
        with pytest.raises(Refused, match="STORE_UNKNOWN.*not known.*look at what is there"):
            projector.run_once(source, events_max=60)
        if same:
            projector.run_once(source, events_max=60)
    project(tmp_path)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert said(store) == wanted(events)


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_of_invoices_whose_commit_nobody_knows_of_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    home = Settings(tmp_path, None, "clerk")
    fill_books(home, [book()], ACCOUNTS)
    store_usage(home, [record(n, "a", quantity=n) for n in range(20)])
    with monkeypatch.context() as patch:
        hold = Store.hold

        def held(store: Store, memory_mib: int) -> None:
            hold(store, memory_mib)
            fail(store, "UPDATE runs", 1, kept=kept)

        patch.setattr(Store, "hold", held)
        with pytest.raises(Refused, match="STORE_UNKNOWN"):
            bill(home)
    before = _final(home)
    assert bool(before) == kept
    assert bill(home).documents == _final(home)
    numbers = [one["number"] for one in _final(home).values() if one["number"]]
    assert numbers == [f"HM-2026-{number:06}" for number in range(1, len(numbers) + 1)]
    assert not kept or before == _final(home)
    with open_books(home) as books:
        acts = [row["action"] for row in entries(books) if row["action"] == "invoice finalize"]
    assert len(acts) == 1


def _final(home: Settings) -> dict[str, Any]:
    with open_books(home) as books:
        month = list_invoices(books, Month(2026, 10))
    return {one["account_id"]: one for one in month if one["status"] != "draft"}


def test_a_commit_is_on_the_disk_with_the_name_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through: list[str] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        through.append(os.readlink(f"/proc/self/fd/{handle}"))

    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        monkeypatch.setattr(os, "fsync", noted)
        for _ in range(2):
            with store.transaction():
                store.execute("INSERT INTO places VALUES (1, 'l', 'p')")
        assert through == [str(tmp_path)] * 2

        def fails(handle: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(Refused, match="STORE_UNKNOWN.*not known"), store.transaction():
            store.execute("DELETE FROM places")


def test_a_commit_that_wants_more_memory_is_refused_and_undone(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    with open_store(path, "usage").closing() as store:
        store.execute("CREATE TABLE rows (a BIGINT, b VARCHAR)")

        def commit() -> None:
            with store.transaction():
                store.execute(ROWS)
                store.execute("SET memory_limit = '1MB'")

        with pytest.raises(Refused, match="STORE_FAILED.*more memory.*nothing of this step"):
            commit()
        store.hold(600)
        assert store.value("SELECT count(*) FROM rows") == 0
        with store.transaction():
            store.execute(ROWS)
    with open_store(path, "usage").closing() as store:
        assert store.value("SELECT count(*) FROM rows") == 50_000


def commit_without_room(path: Path) -> str:
    """A COMMIT that moves the write-ahead log into a file which may not grow: what it says."""
    with open_store(path, "usage").closing() as store:
        store.execute("CREATE TABLE rows (a BIGINT, b VARCHAR)")
        store.execute(ROWS)
        store.execute("CHECKPOINT")
        store.execute("SET checkpoint_threshold = '1KB'")
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, resource.RLIM_INFINITY))
        try:
            with store.transaction():
                store.execute("INSERT INTO rows SELECT range, md5(range::VARCHAR) FROM range(9999)")
        except Refused as refused:
            return str(refused)
    return "it was kept"


def test_a_commit_that_takes_the_database_with_it_is_not_said_to_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    told = run(commit_without_room, path).value
    assert told.startswith("STORE_UNKNOWN: "), told
    assert "whether this step was kept is not known" in told
    with open_store(path, "usage").closing() as store:
        assert store.value("SELECT count(*) FROM rows") in (50_000, 59_999)
