"""Three brokers that lose one another and acknowledgements under load: nothing lost, nothing twice.

The projector runs as a service all the while, on librdkafka or on kafka-python: the run's seed says
which, and in a soak both do. The recount is of the scenario, of the journal, and of
what an independent consumer reads.
"""

import random
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from edge import Refused
from eventlog import KafkaSettings
from eventlog.kafka import TOPIC_SETTINGS, KafkaTopics
from eventlog.kafka_open import open_kafka
from eventlog.kafka_source import KafkaSource
from schemas import TOPICS
from tests import recount
from tests.command_line import run_here, wait_until
from tests.fire import SOAKING
from tests.kafka.cluster import NODES, Cluster
from tests.scenario import USAGE, Scenario
from tests.test_forwarder import _alter as alter
from tests.test_killed import at_end, bootstrap, cursor, killed, until
from tests.trouble_kafka import read_topics
from tests.world import Servers, check_store, draw_events

RECORDS = 400
DEAF_S = 3.0
Process = subprocess.Popen[bytes]


@pytest.mark.fire
@pytest.mark.long
def test_brokers_and_acknowledgements_are_lost_under_load(
    tmp_path: Path, rng: random.Random, cluster: Cluster
) -> None:
    home, *others = _homes(tmp_path, cluster.lines, 1 + SOAKING)
    journal = home / "journal"
    fast = rng.random() < 0.5
    print(f"librdkafka reads: {fast}")
    scenario = draw_events(rng, RECORDS)
    with (
        closing(KafkaTopics.connect(KafkaSettings(cluster.addresses))) as topics,
        Servers(journal, rng, scenario.events) as servers,
        killed(home, "consume", fast=fast),
        ExitStack() as more,
    ):
        for other in others:
            more.enter_context(killed(other, "consume", fast=not fast))
        load = _Load(home, servers, len(scenario.events) // 40, topics)
        with killed(home, "forward") as forwarder:
            _cut_acknowledgements(rng, cluster, load, forwarder)
            _fall_silent(cluster, load, forwarder)
        with killed(home, "forward") as forwarder:
            stood = cursor(journal)
            load.add()
            until(home, forwarder, lambda: cursor(journal) != stood)
            leader = _lose_a_leader(rng, cluster, load, forwarder)
            _lose_another(rng, cluster, load, leader)
            servers.emit(len(scenario.events))
            until(home, forwarder, lambda: at_end(journal))
    twice = _check(scenario, cluster.addresses, home, *others)
    print(f"{twice} messages are in Kafka twice")
    assert twice > 0


@dataclass(frozen=True)
class _Load:
    """Servers of `home` that go on emitting, and Kafka as nobody's line shows it."""

    home: Path
    servers: Servers
    piece: int
    topics: KafkaTopics

    @property
    def journal(self) -> Path:
        return self.home / "journal"

    def add(self, pieces: int = 1) -> None:
        assert self.servers.emit(pieces * self.piece), "nothing is left to be lost"

    def in_kafka(self) -> int:
        """How many messages; there are no markers."""
        return sum(self.topics.ends(self.topics.find(TOPICS).values()).values())


def _cut_acknowledgements(
    rng: random.Random, cluster: Cluster, load: _Load, forwarder: Process
) -> None:
    """With their connections, when the broker had written: one producer repeats, Kafka knows its
    numbers, and nothing is there twice.
    """
    lines, cuts = list(cluster.before.values()), rng.randint(2, 4)
    for line in lines:
        line.cuts = cuts
    while sum(line.lost for line in lines) < cuts:
        assert load.servers.emit(20), "it was not cut as often as was drawn"
        until(load.home, forwarder, lambda: at_end(load.journal))
    for line in lines:
        line.cuts = 0
    assert load.in_kafka() == len(list(recount.read_journal(load.journal)))
    print(f"{sum(line.lost for line in lines)} acknowledgements cut")


def _fall_silent(cluster: Cluster, load: _Load, forwarder: Process) -> None:
    """Until the forwarder is killed, who comes after: the next one repeats what Kafka has."""
    stood, held = cursor(load.journal), load.in_kafka()
    for line in cluster.before.values():
        line.is_silent = True
    load.add()
    until(load.home, forwarder, lambda: load.in_kafka() > held)
    assert cursor(load.journal) == stood, "moved without an acknowledgement"
    forwarder.poll = lambda: None  # type: ignore[method-assign]
    forwarder.kill()
    forwarder.wait()
    for line in cluster.before.values():
        line.is_silent = False


def _lose_a_leader(rng: random.Random, cluster: Cluster, load: _Load, forwarder: Process) -> int:
    """In mid-send: the two that are left take all of it."""
    leader = rng.choice(_leaders(cluster.addresses))
    load.add(5)
    time.sleep(rng.random() * 0.1)
    cluster.kill(leader)
    load.add()
    until(load.home, forwarder, lambda: at_end(load.journal))
    return leader


def _lose_another(rng: random.Random, cluster: Cluster, load: _Load, leader: int) -> None:
    """Nothing is acknowledged by one of three; then both are back."""
    second = rng.choice([node for node in NODES if node != leader])
    print(f"leader {leader} and then {second} killed")
    cluster.kill(second)
    stood = cursor(load.journal)
    load.add(5)
    time.sleep(DEAF_S)
    assert cursor(load.journal) == stood, "one broker of three has acknowledged something"
    cluster.start(leader, second)


def _homes(folder: Path, address: str, count: int) -> list[Path]:
    homes = [folder / f"home-{number}" for number in range(count)]
    for home in homes:
        home.mkdir()
        (home / "homemeeting.toml").write_text(bootstrap(address))
    return homes


def _leaders(address: str) -> list[int]:
    """Of the partitions of usage, those that lead them."""
    admin = KafkaAdminClient(bootstrap_servers=address.split(","))
    (told,) = admin.describe_topics([USAGE])
    admin.close()
    return sorted({int(part["leader_id"]) for part in told["partitions"]})


def _check(scenario: Scenario, address: str, home: Path, *others: Path) -> int:
    """Kafka holds the journal and nothing else; the stores are its recount. Returns how many
    messages Kafka holds more than once.
    """
    assert run_here(home, "forward", "--once").returncode == 0
    messages = list(recount.read_journal(home / "journal"))
    found = Counter(read_topics(address))
    assert set(found) == {(topic, value) for topic, _, value in messages}
    log = open_kafka(KafkaSettings(address))
    ends = {(place.topic, place.partition): end for place, end in log.ends(TOPICS).items() if end}
    log.close()
    for one in (home, *others):
        assert run_here(one, "consume", "--once").returncode == 0
        check_store(one, scenario, messages, ends)
    return found.total() - len(messages)


@pytest.mark.soak
def test_a_log_cut_back_and_grown_past_its_readers_is_refused(
    rng: random.Random, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an operator can force it, who lets a replica lead that lacks what was acknowledged. The
    topic is the same, and it does not end before the position: nothing but the cut tells.
    """
    monkeypatch.setattr("eventlog.kafka_source._JUDGE_S", 3600.0)
    leader, follower, _ = rng.sample(NODES, 3)
    settings, name = KafkaSettings(cluster.addresses), f"homemeeting.test.cut-{leader}-{follower}"
    admin = KafkaAdminClient(bootstrap_servers=settings.servers())
    configs = {**TOPIC_SETTINGS, "min.insync.replicas": "1"}
    admin.create_topics({name: {"assignments": {0: [leader, follower]}, "configs": configs}})

    def leads(node: int, *in_sync: int) -> bool:
        try:
            with closing(KafkaAdminClient(bootstrap_servers=settings.servers())) as asking:
                (told,) = asking.describe_topics([name])
        except KafkaError:  # it asked one that was killed
            return False
        return any(
            part["leader_id"] == node and set(part["isr_nodes"]) == {node, *in_sync}
            for part in told["partitions"]
        )

    def send(count: int) -> None:
        producer = Producer({"bootstrap.servers": cluster.addresses, "acks": 1})
        for number in range(count):
            producer.produce(name, b"%d" % number)
        assert producer.flush(60) == 0

    def read(log: KafkaSource, count: int) -> None:
        while count > 0:
            count -= sum(len(one.payloads) for one in log.poll(100, 0.3))

    wait_until(lambda: leads(leader, follower))
    time.sleep(1)  # until all three have heard of it
    logs = [open_kafka(settings, [name], library) for library in ("kafka-python", "librdkafka")]
    for log in logs:
        log.assign({})
    send(10)
    alter(settings, name, "unclean.leader.election.enable", "true")
    for log in logs:
        read(log, 10)
    cluster.kill(follower)
    wait_until(lambda: leads(leader))
    send(10)
    for log in logs:
        read(log, 10)
    cluster.kill(leader)
    cluster.start(follower)
    wait_until(lambda: leads(follower))
    send(30)
    for log in logs:
        with pytest.raises(Refused) as caught:
            read(log, 1)
        assert str(caught.value.faults[0]).startswith(f"TOPIC_CHANGED: {name}[0]: was cut back")
        log.close()
    admin.close()
    cluster.start(leader)
