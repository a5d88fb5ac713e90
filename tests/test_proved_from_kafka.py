"""Archive, prune and rebuild with a real broker: the store is what the log and its archive say."""

import random
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from eventlog import ArchiveSource, JournalWriter, KafkaSettings, Slice, open_archive
from eventlog.kafka_open import open_kafka
from schemas import TOPICS, encode
from tests.command_line import run_here, shown_here
from tests.test_completeness import USAGE, beat
from tests.test_projector import _meetings


def write(home: Path, rng: random.Random, server: str) -> str:
    writer = JournalWriter.open(home / "journal", server)
    usage = [encode(USAGE, event) for event in _meetings(rng, 30, writer.source)]
    for payload in usage:
        writer.append(USAGE, [payload])
    writer.append("sources.heartbeat", [beat(writer.source, 1, len(usage))])
    writer.close()
    return writer.source


def send_in_transactions(address: str, *, commit: bool) -> None:
    producer = Producer({"bootstrap.servers": address, "transactional.id": f"t{commit}"})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(USAGE, b"noise", partition=0)
    assert producer.flush(60) == 0
    (producer.commit_transaction if commit else producer.abort_transaction)(60)


def test_the_archive_stands_for_what_kafka_has_deleted(
    tmp_path: Path, kafka: KafkaSettings, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 3000)
    address, archive = kafka.bootstrap_servers, str(tmp_path / "archive")
    told = {"kafka_bootstrap_servers": address, "now": "2190-01-02T00:00:00Z"}

    def done(*arguments: str, code: int = 0) -> str:
        ran = run_here(tmp_path, *arguments, **told)
        assert ran.returncode == code, ran.stderr
        return ran.stderr

    write(tmp_path, rng, "fra-1")
    done("forward", "--once")
    send_in_transactions(address, commit=True)
    send_in_transactions(address, commit=False)
    assert "ARCHIVE_UNTIL" in done(
        "log", "archive", "--until", "2190-01-03", "--to", archive, code=1
    )
    done("log", "archive", "--until", "2190-01-01", "--to", archive)
    write(tmp_path, rng, "fra-2")
    done("forward", "--once")
    done("consume", "--once")
    assert the_same_messages(kafka, archive)

    segments = len(list(tmp_path.rglob(f"{USAGE}/*.avro")))
    listed = shown_here(tmp_path, "journal", "prune", "--dry-run", "--older-than", "0", **told)
    assert len(list(tmp_path.rglob(f"{USAGE}/*.avro"))) == segments
    assert len(listed) > 4
    emptied = [place for place, one in open_archive(Path(archive)).partitions.items() if one.next]
    admin = KafkaAdminClient(bootstrap_servers=address)
    held = open_archive(Path(archive)).partitions
    admin.delete_records(
        {TopicPartition(at.topic, int(at.partition)): held[at].next for at in emptied}
    )
    admin.close()
    said = done("journal", "prune", "--older-than", "0")
    assert f"{USAGE}: nothing of it is pruned: Kafka no longer holds its first offsets" in said
    assert len(list(tmp_path.rglob(f"{USAGE}/*.avro"))) == segments
    done("journal", "prune", "--older-than", "0", "--archive", archive)
    assert len(list(tmp_path.rglob(f"{USAGE}/*.avro"))) == segments - len(listed)

    assert "REBUILD_OTHER_LOG" in done("rebuild", "--from", "journal", code=1)
    refused = done("rebuild", code=1)
    for place in emptied:
        begin = held[place].next
        lost = "offset 0 is" if begin == 1 else f"offsets 0 to {begin - 1} are"
        assert f"LOG_GONE: {place.topic}[{place.partition}]: " in refused
        assert "begins at" in refused or lost in refused
    rebuilt = done("rebuild", "--archive", archive)
    assert "the new store is in place" in rebuilt
    assert done("consume", "--once").endswith("0 messages read\n")
    (tmp_path / "journal" / "forward.json").unlink()
    said = done("forward", "--once", code=1)
    pruned = {one["source"] for one in listed}
    assert all(f"JOURNAL_PRUNED: {USAGE} {source}: sequences 1 to " in said for source in pruned)
    done("consume", "--once")
    assert "the new store is in place" in done("rebuild", "--archive", archive)


def the_same_messages(kafka: KafkaSettings, archive: str) -> bool:
    """Whether reading the archive and then Kafka is reading Kafka, from two positions."""
    live = open_kafka(kafka)
    both = ArchiveSource(open_archive(Path(archive)), open_kafka(kafka))
    ends = live.ends(TOPICS)
    assert both.ends(TOPICS) == ends
    for start in (0, 3):
        told = []
        for log in (live, both):
            log.assign({place: min(start, end) for place, end in ends.items()})
            told.append(sorted(_drained(log, {at: end for at, end in ends.items() if end > start})))
        assert told[0]
        assert told[0] == told[1]
    live.close()
    both.close()
    return True


def _drained(log: object, ends: dict[object, int]) -> list[tuple[object, ...]]:
    slices: list[Slice] = []
    at: dict[object, int] = {}
    deadline = time.monotonic() + 60
    while any(at.get(place, 0) < end for place, end in ends.items()):
        assert time.monotonic() < deadline
        for one in log.poll(7, 0.3):  # type: ignore[attr-defined]
            slices.append(one)
            at[one.partition] = one.next
    return [
        (one.partition, offset, payload, source or "", arrived)
        for one in slices
        for offset, payload, source, arrived in zip(
            one.offsets, one.payloads, one.sources, one.arrived_us or [], strict=True
        )
    ]
