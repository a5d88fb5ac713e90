"""Through a real broker: duplicated, shuffled events over several batches equal the recount."""

import json
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from consumers import Projector, broken_invariants
from eventlog import KafkaSettings, KafkaTopics, open_kafka
from schemas import TOPICS, encode
from tests import recount
from tests.test_cli import USAGE, run
from tests.test_completeness import BEATS, beat, holes, usage
from tests.test_projector import TOPIC, _daily, _meetings, _records
from warehouse import open_store


@pytest.fixture
def broker(kafka_bootstrap: str) -> Iterator[KafkaSettings]:
    settings = KafkaSettings(kafka_bootstrap)
    topics = KafkaTopics.connect(settings)
    topics.create(TOPICS, partitions=3)
    yield settings
    topics.close()


def _produce(settings: KafkaSettings, events: list[dict[str, Any]]) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    for event in events:
        producer.send(TOPIC, key=event["source"].encode(), value=encode(TOPIC, event))
    producer.flush()
    producer.close()


@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_through_kafka_equals_the_recount(
    tmp_path: Path, broker: KafkaSettings, library: Literal["kafka-python", "librdkafka"]
) -> None:
    seed = time.time_ns() % 10**6
    print(f"seed {seed}")
    rng = random.Random(seed)
    sources = [f"{library}-{number}/00" for number in range(5)]
    events = [event for source in sources for event in _meetings(rng, 150, source)]
    told = events + rng.sample(events, len(events) // 4)
    rng.shuffle(told)
    source = open_kafka(broker, library=library)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, lambda: time.time_ns() // 1000)
        for part in (told[: len(told) // 3], told[len(told) // 3 :]):
            _produce(broker, part)
            while _lag(projector, source):
                projector.run_once(source, events_max=rng.randint(20, 200))
        source.close()
        ours = {
            key: value for key, value in _records(store).items() if key in recount.records(events)
        }
        assert ours == recount.records(events)
        missing = store.value(
            "SELECT count(*) FROM sequences WHERE source LIKE $name || '%' AND first <> 1",
            {"name": library},
        )
        assert missing == 0
        assert set(recount.daily(events)) <= set(_daily(store))
        assert broken_invariants(store) == []


def _lag(projector: Projector, source: Any) -> int:
    at = projector.positions()
    return sum(end - at.get(place, 0) for place, end in source.ends([TOPIC]).items())


def test_from_the_command_line_through_kafka(tmp_path: Path, broker: KafkaSettings) -> None:
    event = USAGE | {"record_id": str(uuid.uuid4()), "account_id": f"acme-{uuid.uuid4().hex}"}
    assert run(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event]).returncode == 0
    (tmp_path / "homemeeting.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{broker.bootstrap_servers}"\n'
    )
    for _ in range(2):
        forwarded = run(tmp_path, "forward", "--once")
        assert forwarded.returncode == 0, forwarded.stderr
        consumed = run(tmp_path, "consume", "--once")
        assert consumed.returncode == 0, consumed.stderr
    shown = json.loads(run(tmp_path, "status", "--format", "json").stdout)
    assert all(one["lag"] == 0 and one["log"] != "journal" for one in shown["positions"])
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        rows = store.rows(
            "SELECT records, duration_us FROM usage_daily WHERE account_id = ?",
            [event["account_id"]],
        )
    assert rows == [(1, 3_600_000_000)]


@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_a_hole_is_in_flight_until_its_partitions_are_read_past_markers_and_all(
    tmp_path: Path, broker: KafkaSettings, library: Literal["kafka-python", "librdkafka"]
) -> None:
    name = f"{library}-{uuid.uuid4().hex[:8]}/00"
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": name})
    producer.init_transactions(20)

    def send(topic: str, *values: bytes, commit: bool = True) -> None:
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value, key=name.encode())
        assert producer.flush(20) == 0
        (producer.commit_transaction if commit else producer.abort_transaction)(20)

    whole = open_kafka(broker, library=library)
    beats = open_kafka(broker, [BEATS], library=library)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, lambda: time.time_ns() // 1000)
        projector.run_once(whole)
        send(TOPIC, usage(name, 1), usage(name, 2))
        send(TOPIC, usage(name, 3), commit=False)
        send(BEATS, beat(name, 1, 3))
        beats.assign(projector.positions())
        while not holes(store, source=name):
            if slices := beats.poll(1000, 0.5):
                projector.apply(slices, whole.ends)
        assert holes(store, source=name) == [(1, 3, "in_flight")]
        assert broken_invariants(store) == []
        again = Projector(store, lambda: time.time_ns() // 1000)
        again.run_once(whole, events_max=1)
        assert holes(store, source=name) == [(3, 3, "lost")]
        send(TOPIC, usage(name, 3))
        again.run_once(whole)
        assert holes(store, source=name) == []
        assert broken_invariants(store) == []
        assert store.rows("SELECT * FROM promises WHERE source = ?", [name]) == []
    beats.close()
    whole.close()
