"""The projector against the recount: any order, any repetition, any split, any kill."""

import itertools
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants, dismiss, retry
from edge import Refused
from eventlog import JournalSource, JournalWriter, Partition, Slice
from schemas import CONTRACTS, encode
from tests import recount
from warehouse import Store, open_store, read_store, whole

T = 1_790_000_000_000_000
TOPIC = "meetings.usage"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "usage.duckdb", "usage")
    yield opened
    opened.close()


def _clock() -> Any:
    return itertools.count(T).__next__


def _meetings(rng: random.Random, count: int, source: str) -> list[dict[str, Any]]:
    """Records with START, INTERIMs, most with STOP, some cancelled, some with a variant."""
    events: list[dict[str, Any]] = []
    for _ in range(count):
        started = T + rng.randrange(5 * recount.DAY_US)
        base = {
            "source": source,
            "record_id": rng.randbytes(16),
            "account_id": f"a{rng.randrange(5)}",
            "meeting_id": f"m{rng.randrange(20)}",
            "participant_id": rng.choice([None, "p1", "p2"]),
            "meter": rng.choice(["participant", "recording", "dial_in"]),
            "variant": rng.choice([None, "US", "DE"]),
            "server_id": "fra-1",
            "region": "eu",
            "started_at": started,
            "continues": rng.choice([None, None, rng.randbytes(16)]),
        }
        seen = [0, *sorted(rng.randrange(47 * 3_600_000_000) for _ in range(rng.randrange(4)))]
        ends = [rng.choice(["STOP", "STOP", "INTERIM", "CANCEL"])] if len(seen) > 1 else []
        phases = ["START", *["INTERIM"] * (len(seen) - 1 - len(ends)), *ends]
        for step, (after, phase) in enumerate(zip(seen, phases, strict=True)):
            quantity = None if base["meter"] == "participant" else step * 1000
            events.append(
                base | {"observed_at": started + after, "phase": phase, "quantity": quantity}
            )
    rng.shuffle(events)
    return [event | {"sequence": n} for n, event in enumerate(events, start=1)]


def _daily(store: Store) -> dict[tuple[Any, ...], list[int]]:
    rows = store.rows(
        "SELECT epoch_us(day::TIMESTAMP) // 86400000000, account_id, meter, variant, records,"
        " duration_us, quantity FROM usage_daily WHERE records <> 0"
    )
    return {tuple(row[:4]): [int(value) for value in row[4:]] for row in rows}


def _records(store: Store) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = store.rows(
        "SELECT record_id, epoch_us(started_at), account_id, meeting_id, participant_id, meter,"
        " variant, epoch_us(last_seen), stopped, cancelled, quantity, continues FROM usage_records"
    )
    names = ("seen", "stopped", "cancelled", "quantity", "continues")
    found = {}
    for record_id, *rest in rows:
        state = dict(zip(names, rest[6:], strict=True))
        state["continues"] = state["continues"] and state["continues"].bytes
        found[record_id.bytes, *rest[:6]] = state
    return found


def _slice(offset: int, payloads: list[bytes], partition: str = "0", topic: str = TOPIC) -> Slice:
    offsets = list(range(offset, offset + len(payloads)))
    place = Partition("c/t", topic, partition)
    end = offset + len(payloads)
    return Slice(place, offset, end, offsets, payloads, [None] * len(payloads), None)


