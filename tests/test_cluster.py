"""Three brokers that lose one another and acknowledgements under load: nothing lost, nothing twice.

Both projectors run as services all the while, one on librdkafka, one on kafka-python. The recount
is of the scenario, of the journal, and of what an independent consumer reads.
"""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from consumers import Projector
from eventlog import KafkaSettings
from eventlog.kafka_open import open_kafka
from schemas import TOPICS
from tests import recount
from tests.kafka.cluster import NODES, Cluster
from tests.scenario import USAGE, Scenario
from tests.test_killed import at_end, bootstrap, cursor, killed, run, until
from tests.trouble_kafka import read_topics
from tests.world import Servers, check_store, draw_events
from warehouse import open_store

RECORDS = 1000
DEAF_S = 3.0


@pytest.mark.long
def test_a_leader_and_then_another_are_lost_in_mid_send(
    tmp_path: Path, rng: random.Random, cluster: Cluster
) -> None:
    home, other = _homes(tmp_path, cluster.addresses)
    journal = home / "journal"
    scenario = draw_events(rng, RECORDS)
    piece = len(scenario.events) // 20
    with (
        Servers(journal, rng, scenario.events) as servers,
        killed(home, "forward") as forwarder,
        killed(home, "consume"),
        killed(other, "consume", fast=False),
    ):
        servers.emit(piece)
        until(home, forwarder, lambda: bool(cursor(journal)))
        leader = rng.choice(_leaders(cluster.addresses))
        servers.emit(5 * piece)
        time.sleep(rng.random() * 0.1)
        cluster.kill(leader)
        servers.emit(piece)
        until(home, forwarder, lambda: at_end(journal))

        second = rng.choice([node for node in NODES if node != leader])
        print(f"leader {leader} and then {second} killed")
        cluster.kill(second)
        stood = cursor(journal)
        assert servers.emit(5 * piece)
        time.sleep(DEAF_S)
        assert cursor(journal) == stood, "one broker of three has acknowledged something"
        assert not at_end(journal)
        cluster.start(leader, second)
        servers.emit(len(scenario.events))
        until(home, forwarder, lambda: at_end(journal))
    _check(scenario, cluster.addresses, home, other)


def _homes(folder: Path, address: str) -> tuple[Path, Path]:
    homes = folder / "home", folder / "other"
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
    run(home, "forward", "--once")
    messages = list(recount.read_journal(home / "journal"))
    found = Counter(read_topics(address))
    assert set(found) == {(topic, value) for topic, _, value in messages}
    log = open_kafka(KafkaSettings(address))
    ends = {(place.topic, place.partition): end for place, end in log.ends(TOPICS).items() if end}
    log.close()
    for one in (home, *others):
        run(one, "consume", "--once")
        check_store(one, scenario, messages, ends)
    return found.total() - len(messages)


def test_acknowledgements_are_lost_on_the_way(
    tmp_path: Path, rng: random.Random, cluster: Cluster
) -> None:
    """With their connections: one producer repeats, Kafka knows its numbers, nothing is there
    twice. In silence, until the forwarder is killed: the next one repeats what Kafka has.
    """
    home, other = _homes(tmp_path, cluster.lines)
    journal, lines = home / "journal", list(cluster.before.values())
    scenario = draw_events(rng, RECORDS)
    with Servers(journal, rng, scenario.events) as servers:
        with killed(home, "forward") as forwarder:
            for line in lines:
                line.cuts = rng.randint(1, 3)
            cuts = sum(line.cuts for line in lines)
            while any(line.cuts for line in lines):
                assert servers.emit(20), "it was not cut as often as was drawn"
                time.sleep(0.05)
            until(home, forwarder, lambda: at_end(journal))
            assert sum(line.lost for line in lines) == cuts
            sent = len(list(recount.read_journal(journal)))
            assert len(read_topics(cluster.addresses)) == sent
            stood = cursor(journal)
            for line in lines:
                line.is_silent = True
            assert servers.emit(100)
            until(home, forwarder, lambda: len(read_topics(cluster.addresses)) > sent)
            assert cursor(journal) == stood, "moved without an acknowledgement"
        for line in lines:
            line.is_silent = False
        servers.emit(len(scenario.events))
    twice = _check(scenario, cluster.addresses, home)
    assert twice > 0
    print(f"{cuts} acknowledgements cut, {twice} messages sent twice")
    log = open_kafka(KafkaSettings(cluster.addresses), library="kafka-python")
    with open_store(other / "usage.duckdb", "usage").closing() as store:
        Projector(store, lambda: time.time_ns() // 1000).run_once(log)
    _check(scenario, cluster.addresses, home, other)
    log.close()
