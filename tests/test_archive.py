"""The archive: what the log says, at the places where the log says it, or a refusal."""

import json
import os
import random
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import fastavro
import pytest

from edge import Refused
from eventlog import ArchiveSource, Partition, Slice, open_archive
from eventlog.archive_manifest import find_archive
from eventlog.archive_writer import Archiver
from tests.command_line import run_here
from tests.test_completeness import BEATS, USAGE, Log

TOPICS = (USAGE, BEATS)
FIRST_US = 1_790_000_000_000_000
END_US = FIRST_US * 2


@dataclass
class Timed(Log):
    """A log in memory whose every offset has an arrival time, some with the source of the one
    before, some without any; `gone` offsets of each partition are deleted.
    """

    gone: int = 0

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        return {place: min(self.gone, end) for place, end in self.ends(topics).items()}

    def assign(self, positions: Mapping[Partition, int]) -> None:
        self.at = {**self.begins(TOPICS), **positions}

    def _read(self, place: Partition, count: int | None) -> list[Slice]:
        return [
            replace(
                one,
                arrived_us=[arrival(offset) for offset in one.offsets],
                sources=[None if n % 7 == 0 else f"s/{n % 40 // 8}" for n in one.offsets],
            )
            for one in super()._read(place, count)
        ]


def arrival(offset: int) -> int:
    return FIRST_US + offset // 5 * 1_000_000


def drawn(rng: random.Random, messages: int = 300) -> Timed:
    """A log with markers between its messages, an empty partition and one of a marker alone."""
    log = Timed.of(4)
    for _ in range(messages):
        payload = rng.randbytes(rng.choice([0, 1, 90, 300])) if rng.random() < 0.9 else None
        log.add(rng.choice(TOPICS), payload, rng.randrange(2))
    log.add(USAGE, None, 2)
    return log


def archive(log: Timed, folder: Path, until_us: int = END_US, until: str = "2026-11-01") -> None:
    archiver = Archiver(folder)
    try:
        archiver.extend(log, TOPICS, until, until_us)
    finally:
        archiver.close()


Message = tuple[Partition, int, bytes, str | None, int]


def messages(slices: Iterable[Slice]) -> list[Message]:
    return sorted(
        (one.partition, offset, payload, source or "", arrived)
        for one in slices
        for offset, payload, source, arrived in zip(
            one.offsets, one.payloads, one.sources, one.arrived_us or [], strict=True
        )
    )


def drain(source: ArchiveSource, positions: Mapping[Partition, int], room: int) -> list[Slice]:
    """All there is, proving that each slice goes on where the one before it ended."""
    source.assign(positions)
    at, ends = dict(positions), source.ends(TOPICS)
    slices: list[Slice] = []
    while any(at.get(place, 0) < end for place, end in ends.items()):
        for one in source.poll(room, 0.0):
            assert one.start == at.get(one.partition, one.start)
            assert all(one.start <= offset < one.next for offset in one.offsets)
            at[one.partition] = one.next
            slices.append(one)
    assert {place: at.get(place, 0) for place in ends} == ends
    return slices


@pytest.mark.parametrize(
    ("segment_bytes", "block_bytes"), [(1, 1), (2000, 500), (1 << 26, 1 << 22)]
)
def test_archive_then_log_is_the_log_itself_from_any_position(
    tmp_path: Path,
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    segment_bytes: int,
    block_bytes: int,
) -> None:
    monkeypatch.setattr("eventlog.archive_writer._SEGMENT_BYTES", segment_bytes)
    monkeypatch.setattr("eventlog.archive_writer._BLOCK_BYTES", block_bytes)
    monkeypatch.setattr("eventlog.archive_writer._POLL_EVENTS", rng.choice([3, 50]))
    monkeypatch.setattr("eventlog.archive_writer._BLOCK_EVENTS", rng.choice([1, 20]))
    log = drawn(rng)
    whole = messages(log.poll(10**6, 0.0))
    for cut in sorted(rng.sample(range(70), 3)):
        archive(log, tmp_path, until_us=arrival(cut))
    kept = open_archive(tmp_path)
    assert messages(drain(ArchiveSource(kept), {}, 20)) == [
        one for one in whole if one[4] < arrival(cut)
    ]
    for room in (1, 20, 10**6):
        positions = {
            place: rng.randint(0, len(held))
            for place, held in log.lists.items()
            if rng.random() < 0.7
        }
        log.assign({})
        read = messages(drain(ArchiveSource(kept, log), positions, room))
        assert read == [one for one in whole if one[1] >= positions.get(one[0], 0)]


