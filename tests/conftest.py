"""What tests share: the run's seed, its one broker, and the line that says if there was none."""

import importlib.util
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kafka import KafkaAdminClient

from edge import Refused
from eventlog import KafkaSettings, KafkaTopics
from schemas import TOPICS
from tests.world import World, make_world

NO_BROKER = pytest.StashKey[str]()
SEED = pytest.StashKey[int]()
# On a broker that was given: what the tests made, and hence may delete.
OURS, MARK = "homemeeting.test.", "homemeeting.test.mark"


def pytest_configure(config: pytest.Config) -> None:
    told = os.environ.get("HOMEMEETING_SEED")
    config.stash[SEED] = int(told) if told else random.SystemRandom().randrange(2**32)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.stash[SEED]} (HOMEMEETING_SEED={config.stash[SEED]} repeats it)"


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the run: new each time, or HOMEMEETING_SEED."""
    return request.config.stash[SEED]


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Chance of a test's own: the same with one seed, whichever other tests run."""
    print(f"HOMEMEETING_SEED={seed} repeats this")
    return random.Random(f"{seed}/{request.node.name}")


@pytest.fixture(scope="session")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Drawn once, read by many: no test writes into its journal."""
    return make_world(seed, tmp_path_factory.mktemp("world"))


def _broker_module() -> ModuleType:
    """tests/kafka/broker.py by its path: `kafka` is also the name of the client library."""
    name = "homemeeting_test_broker"
    if name not in sys.modules:
        path = Path(__file__).parent / "kafka" / "broker.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """`host:port` of a real broker. Skips where none can be had, fails there when CI=true."""
    if address := _broker_module().given():
        _claim(request.config, address)
        yield address
        ours = [name for name in _names(address) if name.startswith(OURS)]
        _delete([*TOPICS, *ours], address)
    else:
        yield from (running.address for running in _own(request.config))


@pytest.fixture
def own_broker(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A broker for one test alone, which may kill it and start it again."""
    yield from _own(request.config)


def _own(config: pytest.Config) -> Iterator[Any]:
    module = _broker_module()
    running = module.own_broker()
    try:
        started = running.__enter__()
    except module.NoBroker as error:
        config.stash[NO_BROKER] = str(error)
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Kafka broker can be had: {error}", pytrace=False)
        pytest.skip(f"no Kafka broker can be had: {error}")
    try:
        yield started
    finally:
        running.__exit__(None, None, None)


def _claim(config: pytest.Config, address: str) -> None:
    """Fail unless the given broker answers and holds no topics of ours that tests did not make."""
    try:
        KafkaTopics.connect(KafkaSettings(address, timeout_s=5)).close()
    except Refused as refused:
        config.stash[NO_BROKER] = f"HOMEMEETING_TEST_KAFKA: {refused.summary}"
        pytest.fail(f"HOMEMEETING_TEST_KAFKA: {refused.summary}", pytrace=False)
    there = _names(address)
    if MARK not in there:
        if foreign := sorted(there & {*TOPICS}):
            why = f"HOMEMEETING_TEST_KAFKA: {address} holds {', '.join(foreign)}, which the tests "
            config.stash[NO_BROKER] = why = f"{why}would delete: give a broker of their own"
            pytest.fail(why, pytrace=False)
        _make([MARK], address)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """The broker with our four topics, new and empty: their names are fixed."""
    _delete(list(TOPICS), kafka_bootstrap)
    _make(list(TOPICS), kafka_bootstrap)
    return KafkaSettings(kafka_bootstrap)


def _names(address: str) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _make(names: list[str], address: str) -> None:
    topics = KafkaTopics.connect(KafkaSettings(address))
    topics.create(names)
    topics.close()


def _delete(names: list[str], address: str) -> None:
    """Delete those of `names` that are there, and wait until the broker no longer knows them."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    topics = KafkaTopics.connect(KafkaSettings(address))
    if there := list(topics.find(names)):
        admin.delete_topics(there)
    deadline = time.monotonic() + 20
    while topics.find(names):
        assert time.monotonic() < deadline, f"{names} are not deleted"
        time.sleep(0.02)
    topics.close()
    admin.close()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reason = config.stash.get(NO_BROKER, None)
    if reason:
        terminalreporter.write_line(f"KAFKA: the tests on a real broker did not run: {reason}")
