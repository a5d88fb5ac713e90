"""Reading a store while its writer runs: the writer serves it over Quack, readers ask there.

Owns the notice beside the store (`….serving`, mode 0600) that says where and with which token. A
token gives full SQL on the store, so the server listens on loopback alone, with the file system
shut and its configuration locked. Between machines, put a TLS proxy in front of it.
"""

import json
import os
import secrets
import socket
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

_EXTENSIONS = ("httpfs", "quack")
_ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a running writer can be asked, and with which token."""

    uri: str
    token: str


def serve(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Serve the store at `path` from now until its connection closes."""
    load_quack(connection)
    port = _free_port()
    told = {"uri": f"quack:127.0.0.1:{port}", "token": secrets.token_urlsafe(32)}
    connection.execute("CALL quack_serve(?, token => ?)", [told["uri"], told["token"]])
    _wait_for_answer(port)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    notice = _notice(path)
    fresh = notice.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told, file)
    fresh.rename(notice)


def withdraw(path: Path) -> None:
    """Take the notice away again; one left by a killed writer is found dead and ignored."""
    _notice(path).unlink(missing_ok=True)


def find_serving(path: Path) -> Serving | None:
    """What the notice of the store at `path` says; None without one. It may be out of date."""
    try:
        return Serving(**json.loads(_notice(path).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def answers(serving: Serving, within_s: float) -> bool:
    """Whether the writer of the notice is there and goes on: one that was stopped holds its port,
    and the client would wait for its answer for ever.
    """
    try:
        return _ask(int(serving.uri.rpartition(":")[2]), within_s)
    except OSError:
        return False


def load_quack(connection: duckdb.DuckDBPyConnection) -> None:
    """The extensions from their wheels: nothing is fetched, signatures are still checked."""
    for name in _EXTENSIONS:
        folder = files(f"duckdb_extension_{name}").joinpath("extensions")
        (file,) = Path(str(folder)).rglob(f"{name}.duckdb_extension")
        connection.execute(f"LOAD '{file}'")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_answer(port: int) -> None:
    """Seen on a busy machine: a server that is closed before it has begun to accept never ends."""
    deadline = time.monotonic() + _ANSWER_S
    while True:
        try:
            _ask(port, _ANSWER_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _ask(port: int, within_s: float) -> bool:
    """Whether the server at `port` says anything. Raises OSError: nobody is there, or is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=within_s) as asking:
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return bool(asking.recv(1))


def _notice(path: Path) -> Path:
    return path.with_name(path.name + ".serving")