def test_archiving_again_adds_what_is_new_and_nothing_twice(
    tmp_path: Path, rng: random.Random
) -> None:
    log = drawn(rng)
    archive(log, tmp_path)
    before = files(tmp_path)
    archive(log, tmp_path)
    assert files(tmp_path) == before
    log.add(USAGE, b"new", 3)
    archive(log, tmp_path, until="2026-12-01")
    assert open_archive(tmp_path).until == "2026-12-01"
    log.assign({})
    assert messages(drain(ArchiveSource(open_archive(tmp_path)), {}, 50)) == messages(
        log.poll(10**6, 0.0)
    )


def test_markers_alone_are_archived_and_read_from_any_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take offsets, and no block holds them: behind one, before one, and after all."""
    monkeypatch.setattr("eventlog.archive_writer._BLOCK_EVENTS", 1)
    log = Timed.of(1)
    for payload in (b"a", None, None, b"b"):
        log.add(USAGE, payload)
    archive(log, tmp_path)
    before = set(files(tmp_path))
    log.add(USAGE, None)
    archive(log, tmp_path)
    assert set(files(tmp_path)) == before, "no segment is made for what is no message"
    place = Partition("c/t", USAGE, "0")
    kept = open_archive(tmp_path)
    for start, read in ((0, [b"a", b"b"]), (1, [b"b"]), (2, [b"b"]), (3, [b"b"]), (4, []), (5, [])):
        source = ArchiveSource(kept)
        told = drain(source, {place: start}, 1)
        assert [payload for one in told for payload in one.payloads] == read
        assert told == [] if start == 5 else told[-1].next == 5
        assert source.tails() == []
        source.close()
        assert source.poll(10, 0.0) == []


def test_a_partition_made_meanwhile_waits_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.archive_writer._POLL_EVENTS", 2)
    log = Timed.of(2)
    later = Partition("c/t", USAGE, "1")
    del log.lists[later]
    for n in range(6):
        log.add(USAGE, b"%d" % n)
    archiver = Archiver(tmp_path)
    grown = archiver.extend(
        log, TOPICS, "2026-11-01", END_US, lambda _: log.lists.setdefault(later, [b"new"])
    )
    assert later not in grown.partitions
    grown = archiver.extend(log, TOPICS, "2026-11-01", END_US)
    archiver.close()
    assert (grown.partitions[later].first, grown.partitions[later].next) == (0, 1)
    log.assign({})
    read = messages(drain(ArchiveSource(open_archive(tmp_path)), {}, 100))
    assert read == messages(log.poll(100, 0.0))


def test_other_readers_of_avro_open_a_segment(tmp_path: Path) -> None:
    log = Timed.of(1)
    for payload in (b"a", b"b", None, b"c"):
        log.add(USAGE, payload)
    archive(log, tmp_path)
    (path,) = tmp_path.rglob("*.avro")
    with path.open("rb") as file:
        runs = list(fastavro.reader(file))
    told = [(run["offset"], run["source"], run["values"]) for run in runs]
    assert told == [(0, None, [b"a"]), (1, "s/0", [b"b"]), (3, "s/0", [b"c"])]


def test_no_change_of_a_file_is_read(tmp_path: Path, rng: random.Random) -> None:
    log = drawn(rng)
    archive(log, tmp_path)
    for path, kept in files(tmp_path).items():
        flipped = bytearray(kept)
        flipped[rng.randrange(len(kept))] ^= 1 << rng.randrange(8)
        for data in (bytes(flipped), kept[:-1], kept + b"x", None):
            path.unlink()
            if data is not None:
                path.write_bytes(data)
            if data is None and path.suffix == ".json":
                with pytest.raises(Refused, match="ARCHIVE_MISSING"):
                    open_archive(tmp_path)
            elif json_equal(path, data, kept):
                continue
            else:
                with pytest.raises(Refused, match="ARCHIVE_DAMAGED"):
                    drain(ArchiveSource(open_archive(tmp_path)), {}, 100)
            path.write_bytes(kept)
        path.write_bytes(kept)


def test_what_is_gone_or_cut_is_named_before_anything_is_added(
    tmp_path: Path, rng: random.Random
) -> None:
    log = drawn(rng)
    archive(log, tmp_path)
    kept = files(tmp_path)
    gone, cut = rng.sample([path for path in kept if path.suffix == ".avro"], 2)
    gone.unlink()
    cut.write_bytes(kept[cut][:-1])
    log.add(USAGE, b"new")
    for _ in range(2):  # the first gave up the archive's lock
        with pytest.raises(Refused, match="ARCHIVE_DAMAGED") as caught:
            archive(log, tmp_path)
        assert {one.place: one.message.split(":")[0] for one in caught.value.faults} == {
            str(gone.relative_to(tmp_path)): "is not there",
            str(cut.relative_to(tmp_path)): "has another length than was written",
        }
    assert files(tmp_path).keys() == kept.keys() - {gone}
    for path in (gone, cut):
        path.write_bytes(kept[path])
    archive(log, tmp_path)


def files(folder: Path) -> dict[Path, bytes]:
    """Segments and manifest."""
    named = (path for path in folder.rglob("*") if path.suffix in {".avro", ".json"})
    return {path: path.read_bytes() for path in named}


def json_equal(path: Path, data: bytes | None, kept: bytes) -> bool:
    """Whether the change is of white space alone."""
    try:
        return path.suffix == ".json" and json.loads(data or b"") == json.loads(kept)
    except ValueError:
        return False


def test_a_log_that_does_not_go_on_where_the_archive_ends_is_refused(tmp_path: Path) -> None:
    log = Timed.of(1, "c/t")
    for n in range(6):
        log.add(USAGE, b"%d" % n)
    log.gone = 2
    archive(log, tmp_path)
    place = Partition("c/t", USAGE, "0")
    source = ArchiveSource(open_archive(tmp_path))
    assert source.begins([USAGE]) == {place: 2}
    with pytest.raises(Refused, match="LOG_GONE") as caught:
        source.assign({place: 0})
    assert "begins at 2, offsets 0 to 1 are gone" in str(caught.value.faults[0])
    told = drain(source, {}, 100)
    assert [(one.start, one.next) for one in told if one.partition == place] == [(2, 2), (2, 6)]


def test_killed_at_any_write_there_is_the_old_archive_or_the_new(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.archive_writer._SEGMENT_BYTES", 4000)
    log = drawn(rng)
    archive(log, tmp_path, until_us=arrival(20))
    before = open_archive(tmp_path)
    for writes in range(1, 200):
        status = _child(log, tmp_path, writes)
        log.assign({})
        if status == 0:
            break
        found = find_archive(tmp_path)
        assert found is not None
        assert found.partitions == before.partitions or writes_are_all(found, log)
    assert writes > 10
    assert messages(drain(ArchiveSource(open_archive(tmp_path)), {}, 1000)) == messages(
        log.poll(10**6, 0.0)
    )


def writes_are_all(found: object, log: Timed) -> bool:
    ends = {place: one.next for place, one in found.partitions.items()}  # type: ignore[attr-defined]
    return ends == log.ends(TOPICS)


def _child(log: Timed, folder: Path, writes: int) -> int:
    """Archive in a process that is killed -9 at its `writes`th fsync or rename; its status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left, sync, rename = [writes], os.fsync, os.replace

    def counted(action: object) -> object:
        def act(*arguments: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return action(*arguments)  # type: ignore[operator]

        return act

    try:
        os.fsync, os.replace = counted(sync), counted(rename)  # type: ignore[assignment]
        archive(log, folder)
        os._exit(0)
    finally:
        os._exit(1)


def test_without_kafka_there_is_nothing_to_archive(tmp_path: Path) -> None:
    done = run_here(
        tmp_path, "log", "archive", "--until", "2026-11-01", "--to", str(tmp_path / "a")
    )
    assert (done.returncode, done.stderr[:18]) == (1, "ARCHIVE_NO_KAFKA: ")
    assert not (tmp_path / "a").exists()


def test_what_is_no_archive_of_kafka_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    nobody = {"kafka_bootstrap_servers": "127.0.0.1:1"}
    to = ("--to", str(tmp_path / "a"))
    for arguments, told, said in (
        (("log", "archive", "--until", "2190-01-01", *to), nobody,
         "ARCHIVE_UNTIL: 2190-01-01 has not begun in UTC: name a day up to today's; more of it "),
        (("rebuild", "--archive", str(tmp_path)), {}, "ARCHIVE_NO_KAFKA: an archive is of Kafka's"),
        (("rebuild", "--archive", str(tmp_path)), nobody, "ARCHIVE_MISSING: there is no "),
    ):  # fmt: skip
        done = run_here(tmp_path, *arguments, **told)
        assert (done.returncode, done.stderr[: len(said)]) == (1, said)
    assert not (tmp_path / "a").exists()
