"""Damage done behind the projector's back, as a disk or a hand may do it, is seen by `verify`."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers import Projector, broken_invariants, retry
from consumers.invariants import CHECKS, verify_usage
from eventlog import Partition, Slice
from schemas import encode
from tests.test_completeness import beat
from tests.test_decode import EVENTS
from tests.test_projector import QUALITY, _meetings
from tests.test_schemas import T
from warehouse import Store, open_store

SOURCE = "fra-1/00"
HOUR_US = 3_600_000_000


def _told() -> dict[str, list[bytes]]:
    """Some of each topic, over several hours, with one message that is none and one hole."""
    rng = random.Random(20261124)
    usage = [encode("meetings.usage", event) for event in _meetings(rng, 30, SOURCE)]
    quality, load = (
        [
            encode(topic, event | {"sequence": n, "sampled_at": T + n * HOUR_US // 4} | more(n))
            for n in range(1, 21)
        ]
        for topic, event, more in (
            ("meetings.quality", QUALITY, lambda n: {"rtt_ms": n * 30.0, "frozen_ms": n}),
            ("servers.load", EVENTS["servers.load"], lambda n: {"participants": n}),
        )
    )
    beats = [
        beat(SOURCE, 1, {SOURCE: 0, "fra-1/gone": 3}, phase="OPEN"),
        beat(SOURCE, 2, len(usage), at=T + 60_000_000),
    ]
    return {
        "meetings.usage": [*usage, b"noise"],
        "meetings.quality": quality,
        "servers.load": load,
        "sources.heartbeat": beats,
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("invariants") / "usage.duckdb"
    with open_store(path, "usage").closing() as opened:
        projector = Projector(opened, itertools.count(T).__next__)
        for batch in range(2):
            projector.apply([_half(topic, told, batch) for topic, told in _told().items()])
        assert retry(opened, projector)[0] == 0
        yield opened


def _half(topic: str, told: list[bytes], batch: int) -> Slice:
    """The second half tells some of the first again."""
    middle = len(told) // 2
    start, payloads = (0, told[:middle]) if batch == 0 else (middle, told[middle - 1 :])
    next_ = start + len(payloads)
    return Slice(
        Partition("c/t", topic, "0"), start, next_, list(range(start, next_)), payloads,
        [None] * len(payloads), None,
    )  # fmt: skip


def test_a_whole_store_is_whole(store: Store) -> None:
    assert broken_invariants(store) == []
    assert store.value("SELECT count(DISTINCT what) FROM additions") == 6


DAMAGES = [
    *(
        (f"UPDATE quality_hourly SET {name} = {name} + 1", "samples_equal_hours")
        for name in ("samples", "poor", "interval_s", "packets_received", "packets_lost")
    ),
    ("UPDATE quality_hourly SET frozen_ms = 0", "samples_equal_hours"),
    ("INSERT INTO quality_hourly FROM quality_hourly LIMIT 1", "sketches_equal_hours"),
    ("DELETE FROM quality_hourly", "tables_equal_additions"),
    ("DELETE FROM sketch_buckets", "samples_equal_sketches"),
    ("DELETE FROM sketch_buckets WHERE metric = 'loss_ratio'", "samples_equal_sketches"),
    ("UPDATE sketch_buckets SET samples = samples + 1", "sketches_equal_hours"),
    ("UPDATE sketch_buckets SET bucket = bucket + 1", "samples_equal_sketches"),
    ("INSERT INTO sketch_buckets FROM sketch_buckets", "sketches_equal_hours"),
    ("DELETE FROM quality_samples", "samples_equal_hours"),
    ("INSERT INTO quality_samples FROM quality_samples LIMIT 1", "samples_equal_hours"),
    ("UPDATE quality_samples SET rtt_ms = 2 * rtt_ms + 1", "samples_equal_sketches"),
    ("DELETE FROM server_hourly", "tables_equal_additions"),
    ("UPDATE server_hourly SET samples = 0, participants_max = 9", "tables_equal_additions"),
    ("INSERT INTO server_hourly FROM server_hourly LIMIT 1", "servers_unique"),
    ("DELETE FROM usage_daily", "daily_equals_records"),
    ("UPDATE usage_daily SET duration_us = duration_us + 1", "daily_equals_records"),
    ("INSERT INTO usage_daily FROM usage_daily LIMIT 1", "days_unique"),
    ("DELETE FROM usage_records", "daily_equals_records"),
    ("DELETE FROM usage_daily; DELETE FROM usage_records", "tables_equal_additions"),
    ("INSERT INTO usage_records FROM usage_records LIMIT 1", "identities_unique"),
    ("UPDATE usage_records SET cancelled = NOT cancelled", "daily_equals_records"),
    ("UPDATE usage_records SET place = NULL", "records_placed"),
    ("UPDATE usage_records SET place = 7", "records_placed"),
    ("UPDATE usage_records SET last_offset = 99999", "records_placed"),
    ("UPDATE usage_records SET first_offset = last_offset + 1", "records_placed"),
    ("DELETE FROM places", "records_placed"),
    ("INSERT INTO places FROM places", "records_placed"),
    ('INSERT INTO places SELECT 9, log, "partition" FROM places', "records_placed"),
    ("INSERT INTO more_places SELECT uuid(), 1, 0, 0", "tables_equal_additions"),
    ("DELETE FROM positions", "positions_equal_batches"),
    ("UPDATE positions SET next = next + 1", "positions_equal_batches"),
    ("INSERT INTO positions FROM positions LIMIT 1", "positions_equal_batches"),
    ("DELETE FROM batches", "positions_equal_batches"),
    ("INSERT INTO batches FROM batches LIMIT 1", "positions_equal_batches"),
    ("UPDATE batches SET events = 0", "additions_within_batches"),
    ("UPDATE batches SET events = events + 1", "positions_equal_batches"),
    ("DELETE FROM additions", "tables_equal_additions"),
    ("DELETE FROM sequences", "tables_equal_additions"),
    ("DELETE FROM sequences WHERE topic = 'meetings.quality'", "tables_equal_additions"),
    ("UPDATE sequences SET last = last - 1", "tables_equal_additions"),
    ("INSERT INTO sequences FROM sequences LIMIT 1", "sequences_disjoint"),
    ("DELETE FROM quarantine", "tables_equal_additions"),
    ("DELETE FROM source_state", "sources_equal_heartbeats"),
    ("UPDATE source_state SET sequence = 1", "sources_equal_heartbeats"),
    ("INSERT INTO source_state FROM source_state", "sources_equal_heartbeats"),
    ("DELETE FROM source_totals", "sources_equal_heartbeats"),
    ("INSERT INTO source_totals FROM source_totals", "sources_equal_heartbeats"),
    ("INSERT INTO refusals FROM refusals", "sources_equal_heartbeats"),
    ("INSERT INTO settlements FROM settlements", "sources_equal_heartbeats"),
    ("DELETE FROM proven", "holes_promised"),
    ("INSERT INTO horizons VALUES (9, 'c/t', 'meetings.usage', '0', 99)", "horizons_ahead"),
]


@pytest.mark.parametrize(("damage", "broken"), DAMAGES)
def test_damage_is_seen(store: Store, damage: str, broken: str) -> None:
    store.execute("BEGIN")
    try:
        store.execute(damage)
        assert broken in {fault.place for fault in broken_invariants(store)}
    finally:
        store.execute("ROLLBACK")


def test_a_row_that_differs_is_counted_on_both_sides(store: Store) -> None:
    store.execute("BEGIN")
    try:
        change = "UPDATE usage_daily SET quantity = quantity + 1 WHERE records > 0"
        ((days,),) = store.rows(change)
        (fault,) = broken_invariants(store)
        assert fault.message.startswith(f"{2 * days} rows break it")
    finally:
        store.execute("ROLLBACK")


def test_every_invariant_can_be_broken() -> None:
    assert set(CHECKS.all()) == {broken for _, broken in DAMAGES}


def test_the_invariants_are_read_of_a_closed_store_too(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    with open_store(path, "usage").closing() as opened:
        place = Partition("c/t", "meetings.usage", "0")
        Projector(opened, lambda: T).apply([Slice(place, 0, 1, [0], [b""], [None], None)])
    assert verify_usage(path) == []
    with open_store(path, "usage").closing() as opened:
        opened.execute("DELETE FROM quarantine")
    assert [fault.place for fault in verify_usage(path)] == ["tables_equal_additions"]
