"""Disks that are full, small ones and real: a clean stop with a code and what to do, and when there
is room again all goes on, nothing lost and nothing twice.
"""

import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from consumers import broken_invariants
from edge import Refused, Settings
from edge.instants import instant
from producers import Emitter, EmitterSettings
from tests import fire
from tests.billed import CLOSED_AT_US, fill_books, record, store_usage
from tests.command_line import run_here
from tests.deaths import run
from tests.small_disk import SmallDisk, small_disk
from tests.test_killed_billing import state
from tests.test_killed_emitters import SECOND, T, beats, counted, projected, script, told
from tests.test_killed_projectors import filled, said, wanted
from tests.test_no_float import ACCOUNTS, book
from warehouse import open_store

KIB: Final = 1024
BLOCK_MS: Final = 20
PATIENCE_S: Final = 30.0  # of a busy machine, where BLOCK_MS is meant, and not for ever
CODES: Final = ("STORE_FAILED", "STORE_UNKNOWN", "EVIDENCE_WRITE", "DOCUMENT_WRITE")
ROOMS: Final = [0, 8, 16, 32, 64, 96, 128, 192, 256, 320, 512, 768, 1024, 1536, 2048]  # KiB
NOW: Final = instant(CLOSED_AT_US).isoformat()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 24) as made:
        yield made


def emit(disk: SmallDisk, events: list[dict[str, Any]]) -> tuple[list[bool], str, int, float]:
    """Of each event whether it was taken, what a flush said meanwhile, how many are counted as
    refused, and the longest that a call took. There is room again before the end.
    """
    disk.enter()
    emitter = Emitter(
        disk.path / "j", "fra-1", "eu", "1", clock=lambda: T + 3600 * SECOND,
        settings=EmitterSettings(buffer_events=40, block_ms=BLOCK_MS, flush_interval_ms=10),
    )  # fmt: skip
    taken, longest, refusal = [], 0.0, ""
    for event in events:
        begun = time.monotonic()
        taken.append(emitter.emit("meetings.usage", event))
        longest = max(longest, time.monotonic() - begun)
        if len(taken) == len(events) // 4:
            disk.fill(0)
            disk.heed()
        if not taken[-1] and not refusal:
            try:
                emitter.flush()
            except Refused as refused:
                refusal = str(refused)
    disk.free()
    disk.heed()
    emitter.flush()
    refused = sum(emitter.refused.values())
    assert emitter.write_failures
    emitter.close()
    return taken, refusal, refused, longest


def test_a_full_disk_under_the_journal_blocks_nobody_and_what_is_refused_is_counted(
    disk: SmallDisk,
) -> None:
    events = [one | {"meeting_id": "m" * 100 + f"{n}"} for n, one in enumerate(script(0, 160))]
    taken, refusal, refused, longest = run(emit, disk, events).value
    assert refusal.startswith("JOURNAL_WRITE: ")
    assert ("File too large" if disk.keeper is None else "No space left") in refusal
    assert "make room" in refusal
    assert refused == taken.count(False) > 0
    assert longest < PATIENCE_S
    kept = [one for one, was_taken in zip(events, taken, strict=True) if was_taken]
    assert [one["record_id"] for one in told(disk.seen / "j")] == [one["record_id"] for one in kept]
    *_, last = beats(disk.seen / "j")
    totals = {one["topic"]: (one["last"], one["refused"]) for one in last["totals"]}
    assert totals["meetings.usage"] == (len(kept), refused)
    assert run(projected_there, disk, "j").value[:2] == counted(kept)


def emit_file(disk: SmallDisk, events: list[dict[str, Any]]) -> tuple[int, str]:
    disk.enter()
    lines = [
        {**one, "topic": "meetings.usage", "record_id": one["record_id"].hex()}
        | {name: instant(one[name]).isoformat() for name in ("started_at", "observed_at")}
        for one in events
    ]
    done = run_here(disk.path, "emit", "-", "--server-id", "fra-1", lines=lines)
    return done.returncode, done.stderr


