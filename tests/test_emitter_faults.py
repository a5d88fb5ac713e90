"""The emitter against disks, threads, forks and crowds: what was taken is in the journal, once."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge import Refused
from eventlog import JournalSource
from producers import Emitter, EmitterSettings
from producers.intake import event_from
from schemas import decode
from tests.command_line import wait_until
from tests.oracle_log import read_torn_journal
from tests.trouble_disk import Disk
from tests.trouble_servers import Server

T0 = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z
SECOND = 1_000_000
DAY = 86_400 * SECOND
BEATS, USAGE = "sources.heartbeat", "meetings.usage"


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now


def _wall() -> int:
    return time.time_ns() // 1000


def _open(root: Path, clock: Callable[[], int], **settings: Any) -> Emitter:
    threaded = settings.pop("threaded", False)
    return Emitter(
        root, "s", "eu", "1", clock=clock, threaded=threaded, settings=EmitterSettings(**settings)
    )


def _read(root: Path, topic: str = USAGE) -> list[dict[str, Any]]:
    source = JournalSource(root, [topic])
    source.assign({})
    found: list[dict[str, Any]] = []
    while slices := source.poll(100_000, 0.0):
        for piece in slices:
            decoded = decode(topic, piece.payloads)
            assert not decoded.failures
            assert decoded.columns["sequence"].to_pylist() == piece.offsets
            found += decoded.columns.to_pylist()
    return found


def test_close_ends_while_callers_crowd_a_full_buffer_and_loses_nothing(tmp_path: Path) -> None:
    emitter = _open(tmp_path, _wall, threaded=True, buffer_events=50, block_ms=50)
    taken: list[str] = []

    def crowd(name: str) -> None:
        for n in range(10**9):
            try:
                emitter.start_participant("a", "m", f"{name}-{n}")
            except AssertionError:  # closed
                return
            taken.append(f"{name}-{n}")

    callers = [threading.Thread(target=crowd, args=(f"p{n}",)) for n in range(6)]
    closers = [threading.Thread(target=emitter.close) for _ in range(2)]
    for caller in callers:
        caller.start()
    time.sleep(0.2)
    for closer in closers:
        closer.start()
    for thread in (*closers, *callers):
        thread.join(60)
        assert not thread.is_alive()
    there = {event["participant_id"] for event in _read(tmp_path)}
    # A refused START whose record lives on is told by its last state.
    assert len(set(taken) - there) <= sum(emitter.refused.values())
    beats = _read(tmp_path, BEATS)
    assert [beat["phase"] for beat in beats].count("CLOSE") == 1
    assert beats[-1]["phase"] == "CLOSE"


@pytest.mark.parametrize("later", [59, 61])
def test_close_writes_the_last_state_of_more_records_than_the_buffer_holds(
    tmp_path: Path, later: int
) -> None:
    clock = Clock()
    emitter = _open(tmp_path, clock, buffer_events=100)
    for n in range(1000):
        emitter.start_participant("a", "m", f"p{n}")
    clock.now += later * SECOND
    emitter.close()
    assert not emitter.refused
    last: dict[bytes, int] = {}
    for event in _read(tmp_path):
        last[event["record_id"]] = event["observed_at"]
    assert len(last) == 1000
    assert set(last.values()) == {clock.now}


def test_a_cut_of_more_records_than_the_buffer_holds_refuses_none(tmp_path: Path) -> None:
    clock = Clock()
    emitter = _open(tmp_path, clock, buffer_events=100)
    for n in range(1000):
        emitter.start_participant("a", "m", f"p{n}")
    clock.now += DAY + 30 * SECOND
    emitter.tick()
    beat = _read(tmp_path, BEATS)[-1]
    assert beat["watermark"] == clock.now
    emitter.close()
    assert not emitter.refused
    events = _read(tmp_path)
    stops = {e["record_id"]: e["observed_at"] for e in events if e["phase"] == "STOP"}
    assert len(stops) == 1000
    assert set(stops.values()) == {T0 + DAY}
    assert {e["continues"] for e in events if e["started_at"] == T0 + DAY} == set(stops)


def test_a_beat_promises_no_time_in_which_a_cut_still_waits_its_turn(tmp_path: Path) -> None:
    clock = Clock()
    emitter = _open(tmp_path, clock, buffer_events=100)
    for n in range(50):
        emitter.start_participant("a", "m", f"p{n}")
    emitter.flush()
    clock.now += DAY + 30 * SECOND
    emitter._engine._write("BEAT")  # a beat between the pieces of a turn
    started = [e["started_at"] for e in _read(tmp_path)]
    assert _read(tmp_path, BEATS)[-1]["watermark"] < T0 + DAY
    assert max(started) == T0
    emitter.close()


def test_callers_wait_for_a_piece_of_a_turn_and_not_for_all_of_it(tmp_path: Path) -> None:
    clock = Clock()
    emitter = _open(tmp_path, clock, buffer_events=200_000)
    legs = [emitter.start_participant("a", "m", f"p{n}") for n in range(20_000)]
    emitter.flush()
    clock.now += DAY + 30 * SECOND
    turn = threading.Thread(target=emitter.tick)
    turn.start()
    calls = 0
    while turn.is_alive():
        legs[calls % 100].update()
        calls += 1
    turn.join()
    assert calls > 5  # a turn held in one piece lets in one or two
    emitter.close()


@pytest.mark.parametrize("fsync", ["always", "interval"])
def test_a_failed_fsync_is_said_and_writes_no_event_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str
) -> None:
    emitter = _open(tmp_path, Clock(), fsync=fsync)
    real, broken = os.fsync, threading.Event()

    def fsync_or_fail(handle: int) -> None:
        if broken.is_set():
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync_or_fail)
    emitter.start_participant("a", "m", "first")
    emitter.flush()
    broken.set()
    emitter.start_participant("a", "m", "second")
    deadline = time.monotonic() + 120
    with pytest.raises(Refused, match="JOURNAL_WRITE"):
        while time.monotonic() < deadline:
            emitter.flush()
            time.sleep(0.05)
    assert emitter.write_failures >= 1
    broken.clear()
    while time.monotonic() < deadline:
        try:
            emitter.flush()
            break
        except Refused:  # until the next interval has written through
            time.sleep(0.05)
    emitter.start_participant("a", "m", "third")
    emitter.close()
    events = [e["participant_id"] for e in _read(tmp_path) if e["phase"] == "START"]
    assert events == ["first", "second", "third"]


@pytest.mark.parametrize("ended", [False, True])
def test_what_an_opening_finds_of_a_killed_one_no_power_failure_takes_back(
    tmp_path: Path, ended: bool
) -> None:
    """Neither what it names, which would be waited for forever, nor a CLOSE that it believes."""
    disk = Disk()
    with disk.installed():
        server = Server("s", disk, tmp_path, lambda: T0)
        server.open(is_careful=False)
        server.begin("participant", "a", meeting_id="m")
        server.flush()
        if ended:
            server.close()
        server.kill("flush", 0, "before")
        before = list(read_torn_journal(tmp_path))
        server.open()
        server.close()
        server.fail(0)
        after = list(read_torn_journal(tmp_path))
    server.check_settled(after)
    assert set(before) <= set(after)


def test_a_forked_child_can_write_nothing_into_its_parents_journal(tmp_path: Path) -> None:
    emitter = _open(tmp_path, _wall, threaded=True)
    emitter.start_participant("a", "m", "before")
    emitter.flush()
    child = os.fork()
    if child == 0:
        refusals = 0
        for call in (
            lambda: emitter.start_participant("a", "m", "child"),
            emitter.flush,
            emitter.tick,
            emitter.close,
        ):
            try:
                call()
            except Refused as refused:
                refusals += refused.code == "JOURNAL_FORKED"
        os._exit(refusals)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 4
    emitter.start_participant("a", "m", "after")
    emitter.close()
    named = [e["participant_id"] for e in _read(tmp_path) if e["phase"] == "START"]
    assert named == ["before", "after"]
    assert [beat["phase"] for beat in _read(tmp_path, BEATS)][-1] == "CLOSE"


def test_a_clock_that_fails_once_does_not_end_the_writing(tmp_path: Path) -> None:
    failing = threading.Event()

    def clock() -> int:
        if failing.is_set() and threading.current_thread().name == "emitter":
            failing.clear()
            raise ValueError("no time")
        return _wall()

    emitter = _open(tmp_path, clock, threaded=True)
    failing.set()
    while failing.is_set():
        time.sleep(0.01)
    emitter.start_participant("a", "m", "p")
    wait_until(lambda: bool(_read(tmp_path)))
    assert emitter.write_failures == 1
    emitter.close()


def test_names_that_would_leave_the_journal_and_kinds_that_are_none_are_faults(
    tmp_path: Path,
) -> None:
    for name in ("../out", "..", "a/b", ""):
        with pytest.raises((AssertionError, Refused)):
            Emitter(
                tmp_path / "j", "s", "eu", "1", clock=_wall, threaded=False, incarnation=name or "/"
            )
    with pytest.raises(Refused, match="EVENT_REFUSED"):
        Emitter(tmp_path / "j", "a/b", "eu", "1", clock=_wall, threaded=False)
    with (
        Emitter(tmp_path / "j", "s", "eu", "1", clock=_wall, threaded=False) as emitter,
        pytest.raises(AssertionError),
    ):
        emitter.start_feature("f", "a", "m", kind="bogus")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["j"]


def test_times_are_read_in_every_notation_and_none_is_cut_off() -> None:
    base = {
        "phase": "STOP", "record_id": "00000000-0000-0000-0000-000000000001", "account_id": "a",
        "meeting_id": "m", "meter": "x", "server_id": "s", "region": "r",
        "started_at": "2026-10-01t00:00:00z",
    }  # fmt: skip
    for text, after in (("2026-10-01T00:00:00.5z", 500_000), ("2026-10-01T02:00+02:00", 0),
                        ("2026-10-01T00:00:00.1234560Z", 123_456)):  # fmt: skip
        assert event_from(USAGE, base | {"observed_at": text})["observed_at"] == T0 + after
    with pytest.raises(Refused, match="six decimals"):
        event_from(USAGE, base | {"observed_at": "2026-10-01T00:00:00.1234567Z"})
