"""Where a record's events lie in the log, against the recount: whatever order, split and log."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from consumers import Projector, broken_invariants, retry
from eventlog import Partition, Slice
from schemas import CONTRACTS, encode
from tests import recount
from tests.test_projector import TOPIC, T, _meetings
from warehouse import Store, open_scratch

Message = tuple[int, dict[str, Any]]  # offset and event
Log = dict[Partition, list[Message]]
PARTITIONS = [
    *(Partition("c/t", TOPIC, number) for number in ("0", "1", "10")),
    *(Partition("journal", TOPIC, source) for source in ("fra-1/00", "twin-1/0a")),
]


def stored_places(store: Store) -> dict[bytes, dict[tuple[str, str], tuple[int, int]]]:
    """As `recount.places` gives them; the view has one row for each record and partition."""
    found: dict[bytes, dict[tuple[str, str], tuple[int, int]]] = {}
    for record_id, log, partition, first, last in store.rows("FROM record_places"):
        of_record = found.setdefault(record_id.bytes, {})
        assert (log, partition) not in of_record
        of_record[log, partition] = (first, last)
    return found


@pytest.fixture
def drawn(request: pytest.FixtureRequest) -> tuple[random.Random, Log]:
    """A log of several partitions; most records lie in one, and some events are told twice. Some
    record ids have several identities.
    """
    seed = request.param
    print(f"seed {seed}")
    rng = random.Random(seed)
    events = _meetings(rng, 120, "fra-1/00")
    events += [one | {"account_id": "twin"} for one in rng.sample(events, 9)]
    home = {event["record_id"]: rng.choice(PARTITIONS) for event in events}
    log: Log = {place: [] for place in PARTITIONS}
    offsets = {place: itertools.count(rng.randrange(3), rng.choice([1, 2])) for place in log}
    for event in events:
        places = [home[event["record_id"]]]
        if rng.random() < 0.2:
            places.append(rng.choice(PARTITIONS))  # perhaps the same once more
        for place in places:
            log[place].append((next(offsets[place]), event))
    return rng, log


def _batches(rng: random.Random, log: Log) -> Iterator[list[Slice]]:
    """All of the log, split and interleaved by chance; a partition may come twice in a batch."""
    left = {place: list(messages) for place, messages in log.items()}
    at = dict.fromkeys(log, 0)
    while any(left.values()):
        batch = []
        for place in rng.choices(PARTITIONS, k=rng.randint(1, 4)):
            size = rng.randint(0, 25)
            part, left[place] = left[place][:size], left[place][size:]
            if part:
                batch.append(_slice(place, at[place], part))
                at[place] = batch[-1].next
        yield batch


def _slice(place: Partition, start: int, part: Sequence[Message]) -> Slice:
    offsets = [offset for offset, _ in part]
    payloads = [encode(TOPIC, event) for _, event in part]
    return Slice(place, start, offsets[-1] + 1, offsets, payloads, [None] * len(part), None)


def _told(log: Log) -> list[recount.Told]:
    return [
        (place.log, place.partition, offset, event)
        for place, messages in log.items()
        for offset, event in messages
    ]


@pytest.mark.drawn(2)
@pytest.mark.parametrize("drawn", range(6), indirect=True)
def test_any_order_and_split_gives_the_places_of_the_recount(
    drawn: tuple[random.Random, Log],
) -> None:
    rng, log = drawn
    wanted = recount.places(_told(log))
    assert any(len(places) > 1 for places in wanted.values())
    for _ in range(2):  # the second is a store rebuilt from the same log
        with open_scratch("usage").closing() as store:
            projector = Projector(store, itertools.count(T).__next__)
            for batch in _batches(rng, log):
                projector.apply(batch)
            assert stored_places(store) == wanted
            assert store.value("SELECT count(*) FROM additions WHERE added = 0") == 0
            assert broken_invariants(store) == []


def test_what_lies_in_one_partition_takes_no_row_of_its_own() -> None:
    events = _meetings(random.Random(1), 30, "fra-1/00")
    with open_scratch("usage").closing() as store:
        projector = Projector(store, itertools.count(T).__next__)
        for at, event in enumerate(events):
            projector.apply([_slice(PARTITIONS[0], at, [(at, event)])])
        assert store.value("SELECT count(*) FROM more_places") == 0
        assert len(stored_places(store)) == 30
        # Nor does it where another record of its batch has some.
        new, *_ = _meetings(random.Random(2), 1, "fra-1/00")
        again = [(0, events[0] | {"sequence": 9001}), (1, new | {"sequence": 9002})]
        projector.apply([_slice(PARTITIONS[1], 0, again)])
        assert store.value("SELECT count(DISTINCT record_id) FROM more_places") == 1


def test_a_retried_message_has_the_place_where_it_lay(monkeypatch: pytest.MonkeyPatch) -> None:
    events = _meetings(random.Random(3), 6, "fra-1/00")
    log: Log = {PARTITIONS[1]: list(enumerate(events))}
    with open_scratch("usage").closing() as store:
        projector = Projector(store, itertools.count(T).__next__)
        with monkeypatch.context() as patch:
            patch.setitem(CONTRACTS, TOPIC, replace(CONTRACTS[TOPIC], versions={}, quick={}))
            projector.apply([_slice(PARTITIONS[1], 0, log[PARTITIONS[1]])])
        assert stored_places(store) == {}
        retry(store, projector)
        assert stored_places(store) == recount.places(_told(log))
