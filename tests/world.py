"""A scenario in a journal, what must come of it, and what stores and brokers hold of it."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kafka import KafkaProducer

from consumers import broken_invariants
from producers import Emitter
from tests import recount
from tests.oracle_log import read_event
from tests.oracle_month import MonthRecount, Oracle, used
from tests.scenario import NOVEMBER, OCTOBER, QUALITY, USAGE, Event, Scenario, make_scenario
from tests.test_places import stored_places
from tests.test_projector import QUALITY as SAMPLE
from tests.test_projector import _meetings as drawn_meetings
from tests.test_projector import _records as stored_records
from warehouse import open_store

NOW_US = 1_790_000_000_000_000
Message = tuple[str, str, bytes]  # topic, source, value


@dataclass(frozen=True)
class World:
    """`messages` are what the emitters made of the scenario; `months` what must come of it."""

    scenario: Scenario
    journal: Path
    messages: list[Message]
    months: dict[date, MonthRecount]


def make_world(seed: int, folder: Path) -> World:
    scenario = make_scenario(seed, folder)
    with Servers(folder / "journal", random.Random(seed), scenario.events) as servers:
        while servers.emit(1000):
            pass
    usage = used(recount.records(scenario.usage()))
    oracle = Oracle(scenario.accounts, scenario.books, usage)
    months = {first: oracle.close(first) for first in (OCTOBER, NOVEMBER)}
    messages = list(recount.read_journal(folder / "journal"))
    return World(scenario, folder / "journal", messages, months)


def draw_events(rng: random.Random, records: int) -> Scenario:
    """Usage of so many records on three servers, and as many samples: nobody is billed for it."""
    names = ("fra-1", "nyc-1", "sin-1")
    usage = [
        {key: value for key, value in event.items() if key not in ("source", "sequence")}
        for event in drawn_meetings(rng, records, "none/0")
    ]
    homes = {event["record_id"]: rng.choice(names) for event in usage}
    samples = [
        {key: value for key, value in SAMPLE.items() if key != "source"}
        | {"rtt_ms": rng.random() * 900, "record_id": rng.randbytes(16)}
        | {"server_id": rng.choice(names), "sampled_at": NOW_US + rng.randrange(recount.DAY_US)}
        for _ in range(records)
    ]
    events = [
        *((USAGE, event | {"server_id": homes[event["record_id"]]}) for event in usage),
        *((QUALITY, sample) for sample in samples),
    ]
    return Scenario("", (), tuple(events))


class Servers(ExitStack):
    """Emitters that tell events in an order of chance: each by its own server, and of usage one in
    five by another too.
    """

    def __init__(
        self, journal: Path, rng: random.Random, events: Iterable[tuple[str, Event]]
    ) -> None:
        super().__init__()
        self._rng = rng
        self._left = list(events)
        rng.shuffle(self._left)
        names = sorted({event["server_id"] for _, event in self._left}) + ["twin-1"]
        self._emitters = {
            name: self.enter_context(
                Emitter(journal, name, "eu", "1", clock=lambda: NOW_US, threaded=False, replay=True)
            )
            for name in names
        }

    def emit(self, count: int) -> int:
        """The next `count` events, accepted when it returns; how many are left."""
        told, self._left = self._left[:count], self._left[count:]
        for topic, event in told:
            assert self._emitters[event["server_id"]].emit(topic, event)
            if topic == USAGE and self._rng.random() < 0.2:
                assert self._emitters["twin-1"].emit(topic, event)
            if self._rng.random() < 0.05:
                self._rng.choice(list(self._emitters.values())).flush()
        for emitter in self._emitters.values():
            emitter.flush()
        return len(self._left)


def produce(producer: KafkaProducer, messages: Iterable[Message]) -> Counter[tuple[str, str]]:
    """Send them as they are; how many were acknowledged by topic and partition."""
    futures = [
        producer.send(topic, key=source.encode(), value=value) for topic, source, value in messages
    ]
    producer.flush()
    placed = [future.get(60) for future in futures]
    return Counter((one.topic, str(one.partition)) for one in placed)


def _in_journal(messages: Iterable[Message]) -> Iterator[recount.Told]:
    """The usage of a whole journal, where sequences are offsets."""
    told: Counter[str] = Counter()
    for topic, source, payload in messages:
        if topic == USAGE:
            told[source] += 1
            event = read_event(topic, payload)
            assert event is not None
            yield "journal", source, told[source], event


def check_store(
    home: Path,
    scenario: Scenario,
    messages: Iterable[Message],
    positions: Mapping[tuple[str, str], int],
) -> None:
    """Records, samples and sequences are those of `scenario`, told in `messages`; `positions` is
    what is next by topic and partition, where anything was read.
    """
    samples = sum(topic == QUALITY for topic, _ in scenario.events)
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        rows = store.rows('SELECT topic, "partition", next FROM positions')
        assert {(topic, place): at for topic, place, at in rows if at} == dict(positions)
        assert stored_records(store) == recount.records(scenario.usage())
        logs = {log for (log,) in store.rows("SELECT log FROM positions")}
        if logs == {"journal"}:
            assert stored_places(store) == recount.places(_in_journal(messages))
        assert store.value("SELECT sum(samples) FROM quality_hourly") == samples
        last = Counter((topic, source) for topic, source, _ in messages)
        rows = store.rows("SELECT topic, source, first, last FROM sequences")
        assert sorted(rows) == sorted((*place, 1, count) for place, count in last.items())
        assert store.value("SELECT count(*) FROM quarantine") == 0
        assert broken_invariants(store) == []
