"""Each kind of poison as the first, the middle and the last message of a batch, of every topic, in
Kafka and in the journal: it lies in quarantine with its place and its octets, its neighbours count.
"""

import itertools
import random
from pathlib import Path

import pytest

from consumers import Projector, broken_invariants, retry
from eventlog import JournalSource, JournalWriter, Partition, Slice
from schemas import TOPICS, encode
from tests.fire import some, times
from tests.test_decode import EVENTS
from tests.test_projector import T
from warehouse import Store, open_scratch

SOURCE = "fra-1/0"
KINDS = {
    "empty": "BAD_FRAME",
    "wrong magic": "BAD_FRAME",
    "unknown fingerprint": "UNKNOWN_SCHEMA",
    "of another topic": "UNKNOWN_SCHEMA",
    "frame alone": "BAD_DATUM",
    "truncated": "BAD_DATUM",
    "trailing bytes": "TRAILING_BYTES",
    "random bytes": "BAD_FRAME",
    "too large": "TOO_LARGE",
    "forged length": "BAD_DATUM",
    "no text": "BAD_DATUM",
    "rule broken": "RULE_BROKEN",
}
Told = tuple[str, str, int, bytes, str]  # topic, partition, offset, payload, code


def _event(topic: str, sequence: int, server: str = "fra-1") -> bytes:
    changes = {"source": SOURCE, "sequence": sequence, "server_id": server}
    if topic == "meetings.usage":
        changes |= {"record_id": bytes([sequence]) * 16}
    return encode(topic, EVENTS[topic] | changes)


def _poison(rng: random.Random, kind: str, topic: str) -> bytes:
    good = _event(topic, 77)
    length = good.index(SOURCE.encode()) - 1
    return {
        "empty": b"",
        "wrong magic": b"\x00\x00\x00\x00\x01" + good[10:],
        "unknown fingerprint": good[:2] + rng.randbytes(8) + good[10:],
        "of another topic": _event(TOPICS[TOPICS.index(topic) - 1], 77),
        "frame alone": good[:10],
        "truncated": good[: rng.randrange(10, len(good) - 1)],
        "trailing bytes": good + rng.randbytes(rng.randrange(1, 30)),
        "random bytes": b"\x01" + rng.randbytes(rng.randrange(80)),
        "too large": good + bytes(65_536),
        # A source of 2^62 octets, of which eight are there.
        "forged length": good[:length] + b"\xff" * 8 + b"\x7f" + good[length + 1 :],
        "no text": good.replace(b"fra-1", b"fra\xff1"),
        "rule broken": _event(topic, 77, "no id at all"),
    }[kind]


def _told(rng: random.Random, kind: str, at: int) -> dict[str, list[bytes]]:
    """By topic three messages, of which the one `at` is poison."""
    return {
        topic: [_poison(rng, kind, topic) if n == at else _event(topic, n + 1) for n in range(3)]
        for topic in TOPICS
    }


def _check(store: Store, at: int, rows: list[Told]) -> None:
    found = store.rows(
        'SELECT topic, "partition", "offset", payload, code FROM quarantine ORDER BY ALL'
    )
    assert found == sorted(rows)
    there = [n + 1 for n in range(3) if n != at]
    spans = [(2, 3)] if at == 0 else [(1, 2)] if at == 2 else [(1, 1), (3, 3)]
    for topic in TOPICS:
        assert (
            store.rows(
                "SELECT first, last FROM sequences WHERE topic = ? AND source = ? ORDER BY ALL",
                [topic, SOURCE],
            )
            == spans
        )
    assert store.value("SELECT count(*) FROM usage_records") == len(there)
    assert store.value("SELECT sum(samples) FROM quality_hourly") == len(there)
    assert store.value("SELECT sum(samples) FROM server_hourly") == len(there)
    assert store.rows("SELECT sequence FROM source_state WHERE source = ?", [SOURCE]) == [
        (there[-1],)
    ]
    assert broken_invariants(store) == []
    assert retry(store, Projector(store, lambda: T))[0] == 0
    assert store.value("SELECT count(*) FROM quarantine WHERE state = 'open'") == len(rows)


