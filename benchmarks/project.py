"""Events per second of the projector on simulated events, as a share of draining the same log.

Run: `python benchmarks/project.py [--accounts 200] [--days 31] [--log journal]... [--dir DIR]`;
`make bench` runs it with every log. For each log it prints, in this order: the raw drain (the
reader of the journal, or the bare client of Kafka, that only counts), our source, and the
projector up to a committed store. Each is a process of its own; its peak memory is its peak
resident set (Linux), its processor time counts all threads and, unlike the rate, hardly depends on
what else the machine does. Kafka is a real broker as in the tests (tests/kafka/broker.py: Docker,
Java 17, or an empty one named by HOMEMEETING_TEST_KAFKA) on the same processors; where none can be
had those logs are left out, and it says so.
"""

import argparse
import contextlib
import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Assigned
from kafka import KafkaConsumer, TopicPartition

from consumers import Projector, broken_invariants
from eventlog import JournalSource, KafkaSettings, LogSource
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import open_kafka
from producers.forwarder import Forwarder
from producers.simulator import Workload, simulate
from schemas import TOPICS
from warehouse import open_store

LOGS = ("journal", "kafka-python", "librdkafka")
_FIRST_DAY = 20_727  # 2026-10-01
_SEED = 1
_BATCH = 100_000
_CHUNK = 20_000
_NOW_US = 1_796_000_000_000_000
_WAIT_S = 5.0


class Used(NamedTuple):
    """What the counted events took: wall clock, processor time of all threads, memory so far."""

    events: int
    seconds: float
    cpu_s: float
    peak_mib: float


class _Watch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def used(self, events: int) -> Used:
        seconds, cpu_s = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Used(events, seconds, cpu_s, _peak_mib())


def _source(log: str, place: str) -> LogSource:
    if log == "journal":
        return JournalSource(Path(place))
    return open_kafka(KafkaSettings(place), library=log)  # type: ignore[arg-type]


def _raw(log: str, place: str, _: Path) -> Used:
    """The client alone, at the fetch sizes that its source uses, counting messages."""
    if log == "journal":
        return _drain(log, place, _)
    topics = KafkaTopics.connect(KafkaSettings(place))
    ends = topics.ends(topics.find(TOPICS).values())
    topics.close()
    due = sum(ends.values())
    places = [(one.topic, int(one.partition)) for one in ends]
    bare = _bare_python if log == "kafka-python" else _bare_librdkafka
    with bare(place, places) as fetch:
        count, watch = 0, _Watch()
        while count < due:
            count += fetch()
        return watch.used(count)


@contextlib.contextmanager
def _bare_python(servers: str, places: list[tuple[str, int]]) -> Iterator[Callable[[], int]]:
    consumer = KafkaConsumer(
        bootstrap_servers=servers, group_id=None, max_partition_fetch_bytes=8 * 1024 * 1024
    )
    wanted = [TopicPartition(*place) for place in places]
    consumer.assign(wanted)
    consumer.seek_to_beginning(*wanted)
    yield lambda: sum(
        len(records) for records in consumer.poll(timeout_ms=500, max_records=_BATCH).values()
    )
    consumer.close()


@contextlib.contextmanager
def _bare_librdkafka(servers: str, places: list[tuple[str, int]]) -> Iterator[Callable[[], int]]:
    settings = {"bootstrap.servers": servers, "group.id": "bench", "check.crcs": True}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.assign([Assigned(topic, number, 0) for topic, number in places])
    yield lambda: len(consumer.consume(_CHUNK, 0.5))
    consumer.close()


def _drain(log: str, place: str, _: Path) -> Used:
    """Our source alone, from the beginning to the end it has now."""
    source = _source(log, place)
    source.assign({})
    # The journal counts from 1, Kafka from 0.
    due = sum(end - (log == "journal") for end in source.ends(TOPICS).values())
    count, watch = 0, _Watch()
    while count < due:
        count += sum(len(piece.payloads) for piece in source.poll(_BATCH, _WAIT_S))
    used = watch.used(count)
    source.close()
    return used


