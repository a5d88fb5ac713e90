"""Topics that no longer are what was read: everybody who reads them stops and names it.

Each trouble is caused while two projectors run, one on either library, and is met again by every
command at its start. Nothing is changed by any of them, and nothing begins anew in silence.
"""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient

from consumers import Projector, broken_invariants
from edge import Refused
from eventlog import KafkaSettings
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import Library, open_kafka
from schemas import encode
from tests.broker_fixtures import new_topics
from tests.command_line import run_here, wait_until
from tests.fire import some
from tests.homes import HEADER, billed_home
from tests.test_forwarder import _alter as alter
from tests.test_held import BOOK, _tables
from tests.test_projector import _meetings
from warehouse import open_store

USAGE = "meetings.usage"
LIBRARIES: tuple[Library, ...] = ("kafka-python", "librdkafka")
NOW = {"now": "2190-01-02T00:00:00Z", "billing_grace_hours": "0"}
ACCOUNTS = HEADER + "".join(f"a{n},A,a@a.example,DE,en,UTC,EUR,p,2026-01-01,,1\n" for n in range(5))


@dataclass(frozen=True)
class Trouble:
    """What befalls the topic of usage, and the code that is told while reading, and at a start.

    `forwards` is the forwarder's code at its start; None where it goes on.
    """

    cause: Callable[["Line"], object]
    running: str
    start: str
    forwards: str | None = None


class Line:
    """A home billed from what went through Kafka, its archive, and the way to send more."""

    def __init__(self, folder: Path, kafka: KafkaSettings, rng: random.Random) -> None:
        folder.mkdir()
        self.kafka, self.rng = kafka, rng
        self.told = {"kafka_bootstrap_servers": kafka.bootstrap_servers, **NOW}
        self.home = billed_home(folder, ACCOUNTS, BOOK, [])
        self.archive = folder / "archive"
        self.events: list[dict[str, object]] = []
        self.sent = 0
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})

    def send(self, records: int) -> None:
        """More usage, in all partitions that there are."""
        partitions = self._partitions()
        for _ in range(2 * partitions):
            source = f"s{self.sent}/0"
            events = _meetings(self.rng, max(records // (2 * partitions), 1), source)
            for event in events:
                self.producer.produce(
                    USAGE,
                    encode(USAGE, event),
                    key=source.encode(),
                    partition=self.sent % partitions,
                )
            self.events += events
            self.sent += 1
        assert self.producer.flush(20) == 0

    def run(self, *arguments: str) -> str:
        ran = run_here(self.home, *arguments, **self.told)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def refused(self, *arguments: str) -> str:
        """What it is refused with, all of it."""
        ran = run_here(self.home, *arguments, **self.told)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        return ran.stderr

    def recreate(self) -> None:
        self.delete()
        topics = KafkaTopics.connect(self.kafka)
        topics.create([USAGE])
        topics.close()
        self.producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers})

    def delete(self) -> None:
        topics = KafkaTopics.connect(self.kafka)
        with closing(KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)) as admin:
            admin.delete_topics([USAGE])
        wait_until(lambda: not topics.find([USAGE]))
        topics.close()

    def recreate_and_grow(self) -> None:
        self.recreate()
        self.send(3 * len(self.events))

    def pass_by_retention(self) -> None:
        """What nobody has read yet goes by age, with all before it; then the topic is set right."""
        self.send(20)
        alter(self.kafka, USAGE, "retention.ms", "1")
        topics = KafkaTopics.connect(self.kafka)
        found = topics.find([USAGE]).values()
        wait_until(lambda: topics.begins(found) == topics.ends(found))
        topics.close()
        alter(self.kafka, USAGE, "retention.ms", "-1")

    def _partitions(self) -> int:
        with closing(KafkaTopics.connect(self.kafka)) as topics:
            return len(topics.find([USAGE])[USAGE].partitions)


def _set(key: str, value: str) -> Trouble:
    def cause(line: Line) -> None:
        alter(line.kafka, USAGE, key, value)

    return Trouble(cause, "TOPIC_SETTINGS", "TOPIC_SETTINGS", "TOPIC_SETTINGS")


