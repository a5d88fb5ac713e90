"""One DuckDB file: opening it for its single writer, its version, and transactions on it."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa

from edge import Refused
from edge.durable import sync_folder
from warehouse.refusals import (
    Kind,
    failed,
    forbidden,
    held,
    holder,
    not_committed,
    not_made,
    not_named,
    not_opened,
    not_served,
)
from warehouse.serving import serve, withdraw

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Any]
Meaning = Callable[[Path, duckdb.Error], Refused | None]
_MIGRATIONS = Path(__file__).parent / "migrations"


_BATCH_ROWS: Final = 100_000


class Store:
    """An open store. Times are naive TIMESTAMP in UTC, microseconds.

    What the machine does to it is refused: a full disk, a damaged page or too little memory with
    STORE_FAILED, rights with STORE_FORBIDDEN, a COMMIT of which nobody knows whether it is on the
    disk with STORE_UNKNOWN. All other errors of DuckDB pass through: by the time a store is open
    they are programmer faults.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path
        self._served = False

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        self._run(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        return self._run(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The single value of the single row; an assertion otherwise."""
        ((found,),) = self.rows(sql, parameters)
        return found

    def records(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Rows as dicts by column name."""
        cursor = self._run(sql, parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def batches(self, sql: str, parameters: Parameters = ()) -> pa.RecordBatchReader:
        """Rows as Arrow columns, a hundred thousand at a time. They are made as they are taken, so
        nothing else is executed here meanwhile.
        """
        return self._run(sql, parameters).to_arrow_reader(_BATCH_ROWS)

    def table(self, sql: str) -> pa.Table:
        """Rows as Arrow columns, all of them at once and made by all cores; in no order but one
        that is asked for. Such a statement takes no parameters.
        """
        return self._told(lambda: self._connection.sql(sql).to_arrow_table(_BATCH_ROWS))

    def _run(self, sql: str, parameters: Parameters) -> duckdb.DuckDBPyConnection:
        meaning = not_committed if sql == "COMMIT" else failed
        return self._told(lambda: self._connection.execute(sql, _bound(parameters)), meaning)

    def _told(self, action: Callable[[], T], meaning: Meaning = failed) -> T:
        try:
            return action()
        except duckdb.Error as error:
            if refusal := meaning(self.path, error):
                raise refusal from error
            raise
        except RuntimeError as error:
            if "interrupted" in str(error):  # what DuckDB makes of Ctrl-C
                raise KeyboardInterrupt from error
            raise

    @contextmanager
    def tables(self, **tables: pa.Table) -> Iterator[None]:
        """Arrow tables visible to SQL under their names, within the block."""
        for name, table in tables.items():
            self._connection.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self._connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or none of it."""
        self._run("BEGIN", ())
        try:
            yield
            self._run("COMMIT", ())
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed is rolled back already
                self._connection.execute("ROLLBACK")
            raise
        self._name_log()

    def _name_log(self) -> None:
        """DuckDB writes its write-ahead log through, but not the name of a new one in the folder:
        the power, when it fails, would take the log with all that was committed.
        """
        if self.path.exists():  # others are in memory
            try:
                sync_folder(self.path.parent)
            except OSError as error:
                raise not_named(self.path, error) from error

    def use(self, action: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Let another part of this package work on the connection; DuckDB's errors are its."""
        return action(self._connection)

    def hold(self, memory_mib: int) -> None:
        """Work on disk beyond this much memory. The process itself has some 300 MiB more."""
        self.execute(f"SET memory_limit = '{int(memory_mib)}MiB'")

    def closing(self) -> "closing[Store]":
        """For a `with` block: the store, closed at its end."""
        return closing(self)

    def serve(self) -> None:
        """Let others read while this writer runs; `close` ends it. Refuses as `open_store`."""
        try:
            serve(self._connection, self.path)
        except OSError as error:
            raise not_served(self.path, error) from error
        self._served = True

    def close(self) -> None:
        if self._served:
            withdraw(self.path)
        self._connection.close()


def open_store(path: Path, kind: Kind, *, wait_s: float = 2.0) -> Store:
    """Open the file for its one writer, making or migrating it where needed.

    Refuses with STORE_BUSY, STORE_FORBIDDEN, STORE_FAILED, STORE_CORRUPT, STORE_FOREIGN or
    STORE_NEWER; nothing is changed then.
    """
    store = Store(_connect(path, kind, wait_s), path)
    try:
        _migrate(store, kind)
        path.chmod(0o600)
    except PermissionError as error:
        store.close()
        raise forbidden(path, "belongs to another user") from error
    except BaseException:
        store.close()
        raise
    return store


def open_scratch(kind: Kind | None = None) -> Store:
    """A store in memory, gone when it is closed; with the tables of `kind`, if given."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    store = Store(connection, Path(":memory:"))
    if kind:
        _migrate(store, kind)
    return store


def _bound(parameters: Parameters) -> Any:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters)


def _connect(path: Path, kind: Kind, wait_s: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            if not path.exists():
                _make(path)
            connection = duckdb.connect(str(path))
            connection.execute("SET TimeZone = 'UTC'")
            # A commit is durable in the write-ahead log; by default every batch of the projector
            # would also move it into the file, which doubles what a commit costs.
            connection.execute("SET checkpoint_threshold = '64MB'")
            return connection
        except duckdb.Error as error:
            by = holder(error)
            if by is None:
                raise not_opened(path, kind, error) from error
            if time.monotonic() >= deadline:
                raise held(path, by) from error
            time.sleep(0.05)


def _make(path: Path) -> None:
    """An empty file, there whole or not at all, whoever is killed and whatever is full meanwhile:
    a half of one could not be told from a damaged store.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.unlink(missing_ok=True)
        duckdb.connect(str(fresh)).close()
        try:
            os.link(fresh, path)
        except FileExistsError:  # another has made it meanwhile, and may be using it
            return
        except OSError:  # a file system without links
            fresh.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise not_made(path, error) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _scripts(kind: Kind) -> list[Path]:
    return sorted((_MIGRATIONS / kind).glob("*.sql"))


def find_version(store: Store, path: Path, kind: Kind) -> int:
    """The number of migrations applied; 0 for an empty file. Refuses foreign and newer files."""
    sql = """SELECT table_name FROM duckdb_tables()
    WHERE database_name = current_database() AND NOT temporary"""
    tables = {name for (name,) in store.rows(sql)}
    if not tables:
        return 0
    if "store_version" not in tables:
        raise Refused("STORE_FOREIGN", f"{path} is a DuckDB file of something else")
    try:
        ((found, version),) = store.rows("SELECT kind, version FROM store_version")
    except (duckdb.Error, ValueError) as error:
        raise Refused("STORE_FOREIGN", f"{path} is a DuckDB file of something else") from error
    judge_version(path, kind, found, version)
    return int(version)


def judge_version(path: Path, kind: Kind, found: str, version: int) -> None:
    """Refuses what another kind of store or a newer version wrote."""
    if found != kind:
        raise Refused("STORE_FOREIGN", f"{path} holds {found}, not {kind}")
    if version > len(_scripts(kind)):
        raise Refused("STORE_NEWER", f"{path} was written by a newer version: upgrade")


def refuse_older(path: Path, kind: Kind, version: int) -> None:
    """A reader does not migrate: it refuses what its writer has not migrated yet."""
    if version != len(_scripts(kind)):
        raise Refused("STORE_OLDER", f"{path} is of version {version}: its writer migrates it")


def _migrate(store: Store, kind: Kind) -> None:
    version = find_version(store, store.path, kind)
    scripts = _scripts(kind)
    if version == len(scripts):
        return
    with store.transaction():
        for script in scripts[version:]:
            store.execute(script.read_text("utf-8"))
        store.execute("CREATE TABLE IF NOT EXISTS store_version (kind VARCHAR, version INTEGER)")
        store.execute("DELETE FROM store_version")
        store.execute("INSERT INTO store_version VALUES (?, ?)", [kind, len(scripts)])
