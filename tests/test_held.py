"""Two at one thing, as real processes: the second waits or is refused, and is told who holds it;
a holder that is stopped holds on, one that is killed with -9 frees it, and one that comes back too
late changes nothing.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from consumers import broken_invariants
from edge import Refused
from eventlog import JournalWriter, KafkaSettings
from eventlog.kafka_open import open_kafka
from producers import Forwarder
from schemas import TOPICS
from tests import recount
from tests.command_line import ROOT, run_here, shown_here, start, usage_event, wait_until
from tests.fire import some
from tests.homes import HEADER, TALK_BOOK, billed_home, copied
from tests.test_forwarder import _nobody as nobody
from tests.test_killed import bootstrap, killed, said
from tests.world import Servers, check_store, draw_events, produce
from warehouse import open_store

PAUSE_S = 2.0


def test_a_stopped_projector_holds_on_and_goes_on_where_it_stood(
    tmp_path: Path, rng: random.Random, kafka: KafkaSettings
) -> None:
    """There is no group and hence no session that a pause could end: its lease is the file's lock.
    Stopped at a moment of chance while it commits, it loses nothing, and nobody takes its place.
    """
    scenario = draw_events(rng, 300)
    (tmp_path / "homemeeting.toml").write_text(bootstrap(kafka.bootstrap_servers))
    messages = list(_told(tmp_path, rng, scenario.events))
    left = list(messages)
    sent: Counter[tuple[str, str]] = Counter()
    store = tmp_path / "usage.duckdb"
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:

        def send(count: int) -> None:
            sent.update(produce(producer, left[:count]))
            del left[:count]

        with killed(tmp_path, "consume") as first, (tmp_path / "second.log").open("wb") as told:
            wait_until((tmp_path / "usage.duckdb.serving").exists)
            send(len(left) // 3)
            time.sleep(rng.random() * 0.5)
            first.send_signal(signal.SIGSTOP)
            second = start(tmp_path, "consume", said=told)
            try:
                send(len(left) // 2)
                busy = f"STORE_BUSY: process {first.pid} holds {store}: wait for it or stop it"
                reading = run_here(tmp_path, "quarantine", "list")
                assert (reading.returncode, reading.stderr) == (1, f"{busy}\n")
                writing = run_here(tmp_path, "consume", "--once")
                assert (writing.returncode, writing.stderr.splitlines()[-1]) == (1, busy)
                assert _members(kafka) == []
                wait_until(lambda: "waiting: " in (tmp_path / "second.log").read_text())
                time.sleep(PAUSE_S)
                first.send_signal(signal.SIGCONT)
                wait_until(lambda: _status(tmp_path) != "")
                assert second.poll() is None
                send(len(left))
                first.kill()
                first.wait()
                wait_until(lambda: _status(tmp_path).startswith("Healthy"))
            finally:
                second.kill()
                second.wait()
                first.poll = lambda: None  # type: ignore[method-assign]  # killed on purpose
    assert (tmp_path / "second.log").read_text().count(f"waiting: {busy}") == 1
    check_store(tmp_path, scenario, messages, sent)


def _status(home: Path) -> str:
    time.sleep(0.5)
    return run_here(home, "status").stdout


def _told(
    home: Path, rng: random.Random, events: tuple[tuple[str, dict[str, object]], ...]
) -> Iterator[tuple[str, str, bytes]]:
    """What servers made of the events."""
    with Servers(home / "journal", rng, events) as servers:
        servers.emit(len(events))
    return recount.read_journal(home / "journal")


def _members(kafka: KafkaSettings) -> list[object]:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    try:
        groups = admin.describe_groups([kafka.group_id])
    finally:
        admin.close()
    return [member for group in groups.values() for member in group["members"]]


_ZOMBIE = """
import os, signal, sys, time
from pathlib import Path
from consumers import Projector
from edge import Refused
from eventlog import KafkaSettings
from eventlog.kafka_open import open_kafka
from schemas import TOPICS
from warehouse import open_store
home, address, library = Path(sys.argv[1]), *sys.argv[2:]
log = open_kafka(KafkaSettings(address), library=library)
with open_store(home / "usage.duckdb", "usage").closing() as store:
    log.assign(Projector(store, lambda: 0).positions())
read = []
while sum(len(one.payloads) for one in read) < 100:
    read += log.poll(1000, 0.5)
