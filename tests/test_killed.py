"""Processes killed with -9 at random moments and started again: nothing lost, nothing twice.

The real commands, while the meeting servers go on emitting; at the end the store says what an
independent recount of the events says.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from consumers import verify_usage
from eventlog import JournalSource, KafkaSettings
from eventlog.kafka_open import open_kafka
from schemas import TOPICS
from tests import recount
from tests.world import Servers, World, check_store, produce
from warehouse import read_store, whole

ROOT = Path(__file__).parent.parent
KILLS = 3
_BASE_INSTALL = """
import sys
sys.modules["confluent_kafka"] = None
import cli
cli.run(sys.argv[1:])
"""


@pytest.mark.soak
def test_a_projector_killed_while_it_reads_the_journal(
    tmp_path: Path, world: World, rng: random.Random
) -> None:
    journal = tmp_path / "journal"
    with Servers(journal, rng, world.scenario.events) as servers:
        piece = len(world.scenario.events) // 100
        kill_while(tmp_path, rng, lambda: servers.emit(rng.randint(1, 2 * piece)))
        assert servers.emit(0), "it was not killed in the middle"
        servers.emit(len(world.scenario.events))
    run(tmp_path, "consume", "--once")
    messages = list(recount.read_journal(journal))
    last = Counter((topic, source) for topic, source, _ in messages)
    positions = {place: count + 1 for place, count in last.items()}
    check_store(tmp_path, world.scenario, messages, positions)


def test_a_projector_killed_while_it_reads_kafka(
    tmp_path: Path, world: World, rng: random.Random, kafka: KafkaSettings
) -> None:
    told = world.messages + rng.sample(world.messages, len(world.messages) // 4)
    rng.shuffle(told)
    sent: Counter[tuple[str, str]] = Counter()
    (tmp_path / "homemeeting.toml").write_text(bootstrap(kafka.bootstrap_servers))
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:

        def send(count: int) -> None:
            sent.update(produce(producer, told[:count]))
            del told[:count]

        piece = len(told) // 100
        kill_while(tmp_path, rng, lambda: send(rng.randint(1, 2 * piece)))
        assert told, "it was not killed in the middle"
        send(len(told))
    run(tmp_path, "consume", "--once")
    check_store(tmp_path, world.scenario, world.messages, sent)


@pytest.mark.soak
def test_a_forwarder_and_its_broker_killed_in_mid_send_under_a_projector(
    tmp_path: Path, world: World, rng: random.Random, own_broker: Any
) -> None:
    journal = tmp_path / "journal"
    (tmp_path / "homemeeting.toml").write_text(bootstrap(own_broker.address))
    run(tmp_path, "topics", "create")
    with Servers(journal, rng, world.scenario.events) as servers:
        piece = len(world.scenario.events) // 100
        for _ in range(KILLS):
            servers.emit(piece)
            stood = cursor(journal)
            with killed(tmp_path, "forward") as forwarder:
                until(tmp_path, forwarder, lambda stood=stood: cursor(journal) != stood)
                for _ in range(rng.randint(1, 8)):
                    servers.emit(rng.randint(1, 2 * piece))
                    time.sleep(rng.random() * 0.05)
        stood = cursor(journal)
        # Both wait for the broker, and go on by themselves.
        with killed(tmp_path, "forward") as forwarder, killed(tmp_path, "consume"):
            servers.emit(piece)
            until(tmp_path, forwarder, lambda: cursor(journal) != stood)
            servers.emit(10 * piece)
            time.sleep(rng.random() * 0.05)
            own_broker.kill()
            assert servers.emit(piece), "nothing was left to be held by the journal"
            own_broker.start()
            servers.emit(len(world.scenario.events))
            until(tmp_path, forwarder, lambda: at_end(journal))
    run(tmp_path, "forward", "--once")
    run(tmp_path, "consume", "--once")
    messages = list(recount.read_journal(journal))
    log = open_kafka(KafkaSettings(own_broker.address))
    ends = {(place.topic, place.partition): end for place, end in log.ends(TOPICS).items() if end}
    log.close()
    assert sum(ends.values()) >= len(messages)
    check_store(tmp_path, world.scenario, messages, ends)


def kill_while(home: Path, rng: random.Random, go_on: Callable[[], object]) -> None:
    """Kill the service, over and over, while `go_on` adds to the log; the store stays whole. A
    kill in its first commit does not count: there must be some of it to be lost.
    """
    counts = [0]
    while len(set(counts)) <= KILLS:
        notice = home / "usage.duckdb.serving"
        notice.unlink(missing_ok=True)  # a killed service leaves it behind
        with killed(home, "consume") as service:
            until(home, service, notice.exists)
            commits = size(home / "usage.duckdb.wal")
            go_on()
            until(home, service, lambda at=commits: size(home / "usage.duckdb.wal") != at)
            for _ in range(rng.randint(1, 10)):
                go_on()
                time.sleep(rng.random() * 0.1)  # the moment is what is random here
        assert verify_usage(home / "usage.duckdb") == []
        with read_store(home / "usage.duckdb", "usage", whole("batches")).closing() as store:
            counts.append(store.value("SELECT sum(events) FROM batches"))
        assert counts == sorted(counts), "a batch was lost"


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@contextmanager
def killed(home: Path, *arguments: str, fast: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process, killed with -9 at the end of the block; not `fast`: as without the
    extra of that name, on kafka-python alone.
    """
    with (
        (home / "service.log").open("ab") as log,
        start(home, arguments, stderr=log, fast=fast) as process,
    ):
        try:
            yield process
            assert process.poll() is None, f"it ended by itself: {said(home)}"
        finally:
            process.kill()


def run(home: Path, *arguments: str) -> None:
    with (home / "service.log").open("ab") as log, start(home, arguments, stderr=log) as process:
        assert process.wait(120) == 0, said(home)


def start(
    home: Path, arguments: tuple[str, ...], stderr: Any, fast: bool = True
) -> subprocess.Popen[bytes]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("HOMEMEETING_")}
    called = ["-m", "cli"] if fast else ["-c", _BASE_INSTALL]
    command = [sys.executable, *called, "--home", str(home), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=stderr, stderr=stderr, env=environ)


def said(home: Path) -> str:
    return (home / "service.log").read_text("utf-8")[-2000:]


def until(home: Path, process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert process.poll() is None, f"it ended by itself: {said(home)}"
        assert time.monotonic() < deadline, f"waited for 120 s: {said(home)}"
        time.sleep(0.02)


def bootstrap(address: str) -> str:
    return f'[kafka]\nbootstrap_servers = "{address}"\n'


def cursor(journal: Path) -> dict[tuple[str, str], int]:
    """Where the forwarder says that it stands, by topic and source."""
    try:
        rows = json.loads((journal / "forward.json").read_text("utf-8"))["positions"]
    except FileNotFoundError:
        return {}
    return {(topic, source): at for _, topic, source, at in rows}


def at_end(journal: Path) -> bool:
    ends = {
        (topic, source): end
        for (_, topic, source), end in JournalSource(journal).ends(TOPICS).items()
    }
    return cursor(journal) == ends