TROUBLES = {
    "deleted": Trouble(Line.delete, "TOPIC_CHANGED", "TOPIC_MISSING", "TOPIC_MISSING"),
    "made anew": Trouble(Line.recreate, "TOPIC_CHANGED", "TOPIC_CHANGED"),
    "made anew and grown": Trouble(Line.recreate_and_grow, "TOPIC_CHANGED", "TOPIC_CHANGED"),
    "passed by retention": Trouble(Line.pass_by_retention, "LOG_GONE", "LOG_GONE"),
    "event time": _set("message.timestamp.type", "CreateTime"),
    "retention by age": _set("retention.ms", "86400000"),
    "retention by size": _set("retention.bytes", "1073741824"),
    "compaction": _set("cleanup.policy", "compact"),
    "both policies": _set("cleanup.policy", "compact,delete"),
    "unclean leaders": _set("unclean.leader.election.enable", "true"),
}
# One of each kind; HOMEMEETING_FIRE=4 goes through all.
KINDS = (
    ("deleted", "made anew"),
    ("made anew and grown",),
    ("passed by retention",),
    ("event time", "retention by age", "retention by size", "compaction", "both policies",
     "unclean leaders"),
)  # fmt: skip


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_everybody_who_reads_it_stops_and_names_it(
    tmp_path: Path,
    kafka: KafkaSettings,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    kind: int,
) -> None:
    monkeypatch.setattr("eventlog.kafka_source._JUDGE_S", 0.5)
    for number, name in enumerate(some(rng, KINDS[kind], 1)):
        print(name)
        new_topics(kafka.bootstrap_servers)
        trouble = TROUBLES[name]
        line = Line(tmp_path / str(number), kafka, rng)
        line.send(40)
        line.run("consume", "--once")
        line.run("invoice", "run", "--month", "2026-09", "--finalize", "--accept-incomplete", "t")
        line.run("log", "archive", "--until", "2190-01-01", "--to", str(line.archive))
        before, manifest = _tables(line.home), _manifest(line.archive)
        with _projectors(line, tmp_path / f"{number}-read") as running:
            trouble.cause(line)
            for library, read_on in running.items():
                assert read_on() == trouble.running, library
        said = [
            line.refused("consume", "--once"),
            line.refused("rebuild"),
            line.refused("log", "archive", "--until", "2190-01-01", "--to", str(line.archive)),
            line.refused("invoice", "verify", "--all", "--from-log"),
        ]
        for text in said:
            assert f"{trouble.start}: {USAGE}" in text, text
        if trouble.forwards:
            assert f"{trouble.forwards}: {USAGE}" in line.refused("forward", "--once")
        else:
            line.run("forward", "--once")
        assert _tables(line.home) == before
        assert _manifest(line.archive) == manifest


def _manifest(archive: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in archive.rglob("*.json")}


class _projectors(ExitStack):
    """A projector on either library that has read all there is; each reads on until it is refused,
    and gives the code.
    """

    def __init__(self, line: Line, folder: Path) -> None:
        super().__init__()
        folder.mkdir()
        self._line, self._folder = line, folder

    def __enter__(self) -> dict[Library, Callable[[], str]]:  # type: ignore[override]
        return {library: self._begin(library) for library in LIBRARIES}

    def _begin(self, library: Library) -> Callable[[], str]:
        log = self.enter_context(closing(open_kafka(self._line.kafka, library=library)))
        store = self.enter_context(
            open_store(self._folder / f"{library}.duckdb", "usage").closing()
        )
        projector = Projector(store, lambda: time.time_ns() // 1000)
        projector.run_once(log)
        stood = projector.positions()

        def read_on() -> str:
            deadline = time.monotonic() + 30
            try:
                projector.run(log, lambda: time.monotonic() > deadline)
            except Refused as refusal:
                assert projector.positions() == stood, "it went on"
                assert broken_invariants(store) == []
                return refusal.code
            return "nothing"

        return read_on
