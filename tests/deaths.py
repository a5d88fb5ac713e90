"""Real processes that die at a chosen step: before it, in the middle of it, or after it.

A step is whatever leaves something behind: each system call that changes a file or a folder, each
statement of a store with BEGIN and COMMIT, the closing of a store, each acknowledgement of Kafka.
A process is forked from one that has imported everything and opened nothing, so that a case costs
tens of milliseconds. What is torn is torn by the system: it kills who writes past a limit on the
size of files, wherever that is within DuckDB.
"""

import json
import os
import resource
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any, Final

# Imported where processes are forked from, once for all of them.
import duckdb
import pandas  # noqa: F401
import pyarrow.dataset
import pyarrow.parquet  # noqa: F401
from kafka import KafkaProducer
from kafka.producer.future import FutureRecordMetadata

import tests.command_line  # noqa: F401
from audit import commands as _audit  # noqa: F401
from billing import account_commands as _accounts  # noqa: F401
from billing import credit_note_commands as _credit_notes  # noqa: F401
from billing import evidence
from billing import invoice_commands as _invoices  # noqa: F401
from billing import run_commands as _runs  # noqa: F401
from consumers import commands as _consumers  # noqa: F401
from producers import commands as _producers  # noqa: F401
from producers.sender import Sender
from tests.trouble_disk import HOW, How
from warehouse import Store

_CONTEXT: Final = get_context("forkserver")
_USERS: Final = ("emitters", "projectors", "billing", "forwarders")
_CONTEXT.set_forkserver_preload(
    ["tests.deaths", *(f"tests.test_killed_{name}" for name in _USERS), "tests.test_full_disk"]
)
_CALLS: Final = (
    "write",
    "fsync",
    "ftruncate",
    "replace",
    "rename",
    "mkdir",
    "chmod",
    "unlink",
    "link",
)
_open, _write, _append = os.open, os.write, os.O_WRONLY | os.O_CREAT | os.O_APPEND


@dataclass(frozen=True)
class Step:
    """What a process did: `grown` octets went to the end of a file by it."""

    name: str
    grown: int = 0


@dataclass(frozen=True)
class Death:
    """At which step, and how; what is torn there keeps so many octets of what it adds."""

    step: int
    how: How
    octets: int = 0


@dataclass(frozen=True)
class Ended:
    """What became of a process: its exit code, its steps and what it gave back; those of a killed
    one nobody knows.
    """

    code: int
    steps: list[Step]
    value: Any

    @property
    def was_killed(self) -> bool:
        return self.code in (-signal.SIGKILL, -signal.SIGXFSZ)


def run(act: Callable[..., Any], *told: Any, death: Death | None = None) -> Ended:
    """`act` in a process of its own, to its end or to its death. Raises where it fails."""
    here, there = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_live, args=(there, act, told, death))
    process.start()
    there.close()
    try:
        steps, value, failure = here.recv()
    except EOFError:
        steps, value, failure = [], None, None
    process.join()
    here.close()
    assert failure is None, failure
    assert process.exitcode is not None
    ended = Ended(process.exitcode, steps, value)
    assert ended.code == 0 or (death and ended.was_killed), ended
    return ended


def deaths(steps: list[Step], draw: Callable[[int], int]) -> list[Death]:
    """Every death that a process of these steps can die; `draw` says where something is torn."""
    return [
        Death(number, how, draw(step.grown) if how == "torn" else 0)
        for number, step in enumerate(steps)
        for how in HOW
        if how != "torn" or step.grown > 1
    ]