def _project(log: str, place: str, folder: Path) -> Used:
    source = _source(log, place)
    with open_store(folder / f"{log}.duckdb", "usage").closing() as store:
        projector = Projector(store, itertools.count(_NOW_US).__next__)
        watch = _Watch()
        used = watch.used(projector.run_once(source, events_max=_BATCH))
        source.close()
        assert not store.rows("SELECT 1 FROM quarantine LIMIT 1"), "simulated events are all good"
        assert broken_invariants(store) == []
    return used


def _simulated(_: str, place: str, __: Path, accounts: int, days: int) -> Used:
    watch = _Watch()
    workload = Workload(accounts, _FIRST_DAY, _FIRST_DAY + days, _SEED)
    return watch.used(simulate(Path(place), workload))


def _forwarded(_: str, place: str, journal: Path) -> Used:
    settings = KafkaSettings(place)
    topics = KafkaTopics.connect(settings)
    topics.create(TOPICS)
    topics.close()
    watch = _Watch()
    with Forwarder(journal, settings, sleep=time.sleep) as forwarder:
        return watch.used(forwarder.run_once())


_WORK: dict[str, Callable[..., Used]] = {
    "simulator": _simulated,
    "forwarder": _forwarded,
    "raw drain": _raw,
    "source": _drain,
    "projector": _project,
}


def _peak_mib() -> float:
    """The peak resident set; getrusage would count what the parent held when it forked."""
    (line,) = (
        one
        for one in Path("/proc/self/status").read_text("ascii").splitlines()
        if one.startswith("VmHWM:")
    )
    return int(line.split()[1]) / 1024


def _measure(work: str, *arguments: Any) -> dict[str, float]:
    """Does `work` in a process of its own: events, events per second, peak MiB."""
    told = json.dumps([work, *map(str, arguments[:3]), *arguments[3:]])
    done = subprocess.run(
        [sys.executable, __file__, "--measure", told], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(work: str, log: str, place: str, folder: str, *more: int) -> None:
    used = _WORK[work](log, place, Path(folder), *more)
    found = {
        "events": used.events,
        "rate": used.events / used.seconds,
        "cpu_us": used.cpu_s / used.events * 1e6,
        "peak_mib": used.peak_mib,
    }
    print(json.dumps(found))


def _say(what: str, found: dict[str, float], raw: float | None = None) -> None:
    share = f"  {found['rate'] / raw:6.1%} of its raw drain" if raw else ""
    used = f"{found['cpu_us']:6.2f} µs CPU each  {found['peak_mib']:6,.0f} MiB peak"
    print(f"{what:<24} {found['rate']:10,.0f} events/s  {used}{share}", flush=True)


def _compare(log: str, place: str, folder: Path, events: int) -> None:
    raw = 0.0
    for work in ("raw drain", "source", "projector"):
        found = _measure(work, log, place, folder)
        assert found["events"] == events, f"{work} of {log}: {found['events']} of {events}"
        _say(f"{log:<12} {work}", found, raw)
        raw = raw or found["rate"]


def _broker() -> Any:
    """tests/kafka/broker.py by its path: `kafka` is also the name of the client library."""
    path = Path(__file__).parent.parent / "tests" / "kafka" / "broker.py"
    spec = importlib.util.spec_from_file_location("broker", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(accounts: int, days: int, logs: list[str], folder: Path) -> None:
    journal = folder / "journal"
    found = _measure("simulator", "", journal, folder, accounts, days)
    events = int(found["events"])
    print(f"seed {_SEED}, {accounts} accounts, {days} days: {events:,} events")
    _say("simulator", found)
    if "journal" in logs:
        _compare("journal", str(journal), folder, events)
    clients = [log for log in logs if log != "journal"]
    if not clients:
        return
    brokers = _broker()
    try:
        with contextlib.ExitStack() as stack:
            address = brokers.given() or stack.enter_context(brokers.own_broker()).address
            _say("forwarder", _measure("forwarder", "", address, journal))
            for client in clients:
                _compare(client, address, folder, events)
    except brokers.NoBroker as error:
        print(f"KAFKA: not measured, no broker can be had: {error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The projector's speed.")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--log", choices=LOGS, action="append")
    parser.add_argument("--dir", help="where to work [the system's temporary folder]")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measured(*json.loads(given.measure))
    else:
        with tempfile.TemporaryDirectory(dir=given.dir) as home:
            main(given.accounts, given.days, given.log or list(LOGS), Path(home))
