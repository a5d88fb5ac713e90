"""From events to the usage store through a real broker, and what is missing on the way."""

import signal
import time
import uuid
from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from consumers import Projector, broken_invariants
from eventlog import KafkaSettings
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import open_kafka
from tests.command_line import run_here, shown_here, start, wait_until
from tests.test_cli import USAGE
from tests.test_completeness import BEATS, beat, holes, usage
from tests.test_forwarder import _nobody as nobody
from tests.test_projector import TOPIC
from warehouse import open_store


def test_from_the_command_line_through_kafka(tmp_path: Path, kafka: KafkaSettings) -> None:
    event = USAGE | {"record_id": str(uuid.uuid4()), "account_id": f"acme-{uuid.uuid4().hex}"}
    assert run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event]).returncode == 0
    (tmp_path / "homemeeting.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap_servers}"\n'
    )
    for _ in range(2):
        forwarded = run_here(tmp_path, "forward", "--once")
        assert forwarded.returncode == 0, forwarded.stderr
        consumed = run_here(tmp_path, "consume", "--once")
        assert consumed.returncode == 0, consumed.stderr
    positions = shown_here(tmp_path, "status")["positions"]
    assert all(one["lag"] == 0 and one["log"] != "journal" for one in positions)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        rows = store.rows(
            "SELECT records, duration_us FROM usage_daily WHERE account_id = ?",
            [event["account_id"]],
        )
    assert rows == [(1, 3_600_000_000)]


@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_a_hole_is_in_flight_until_its_partitions_are_read_past_markers_and_all(
    tmp_path: Path, kafka: KafkaSettings, library: Literal["kafka-python", "librdkafka"]
) -> None:
    name = f"{library}-{uuid.uuid4().hex[:8]}/00"
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": name})
    producer.init_transactions(60)

    def send(topic: str, *values: bytes, commit: bool = True) -> None:
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value, key=name.encode())
        assert producer.flush(60) == 0
        (producer.commit_transaction if commit else producer.abort_transaction)(60)

    whole = open_kafka(kafka, library=library)
    beats = open_kafka(kafka, [BEATS], library=library)
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


@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_partitions_with_nothing_left_to_read_are_read_to_their_end(
    tmp_path: Path, kafka: KafkaSettings, library: Literal["kafka-python", "librdkafka"]
) -> None:
    """One emptied by hand, one that holds nothing but an aborted transaction."""
    plain = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    plain.produce(TOPIC, usage("gone/0", 1), partition=0)
    assert plain.flush(60) == 0
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.delete_records({TopicPartition(TOPIC, 0): 1})
    admin.close()
    aborting = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": uuid.uuid4().hex}
    )
    aborting.init_transactions(60)
    aborting.begin_transaction()
    aborting.produce(TOPIC, usage("gone/0", 2), partition=1)
    assert aborting.flush(60) == 0
    aborting.abort_transaction(60)
    log = open_kafka(kafka, library=library)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, lambda: time.time_ns() // 1000)
        for _ in range(2):
            assert projector.run_once(log) == 0
            at = {place: end for place, end in projector.positions().items() if end}
            assert sorted((place.partition, end) for place, end in at.items()) == [
                ("0", 1),
                ("1", 2),
            ]
            assert at.items() <= log.ends([TOPIC]).items()
            assert broken_invariants(store) == []
    log.close()


def test_the_service_waits_for_kafka_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    address = nobody().bootstrap_servers
    with (
        (tmp_path / "said").open("wb") as said,
        start(tmp_path, "consume", said=said, kafka_bootstrap_servers=address) as service,
    ):
        told = f"waiting for Kafka: no Kafka broker answers at '{address}'"
        wait_until(lambda: told in (tmp_path / "said").read_text())
        assert service.poll() is None
        assert not (tmp_path / "usage.duckdb").exists(), "it holds what it does not need"
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0


def test_a_topic_made_anew_is_not_healthy(tmp_path: Path, kafka: KafkaSettings) -> None:
    """Nor is one that is empty, though nothing is left to read of either."""
    address = kafka.bootstrap_servers
    plain = Producer({"bootstrap.servers": address})
    plain.produce(TOPIC, usage("a/0", 1))
    assert plain.flush(60) == 0
    told = {"kafka_bootstrap_servers": address}
    assert run_here(tmp_path, "consume", "--once", **told).returncode == 0
    assert shown_here(tmp_path, "status", **told)["healthy"] is True
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.delete_topics([TOPIC])
    admin.close()
    topics = KafkaTopics.connect(kafka)
    wait_until(lambda: not topics.find([TOPIC]))
    topics.create([TOPIC])
    topics.close()
    refused = run_here(tmp_path, "consume", "--once", **told)
    assert (refused.returncode, refused.stderr[:14]) == (1, "TOPIC_CHANGED:")
    status = shown_here(tmp_path, "status", **told)
    assert (status["healthy"], sum(one["lag"] for one in status["positions"])) == (False, 0)
    first, second, *_ = run_here(tmp_path, "status", **told).stdout.splitlines()
    assert first == "NOT HEALTHY"
    assert second.startswith(f"TOPIC_CHANGED: {TOPIC}[")
    assert "restore the topic, or begin a new home and rebuild" in second