@pytest.mark.fire
def test_a_file_that_a_full_disk_took_half_of_is_emitted_again_and_counts_once(
    disk: SmallDisk, rng: random.Random
) -> None:
    events = script(0, 2000)
    rooms = sorted(fire.some(rng, ROOMS[1:4], 1) + [0])
    for room in rooms:
        disk.fill(room * KIB)
        code, stderr = run(emit_file, disk, events).value
        assert code == 1, stderr
        *_, last = stderr.splitlines()
        assert last.startswith("JOURNAL_WRITE: "), stderr
        assert "Traceback" not in stderr
        disk.free()
    assert run(emit_file, disk, events).value[0] == 0
    assert run(projected_there, disk, "journal").value[:2] == counted(events)


def projected_there(disk: SmallDisk, journal: str) -> tuple[Any, ...]:
    disk.enter()
    return projected(disk.path / journal)


def consume(disk: SmallDisk) -> tuple[int, str]:
    disk.enter()
    done = run_here(disk.path, "consume", "--once")
    return done.returncode, done.stderr


def stored(disk: SmallDisk) -> tuple[Any, ...]:
    disk.enter()
    with open_store(disk.path / "usage.duckdb", "usage").closing() as store:
        return said(store)


def refused(done: tuple[int, str]) -> bool:
    """Whether it was, cleanly."""
    code, stderr = done
    assert "Traceback" not in stderr
    assert code in (0, 1), done
    if code:
        *_, last = stderr.splitlines()
        print(last)
        assert last.partition(": ")[0] in CODES, stderr
        assert "make room" in last
    return bool(code)


def check_stops(
    command: Callable[[SmallDisk], tuple[int, str]], disk: SmallDisk, rng: random.Random
) -> None:
    """It stops cleanly where there is little room or none, and goes on when there is."""
    stopped = 0
    for room in sorted(fire.some(rng, ROOMS[1:], 1) + [0]):
        disk.fill(room * KIB)
        stopped += refused(run(command, disk).value)
        disk.free()
    assert stopped
    assert not refused(run(command, disk).value)


@pytest.mark.fire
def test_a_full_disk_under_the_usage_store_is_a_clean_stop(
    disk: SmallDisk, rng: random.Random
) -> None:
    events = filled(disk.seen, rng)
    check_stops(consume, disk, rng)
    assert run(stored, disk).value == wanted(events)


def spill(disk: SmallDisk) -> tuple[str, int]:
    """More than fits into memory, sorted: what is said while the disk is full, and the rows in
    order when it is not.
    """
    disk.enter()
    sql = "SELECT count(*) FROM (FROM range(600000) AS t(n) ORDER BY md5(n::VARCHAR) OFFSET 1)"
    with open_store(disk.path / "usage.duckdb", "usage").closing() as store:
        store.execute("SET threads = 1")
        store.execute("SET memory_limit = '12MB'")
        disk.fill(64 * KIB)
        disk.heed()
        try:
            told = str(store.value(sql))
        except Refused as refused:
            told = str(refused)
        disk.free()
        disk.heed()
        assert broken_invariants(store) == []
    with open_store(disk.path / "usage.duckdb", "usage").closing() as store:
        return told, store.value(sql)


def test_a_full_disk_under_what_is_spilled_ends_one_statement_alone(disk: SmallDisk) -> None:
    told, rows = run(spill, disk).value
    assert told.startswith("STORE_FAILED: "), told
    assert "make room" in told
    assert rows == 599_999


def finalize(disk: SmallDisk) -> tuple[int, str]:
    disk.enter()
    words = ("invoice", "run", "--month", "2026-10", "--finalize", "--accept-incomplete", "test")
    done = run_here(disk.path, *words, now=NOW)
    return done.returncode, done.stderr


def fill(home: Path) -> None:
    settings = Settings(home, None, "clerk")
    fill_books(settings, [book()], ACCOUNTS)
    store_usage(settings, [record(n, "a", quantity=n) for n in range(40)])


def there(disk: SmallDisk) -> Any:
    disk.enter()
    return state(disk.path)


@pytest.mark.fire
def test_a_full_disk_under_books_evidence_or_documents_bills_nobody_twice(
    tmp_path: Path, disk: SmallDisk, rng: random.Random
) -> None:
    calm = SmallDisk(tmp_path / "calm", None)
    fill(calm.path)
    for name in ("books.duckdb", "usage.duckdb"):
        shutil.copy(calm.path / name, disk.seen / name)
    assert not refused(run(finalize, calm).value)
    check_stops(finalize, disk, rng)
    assert run(there, disk).value == run(there, calm).value