os.kill(os.getpid(), signal.SIGSTOP)
with open_store(home / "usage.duckdb", "usage", wait_s=60).closing() as store:
    try:
        Projector(store, lambda: time.time_ns() // 1000).apply(read)
    except Refused as refusal:
        print(refusal)
"""


@pytest.mark.fire
def test_a_zombie_changes_nothing(tmp_path: Path, rng: random.Random, kafka: KafkaSettings) -> None:
    """A process that read its batch and was stopped, where no lock held the file for it (a file
    system without locks): another has projected the same since, and it is rolled back whole.
    """
    address = kafka.bootstrap_servers
    (tmp_path / "homemeeting.toml").write_text(bootstrap(address))
    scenario = draw_events(rng, 200)
    messages = list(_told(tmp_path, rng, scenario.events))
    for library in some(rng, ["kafka-python", "librdkafka"], 1):
        home = tmp_path / library
        home.mkdir()
        with closing(KafkaProducer(bootstrap_servers=address)) as producer:
            produce(producer, messages)
        command = [sys.executable, "-c", _ZOMBIE, str(home), address, library]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as zombie:
            _, status = os.waitpid(zombie.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            told = {"kafka_bootstrap_servers": address}
            assert run_here(home, "consume", "--once", **told).returncode == 0
            before = _tables(home)
            zombie.send_signal(signal.SIGCONT)
            out, _ = zombie.communicate(timeout=120)
        text = out.decode()
        assert text.startswith("POSITION_MOVED: "), text
        assert text.endswith(": another projector was here; start again\n")
        assert _tables(home) == before
        check_store(home, scenario, messages, _ends(kafka))


def _ends(kafka: KafkaSettings) -> dict[tuple[str, str], int]:
    with closing(open_kafka(kafka)) as log:
        ends = log.ends(TOPICS).items()
    return {(place.topic, place.partition): end for place, end in ends if end}


def _tables(home: Path) -> dict[str, list[str]]:
    """Every row of every table."""
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        assert broken_invariants(store) == []
        names = [name for (name,) in store.rows("SELECT table_name FROM duckdb_tables()")]
        assert {"positions", "batches", "usage_records", "sequences"} <= {*names}
        return {name: sorted(map(str, store.rows(f'FROM "{name}"'))) for name in names}


def test_of_two_forwarders_the_second_is_told_and_a_kill_frees_the_journal(tmp_path: Path) -> None:
    address = nobody().bootstrap_servers
    (tmp_path / "homemeeting.toml").write_text(bootstrap(address))
    with killed(tmp_path, "forward") as first:
        wait_until(lambda: "waiting for Kafka" in said(tmp_path))
        second = run_here(tmp_path, "forward", "--once")
        what = f"forwarding this journal is held by process {first.pid}: stop it first"
        assert (second.returncode, second.stderr) == (1, f"LOCK_HELD: {what}\n")
    Forwarder(tmp_path / "journal", nobody(), sleep=lambda _: None).close()


_WRITER = """
import sys, time
from pathlib import Path
from eventlog import JournalWriter
writer = JournalWriter.open(Path(sys.argv[1]), "fra-1", incarnation="one")
writer.append("servers.load", [b"1", b"2"])
print("open", flush=True)
time.sleep(60)
"""


def test_an_incarnation_has_one_writer_in_all_its_life(tmp_path: Path) -> None:
    """One that was killed with -9 holds nothing, and still nobody goes on with its numbers."""
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(Refused, match=f"LOCK_HELD: .* is held by process {writer.pid}: stop"):
            JournalWriter.open(tmp_path, "fra-1", incarnation="one")
        beside = JournalWriter.open(tmp_path, "fra-1")
        assert beside.settles == {}, "settled one that is open"
        writer.kill()
    with pytest.raises(Refused, match="JOURNAL_EXISTS"):
        JournalWriter.open(tmp_path, "fra-1", incarnation="one")
    after = JournalWriter.open(tmp_path, "fra-1")
    assert after.settles == {("fra-1/one", "servers.load"): 2}
    for one in (beside, after):
        one.close()


def test_two_processes_emit_as_one_server_at_once(tmp_path: Path, rng: random.Random) -> None:
    events = _events(100)
    rng.shuffle(events)
    pipes = [tmp_path / "one", tmp_path / "other"]
    for pipe in pipes:
        os.mkfifo(pipe)
    emitting = [start(tmp_path, "emit", str(pipe), "--server-id", "fra-1") for pipe in pipes]
    try:
        with pipes[0].open("w") as one, pipes[1].open("w") as other:
            for number, event in enumerate(events):
                (one if number % 2 else other).write(json.dumps(event) + "\n")
        assert [process.wait(120) for process in emitting] == [0, 0]
    finally:
        for process in emitting:
            process.kill()
            process.wait()
    messages = list(recount.read_journal(tmp_path / "journal"))
    last = Counter(source for topic, source, _ in messages if topic == "meetings.usage")
    assert sorted(last.values()) == [50, 50]
    assert {source.partition("/")[0] for source in last} == {"fra-1"}
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert store.value("SELECT count(*) FROM usage_records") == len(events)
        assert broken_invariants(store) == []


def test_two_billing_runs_at_once_while_the_projector_runs(tmp_path: Path) -> None:
    """One closes the month, the other waits for the books or is told who has them; the documents
    are those of a run that was alone.
    """
    accounts = HEADER + "acme,A,a@a.example,DE,en,UTC,EUR,p,2026-01-01,,1\n"
    (tmp_path / "both").mkdir()
    home = billed_home(tmp_path / "both", accounts, TALK_BOOK, _events(40))
    alone = copied(home, tmp_path / "alone")
    run_of = ("invoice", "run", "--month", "2026-10", "--finalize", "--accept-incomplete", "test")
    told = {"now": "2026-11-03T00:00:00Z"}
    assert run_here(alone, *run_of, **told).returncode == 0
    logs = [tmp_path / "one", tmp_path / "other"]
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        runs = [start(home, *run_of, said=log.open("wb"), **told) for log in logs]
        codes = [run.wait(120) for run in runs]
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0
    assert 0 in codes
    for code, other, log in zip(codes, reversed(runs), logs, strict=True):
        busy = f"STORE_BUSY: process {other.pid} holds {home / 'books.duckdb'}"
        assert code == 0 or busy in log.read_text(), log.read_text()
    listed = [
        {key: value for key, value in row.items() if key != "path"}
        for row in shown_here(home, "invoice", "list", **told)
    ]
    assert len(listed) == 1
    assert listed == shown_here(alone, "invoice", "list", **told)
    verified = run_here(home, "invoice", "verify", "--all", "--from-log", **told)
    assert verified.returncode == 0, verified.stderr


def _events(count: int) -> list[dict[str, object]]:
    day = ("2026-10-05T12:00:00Z", "2026-10-05T12:30:00Z")
    return [usage_event(number, "acme", *day) for number in range(1, count + 1)]
