"""The broker of a run, or of one test alone, as fixtures; `tests/conftest.py` takes them in."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, NoReturn

import pytest
from kafka import KafkaAdminClient

from edge import Refused
from eventlog import KafkaSettings
from eventlog.kafka import KafkaTopics
from schemas import TOPICS
from tests.kafka.broker import NoBroker, given
from tests.kafka.broker import own_broker as own
from tests.kafka.cluster import Cluster, own_cluster
from tests.kafka.guarded import GuardedBroker, guarded_broker
from tests.lent import NO_BROKER, give_up, note

# On a broker that was given: what the tests made, and hence may delete.
OURS, MARK = "homemeeting.test.", "homemeeting.test.mark"
# A broker that listens may yet be long in answering, where several begin on one machine.
_PATIENCE_S = 90.0


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """`host:port` of a real broker. Skips where none can be had, fails there when CI=true."""
    if address := given():
        _claim(request.config, address)
        yield address
        ours = [name for name in _names(address) if name.startswith(OURS)]
        _delete([*TOPICS, *ours], address)
    else:
        for running in _own(request.config):
            _connected(running.address).close()
            yield running.address


@pytest.fixture
def own_broker(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A broker for one test alone, which may kill it and start it again."""
    yield from _own(request.config)


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest) -> Iterator[GuardedBroker]:
    """A broker that asks who is there: TLS, certificates of both sides, a password."""
    yield from _started(request.config, guarded_broker())


@pytest.fixture(scope="session")
def three_brokers(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster that tests may kill brokers of; each leaves all three running."""
    yield from _started(request.config, own_cluster())


@pytest.fixture
def cluster(three_brokers: Cluster) -> Cluster:
    """The cluster with our four topics, new and empty."""
    new_topics(three_brokers.addresses)
    return three_brokers


def _own(config: pytest.Config) -> Iterator[Any]:
    yield from _started(config, own())


def _started(config: pytest.Config, running: AbstractContextManager[Any]) -> Iterator[Any]:
    try:
        started = running.__enter__()
    except NoBroker as error:
        give_up(config, NO_BROKER, "Kafka broker", error)
    try:
        yield started
    finally:
        running.__exit__(None, None, None)


def _claim(config: pytest.Config, address: str) -> None:
    """Fail unless the given broker answers and holds no topics of ours that tests did not make."""
    try:
        KafkaTopics.connect(KafkaSettings(address, timeout_s=5)).close()
    except Refused as refused:
        _refuse(config, refused.summary)
    there = _names(address)
    if MARK not in there:
        if foreign := sorted(there & {*TOPICS}):
            why = f"{address} holds {', '.join(foreign)}, which the tests would delete"
            _refuse(config, f"{why}: give a broker of their own")
        _make([MARK], address)


def _refuse(config: pytest.Config, why: str) -> NoReturn:
    note(config, NO_BROKER, f"HOMEMEETING_TEST_KAFKA: {why}")
    pytest.fail(f"HOMEMEETING_TEST_KAFKA: {why}", pytrace=False)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """The broker with our four topics, new and empty: their names are fixed."""
    new_topics(kafka_bootstrap)
    return KafkaSettings(kafka_bootstrap)


def new_topics(address: str) -> None:
    """Our four topics, whatever was there."""
    _delete(list(TOPICS), address)
    _make(list(TOPICS), address)


def _names(address: str) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _connected(address: str) -> KafkaTopics:
    return KafkaTopics.connect(KafkaSettings(address, timeout_s=_PATIENCE_S))


def _make(names: list[str], address: str) -> None:
    topics = _connected(address)
    topics.create(names)
    topics.close()


def _delete(names: list[str], address: str) -> None:
    """Delete those of `names` that are there, and wait until the broker no longer knows them."""
    topics = _connected(address)
    admin = KafkaAdminClient(bootstrap_servers=address.split(","))
    if there := list(topics.find(names)):
        admin.delete_topics(there)
    deadline = time.monotonic() + 60
    while topics.find(names):
        assert time.monotonic() < deadline, f"{names} are not deleted"
        time.sleep(0.02)
    topics.close()
    admin.close()