@pytest.mark.drawn(4)
@pytest.mark.parametrize("kind", KINDS)
def test_in_kafka(rng: random.Random, kind: str) -> None:
    for at in range(3):
        told = _told(rng, kind, at)
        slices = [
            Slice(Partition("c/t", topic, "7"), 40, 46, [40, 42, 45], values, ["k"] * 3, [T] * 3)
            for topic, values in told.items()
        ]
        with open_scratch("usage").closing() as store:
            projector = Projector(store, itertools.count(T).__next__)
            done = projector.apply(slices)
            assert (done.events, done.quarantined) == (12, 4)
            assert set(projector.positions().values()) == {46}
            offset = (40, 42, 45)[at]
            rows = [(topic, "7", offset, told[topic][at], KINDS[kind]) for topic in TOPICS]
            _check(store, at, rows)


@pytest.mark.fire
@pytest.mark.drawn(8)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3], ids=["block each", "one block"])
def test_in_the_journal(tmp_path: Path, rng: random.Random, kind: str, size: int) -> None:
    for at in some(rng, range(3), 1):
        told = _told(rng, kind, at)
        writer = JournalWriter.open(tmp_path / str(at), "fra-1", fsync="never", incarnation="0")
        assert writer.source == SOURCE
        for topic, values in told.items():
            for begin in range(0, 3, size):
                writer.append(topic, values[begin : begin + size])
        writer.close()
        with open_scratch("usage").closing() as store:
            projector = Projector(store, itertools.count(T).__next__)
            assert projector.run_once(JournalSource(tmp_path / str(at))) == 12
            assert set(projector.positions().values()) == {4}
            rows = [(topic, SOURCE, at + 1, told[topic][at], KINDS[kind]) for topic in TOPICS]
            _check(store, at, rows)
            assert store.value("SELECT count(*) FROM holes WHERE state <> 'explained'") == 0


def test_the_same_poison_again_and_again_is_one_row_and_moves_the_position(
    rng: random.Random,
) -> None:
    place = Partition("c/t", "meetings.usage", "0")
    with open_scratch("usage").closing() as store:
        projector = Projector(store, itertools.count(T).__next__)
        values = [_poison(rng, kind, place.topic) for kind in KINDS]
        for start in range(0, 3 * len(values), len(values)):
            offsets = list(range(start, start + len(values)))
            end = start + len(values)
            done = projector.apply(
                [Slice(place, start, end, offsets, values, [None] * len(values), None)]
            )
            assert done.quarantined == (0 if start else len(values))
        rows = store.rows('SELECT "offset", payload FROM quarantine ORDER BY "offset"')
        assert rows == list(enumerate(values))
        assert projector.positions() == {place: 3 * len(values)}


@pytest.mark.fire
def test_any_mixture_of_kinds_costs_no_neighbour(rng: random.Random) -> None:
    """Batches of good and bad, of chance: how many there are of each is all that counts."""
    place = Partition("c/t", "meetings.usage", "0")
    for _ in range(times(3)):
        sequences = iter(range(1, 100))
        told = [
            _poison(rng, rng.choice(list(KINDS)), place.topic)
            if rng.random() < 0.5
            else _event(place.topic, next(sequences))
            for _ in range(100)
        ]
        good = next(sequences, 100) - 1
        with open_scratch("usage").closing() as store:
            projector, at = Projector(store, itertools.count(T).__next__), 0
            while at < len(told):
                part = told[at : at + rng.randint(1, 40)]
                end = at + len(part)
                projector.apply(
                    [Slice(place, at, end, list(range(at, end)), part, [None] * len(part), None)]
                )
                at = end
            spans = store.rows("SELECT first, last FROM sequences")
            assert spans == ([(1, good)] if good else [])
            assert store.value("SELECT count(*) FROM usage_records") == good
            poison = {one for one in told if one != b""} | ({b""} & set(told))
            assert store.value("SELECT count(*) FROM quarantine") == len(poison) - good
            assert broken_invariants(store) == []
