"""No bytes stop the line: whatever the log holds is applied or quarantined, its neighbours too."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers import Projector, broken_invariants, retry
from edge import Fault
from eventlog import (
    JournalSource,
    JournalWriter,
    KafkaSettings,
    Partition,
    Slice,
)
from eventlog.kafka_open import open_kafka
from producers import Forwarder
from schemas import TOPICS, decode, encode
from tests.test_decode import EVENTS
from tests.test_projector import T
from warehouse import Store, open_store

FRAME = b"\xc3\x01ABCDEFGH"
NUMBERS = (0, 1, -1, 2**31, 2**55, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**69, -(2**63))


def _varint(value: int, octets: int = 0) -> bytes:
    """A zig-zag long that may be any number, in at least so many octets."""
    rest = value << 1 if value >= 0 else -2 * value - 1
    parts = []
    while rest > 0x7F or len(parts) < octets - 1:
        parts.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*parts, rest])


SEQUENCE_BEYOND_64_BITS = FRAME + b"\x02a" + b"\xfe" * 9 + b"\x7e"


def _poison(rng: random.Random, topic: str) -> bytes:
    """A message of `topic` with something done to it, or noise with or without its frame."""
    good = encode(topic, EVENTS[topic] | {"sequence": rng.choice([1, 2, 2**63 - 1])})
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randbytes(rng.randrange(40))
    if kind == 1:
        return rng.choice([FRAME, good[:10]]) + rng.randbytes(rng.randrange(40))
    if kind == 2:
        head = rng.choice([FRAME, good[:10]]) + rng.choice([b"\x02a", b"\x00", b"\x02\0", b"\x01"])
        number = _varint(rng.choice(NUMBERS), rng.choice([0, 0, 9, 10, 11]))
        return head + number + rng.choice([b"", good[20:]])
    value = bytearray(good)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(10, len(value))
        value[at : at + rng.randrange(3)] = rng.choice(
            [b"", rng.randbytes(1), _varint(rng.choice(NUMBERS)), b"\xff" * rng.randrange(1, 12)]
        )
    return bytes(value)


def _told(rng: random.Random, topic: str, count: int) -> list[bytes]:
    """Poison, with good events among it that nobody else tells."""
    numbers = itertools.count(1)
    own = EVENTS[topic] | {"source": "good/0"}
    return [
        encode(topic, own | {"sequence": next(numbers)})
        if rng.random() < 0.1
        else _poison(rng, topic)
        for _ in range(count)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "usage.duckdb", "usage")
    yield opened
    opened.close()


def _check(store: Store, told: dict[str, list[bytes]]) -> None:
    """Every message was applied or lies in quarantine, once however often it came."""
    applied, rejected = set(), set()
    for topic, payloads in told.items():
        found = decode(topic, payloads)
        rejected |= {(topic, payloads[one.index]) for one in found.failures}
        names = found.columns.select(["source", "sequence"]).to_pylist()
        applied |= {(topic, one["source"], one["sequence"]) for one in names}
    assert set(store.rows("SELECT topic, payload FROM quarantine")) == rejected
    count = store.value("SELECT sum(last::HUGEINT - first + 1) FROM sequences")
    assert count == len(applied)
    assert broken_invariants(store) == []
    assert retry(store, Projector(store, lambda: T))[0] == 0
    for view in ("holes", "source_completeness", "topic_completeness", "rises_of_refused"):
        store.rows(f"FROM {view}")


def test_a_sequence_beyond_64_bits_is_quarantined_without_one(store: Store) -> None:
    place = Partition("c/t", "meetings.usage", "0")
    good = encode(place.topic, EVENTS[place.topic])
    values = [good, SEQUENCE_BEYOND_64_BITS]
    done = Projector(store, lambda: T).apply([Slice(place, 0, 2, [0, 1], values, ["k", "k"], None)])
    assert (done.events, done.quarantined) == (2, 1)
    rows = store.rows("SELECT source, sequence, code, payload FROM quarantine")
    assert rows == [("k", None, "UNKNOWN_SCHEMA", SEQUENCE_BEYOND_64_BITS)]


def test_no_bytes_in_kafka_stop_the_projector(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    told = {topic: _told(rng, topic, 3000) for topic in TOPICS}
    projector = Projector(store, itertools.count(T).__next__)
    keys = [None, "", "good/0", "\0", "é" * 300]
    for start in range(0, 3000, 500):
        offsets = list(range(start, start + 500))
        projector.apply(
            [
                Slice(
                    Partition("c/t", topic, "0"),
                    start,
                    start + 500,
                    offsets,
                    payloads[start : start + 500],
                    rng.choices(keys, k=500),
                    [T] * 500,
                )
                for topic, payloads in told.items()
            ]
        )
    _check(store, told)


def test_no_bytes_in_the_journal_stop_the_projector(
    tmp_path: Path, store: Store, seed: int
) -> None:
    rng = random.Random(seed)
    told = {topic: _told(rng, topic, 400) for topic in TOPICS}
    writer = JournalWriter.open(tmp_path / "j", "fra-1")
    for topic, payloads in told.items():
        # The first of a block says where it stands; the emitter writes no other.
        payloads.insert(0, encode(topic, EVENTS[topic] | {"sequence": 1}))
        writer.append(topic, payloads)
    writer.close()
    log, projector = JournalSource(tmp_path / "j"), Projector(store, itertools.count(T).__next__)
    while slices := log.poll(500, 0):
        projector.apply(slices, log.ends)
    assert {place.topic: at for place, at in projector.positions().items()} == {
        topic: len(payloads) + 1 for topic, payloads in told.items()
    }
    _check(store, told)


def test_the_forwarder_sends_any_bytes_as_they_are(
    tmp_path: Path, kafka: KafkaSettings, seed: int
) -> None:
    rng = random.Random(seed)
    writer = JournalWriter.open(tmp_path, "fra-1")
    values = [SEQUENCE_BEYOND_64_BITS, b"", *_told(rng, "meetings.usage", 500)]
    for start in range(0, len(values), 100):
        writer.append("meetings.usage", values[start : start + 100])
    writer.close()
    unsent: list[Fault] = []
    with Forwarder(tmp_path, kafka, sleep=lambda _: None, unsent=unsent.append) as forwarder:
        assert forwarder.run_once() == len(values)
    assert unsent == []
    log = open_kafka(kafka)
    log.assign({})
    found: list[bytes] = []
    while len(found) < len(values):
        found += [value for one in log.poll(1000, 5) for value in one.payloads]
    log.close()
    assert found == values
