"""The emitter into a real journal: what is written, when, and what a caller may rely on."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from edge import Refused
from eventlog import JournalSource
from producers import Emitter, EmitterSettings
from schemas import LIMITS, decode
from tests.command_line import wait_until

T0 = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z
SECOND = 1_000_000
HOUR = 3600 * SECOND
Event = dict[str, Any]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now


def _ids(seed: int = 7) -> Callable[[], UUID]:
    rng = random.Random(seed)
    return lambda: UUID(int=rng.getrandbits(128))


def _emitter(root: Path, clock: Callable[[], int], **settings: Any) -> Emitter:
    return Emitter(
        root,
        "eu-1",
        "eu",
        "1.0",
        clock=clock,
        settings=EmitterSettings(**settings),
        threaded=False,
        ids=_ids(),
    )


def _read(root: Path, topic: str = "meetings.usage", source: str | None = None) -> list[Event]:
    """Every event of `topic`, proven to decode, its sequences dense from 1 per source."""
    log = JournalSource(root)
    log.assign({})
    events: list[Event] = []
    while slices := log.poll(10_000, 0):
        for one in slices:
            assert not one.damages
            if one.partition.topic != topic:
                continue
            found = decode(topic, one.payloads)
            assert not found.failures
            assert found.columns["sequence"].to_pylist() == one.offsets
            events += found.columns.to_pylist()
    log.close()
    for each in {event["source"] for event in events}:
        numbers = [event["sequence"] for event in events if event["source"] == each]
        assert numbers == list(range(1, len(numbers) + 1))
    return [event for event in events if source in (None, event["source"])]


def _totals(beat: Event) -> dict[tuple[str, str], tuple[int, int]]:
    return {(t["source"], t["topic"]): (t["last"], t["refused"]) for t in beat["totals"]}


def _whole(**changes: Any) -> Event:
    event = {
        "phase": "INTERIM",
        "record_id": "00000000-0000-0000-0000-000000000001",
        "account_id": "a1",
        "meeting_id": "m1",
        "meter": "participant",
        "server_id": "eu-1",
        "region": "eu",
        "started_at": "2026-10-01T02:00:00+02:00",
        "observed_at": T0 + SECOND,
    }
    return {**event, **changes}


def test_start_update_stop_reach_the_journal(tmp_path: Path) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock) as emitter:
        leg = emitter.start_participant("a1", "m1", "p1", variant="de")
        recording = emitter.start_feature("recording", "a1", "m1", quantity=0)
        clock.now += 5 * SECOND
        recording.update(100)
        emitter.flush()
        clock.now += 5 * SECOND
        recording.stop(250)
        recording.stop(900)
        leg.stop()
    events = _read(tmp_path)
    seen = [(e["meter"], e["phase"], e["observed_at"] - T0, e["quantity"]) for e in events]
    assert seen == [
        ("participant", "START", 0, None),
        ("recording", "START", 0, 0),
        ("recording", "INTERIM", 5 * SECOND, 100),
        ("recording", "STOP", 10 * SECOND, 250),
        ("participant", "STOP", 10 * SECOND, None),
    ]
    assert {e["started_at"] for e in events} == {T0}
    assert events[0]["record_id"] == leg.record_id.bytes
    assert (events[0]["participant_id"], events[0]["variant"]) == ("p1", "de")


def test_every_open_record_has_an_interim_each_minute(tmp_path: Path) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock) as emitter:
        for _ in range(3):
            emitter.start_participant("a1", "m1")
        for _ in range(300):
            clock.now += SECOND
            emitter.tick(clock.now)
    events = [e for e in _read(tmp_path) if e["phase"] == "INTERIM"]
    assert [(e["observed_at"] - T0) // SECOND for e in events] == [
        m * 60 for m in range(1, 6) for _ in range(3)
    ]


@pytest.mark.parametrize("step_s", [60, 3600, 60 * 3600])
def test_a_record_is_cut_at_exactly_24_hours(tmp_path: Path, step_s: int) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock, interim_s=3600, beat_s=24 * 3600) as emitter:
        bytes_sent = emitter.start_feature("recording", "a1", "m1", quantity=10)
        peak = emitter.start_meeting("a1", "m1", quantity=10)
        clock.now += HOUR
        bytes_sent.update(70)
        peak.update(70)
        end = T0 + 61 * HOUR
        while clock.now < end:
            clock.now += step_s * SECOND
            emitter.tick(clock.now)
        bytes_sent.stop(100)
        peak.stop(60)
    for meter, quantities in (("recording", [70, 0, 30]), ("meeting", [70, 70, 70])):
        stops = [e for e in _read(tmp_path) if e["meter"] == meter and e["phase"] == "STOP"]
        starts = [e for e in _read(tmp_path) if e["meter"] == meter and e["phase"] == "START"]
        day = 24 * HOUR
        assert [e["started_at"] - T0 for e in stops] == [0, day, 2 * day]
        assert [e["observed_at"] - T0 for e in stops] == [day, 2 * day, 61 * HOUR]
        assert [e["quantity"] for e in stops] == quantities
        assert [e["started_at"] for e in starts] == [e["started_at"] for e in stops]
        assert [e["continues"] for e in stops] == [None, *(e["record_id"] for e in stops[:2])]
        assert [e["continues"] for e in starts] == [e["continues"] for e in stops]


def test_a_record_of_24_hours_is_one_record(tmp_path: Path) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock) as emitter:
        leg = emitter.start_participant("a1", "m1")
        clock.now += 24 * HOUR
        leg.stop()
    assert [e["phase"] for e in _read(tmp_path)] == ["START", "STOP"]


def test_heartbeats_promise_what_lies_before_them(tmp_path: Path) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock) as emitter:
        source = emitter.source
        emitter.start_participant("a1", "m1")
        emitter.load(cpu=0.5, memory=1, meetings=1, participants=1, capacity=9, egress_bps=0)
        clock.now += 60 * SECOND
        emitter.tick()
        clock.now += 1
    beats = _read(tmp_path, "sources.heartbeat")
    assert [b["phase"] for b in beats] == ["OPEN", "BEAT", "CLOSE"]
    assert [b["watermark"] - T0 for b in beats] == [0, 60 * SECOND, 60 * SECOND + 1]
    assert [_totals(b)[source, "meetings.usage"] for b in beats] == [(0, 0), (2, 0), (3, 0)]
    assert [_totals(b)[source, "servers.load"] for b in beats] == [(0, 0), (1, 0), (1, 0)]
    assert [e["observed_at"] - T0 for e in _read(tmp_path)] == [0, 60 * SECOND, 60 * SECOND + 1]


def test_a_killed_process_loses_at_most_the_flush_interval_and_is_settled(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from producers import Emitter
emitter = Emitter(Path({str(tmp_path)!r}), "eu-1", "eu", "1.0",
                  clock=lambda: time.time_ns() // 1000)
for n in range(3):
    emitter.start_participant("a1", "m1", f"p{{n}}")
print(emitter.source, flush=True)
time.sleep(300)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    dead = child.stdout.readline().strip()
    wait_until(lambda: len(_read(tmp_path, source=dead)) == 3)  # nobody has asked for a flush
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert len(_read(tmp_path, source=dead)) == 3
    with _emitter(tmp_path, Clock()) as emitter:
        heir = emitter.source
    first = _read(tmp_path, "sources.heartbeat", heir)[0]
    assert first["phase"] == "OPEN"
    assert _totals(first)[dead, "meetings.usage"] == (3, 0)
    assert _totals(first)[heir, "meetings.usage"] == (0, 0)
    with _emitter(tmp_path, Clock()) as emitter:
        third = emitter.source
    names = {source for source, _ in _totals(_read(tmp_path, "sources.heartbeat", third)[0])}
    assert heir not in names


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    threads, each = 6, 500
    settings = EmitterSettings(buffer_events=64, block_ms=60_000)
    emitter = Emitter(
        tmp_path, "eu-1", "eu", "1", clock=lambda: time.time_ns() // 1000, settings=settings
    )

    def work(name: str) -> None:
        for n in range(each):
            leg = emitter.start_participant("a1", name, f"p{n}")
            leg.stop()

    workers = [threading.Thread(target=work, args=(f"m{i}",)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    emitter.flush()
    assert not emitter.refused
    # A full buffer may let a STOP stand for its own START, which says less.
    events = _read(tmp_path)
    stopped = [(e["meeting_id"], e["participant_id"]) for e in events if e["phase"] == "STOP"]
    assert len(stopped) == len(set(stopped)) == threads * each
    emitter.close()
    assert all(b["watermark"] <= b["beat_at"] for b in _read(tmp_path, "sources.heartbeat"))


def test_a_disk_that_refuses_loses_nothing(tmp_path: Path) -> None:
    emitter = _emitter(tmp_path, Clock(), fsync="never")
    emitter.start_participant("a1", "m1", "p0")
    emitter.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        for n in range(1, 50):
            emitter.start_participant("a1", "m1", f"p{n}")
        with pytest.raises(Refused, match="JOURNAL_WRITE"):
            emitter.flush()
        with pytest.raises(Refused, match="JOURNAL_WRITE"):
            emitter.close()
        emitter.start_participant("a1", "m1", "p50")
        assert emitter.write_failures == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    emitter.close()
    assert [e["participant_id"] for e in _read(tmp_path)] == [f"p{n}" for n in range(51)]


def test_a_full_buffer_never_blocks_for_long_and_beats_say_what_was_lost(tmp_path: Path) -> None:
    settings = EmitterSettings(buffer_events=2, block_ms=50, fsync="never")
    emitter = Emitter(
        tmp_path, "eu-1", "eu", "1", clock=lambda: time.time_ns() // 1000, settings=settings
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        begin = time.monotonic()
        for n in range(5):
            emitter.start_participant("a1", "m1", f"p{n}")
        assert time.monotonic() - begin < 20, "it waits for room, which never comes"
        assert emitter.refused == {"START": 3}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    emitter.close()
    last = _read(tmp_path, "sources.heartbeat")[-1]
    assert _totals(last)[emitter.source, "meetings.usage"][1] == 3


def test_a_whole_interim_that_was_taken_and_given_up_is_told(tmp_path: Path) -> None:
    """Nothing that comes later says what it said; an INTERIM of a handle is said again."""
    settings = EmitterSettings(buffer_events=4, fsync="never")
    emitter = Emitter(tmp_path, "eu-1", "eu", "1", clock=Clock(), threaded=False, settings=settings)
    handle = emitter.start_participant("a1", "m1", "p1")
    emitter.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        emitter.start_participant("a1", "m1", "p2")
        emitter.start_participant("a1", "m1", "p3")
        with pytest.raises(Refused, match="JOURNAL_WRITE"):
            emitter.flush()  # the two are on their way now
        assert emitter.emit("meetings.usage", _whole(phase="INTERIM"))
        handle.update(7)
        emitter.start_participant("a1", "m1", "p4")
        emitter.start_participant("a1", "m1", "p5")
        assert emitter.refused == {"INTERIM": 2}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    emitter.close()
    last = _read(tmp_path, "sources.heartbeat")[-1]
    assert _totals(last)[emitter.source, "meetings.usage"][1] == 1


def test_whole_events_are_taken_as_they_are(tmp_path: Path) -> None:
    clock = Clock()
    emitter = Emitter(
        tmp_path, "eu-1", "eu", "1", clock=clock, threaded=False, replay=True, incarnation="x"
    )
    with emitter:
        assert emitter.emit("meetings.usage", _whole(quantity=5))
        assert emitter.emit("meetings.usage", _whole(quantity=3, observed_at=T0))
    events = _read(tmp_path)
    assert [(e["quantity"], e["observed_at"] - T0) for e in events] == [(5, SECOND), (3, 0)]
    assert events[0]["started_at"] == T0
    assert events[0]["participant_id"] is None
    assert events[0]["source"] == "eu-1/x"
    beats = _read(tmp_path, "sources.heartbeat")
    assert [b["watermark"] for b in beats] == [LIMITS.time_us_min, T0 + SECOND]


@pytest.mark.parametrize(
    ("topic", "changes", "reasons"),
    [
        ("meetings.usage", {"quantity": -1, "account_id": "a b"}, ["quantity", "account_id"]),
        ("meetings.usage", {"quantity": "1", "region": 5}, ["quantity", "region"]),
        ("meetings.usage", {"quantity": True}, ["quantity"]),
        ("meetings.usage", {"quantity": 2**63}, ["quantity"]),
        ("meetings.usage", {"meter": None}, ["meter"]),
        ("meetings.usage", {"record_id": "x", "phase": "UNKNOWN"}, ["record_id", "phase"]),
        ("meetings.usage", {"started_at": "2026-10-01T00:00:00"}, ["started_at"]),
        ("meetings.usage", {"observed_at": T0 + 49 * HOUR}, ["observed_at"]),
        ("meetings.usage", {"source": "s", "colour": 1}, ["source", "colour"]),
        ("servers.load", {}, ["is missing", "is no field"]),
        ("sources.heartbeat", {}, ["topic"]),
        ("meetings.nothing", {}, ["topic"]),
    ],
)
def test_what_would_be_quarantined_is_refused_with_every_reason(
    tmp_path: Path, topic: str, changes: Event, reasons: list[str]
) -> None:
    with _emitter(tmp_path, Clock()) as emitter:
        with pytest.raises(Refused) as refusal:
            emitter.emit(topic, _whole(**changes))
        assert all(reason in str(refusal.value) for reason in reasons)
        for bad in ("", "a b", "ä", "x" * 129, None, 5):
            with pytest.raises(Refused):
                emitter.start_participant(bad, "m1")  # type: ignore[arg-type]
        leg = emitter.start_participant("a1", "m1")
        for quantity in (-1, 1.5, True, 2**63):
            with pytest.raises(Refused):
                leg.update(quantity)  # type: ignore[arg-type]
    assert [e["phase"] for e in _read(tmp_path)] == ["START"]


def test_a_clock_that_falls_back_breaks_no_rule(tmp_path: Path) -> None:
    clock = Clock()
    with _emitter(tmp_path, clock) as emitter:
        leg = emitter.start_participant("a1", "m1")
        clock.now -= HOUR
        leg.stop()
    assert [e["observed_at"] for e in _read(tmp_path)] == [T0, T0]


def test_samples_are_judged_the_first_time_and_the_next(tmp_path: Path) -> None:
    good: Event = {
        "client": "web",
        "network": "wifi",
        "interval_s": 10,
        "rtt_ms": 40,
        "jitter_ms": 2.5,
        "packets_received": 500,
        "packets_lost": 0,
        "bitrate_bps": 1,
        "frozen_ms": 0,
    }
    bad: list[Event] = [
        *({name: -1} for name in good),
        *({name: "wifi"} for name in good if name not in ("client", "network")),
        *({name: None} for name in good),
        *({name: True} for name in good),
        *({name: 2**70} for name in good if name not in ("rtt_ms", "jitter_ms")),
        {"client": 5},
        {"network": "a b"},
        {"rtt_ms": float("nan")},
        {"jitter_ms": float("inf")},
        {"interval_s": 1.0},
        {"join_ms": 1.5},
    ]
    with _emitter(tmp_path, Clock()) as emitter:
        leg = emitter.start_participant("a1", "m1")
        for _ in range(2):
            for change in bad:
                with pytest.raises(Refused):
                    emitter.quality(leg, **{**good, **change})
            emitter.quality(leg, **good, join_ms=900)
            emitter.quality(leg, **good)
    events = _read(tmp_path, "meetings.quality")
    assert [e["join_ms"] for e in events] == [900, None, 900, None]
    assert {e["record_id"] for e in events} == {leg.record_id.bytes}