@pytest.mark.drawn(3)
@pytest.mark.parametrize("seed", range(8))
def test_any_order_repetition_and_split_equals_the_recount(store: Store, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    events = _meetings(rng, 150, "fra-1/00")
    told = events + rng.sample(events, len(events) // 3)
    rng.shuffle(told)
    projector, offset = Projector(store, _clock()), 0
    while told:
        size = rng.randint(1, 120)
        part, told = told[:size], told[size:]
        projector.apply([_slice(offset, [encode(TOPIC, event) for event in part])])
        offset += len(part)
        assert broken_invariants(store) == []
    assert _records(store) == recount.records(events)
    assert _daily(store) == recount.daily(events)
    assert store.rows("FROM sequences") == [(TOPIC, "fra-1/00", 1, len(events))]
    assert projector.positions() == {Partition("c/t", TOPIC, "0"): offset}


def test_a_day_moves_by_what_changed_a_record_and_by_nothing_else(store: Store) -> None:
    """Closed months are looked at again by `last_batch`: a change that did not move it is lost."""
    (first, *_) = _meetings(random.Random(4), 1, "fra-1/00")
    told = first | {"phase": "START", "quantity": None, "continues": None, "variant": None}
    low, high = bytes(16), b"\xff" * 16
    changes: list[dict[str, Any]] = [
        {},
        {"observed_at": told["observed_at"] + 1},
        {"phase": "STOP"},
        {"quantity": 0},  # another state than none, which comes to as much
        {"quantity": 5},
        {"continues": low},
        {"continues": high},
        {"phase": "CANCEL"},
        {"phase": "INTERIM", "observed_at": told["observed_at"] + 2},  # of what counts no more
    ]
    projector, offsets, numbers = Projector(store, _clock()), itertools.count(), itertools.count(1)
    for change in changes:
        told = told | change
        batches = []
        for event in (told, told, told | {"phase": "INTERIM", "quantity": None}):
            payload = encode(TOPIC, event | {"sequence": next(numbers)})
            batches.append(projector.apply([_slice(next(offsets), [payload])]).batch)
            assert store.value("SELECT last_batch FROM usage_daily") == batches[0], change
    assert store.rows("SELECT DISTINCT added FROM additions WHERE what = 'usage_records'") == [(1,)]
    assert broken_invariants(store) == []


def test_sequences_are_the_set_of_what_was_applied(store: Store) -> None:
    rng = random.Random(5)
    events = _meetings(rng, 30, "fra-1/00") + _meetings(rng, 30, "nyc-1/00")
    kept = [event for event in events if event["sequence"] % 7]
    rng.shuffle(kept)
    projector, offset = Projector(store, _clock()), 0
    while offset < len(kept):
        part = kept[offset : offset + rng.choice([1, 1, 2, 6])]
        projector.apply([_slice(offset, [encode(TOPIC, event) for event in part])])
        offset += len(part)
    assert _applied(store) == {(TOPIC, event["source"], event["sequence"]) for event in kept}


def test_what_two_events_say_differently_is_the_same_in_any_order_and_split(store: Store) -> None:
    """Of what a record continues, and of its quantity, the greatest."""
    (first, *_) = _meetings(random.Random(4), 1, "fra-1/00")
    low = first | {"continues": bytes(15) + b"\1", "quantity": 7}
    high = first | {"continues": b"\xff" * 16, "quantity": 3}
    projector, numbers, events = Projector(store, _clock()), itertools.count(1), []
    for order in ([low, high], [high, low]):
        for size in (1, 2):
            id = bytes([len(events)]) * 16
            pair = [one | {"record_id": id, "sequence": next(numbers)} for one in order]
            for at in range(0, 2, size):
                payloads = [encode(TOPIC, one) for one in pair[at : at + size]]
                projector.apply([_slice(len(events) + at, payloads)])
            events += pair
    assert _records(store) == recount.records(events)


def _applied(store: Store) -> set[tuple[str, str, int]]:
    return {
        (topic, source, number)
        for topic, source, first, last in store.rows("FROM sequences")
        for number in range(first, last + 1)
    }


def test_numbers_of_one_topic_or_source_fill_no_gap_of_another(store: Store) -> None:
    """Each has every other number of what lies next to it, in one batch and the next."""
    rng = random.Random(6)
    usage, topic = _meetings(rng, 1, "a/0")[0], "meetings.quality"
    told = {(TOPIC, "a/0"): range(1, 12), (TOPIC, "b/0"): range(2, 20, 2),
            (topic, "a/0"): range(3, 20, 4), (topic, "b/0"): range(1, 20, 3)}  # fmt: skip
    projector = Projector(store, _clock())
    for half in (0, 1):
        slices = []
        for name, event in ((TOPIC, usage), (topic, QUALITY | {"rtt_ms": 1.0})):
            payloads = [
                encode(name, event | {"source": source, "sequence": number})
                for (where, source), numbers in told.items()
                for number in numbers
                if where == name and (number <= 9) != bool(half)
            ]
            slices.append(_slice(0, payloads, topic=name, partition=f"{half}"))
        projector.apply(slices)
        assert broken_invariants(store) == []
    assert _applied(store) == {(*place, n) for place, numbers in told.items() for n in numbers}


def test_a_zombie_is_rolled_back_whole(store: Store) -> None:
    events = [encode(TOPIC, event) for event in _meetings(random.Random(1), 5, "fra-1/00")]
    Projector(store, _clock()).apply([_slice(0, events[:3])])
    before = store.rows("FROM usage_records ORDER BY ALL")
    with pytest.raises(Refused, match="POSITION_MOVED"):
        Projector(store, _clock()).apply([_slice(0, events), _slice(0, events, "1")])
    assert store.rows("FROM usage_records ORDER BY ALL") == before
    assert broken_invariants(store) == []


QUALITY: dict[str, Any] = {
    "source": "fra-1/00", "record_id": uuid.UUID(int=1).bytes, "account_id": "a",
    "meeting_id": "m", "server_id": "fra-1", "server_version": "1", "region": "eu",
    "client": "web", "network": "wifi", "sampled_at": T, "interval_s": 10, "jitter_ms": 1.0,
    "packets_received": 90, "packets_lost": 10, "bitrate_bps": 1, "frozen_ms": 0, "join_ms": None,
}  # fmt: skip


def test_a_quality_sample_is_counted_once_however_often_it_comes(store: Store) -> None:
    topic = "meetings.quality"
    rtts = [0.0, 1.0, 100.0, 501.0, 40.0, 40.0]
    samples = [
        encode(topic, QUALITY | {"sequence": n, "rtt_ms": rtt}) for n, rtt in enumerate(rtts, 1)
    ]
    projector = Projector(store, _clock())
    # Of two that claim one number the first counts, in one batch as in two.
    again = [encode(topic, QUALITY | {"sequence": n, "rtt_ms": 900.0}) for n in (1, 2)]
    projector.apply([_slice(0, samples[:4] + again, topic=topic)])
    projector.apply([_slice(6, samples, topic=topic)])
    ((count, poor),) = store.rows("SELECT samples, poor FROM quality_hourly")
    assert (count, poor) == (6, 1)
    buckets = store.rows(
        "SELECT bucket, samples FROM quality_sketch WHERE metric = 'rtt_ms' ORDER BY ALL"
    )
    gamma = 1.01 / 0.99
    told = {None if b is None else 2 * gamma**b / (gamma + 1): n for b, n in buckets}
    assert told.pop(None) == 1
    for rtt, times in ((1.0, 1), (100.0, 1), (501.0, 1), (40.0, 2)):
        near = [value for value in told if abs(value - rtt) <= rtt * 0.0101]
        assert [told[value] for value in near] == [times]
    assert broken_invariants(store) == []


def test_raw_samples_go_by_whole_days_of_event_time_and_never_come_back(store: Store) -> None:
    topic, day = "meetings.quality", recount.DAY_US
    first = T // day * day
    numbers = itertools.count(1)

    def step(now: int, days: int, *sampled: int) -> list[int]:
        """The days of the samples kept, counted from the first."""
        payloads = [
            encode(topic, QUALITY | {"rtt_ms": 1.0, "sequence": next(numbers), "sampled_at": at})
            for at in sampled
        ]
        projector = Projector(store, lambda: now, sample_days=days)
        offset = projector.positions().get(Partition("c/t", topic, "0"), 0)
        projector.apply([_slice(offset, payloads, topic=topic)])
        assert broken_invariants(store) == []
        kept = store.rows("SELECT epoch_us(sampled_at) FROM quality_samples ORDER BY ALL")
        return [(at - first) // day for (at,) in kept]

    assert step(first, 2, first - 2 * day - 1, first - 2 * day, first, first + 1) == [-2, 0, 0]
    assert step(first + day - 1, 2) == [-2, 0, 0]
    assert step(first + day, 2, first + day) == [0, 0, 1]
    late = (first - day, first - day - 1, first + 2)
    assert step(first + 2 * day, 2, *late) == [0, 0, 0, 1]
    assert step(first, 2, first - 1) == [0, 0, 0, 1], "the clock was set back"
    assert step(first, 30, first - 1) == [0, 0, 0, 1], "the setting was raised"
    assert step(first + 3 * day, 1) == []
    assert store.value("SELECT sum(samples) FROM quality_hourly") == next(numbers) - 1
    store.execute("UPDATE samples_kept SET first_day = first_day - 1")
    places = [fault.place for fault in broken_invariants(store)]
    assert places == ["samples_equal_hours", "samples_equal_sketches"]


def test_poison_is_quarantined_once_with_its_place_and_neighbours_count(store: Store) -> None:
    events = _meetings(random.Random(2), 4, "fra-1/00")
    good = [encode(TOPIC, event) for event in events]
    bad = encode(TOPIC, events[0] | {"account_id": "not an id", "sequence": 999})
    projector = Projector(store, _clock())
    done = projector.apply([_slice(0, [b"", *good, bad, b"", bad])])
    assert done.quarantined == 2
    rows = store.rows(
        'SELECT id, topic, "partition", "offset", payload, source, sequence, code, state'
        " FROM quarantine ORDER BY id"
    )
    assert rows == [
        (1, TOPIC, "0", 0, b"", None, None, "BAD_FRAME", "open"),
        (2, TOPIC, "0", len(good) + 1, bad, "fra-1/00", 999, "RULE_BROKEN", "open"),
    ]
    assert _daily(store) == recount.daily(events)
    applied, faults = retry(store, projector)
    assert applied == 0
    assert [fault.code for fault in faults] == ["BAD_FRAME", "RULE_BROKEN"]
    dismiss(store, [1], "test message", "ops", T)
    with pytest.raises(Refused, match="QUARANTINE_NO_ROW"):
        dismiss(store, [1], "again", "ops", T)
    told = "SELECT state, dismissed_by, epoch_us(dismissed_at), dismissal FROM quarantine"
    assert store.rows(f"{told} ORDER BY id") == [
        ("dismissed", "ops", T, "test message"),
        ("open", None, None, None),
    ]


def test_usage_that_breaks_a_rule_tells_whose_bill_it_touches(store: Store) -> None:
    event = _meetings(random.Random(2), 1, "fra-1/00")[0]
    account, start = event["account_id"], event["started_at"]
    late = {"observed_at": start + 48 * 3600 * 1_000_000 + 1}
    broken = [
        ({"quantity": -1}, account, start),
        ({"phase": "UNKNOWN"}, account, start),
        ({"source": "no source"}, account, start),
        ({"account_id": "not an id"}, None, start),
        (late, account, None),
        ({"observed_at": start - 1}, account, None),
        ({"started_at": 0, "observed_at": 0}, account, None),
        ({"account_id": "", **late}, None, None),
    ]
    payloads = [encode(TOPIC, event | told) for told, _, _ in broken]
    payloads.append(encode(TOPIC, event) + b"more")
    Projector(store, _clock()).apply([_slice(0, payloads)])
    rows = store.rows("SELECT account_id, epoch_us(started_at) FROM quarantine ORDER BY id")
    assert rows == [*((who, at) for _, who, at in broken), (None, None)]


def test_an_unknown_schema_is_retried_exactly_once_when_it_is_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = _meetings(random.Random(3), 4, "fra-1/00")
    payloads = [encode(TOPIC, event) for event in events]
    projector = Projector(store, _clock())
    unknown = replace(CONTRACTS[TOPIC], versions={}, quick={})
    with monkeypatch.context() as patch:
        patch.setitem(CONTRACTS, TOPIC, unknown)
        assert projector.apply([_slice(0, payloads)]).quarantined == len(events)
    assert retry(store, projector) == (len(events), [])
    assert retry(store, projector) == (0, [])
    assert _daily(store) == recount.daily(events)
    assert broken_invariants(store) == []


def test_past_its_ceiling_quarantine_stops_the_projector_after_the_commit(store: Store) -> None:
    projector = Projector(store, _clock())
    projector.apply([_slice(0, [b"%d" % n for n in range(600)])])
    with pytest.raises(Refused, match="QUARANTINE_CEILING"):
        projector.refuse_past_ceiling()
    assert projector.positions() == {Partition("c/t", TOPIC, "0"): 600}


def test_heartbeats_leave_the_greatest_state_whatever_their_order(store: Store) -> None:
    def beat(sequence: int, phase: str, refused: int) -> bytes:
        totals = [
            {"source": "fra-1/00", "topic": TOPIC, "last": sequence * 10, "refused": refused},
            {"source": "fra-1/gone", "topic": TOPIC, "last": 7, "refused": 0},
        ]
        return encode(
            "sources.heartbeat",
            {
                "source": "fra-1/00",
                "sequence": sequence,
                "server_id": "fra-1",
                "phase": phase,
                "beat_at": T + sequence,
                "watermark": T + sequence,
                "totals": totals,
            },
        )

    beats = [beat(1, "OPEN", 0), beat(2, "BEAT", 5), beat(3, "BEAT", 5), beat(4, "CLOSE", 9)]
    projector = Projector(store, _clock())
    for n, payload in enumerate(reversed(beats)):
        projector.apply([_slice(n, [payload], topic="sources.heartbeat")])
    assert store.rows("SELECT sequence, phase FROM source_state") == [(4, "CLOSE")]
    assert store.rows("SELECT source, last FROM source_totals ORDER BY ALL") == [
        ("fra-1/00", 40),
        ("fra-1/gone", 7),
    ]
    settled = "SELECT source, settled_by, epoch_us(settled_at), beats FROM settlements"
    assert store.rows(settled) == [("fra-1/gone", "fra-1/00", T + 1, 0)]
    rises = "SELECT refused, epoch_us(after), epoch_us(told_at) FROM rises_of_refused ORDER BY ALL"
    assert store.rows(rises) == [(4, T + 3, T + 4), (5, T + 1, T + 2)]


_WORKER = """
import sys, time
from pathlib import Path
from consumers import Projector
from eventlog import JournalSource
from warehouse import open_store
root = Path(sys.argv[1])
store = open_store(root / "usage.duckdb", "usage", wait_s=20)
print("open", flush=True)
Projector(store, lambda: time.time_ns() // 1000).run_once(
    JournalSource(root / "journal"), events_max=150
)
store.close()
"""


def test_killed_anywhere_and_started_again_it_equals_the_recount(tmp_path: Path) -> None:
    seed = 20261124
    print(f"seed {seed}")
    rng = random.Random(seed)
    writer = JournalWriter.open(tmp_path / "journal", "fra-1")
    events = _meetings(rng, 1500, writer.source)
    payloads = [encode(TOPIC, event) for event in events]
    for start in range(0, len(payloads), 100):
        writer.append(TOPIC, payloads[start : start + 100])
    writer.close()
    command = [sys.executable, "-c", _WORKER, str(tmp_path)]
    for _ in range(6):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            assert worker.stdout
            assert worker.stdout.readline() == b"open\n"
            time.sleep(rng.random() * 0.3)
            worker.send_signal(signal.SIGKILL)
        with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
            assert broken_invariants(store) == []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert _records(store) == recount.records(events)
        assert _daily(store) == recount.daily(events)
        assert broken_invariants(store) == []


def test_a_damaged_block_is_one_quarantine_row_and_a_hole(tmp_path: Path, store: Store) -> None:
    writer = JournalWriter.open(tmp_path / "journal", "fra-1")
    events = _meetings(random.Random(4), 10, writer.source)
    for event in events:
        writer.append(TOPIC, [encode(TOPIC, event)])
    writer.close()
    (path,) = (tmp_path / "journal").rglob("*.avro")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0x10
    path.write_bytes(whole)
    Projector(store, _clock()).run_once(JournalSource(tmp_path / "journal"))
    ((code, missing),) = store.rows('SELECT code, "offset" FROM quarantine')
    assert code == "BLOCK_DAMAGED"
    assert store.rows("SELECT first, last FROM sequences ORDER BY first") == [
        (1, missing - 1),
        (missing + 1, len(events)),
    ]
    assert _daily(store) == recount.daily(e for e in events if e["sequence"] != missing)


def test_stores_that_cannot_be_opened_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="STORE_MISSING"):
        read_store(tmp_path / "none.duckdb", "usage", whole("positions"))
    (tmp_path / "garbage.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(Refused, match="STORE_CORRUPT"):
        open_store(tmp_path / "garbage.duckdb", "usage")
    open_store(tmp_path / "usage.duckdb", "usage").close()
    with pytest.raises(Refused, match="STORE_FOREIGN"):
        open_store(tmp_path / "usage.duckdb", "books")


def test_a_second_projector_is_told_who_holds_the_store(tmp_path: Path, store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from warehouse import open_store\n"
        "try: open_store(Path(sys.argv[1]), 'usage', wait_s=0.1)\n"
        "except Exception as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("STORE_BUSY: process ")
