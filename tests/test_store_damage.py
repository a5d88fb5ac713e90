"""A damaged usage store, or what a crash left of its write-ahead log: refused, or brought to what
the log says. Nothing else: no crash, no stack trace, no number that is silently another.
"""

import itertools
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants
from edge import Refused
from eventlog import JournalSource, JournalWriter
from schemas import encode
from tests import recount
from tests.command_line import run_here
from tests.fire import times
from tests.test_completeness import beat
from tests.test_projector import TOPIC, T, _daily, _meetings, _records
from tests.test_rebuild import RECORDS, contents, rebuilt
from warehouse import open_store

STORE, WAL = "usage.duckdb", "usage.duckdb.wal"
Files = dict[str, bytes]


def _in_a_child(action: Callable[[], object]) -> int:
    """Its wait status: DuckDB may die of what it reads, and must not take the tests with it."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


@pytest.fixture
def events(tmp_path: Path) -> list[dict[str, Any]]:
    """Those of the journal beside the store, ten a block."""
    writer = JournalWriter.open(tmp_path / "journal", "fra-1")
    events = _meetings(random.Random(20261126), 40, writer.source)
    for begin in range(0, len(events), 10):
        block = events[begin : begin + 10]
        writer.append(TOPIC, [encode(TOPIC, event) for event in block])
    writer.append("sources.heartbeat", [beat(writer.source, 1, len(events))])
    writer.close()
    return events


@pytest.fixture
def files(tmp_path: Path, events: list[dict[str, Any]]) -> Files:
    """A store of which two commits are in the file and four in the log, as a SIGKILL leaves it."""

    def commit(batches: int) -> None:
        store = open_store(tmp_path / STORE, "usage")
        projector = Projector(store, itertools.count(T).__next__)
        log = JournalSource(tmp_path / "journal")
        log.assign(projector.positions())
        for _ in range(batches):
            projector.apply(log.poll(10, 0.0), log.ends)
        if batches == 2:
            store.close()
        os._exit(0)

    for batches in (2, 4):
        assert _in_a_child(lambda batches=batches: commit(batches)) == 0
    return {name: (tmp_path / name).read_bytes() for name in (STORE, WAL)}


def _damaged(rng: random.Random, whole: Files) -> tuple[str, Files]:
    """What was done, and the files after it. Half of the faults meet the log."""
    kind = rng.choice(
        ["flip", "cut", "zero", "log flip", "log cut", "log gone", "log and more", "no file"]
    )
    files = dict(whole)
    name = WAL if kind.startswith("log") else STORE
    data = bytearray(files[name])
    # Headers and the log's entries are short: they are met as often as all the rest.
    at = rng.randrange(min(len(data), rng.choice([12_288, len(data)])))
    if "flip" in kind:
        data[at] ^= 1 << rng.randrange(8)
    elif "cut" in kind:
        del data[at:]
    elif kind == "zero":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif kind == "log and more":
        data += rng.randbytes(rng.randrange(1, 200))
    files[name] = bytes(data)
    if kind in ("log gone", "no file"):
        del files[name]
    return kind, files


@pytest.mark.fire
def test_a_damaged_store_is_refused_or_says_what_the_log_says(
    tmp_path: Path, rng: random.Random, files: Files, events: list[dict[str, Any]]
) -> None:
    records, days = recount.records(events), recount.daily(events)

    def read_on(home: Path) -> None:
        try:
            with open_store(home / STORE, "usage").closing() as store:
                Projector(store, itertools.count(T).__next__).run_once(
                    JournalSource(tmp_path / "journal")
                )
                assert _records(store) == records
                assert _daily(store) == days
                assert broken_invariants(store) == []
        except Refused as refused:
            # The log of a file that is gone is no store's.
            assert refused.code in ("STORE_CORRUPT", "STORE_FAILED", "STORE_FOREIGN"), refused
            os._exit(3)
        os._exit(0)

    ended: Counter[tuple[str, str]] = Counter()
    for number in range(times(10)):
        kind, damaged = _damaged(rng, files)
        home = tmp_path / f"home-{number}"
        home.mkdir()
        for name, data in damaged.items():
            (home / name).write_bytes(data)
        status = _in_a_child(lambda home=home: read_on(home))
        assert status in (0, 3 << 8), f"{kind} in case {number} ended with {status}"
        ended[kind, "refused" if status else "the same"] += 1
        shutil.rmtree(home)
    print(dict(ended))


def test_what_is_left_of_a_damaged_store_is_moved_away_and_rebuilt_identical(
    tmp_path: Path, rng: random.Random, files: Files, events: list[dict[str, Any]]
) -> None:
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    before = contents(tmp_path, RECORDS)
    store = tmp_path / STORE
    data = bytearray(store.read_bytes())
    data[rng.randrange(12_288)] ^= 1 << rng.randrange(8)
    for broken in (bytes(data), b"", store.read_bytes()[:5000], rng.randbytes(5000)):
        (tmp_path / WAL).unlink(missing_ok=True)
        store.write_bytes(broken)
        for command in (("consume", "--once"), ("rebuild",), ("verify",)):
            done = run_here(tmp_path, *command)
            if broken == b"" or done.returncode == 0:
                continue  # DuckDB keeps two headers: one may be broken; nothing is an empty store
            assert done.stderr.splitlines()[-1].startswith(("STORE_CORRUPT: ", "STORE_FAILED: "))
        store.unlink(missing_ok=True)
        (tmp_path / f"{STORE}.before-rebuild").unlink(missing_ok=True)
        rebuilt(tmp_path)
        assert contents(tmp_path, RECORDS) == before
        with open_store(store, "usage").closing() as found:
            assert _records(found) == recount.records(events)
            assert _daily(found) == recount.daily(events)
            assert broken_invariants(found) == []
        assert rebuilt(tmp_path)[0] == {}
