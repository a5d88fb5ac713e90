"""Forwarders killed at each step, as processes, against a real broker: the next one goes on, and
what Kafka holds is all that the journals hold, in order, heartbeats behind what they promise.
"""

import random
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaConsumer, TopicPartition

from consumers import Projector, broken_invariants
from eventlog import KafkaSettings
from eventlog.kafka_open import open_kafka
from producers import Emitter, forwarder
from producers.forwarder import Forwarder
from schemas import TOPICS
from tests import fire
from tests.deaths import deaths, run
from tests.oracle_log import read_event, read_torn_journal
from tests.test_killed_emitters import SECOND, T, counted, script
from tests.test_projector import _daily, _records
from warehouse import open_scratch

COUNT: Final = 20  # events of each journal
Heard = tuple[int, int, dict[str, Any]]  # arrival in ms, place in its partition, event


def told(root: Path, number: int) -> list[dict[str, Any]]:
    """A server's life in a journal of its own: what it passed in."""
    events = script(number * COUNT, COUNT)
    now = T
    with Emitter(
        root, f"s{number}", "eu", "1", clock=lambda: now, threaded=False, replay=True
    ) as emitter:
        for n, one in enumerate(events):
            assert emitter.emit("meetings.usage", one)
            if n % 5 == 4:
                now += 61 * SECOND
                emitter.tick()
    return events


def forward(root: Path, kafka: KafkaSettings) -> int:
    forwarder._BATCH_EVENTS = 4  # many batches, and moves of the cursor
    with Forwarder(root, kafka, sleep=time.sleep) as running:
        return running.run_once()


def heard(kafka: KafkaSettings) -> dict[tuple[str, str], list[Heard]]:
    """All that Kafka holds, by topic and source."""
    found: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)) as consumer:
        places = [
            TopicPartition(topic, number)
            for topic in TOPICS
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for place, messages in consumer.poll(500).items():
                for one in messages:
                    event = read_event(place.topic, one.value)
                    assert event is not None
                    heard_of = (one.timestamp, one.offset, event)
                    found[place.topic, event["source"]].append(heard_of)
    return found


def check_order(found: dict[tuple[str, str], list[Heard]]) -> None:
    """Nothing stands before what comes before it, and no heartbeat before what it promises."""
    arrived: dict[tuple[str, str], dict[int, int]] = {}
    for place, events in found.items():
        first: dict[int, int] = {}
        for at_ms, _, event in sorted(events, key=lambda one: one[1]):
            assert event["sequence"] <= len(first) + 1, place
            first.setdefault(event["sequence"], at_ms)
        arrived[place] = first
    for (topic, source), events in found.items():
        for at_ms, _, event in events if topic == "sources.heartbeat" else ():
            for total in event["totals"]:
                if total["source"] == source:
                    promised = arrived.get((total["topic"], source), {})
                    due = [promised[number] for number in range(1, total["last"] + 1)]
                    assert all(one <= at_ms for one in due), (source, event)


def projected(kafka: KafkaSettings) -> tuple[Any, ...]:
    with closing(open_kafka(kafka)) as log, open_scratch("usage").closing() as store:
        Projector(store, count(T).__next__).run_once(log)
        assert broken_invariants(store) == []
        return _records(store), _daily(store)


@pytest.mark.fire
def test_a_forwarder_killed_at_any_step_and_started_again_leaves_nothing_out(
    tmp_path: Path, rng: random.Random, kafka: KafkaSettings
) -> None:
    events = told(tmp_path / "0", 0)
    steps = run(forward, tmp_path / "0", kafka).steps
    names = {step.name.split(" /")[0] for step in steps}
    assert names >= {"Sender send", "KafkaProducer send", "fsync", "replace", "make"}
    numbers = count(1)
    for drawn in fire.some(rng, deaths(steps, rng.randrange), 2):
        death, was_killed = drawn, False
        while not was_killed:
            number = next(numbers)
            root = tmp_path / f"{number}"
            events += told(root, number)
            was_killed = run(forward, root, kafka, death=death).was_killed
            run(forward, root, kafka)
            death = replace(death, step=death.step // 2)  # where this one took fewer steps
    found = heard(kafka)
    check_order(found)
    there = {
        (topic, source, event["sequence"])
        for (topic, source), some in found.items()
        for _, _, event in some
    }
    journals = {
        (topic, source, number)
        for root in tmp_path.iterdir()
        for topic, source, number, _ in read_torn_journal(root)
    }
    assert there == journals
    assert projected(kafka) == counted(events)
