"""Topics that no longer are what was read: everybody who reads them stops and names it.

Each trouble is caused while two projectors run, one on either library, and is met again by every
command at its start. Nothing is changed by any of them, and nothing begins anew in silence.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
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
from tests import recount
from tests.broker_fixtures import new_topics
from tests.command_line import run_here, wait_until
from tests.fire import some
from tests.homes import HEADER, TALK_BOOK, billed_home
from tests.test_forwarder import _alter as alter
from tests.test_held import _tables
from tests.test_killed import bootstrap, killed
from tests.test_projector import _meetings
from tests.test_projector import _records as stored_records
from warehouse import Store, open_store, read_store, whole

USAGE = "meetings.usage"
LIBRARIES: tuple[Library, ...] = ("kafka-python", "librdkafka")
NOW = {"now": "2190-01-02T00:00:00Z", "billing_grace_hours": "0"}
ACCOUNTS = HEADER + "".join(f"a{n},A,a@a.example,DE,en,UTC,EUR,p,2026-01-01,,1\n" for n in range(5))


@dataclass(frozen=True)
class Trouble:
    """What befalls the topic of usage, and the code that is told while reading, and at a start.

    `forwards` is the forwarder's code at its start; None where it goes on. `more` is sent before,
    to the projectors alone; `mend` comes between.
    """

    cause: Callable[["Line"], object]
    running: str
    start: str
    forwards: str | None = None
    more: int = 0
    mend: Callable[["Line"], object] = lambda line: None


class Line:
    """A home billed from what went through Kafka, its archive, and the way to send more."""

    def __init__(self, folder: Path, kafka: KafkaSettings, rng: random.Random) -> None:
        folder.mkdir()
        self.kafka, self.rng = kafka, rng
        self.told = {"kafka_bootstrap_servers": kafka.bootstrap_servers, **NOW}
        self.home = billed_home(folder, ACCOUNTS, TALK_BOOK, [])
        for made in (self.home / "usage.duckdb", self.home / "journal"):
            made.rename(folder / made.name)  # nothing comes but through Kafka
        self.archive = folder / "archive"
        self.events: list[dict[str, object]] = []
        self.sent = 0
        self.renew()

    def renew(self) -> None:
        """A producer that has heard of the topic as it is now."""
        self.producer = Producer(
            {"bootstrap.servers": self.kafka.bootstrap_servers, "allow.auto.create.topics": False}
        )

    def send(self, records: int) -> None:
        """More usage, in all partitions that there are."""
        partitions = self.partitions()
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
        assert self.producer.flush(60) == 0

    def send_in_transaction(self, partition: int, *, commit: bool) -> None:
        """Usage that counts, or that was withdrawn; a marker follows it."""
        name = f"t{self.sent}/0"
        self.sent += 1
        producer = Producer(
            {"bootstrap.servers": self.kafka.bootstrap_servers, "transactional.id": name}
        )
        producer.init_transactions(60)
        producer.begin_transaction()
        events = _meetings(self.rng, 3, name)
        for event in events:
            producer.produce(USAGE, encode(USAGE, event), key=name.encode(), partition=partition)
        assert producer.flush(60) == 0
        (producer.commit_transaction if commit else producer.abort_transaction)(60)
        self.events += events if commit else []

    def said(self, *arguments: str) -> str:
        ran = run_here(self.home, *arguments, **self.told)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr

    def run(self, *arguments: str) -> None:
        self.said(*arguments)

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
        self.renew()

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
        """What not everybody has read goes by age, with all before it."""
        alter(self.kafka, USAGE, "retention.ms", "1")
        topics = KafkaTopics.connect(self.kafka)
        found = topics.find([USAGE]).values()
        wait_until(lambda: topics.begins(found) == topics.ends(found))
        topics.close()

    def keep_for_ever(self) -> None:
        alter(self.kafka, USAGE, "retention.ms", "-1")

    def partitions(self) -> int:
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
    "passed by retention": Trouble(
        Line.pass_by_retention, "TOPIC_SETTINGS", "LOG_GONE", more=20, mend=Line.keep_for_ever
    ),
    "event time": _set("message.timestamp.type", "CreateTime"),
    "retention by age": _set("retention.ms", "86400000"),
    "retention by size": _set("retention.bytes", "1073741824"),
    "compaction": _set("cleanup.policy", "compact"),
    "both policies": _set("cleanup.policy", "compact,delete"),
    "unclean leaders": _set("unclean.leader.election.enable", "true"),
}
# One of either kind; a soak goes through all.
KINDS = {
    "another topic": ("deleted", "made anew", "made anew and grown", "passed by retention"),
    "other settings": (
        *("event time", "retention by age", "retention by size", "compaction", "both policies"),
        "unclean leaders",
    ),
}


@pytest.mark.fire
@pytest.mark.parametrize("kind", KINDS)
def test_everybody_who_reads_it_stops_and_names_it(
    tmp_path: Path,
    kafka: KafkaSettings,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
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
        running = [
            _Projecting(line, tmp_path / f"{number}-{library}.duckdb", library)
            for library in LIBRARIES
        ]
        if trouble.more:
            line.send(trouble.more)
        last = len(line.events)
        wait_until(lambda running=running, last=last: {one.read for one in running} == {last})  # type: ignore[misc]
        trouble.cause(line)
        for projecting in running:
            projecting.join()
            assert projecting.code == trouble.running, projecting.name
            assert _read(tmp_path / f"{number}-{projecting.name}.duckdb") == last, projecting.name
        trouble.mend(line)
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


def _read(store: Path) -> int:
    """How many messages it was made of."""
    with read_store(store, "usage", whole("batches")).closing() as found:
        return int(found.value("SELECT sum(events) FROM batches"))


def _manifest(archive: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in archive.rglob("*.json")}


class _Projecting(threading.Thread):
    """A projector on `library` that follows Kafka until it is refused, with `code`; `read` is how
    many messages it has stored.
    """

    def __init__(self, line: Line, store: Path, library: Library) -> None:
        super().__init__(name=library)
        self._line, self._store, self._library = line, store, library
        self._until = time.monotonic() + 120
        self.code, self.read = "", 0
        self.start()

    def run(self) -> None:
        with (
            closing(open_kafka(self._line.kafka, library=self._library)) as log,
            open_store(self._store, "usage").closing() as store,
        ):
            projector = Projector(store, lambda: time.time_ns() // 1000)
            try:
                projector.run(log, lambda: self._is_late(store))
            except Refused as refusal:
                self.code = refusal.code
            assert broken_invariants(store) == []

    def _is_late(self, store: Store) -> bool:
        self.read = store.value("SELECT coalesce(sum(events), 0) FROM batches")
        return time.monotonic() > self._until


@pytest.mark.fire
def test_partitions_added_and_markers_are_read_to_their_end_by_a_service(
    tmp_path: Path, kafka: KafkaSettings, rng: random.Random
) -> None:
    for number, library in enumerate(some(rng, LIBRARIES, 1)):
        print(library)
        new_topics(kafka.bootstrap_servers)
        line = Line(tmp_path / str(number), kafka, rng)
        archive = ("log", "archive", "--until", "2190-01-01", "--to", str(line.archive))
        (line.home / "homemeeting.toml").write_text(bootstrap(kafka.bootstrap_servers))
        line.send(40)
        line.run(*archive)
        with killed(line.home, "consume", fast=library == "librdkafka"):
            _until_read(line, partitions=4)
            with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)) as admin:
                admin.create_partitions({USAGE: 7})
            wait_until(lambda line=line: line.partitions() == 7)  # type: ignore[misc]
            line.renew()
            line.send(60)
            for partition in range(0, 7, 2):
                line.send_in_transaction(partition, commit=True)
                line.send_in_transaction(partition, commit=False)
            _until_read(line, partitions=7)
        line.run(*archive)
        assert "the new store is in place" in line.said("rebuild", "--archive", str(line.archive))
        with open_store(line.home / "usage.duckdb", "usage").closing() as store:
            assert stored_records(store) == recount.records(line.events)
            assert broken_invariants(store) == []


def _until_read(line: Line, *, partitions: int) -> None:
    """Until `status` tells of so many partitions of usage, and no lag; no invariant is broken."""

    def is_read() -> bool:
        time.sleep(0.5)
        return _lags(line.home) == [0] * partitions

    wait_until(is_read)
    line.run("verify")


def _lags(home: Path) -> list[int]:
    """Of the partitions of usage that have been heard of."""
    ran = run_here(home, "status", "--format", "json")
    if ran.returncode:  # it has not begun
        return []
    told = json.loads(ran.stdout)["positions"]
    return [one["lag"] for one in told if one["topic"] == USAGE]
