"""Reading a store while its writer runs: the writer serves, a reader copies tables over Quack.

Owns the notice beside the store (`….serving`, mode 0600) that says where and with which token. A
token gives full SQL on the store, so the server listens on loopback alone, with the file system
shut and its configuration locked. Between machines, put a TLS proxy in front of it.
"""

import json
import os
import secrets
import socket
from importlib.resources import files
from pathlib import Path

import duckdb

from edge import Refused

_EXTENSIONS = ("httpfs", "quack")
_TRIES = 5
_TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary"
_STATE = "SELECT coalesce(max(batch), 0) FROM batches"


def serve(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Serve the store at `path` from now until its connection closes."""
    _load(connection)
    token = secrets.token_urlsafe(32)
    uri = f"quack:127.0.0.1:{_free_port()}"
    connection.execute("CALL quack_serve(?, token => ?)", [uri, token])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    notice = _notice(path)
    fresh = notice.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"uri": uri, "token": token}, file)
    fresh.rename(notice)


def withdraw(path: Path) -> None:
    """Take the notice away again; one left by a killed writer is found dead and ignored."""
    _notice(path).unlink(missing_ok=True)


def copy_served(path: Path) -> duckdb.DuckDBPyConnection | None:
    """The served store's tables as they stood between two batches, in memory; None if not served.

    Refuses with STORE_BUSY where batches are committed faster than the tables can be copied.
    """
    try:
        told = json.loads(_notice(path).read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    connection = duckdb.connect()
    _load(connection)
    try:
        for _ in range(_TRIES):
            before = _ask(connection, told, _STATE)
            for (name,) in _ask(connection, told, _TABLES):
                _copy(connection, told, str(name))
            if _ask(connection, told, _STATE) == before:
                return connection
    except duckdb.Error:
        connection.close()
        return None
    connection.close()
    raise Refused("STORE_BUSY", f"{path} changes faster than it can be copied: try again")


def _copy(connection: duckdb.DuckDBPyConnection, told: dict[str, str], name: str) -> None:
    local, remote = f'"{name}"', f'FROM "{name}"'
    connection.execute(f"DROP TABLE IF EXISTS {local}")
    connection.execute(
        f"CREATE TABLE {local} AS FROM quack_query(?, ?, token => ?)",
        [told["uri"], remote, told["token"]],
    )


def _ask(
    connection: duckdb.DuckDBPyConnection, told: dict[str, str], sql: str
) -> list[tuple[str | int, ...]]:
    return connection.execute(
        "FROM quack_query(?, ?, token => ?)", [told["uri"], sql, told["token"]]
    ).fetchall()


def _load(connection: duckdb.DuckDBPyConnection) -> None:
    """The extensions from their wheels: nothing is fetched, signatures are still checked."""
    for name in _EXTENSIONS:
        folder = files(f"duckdb_extension_{name}").joinpath("extensions")
        (file,) = Path(str(folder)).rglob(f"{name}.duckdb_extension")
        connection.execute(f"LOAD '{file}'")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _notice(path: Path) -> Path:
    return path.with_name(path.name + ".serving")
