"""Reading a store, whoever holds it: what a command needs is copied into temporary tables.

One path for both cases: the file is attached where nobody writes it, else its writer is asked over
Quack, in a single statement, so that all copies are of one state between two batches.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import duckdb

from edge import Refused
from warehouse.refusals import Kind, forbidden, held, holder, not_opened
from warehouse.serving import Serving, answers, find_serving, load_quack
from warehouse.store import (
    Store,
    find_version,
    judge_version,
    open_scratch,
    refuse_older,
)

Bounds = Mapping[str, int | Sequence[UUID] | Sequence[str]]
_POLL_S = 0.05
_ANSWER_S = 5.0
_NAME = re.compile(r"\$([a-z_]+)")
_VERSION = "SELECT kind, version FROM store_version"
_STRANGER = "Authentication failed"  # another store is served at the port of a killed writer


def read_store(
    path: Path,
    kind: Kind,
    tables: Mapping[str, str],
    bounds: Bounds | None = None,
    *,
    wait_s: float = 2.0,
) -> Store:
    """A store in memory that holds `tables`, copied as `copy_tables` does. Refuses as it."""
    scratch = open_scratch()
    try:
        copy_tables(scratch, path, kind, tables, bounds, wait_s=wait_s)
    except BaseException:
        scratch.close()
        raise
    return scratch


def whole(*names: str) -> dict[str, str]:
    """The SELECTs that copy these tables or views as they are."""
    return {name: f'FROM "{name}"' for name in names}


def copy_tables(  # noqa: PLR0913  all but four have names and defaults
    into: Store,
    path: Path,
    kind: Kind,
    tables: Mapping[str, str],
    bounds: Bounds | None = None,
    *,
    wait_s: float = 2.0,
) -> None:
    """Temporary tables of `into`: each name with what its SELECT gives of the store at `path`.

    All are of one state. A SELECT names the store's tables; `$name` in it stands for the whole
    number or the list of ids or texts `bounds["name"]`, or for what the SELECT of that name before
    it gave. Refuses with STORE_MISSING, STORE_BUSY,
    STORE_FORBIDDEN, STORE_FAILED, STORE_CORRUPT, STORE_FOREIGN, STORE_OLDER or STORE_NEWER.
    """
    selects = _copies(tables, bounds or {})
    if _attach_or_copy(into, path, kind, selects, wait_s):
        _copy_attached(into, path, kind, selects)


@contextmanager
def lend_tables(  # noqa: PLR0913  all but four have names and defaults
    into: Store,
    path: Path,
    kind: Kind,
    tables: Mapping[str, str],
    bounds: Bounds | None = None,
    *,
    wait_s: float = 2.0,
) -> Iterator[None]:
    """As `copy_tables`, for the block, and without copying where nobody writes the file: each name
    is then a view of it, all of one state since no writer can open it meanwhile. A name must not be
    that of a table of the store: its view would read itself.
    """
    if not _attach_or_copy(into, path, kind, _copies(tables, bounds or {}), wait_s):
        yield
        return
    selects = _bound(tables, bounds or {}, {name: f'"{name}"' for name in tables})
    home = into.value("SELECT current_database()")
    try:
        into.execute("USE source")
        refuse_older(path, kind, find_version(into, path, kind))
        into.execute(f"SET search_path = '{home}.main,source.main'")
        for name, sql in selects.items():
            into.execute(f'CREATE TEMP VIEW "{name}" AS {sql}')
        yield
    finally:
        _forget(into, selects)
        into.execute(f'USE "{home}"')
        into.execute("DETACH source")


@contextmanager
def attached(into: Store, path: Path, kind: Kind, name: str) -> Iterator[None]:
    """The file at `path` as database `name` of `into`, for the block and for reading alone; no
    writer opens it meanwhile. Refuses as `copy_tables`, STORE_BUSY while a writer holds it.
    """
    if by := _attach(into, path, kind, name):
        raise held(path, by)
    home = into.value("SELECT current_database()")
    try:
        into.execute(f'USE "{name}"')
        version = find_version(into, path, kind)
        into.execute(f'USE "{home}"')
        refuse_older(path, kind, version)
        yield
    finally:
        into.execute(f'USE "{home}"')
        into.execute(f'DETACH "{name}"')


def _forget(into: Store, names: Iterable[str]) -> None:
    """What an earlier reading left under these names, views or tables."""
    listed = ", ".join(f"'{name}'" for name in names)
    sql = f"""SELECT view_name AS name, 'VIEW' FROM duckdb_views()
    WHERE temporary AND name IN ({listed})
    UNION ALL SELECT table_name AS name, 'TABLE' FROM duckdb_tables()
    WHERE temporary AND name IN ({listed})"""
    for name, kind in into.rows(sql):
        into.execute(f'DROP {kind} temp."{name}"')


def _attach_or_copy(
    into: Store, path: Path, kind: Kind, selects: Mapping[str, str], wait_s: float
) -> bool:
    """True with the file attached as `source`; False where its writer gave copies. What an earlier
    reading left under these names is gone either way.
    """
    if not _exists(path):
        raise Refused("STORE_MISSING", f"there is no {path}: nothing has been written there yet")
    _forget(into, selects)
    deadline = time.monotonic() + wait_s
    while True:
        serving = _serving(path)
        if serving is not None and _copy_served(into, path, kind, serving, selects):
            return False
        by = _attach(into, path, kind)
        if by is None:
            return True
        if time.monotonic() >= deadline:
            raise held(path, by)
        time.sleep(_POLL_S)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError as error:
        raise forbidden(path, "its folder may not be looked into") from error


def _serving(path: Path) -> Serving | None:
    try:
        return find_serving(path)
    except PermissionError as error:
        raise forbidden(path, "another user's projector may serve it") from error


def _copies(tables: Mapping[str, str], bounds: Bounds) -> dict[str, str]:
    """The SELECTs of copies, which have numbers until all are made: under their own names they
    would hide the store's tables from those that follow.
    """
    return _bound(tables, bounds, {name: _copy(at) for at, name in enumerate(tables)})


def _copy(number: int) -> str:
    return f'"copied {number}"'


def _bound(tables: Mapping[str, str], bounds: Bounds, called: Mapping[str, str]) -> dict[str, str]:
    def told(named: re.Match[str]) -> str:
        name = named[1]
        return _literal(bounds[name]) if name in bounds else called[name]

    return {name: _NAME.sub(told, sql) for name, sql in tables.items()}


def _literal(bound: int | Sequence[UUID] | Sequence[str]) -> str:
    """A statement that travels as text takes no parameters, so texts are quoted here."""
    if isinstance(bound, int):
        return str(int(bound))
    kind = "VARCHAR" if bound and isinstance(bound[0], str) else "UUID"
    texts = ("'" + str(one).replace("'", "''") + "'" for one in bound)
    return f"[{', '.join(texts)}]::{kind}[]"


def _attach(into: Store, path: Path, kind: Kind, name: str = "source") -> str | None:
    """Attaches the file under `name` and gives None; or the process that holds it."""
    quoted = str(path).replace("'", "''")
    sql = f"""ATTACH '{quoted}' AS "{name}" (READ_ONLY)"""
    try:
        into.use(lambda raw: raw.execute(sql))
    except duckdb.Error as error:
        if by := holder(error):
            return by
        raise not_opened(path, kind, error) from error
    return None


def _copy_attached(into: Store, path: Path, kind: Kind, selects: Mapping[str, str]) -> None:
    home = into.value("SELECT current_database()")
    into.execute("USE source")
    try:
        refuse_older(path, kind, find_version(into, path, kind))
        for number, sql in enumerate(selects.values()):
            into.execute(f"CREATE OR REPLACE TEMP TABLE {_copy(number)} AS {sql}")
        for number, name in enumerate(selects):
            into.execute(f'ALTER TABLE temp.{_copy(number)} RENAME TO "{name}"')
    finally:
        into.execute(f'USE "{home}"')
        into.execute("DETACH source")


def _copy_served(
    into: Store, path: Path, kind: Kind, serving: Serving, selects: Mapping[str, str]
) -> bool:
    """Asks the running writer; False where none answers, for the notice of a killed one stays."""
    if not answers(serving, _ANSWER_S):
        return False
    into.use(load_quack)
    asked = "FROM quack_query(?, ?, token => ?)"
    version_asked = [serving.uri, _VERSION, serving.token]
    try:
        ((found, version),) = into.use(lambda raw: raw.execute(asked, version_asked).fetchall())
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException | duckdb.HTTPException) or _STRANGER in str(error):
            return False
        raise
    judge_version(path, kind, found, version)
    refuse_older(path, kind, version)
    into.execute(
        f"CREATE OR REPLACE TEMP TABLE packed_copies AS {asked}",
        [serving.uri, _pack(selects), serving.token],
    )
    for name in selects:
        into.execute(
            f'CREATE TEMP TABLE "{name}" AS'
            f' SELECT unnest("{name}") FROM packed_copies WHERE "{name}" IS NOT NULL'
        )
    into.execute("DROP TABLE packed_copies")
    return True


def _pack(selects: Mapping[str, str]) -> str:
    """One statement, hence one state: a column of structs per SELECT, null in others' rows. The
    writer holds on to the rows of none but those that another SELECT reads too.
    """
    copies = []
    for number, sql in enumerate(selects.values()):
        is_read = any(_copy(number) in other for other in selects.values())
        kept = "MATERIALIZED" if is_read else "NOT MATERIALIZED"
        copies.append(f"{_copy(number)} AS {kept} (\n{sql}\n)")
    parts = (f'SELECT "{name}" FROM {_copy(at)} AS "{name}"' for at, name in enumerate(selects))
    return f"WITH {', '.join(copies)} {' UNION ALL BY NAME '.join(parts)}"