def synced(log: Path) -> dict[Path, int]:
    """How far each file was written through, by what `watch_syncs` has noted."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return {Path(path): size for path, size in map(json.loads, lines)}


def watch_syncs(log: Path) -> None:
    """From now on notes each file that this process writes through, and how long it is then."""
    fsync = os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        path = os.readlink(f"/proc/self/fd/{handle}")
        note(log, json.dumps([path, os.fstat(handle).st_size]))

    os.fsync = noted


def note(log: Path, line: str) -> None:
    """What a killed process has said is there, and is no step of its own."""
    handle = _open(log, _append, 0o600)
    _write(handle, f"{line}\n".encode())
    os.close(handle)


def _live(
    there: connection.Connection, act: Callable[..., Any], told: Any, death: Death | None
) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    steps = _Steps(death)
    try:
        steps.install()
        value, failure = act(*told), None
    except BaseException:
        value, failure = None, traceback.format_exc()
    steps.is_over = True
    there.send((steps.taken, value, failure))
    there.close()


class _Steps:
    """Counts, and dies. `taken` are the steps so far."""

    def __init__(self, death: Death | None) -> None:
        self.taken: list[Step] = []
        self.is_over = False
        self._death = death

    def install(self) -> None:
        for name in _CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        os.write = self._counted("write", os.write, _half)
        open_ = os.open

        def opened(path: Any, flags: int, *told: Any, **named: Any) -> int:
            if flags & os.O_CREAT:
                return self.take(f"make {path}", lambda: open_(path, flags, *told, **named))
            return open_(path, flags, *told, **named)

        os.open = opened
        run, close = Store._run, Store.close

        def _run(store: Store, sql: str, parameters: Any) -> Any:
            limit = _wal(store) if sql == "COMMIT" else None
            return self.take(sql, lambda: run(store, sql, parameters), limit)

        def _close(store: Store) -> None:
            self.take("close", lambda: close(store), store.path)

        connect = duckdb.connect

        def _connect(path: Any = ":memory:") -> Any:
            return self.take(f"open {path}", lambda: connect(path), Path(path))

        duckdb.connect = _connect
        Store._run, Store.close = _run, _close
        evidence._append = self._counted("append evidence", evidence._append)
        for owner, name in (
            (KafkaProducer, "send"),
            (FutureRecordMetadata, "get"),
            (Sender, "send"),
        ):
            setattr(owner, name, self._counted(f"{owner.__name__} {name}", getattr(owner, name)))

    def _counted(
        self, name: str, call: Callable[..., Any], torn: Callable[..., Any] | None = None
    ) -> Callable[..., Any]:
        def counted(*told: Any, **named: Any) -> Any:
            act = lambda: call(*told, **named)  # noqa: E731
            if torn is None:
                return self.take(name, act)
            return self.take(name, act, half=lambda: call(*torn(*told)))

        return counted

    def take(
        self,
        name: str,
        act: Callable[[], Any],
        file: Path | None = None,
        half: Callable[[], Any] | None = None,
    ) -> Any:
        """One step. What it writes to the end of `file` can be torn by the system; or `half` is
        what is left of it.
        """
        number = len(self.taken)
        death = self._death
        if self.is_over:
            return act()
        if death is None or number != death.step:
            self.taken.append(Step(name))
            before = _octets(file)
            value = act()
            grown = 2 if half else _octets(file) - before
            if _rewrites(name):
                grown = _octets(file)
            self.taken[number] = Step(name, max(grown, 0))
            return value
        if death.how == "torn" and half is not None:
            half()
        elif death.how == "torn":
            at = (0 if _rewrites(name) else _octets(file)) + death.octets
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python has made it an error
            resource.setrlimit(resource.RLIMIT_FSIZE, (at, resource.RLIM_INFINITY))
            act()
        elif death.how == "after":
            act()
        os.kill(os.getpid(), signal.SIGKILL)
        return None


def _rewrites(name: str) -> bool:
    """Whether a step writes anywhere in its file, and not at its end."""
    return name == "close" or name.startswith("open ")


def _half(handle: int, data: Any) -> tuple[int, bytes]:
    return handle, bytes(data)[: len(data) // 2]


def _wal(store: Store) -> Path:
    return store.path.with_name(store.path.name + ".wal")


def _octets(file: Path | None) -> int:
    return file.stat().st_size if file is not None and file.exists() else 0
