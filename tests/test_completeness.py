"""In flight, lost or explained: what is missing, against a slow model that keeps every number."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants, dismiss, retry
from eventlog import JournalSource, JournalWriter, Partition, Slice
from schemas import CONTRACTS, TOPICS, Contract, decode, encode
from tests.test_projector import T, _clock
from warehouse import Store, open_store

USAGE, BEATS = "meetings.usage", "sources.heartbeat"
A = "fra-1/00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "usage.duckdb", "usage")
    yield opened
    opened.close()


def usage(source: str, sequence: int, account: str = "acme", hours: int = 0) -> bytes:
    """Of a record that began in September, and has its number."""
    return encode(
        USAGE,
        {
            "source": source, "sequence": sequence, "phase": "START",
            "record_id": sequence.to_bytes(16, "big"), "account_id": account, "meeting_id": "m1",
            "participant_id": None, "meter": "participant", "variant": None,
            "server_id": "fra-1", "region": "eu", "started_at": T,
            "observed_at": T + hours * 3_600_000_000, "quantity": None, "continues": None,
        },
    )  # fmt: skip


def beat(
    source: str,
    sequence: int,
    totals: Mapping[str, int] | int,
    *,
    phase: str = "BEAT",
    refused: int = 0,
    at: int = T,
) -> bytes:
    """A heartbeat of `source`; `totals` are last usage sequences by source, or its own."""
    told = {source: totals} if isinstance(totals, int) else totals
    return encode(
        BEATS,
        {
            "source": source, "sequence": sequence, "server_id": source.split("/", maxsplit=1)[0],
            "phase": phase, "beat_at": at, "watermark": at,
            "totals": [
                {"source": name, "topic": USAGE, "last": last, "refused": refused}
                for name, last in told.items()
            ],
        },
    )  # fmt: skip


@dataclass
class Log:
    """A log in memory with ends that grow: `eventlog.LogSource` over lists of payloads."""

    lists: dict[Partition, list[bytes | None]]
    at: dict[Partition, int] = field(default_factory=dict)
    asked: int = 0

    @classmethod
    def of(cls, partitions: int, log: str = "c/t") -> "Log":
        places = [
            Partition(log, topic, str(n)) for topic in (USAGE, BEATS) for n in range(partitions)
        ]
        return cls({place: [] for place in places})

    def add(self, topic: str, payload: bytes | None, partition: int = 0) -> None:
        """None is a transaction marker: it takes an offset and is no message."""
        (place,) = (p for p in self.lists if p[1:] == (topic, str(partition)))
        self.lists[place].append(payload)

    def read(self, topic: str, count: int | None = None, partition: int = 0) -> list[Slice]:
        (place,) = (p for p in self.lists if p[1:] == (topic, str(partition)))
        return self._read(place, count)

    def _read(self, place: Partition, count: int | None) -> list[Slice]:
        start, held = self.at.get(place, 0), self.lists[place]
        end = len(held) if count is None else min(len(held), start + count)
        if end == start:
            return []
        self.at[place] = end
        there = [(n, held[n]) for n in range(start, end)]
        offsets = [n for n, payload in there if payload is not None]
        payloads = [payload for _, payload in there if payload is not None]
        return [Slice(place, start, end, offsets, payloads, [None] * len(payloads), None)]

    def assign(self, positions: Mapping[Partition, int]) -> None:
        self.at = {place: positions.get(place, 0) for place in self.lists}

    def poll(self, events_max: int, timeout_s: float) -> list[Slice]:
        return [one for place in self.lists for one in self._read(place, events_max)]

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        self.asked += 1
        wanted = set(topics)
        return {place: len(held) for place, held in self.lists.items() if place.topic in wanted}

    def advise(self, positions: Mapping[Partition, int]) -> None: ...

    def close(self) -> None: ...


def holes(store: Store, topic: str = USAGE, source: str | None = None) -> list[tuple[Any, ...]]:
    return store.rows(
        "SELECT first, last, state FROM holes WHERE topic = ? AND source = coalesce(?, source)"
        " ORDER BY ALL",
        [topic, source],
    )


def is_settled(store: Store) -> bool:
    """No promise waits, and no horizon is kept."""
    count = "SELECT (SELECT count(*) FROM promises) + (SELECT count(*) FROM horizons)"
    return store.value(count) == 0 and broken_invariants(store) == []


def test_a_heartbeat_read_before_its_usage_is_no_loss(store: Store) -> None:
    log, projector = Log.of(2), Projector(store, _clock())
    for sequence in range(1, 6):
        log.add(USAGE, usage(A, sequence), partition=sequence % 2)
    log.add(BEATS, beat(A, 1, 5))
    projector.apply(log.read(BEATS), log.ends)
    assert holes(store) == [(1, 5, "in_flight")]
    projector.apply(log.read(USAGE, partition=0), log.ends)
    assert holes(store) == [(1, 1, "in_flight"), (3, 3, "in_flight"), (5, 5, "in_flight")]
    assert broken_invariants(store) == []
    projector.apply(log.read(USAGE, partition=1), log.ends)
    assert holes(store) == []
    assert is_settled(store)
    assert store.rows("FROM proven") == []


def test_a_hole_is_lost_once_every_partition_was_read_to_its_end_of_then(store: Store) -> None:
    log, projector = Log.of(2), Projector(store, _clock())
    for sequence in (1, 2, 5):
        log.add(USAGE, usage(A, sequence))
    log.add(USAGE, None, partition=1)
    log.add(BEATS, beat(A, 1, 6))
    projector.apply(log.read(USAGE, partition=0), log.ends)
    assert holes(store) == [(3, 4, "in_flight")]
    projector.apply(log.read(BEATS), log.ends)
    log.add(USAGE, usage("fra-2/00", 1), partition=1)  # beyond the horizon of 3 and 4
    projector.apply(log.read(USAGE, 1, partition=1), log.ends)
    assert holes(store, source=A) == [(3, 4, "lost"), (6, 6, "in_flight")]
    assert broken_invariants(store) == []
    projector.apply(log.read(USAGE, partition=1), log.ends)
    assert holes(store) == [(3, 4, "lost"), (6, 6, "lost")]
    assert is_settled(store)
    assert store.rows("FROM proven") == [(USAGE, A, 6)]


def test_what_comes_late_heals_a_loss(store: Store) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    log.add(USAGE, usage(A, 4))
    projector.apply(log.read(USAGE), log.ends)
    assert holes(store) == [(1, 3, "lost")]
    for sequence, left in ((3, [(1, 2, "lost")]), (1, [(2, 2, "lost")]), (2, [])):
        log.add(USAGE, usage(A, sequence))
        projector.apply(log.read(USAGE), log.ends)
        assert holes(store) == left
        assert is_settled(store)
    assert store.rows("FROM proven") == []


def test_the_log_is_asked_only_where_something_new_is_missing(store: Store) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    for sequence in (1, 2, 4):
        log.add(USAGE, usage(A, sequence))
        projector.apply(log.read(USAGE), log.ends)
    assert log.asked == 1
    for sequence in range(5, 20):
        log.add(USAGE, usage(A, sequence))
        projector.apply(log.read(USAGE), log.ends)
    assert log.asked == 1
    assert is_settled(store)


def _unknown(topic: str) -> Contract:
    """The contract of a reader that knows none of the versions of `topic` yet."""
    return replace(CONTRACTS[topic], versions={}, quick={})


def test_a_quarantined_event_explains_its_hole_until_it_is_retried(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    log.add(USAGE, usage(A, 2))
    with monkeypatch.context() as patch:
        patch.setitem(CONTRACTS, USAGE, _unknown(USAGE))
        projector.apply(log.read(USAGE), log.ends)
    for payload in (usage(A, 1), usage(A, 4), usage(A, 5, "not an id"), usage(A, 7)):
        log.add(USAGE, payload)
    projector.apply(log.read(USAGE), log.ends)
    whole = [(2, 2, "explained"), (3, 3, "lost"), (5, 5, "explained"), (6, 6, "lost")]
    assert holes(store) == whole
    dismiss(store, [2], "a test", "ops", T)
    assert holes(store) == whole
    assert retry(store, projector) == (1, [])
    assert holes(store) == whole[1:]
    assert broken_invariants(store) == []


def test_what_a_retry_promises_waits_for_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    log.add(BEATS, beat(A, 1, 2))
    with monkeypatch.context() as patch:
        patch.setitem(CONTRACTS, BEATS, _unknown(BEATS))
        projector.apply(log.read(BEATS), log.ends)
    log.add(USAGE, usage(A, 1))
    log.add(USAGE, usage(A, 2))
    assert retry(store, projector) == (1, [])
    assert holes(store) == [(1, 2, "in_flight")]
    assert broken_invariants(store) == []
    assert Projector(store, _clock()).run_once(log) == 2
    assert holes(store) == []
    assert is_settled(store)


def test_a_topic_made_anew_before_it_was_read_holds_up_nothing(store: Store) -> None:
    log = Log.of(1)
    log.add(USAGE, usage(A, 1))
    log.add(BEATS, beat(A, 1, 1))
    Projector(store, _clock()).apply(log.read(BEATS), log.ends)
    anew = Log({Partition("c/u", USAGE, "0"): [], **log.lists})
    del anew.lists[Partition("c/t", USAGE, "0")]
    assert Projector(store, _clock()).run_once(anew) == 0
    assert holes(store) == [(1, 1, "lost")]
    assert is_settled(store)


def test_partitions_and_sources_at_the_edge_of_what_a_number_can_be(store: Store) -> None:
    most = 2**63 - 1
    log, projector = Log.of(1), Projector(store, _clock())
    log.add(USAGE, usage(A, most))
    log.add(USAGE, usage(A, 1))
    log.add(BEATS, beat("b/0", 1, most))
    projector.apply([*log.read(USAGE), *log.read(BEATS)], log.ends)
    assert holes(store, source=A) == [(2, most - 1, "lost")]
    assert holes(store, source="b/0") == [(1, most, "lost")]
    assert store.value("SELECT sum(lost) FROM source_completeness") == most - 2 + most
    log.add(USAGE, usage("b/0", most))
    projector.apply(log.read(USAGE), log.ends)
    assert holes(store, source="b/0") == [(1, most - 1, "lost")]
    assert is_settled(store)


def _journal(root: Path, blocks: list[list[int]]) -> tuple[str, bytearray, Path]:
    """A usage segment of these sequences, a block each, and a heartbeat that promises them."""
    writer = JournalWriter.open(root, "fra-1")
    for block in blocks:
        writer.append(USAGE, [usage(writer.source, number) for number in block])
    writer.append(BEATS, [beat(writer.source, 1, blocks[-1][-1])])
    writer.close()
    (path,) = root.rglob(f"{USAGE}/*.avro")
    return writer.source, bytearray(path.read_bytes()), path


def _spoil(data: bytearray, block: int) -> None:
    """One bit within the data of `block`, which ends with the sync marker that all blocks share."""
    marker, at = bytes(data[-16:]), 0
    for _ in range(block + 1):  # the header ends with it too
        at = data.index(marker, at) + 16
    data[data.index(marker, at) - 6] ^= 1


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ([1], [(3, 5, "explained")]),
        ([0, 1], [(1, 5, "explained")]),
        # Nothing readable follows: how much the last block held is nobody's knowledge.
        ([3], [(8, 8, "explained"), (9, 10, "lost")]),
        ([1, 3], [(3, 5, "explained"), (8, 8, "explained"), (9, 10, "lost")]),
    ],
)
def test_a_damaged_block_explains_what_it_can_have_held(
    tmp_path: Path, store: Store, spoilt: list[int], expected: list[tuple[int, int, str]]
) -> None:
    source, data, path = _journal(tmp_path / "j", [[1, 2], [3, 4, 5], [6, 7], [8, 9, 10]])
    for block in spoilt:
        _spoil(data, block)
    path.write_bytes(data)
    Projector(store, _clock()).run_once(JournalSource(tmp_path / "j"), events_max=2)
    assert holes(store, source=source) == expected
    assert is_settled(store)


def test_a_message_of_the_journal_that_is_no_event_explains_its_place(
    tmp_path: Path, store: Store
) -> None:
    writer = JournalWriter.open(tmp_path / "j", "fra-1")
    writer.append(USAGE, [usage(writer.source, 1), b"noise", usage(writer.source, 3)])
    writer.append(BEATS, [beat(writer.source, 1, 4)])
    writer.close()
    Projector(store, _clock()).run_once(JournalSource(tmp_path / "j"))
    assert holes(store) == [(2, 2, "explained"), (4, 4, "lost")]
    assert is_settled(store)


def test_a_journal_waits_for_the_source_concerned_alone(tmp_path: Path, store: Store) -> None:
    first = JournalWriter.open(tmp_path / "j", "fra-1")
    first.append(USAGE, [usage(first.source, 1), usage(first.source, 2)])
    first.append(BEATS, [beat(first.source, 1, 3)])
    other = JournalWriter.open(tmp_path / "j", "fra-2")
    other.append(USAGE, [usage(other.source, 1)])
    source, projector = JournalSource(tmp_path / "j", [BEATS]), Projector(store, _clock())
    projector.apply(source.poll(10, 0), source.ends)
    assert holes(store) == [(1, 3, "in_flight")]
    assert store.rows('SELECT "partition", "end" FROM horizons') == [(first.source, 3)]
    (piece,) = (
        p
        for p in JournalSource(tmp_path / "j").poll(10, 0)
        if p.partition[1:] == (USAGE, first.source)
    )
    Projector(store, _clock()).apply([piece], source.ends)
    assert holes(store) == [(3, 3, "lost")]
    assert is_settled(store)


def test_a_journal_restored_from_an_older_copy_holds_up_nothing(
    tmp_path: Path, store: Store
) -> None:
    source, data, path = _journal(tmp_path / "j", [[1, 2], [3, 4]])
    beats = JournalSource(tmp_path / "j", [BEATS])
    Projector(store, _clock()).apply(beats.poll(10, 0), beats.ends)
    assert holes(store) == [(1, 4, "in_flight")]
    path.write_bytes(data[:-20])
    Projector(store, _clock()).run_once(JournalSource(tmp_path / "j"))
    assert holes(store, source=source) == [(3, 4, "lost")]
    assert is_settled(store)


@pytest.mark.seeds()
def test_a_journal_read_while_it_is_written_never_shows_a_loss(
    tmp_path: Path, store: Store, seed: int
) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    writers = [JournalWriter.open(tmp_path / "j", f"fra-{n}") for n in range(3)]
    source, projector = JournalSource(tmp_path / "j"), Projector(store, _clock())
    source.assign({})
    waited = 0
    for _ in range(150):
        writer, step = rng.choice(writers), rng.random()
        if step < 0.5:
            first = writer.last(USAGE) + 1
            numbers = range(first, first + rng.randint(1, 5))
            writer.append(USAGE, [usage(writer.source, number) for number in numbers])
        elif step < 0.7:
            number, last = writer.last(BEATS) + 1, writer.last(USAGE)
            writer.append(BEATS, [beat(writer.source, number, last)])
        elif step < 0.74:
            source, projector = JournalSource(tmp_path / "j"), Projector(store, _clock())
            projector._begin(source)
        elif pieces := source.poll(rng.randint(1, 6), 0):
            projector.apply(pieces, source.ends)
            states = {state for *_, state in holes(store)}
            assert states <= {"in_flight"}
            waited += len(states)
            assert rng.random() < 0.9 or broken_invariants(store) == []
    assert waited or seed != 1, "no heartbeat was ever read before its usage"
    projector.run_once(JournalSource(tmp_path / "j"))
    assert holes(store) == []
    assert is_settled(store)


def test_a_total_of_a_topic_that_is_not_read_promises_nothing(store: Store) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    (event,) = decode(BEATS, [beat(A, 1, 0)]).columns.to_pylist()
    totals = [
        {"source": A, "topic": topic, "last": 7, "refused": 0}
        for topic in (*TOPICS, "no+topic@kafka")
    ]
    log.add(BEATS, encode(BEATS, event | {"totals": totals}))
    projector.apply(log.read(BEATS), log.ends)
    assert {topic for (topic,) in store.rows("SELECT topic FROM source_totals")} == set(TOPICS)
    assert is_settled(store)


def test_completeness_of_a_source_as_billing_reads_it(store: Store) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    log.add(BEATS, beat("gone/0", 1, 0, phase="OPEN", at=T))
    log.add(BEATS, beat("gone/0", 2, 2, at=T + 60))
    log.add(BEATS, beat("b/0", 1, {"b/0": 0, "gone/0": 1}, phase="OPEN", at=T + 100))
    log.add(BEATS, beat("b/0", 2, {"b/0": 0, "c/0": 1}, at=T + 160))  # only an OPEN settles
    log.add(BEATS, beat("d/0", 3, 0, phase="CLOSE", at=T + 200))
    log.add(USAGE, usage("gone/0", 1))
    log.add(USAGE, usage("c/0", 1))
    for topic in (USAGE, BEATS):
        projector.apply(log.read(topic), log.ends)
    rows = store.rows(
        "SELECT source, server_id, state, epoch_us(since), epoch_us(beat_at), epoch_us(watermark),"
        " lost, in_flight FROM source_completeness ORDER BY source"
    )
    assert rows == [
        ("b/0", "b", "open", T + 100, T + 160, T + 160, 0, 0),
        ("c/0", "c", "unheard", None, None, None, 0, 0),
        ("d/0", "d", "closed", None, T + 200, T + 200, 0, 0),
        ("gone/0", "gone", "settled", T, T + 60, T + 60, 1, 0),
    ]
    assert store.rows("SELECT first, last FROM gaps WHERE topic = 'sources.heartbeat'") == [(1, 2)]


def _settling(source: str, settled: str, beats: int, at: int) -> list[bytes]:
    """The OPEN of `source`, in two messages, which found `beats` heartbeats of `settled`."""
    (event,) = decode(
        BEATS, [beat(source, 1, {settled: 1}, phase="OPEN", at=at)]
    ).columns.to_pylist()
    found = {"source": settled, "topic": BEATS, "last": beats, "refused": 0}
    more = event | {"sequence": 2, "totals": [found]}
    return [encode(BEATS, event), encode(BEATS, more)]


@pytest.mark.parametrize(
    ("beats", "at", "state"),
    [
        (2, T + 400, "settled"),  # as all are: killed, and opened again
        (2, T + 150, "open"),  # from a copy of its disk, while it lives and beats on
        (3, T + 150, "settled"),  # the clock was set back in between
        (2, T + 300, "settled"),  # the third beat was in Kafka, not on the disk, when power failed
    ],
)
def test_who_beats_on_after_it_was_settled_is_alive(
    store: Store, beats: int, at: int, state: str
) -> None:
    beats_told = [beat(A, n, 0, at=T + n * 100) for n in (1, 2, 3)]
    told = [*beats_told, *_settling("fra-1/01", A, beats, at)]
    for order in (told, told[::-1], [*told[3:], *told[:3]]):
        store.execute("BEGIN")
        log, projector = Log.of(1), Projector(store, _clock())
        for payload in order:
            log.add(BEATS, payload)
            projector.reapply(log.read(BEATS))
        asked = "SELECT state FROM source_completeness WHERE source = ?"
        assert store.value(asked, [A]) == state
        store.execute("ROLLBACK")


def test_a_copy_that_settled_a_living_source_does_not_unsettle_it_when_it_dies(
    store: Store,
) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    beats = [beat(A, n, 0, at=T + n * 100) for n in (1, 2, 3)]
    for payload in (*beats, *_settling("copy/0", A, 1, T + 150), *_settling("a/1", A, 3, T + 900)):
        log.add(BEATS, payload)
    projector.apply(log.read(BEATS), log.ends)
    states = dict(store.rows("SELECT source, state FROM source_completeness"))
    assert states == {A: "settled", "copy/0": "open", "a/1": "open"}


def test_a_rise_of_refusals_lies_between_two_beats(store: Store) -> None:
    log, projector = Log.of(1), Projector(store, _clock())
    told = [(1, 0), (2, 0), (3, 4), (4, 4), (5, 9)]
    for sequence, refused in reversed(told):
        log.add(BEATS, beat(A, sequence, 0, refused=refused, at=T + sequence))
        projector.apply(log.read(BEATS), log.ends)
    rises = "SELECT refused, epoch_us(after), epoch_us(told_at) FROM rises_of_refused"
    assert store.rows(f"{rises} ORDER BY ALL") == [(4, T + 2, T + 3), (5, T + 4, T + 5)]
    log.add(BEATS, beat("born/refusing", 1, 0, refused=3, at=T))
    projector.apply(log.read(BEATS), log.ends)
    assert store.rows(f"{rises} WHERE source = 'born/refusing'") == [(3, None, T)]


@pytest.mark.seeds(1)
def test_any_log_read_in_any_way_agrees_with_the_model(tmp_path: Path, seed: int) -> None:
    """Lost, late, doubled and poisoned events on any partition, read in any order, restarted."""
    print(f"seed {seed}")
    rng = random.Random(seed)
    log, said = Log.of(3), _Said(rng)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, _clock())
        for _ in range(30):
            said.some_into(log)
            pieces = [
                piece
                for place in rng.sample(list(log.lists), rng.randint(1, 4))
                for piece in log._read(place, rng.randint(1, 8))
            ]
            if rng.random() < 0.1:
                projector = Projector(store, _clock())
                log.assign(projector.positions())
                projector._begin(log)
                continue
            said.read(pieces, log)
            projector.apply(pieces, log.ends)
            assert rng.random() < 0.7 or broken_invariants(store) == []
            told = _numbers(store)
            assert told["explained"] == said.missing() & said.explained
            assert told["lost"] <= said.lost(log)
            assert told["lost"] | told["in_flight"] == said.missing() - said.explained
        said.rest_into(log)
        while pieces := log.poll(5, 0):
            said.read(pieces, log)
            projector.apply(pieces, log.ends)
        told = _numbers(store)
        assert told["in_flight"] == set()
        assert told["lost"] == said.missing() - said.explained
        assert is_settled(store)
        with open_store(tmp_path / "again.duckdb", "usage").closing() as again:
            Projector(again, _clock()).run_once(log, events_max=rng.randint(1, 50))
            for table in ("proven", "sequences", "holes", "source_completeness"):
                assert again.rows(f"FROM {table} ORDER BY ALL") == store.rows(
                    f"FROM {table} ORDER BY ALL"
                )


def _numbers(store: Store) -> dict[str, set[tuple[str, int]]]:
    found: dict[str, set[tuple[str, int]]] = {"lost": set(), "in_flight": set(), "explained": set()}
    for source, first, last, state in store.rows(
        f"SELECT source, first, last, state FROM holes WHERE topic = '{USAGE}'"
    ):
        numbers = {(source, number) for number in range(first, last + 1)}
        assert not numbers & found[state]
        found[state] |= numbers
    return found


class _Said:
    """The model: what was sent, what was read, and for each missing number the ends of then."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last = dict.fromkeys(("a/0", "a/1", "b/0"), 0)
        self._beats = 0
        self._late: list[bytes] = []
        self._applied: set[tuple[str, int]] = set()
        self._promised = dict.fromkeys(self._last, 0)
        self._horizon: dict[tuple[str, int], dict[Partition, int]] = {}
        self.explained: set[tuple[str, int]] = set()
        self._meaning: dict[bytes, tuple[str, str, int]] = {}

    def some_into(self, log: Log) -> None:
        for _ in range(self._rng.randint(0, 6)):
            source = self._rng.choice(list(self._last))
            self._last[source] += 1
            is_poison = self._rng.random() < 0.05
            payload = usage(source, self._last[source], "not an id" if is_poison else "acme")
            kind = "poison" if is_poison else "usage"
            self._meaning[payload] = (kind, source, self._last[source])
            fate = self._rng.random()
            if fate < 0.1:
                continue  # lost
            if fate < 0.25:
                self._late.append(payload)
                continue
            for _ in range(2 if fate < 0.3 else 1):
                log.add(USAGE, payload, self._rng.randrange(3))
        if self._rng.random() < 0.4:
            source = self._rng.choice(list(self._last))
            self._beats += 1
            payload = beat(source, self._beats, self._last[source])
            self._meaning[payload] = ("beat", source, self._last[source])
            log.add(BEATS, payload, self._rng.randrange(3))
        if self._rng.random() < 0.2:
            log.add(USAGE, None, self._rng.randrange(3))
        if self._late and self._rng.random() < 0.3:
            self._rng.shuffle(self._late)
            log.add(USAGE, self._late.pop(), self._rng.randrange(3))

    def rest_into(self, log: Log) -> None:
        while self._late:
            log.add(USAGE, self._late.pop(), self._rng.randrange(3))

    def read(self, pieces: list[Slice], log: Log) -> None:
        for payload in (payload for piece in pieces for payload in piece.payloads):
            kind, source, number = self._meaning[payload]
            if kind == "poison":
                self.explained.add((source, number))
                continue
            if kind == "usage":
                self._applied.add((source, number))
            self._promised[source] = max(self._promised[source], number)
        ends = log.ends([USAGE])
        log.asked -= 1
        for missing in self.missing():
            self._horizon.setdefault(missing, ends)

    def missing(self) -> set[tuple[str, int]]:
        return {
            (source, number)
            for source, last in self._promised.items()
            for number in range(1, last + 1)
            if (source, number) not in self._applied
        }

    def lost(self, log: Log) -> set[tuple[str, int]]:
        return {
            missing
            for missing in self.missing() - self.explained
            if all(log.at.get(place, 0) >= end for place, end in self._horizon[missing].items())
        }
