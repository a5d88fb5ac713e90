"""What may go of a journal, and that what is left tells a later opening and a reader the same."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import Refused
from eventlog import JournalSource, JournalWriter, Partition
from eventlog.journal_format import header
from producers.prune import prunable, prune
from tests.command_line import run_here
from tests.test_completeness import USAGE, beat, usage

NEVER_US = 2**62


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 400)
    yield


def write(root: Path, events: int, *, close: bool = False) -> JournalWriter:
    """A journal of one event a block, two blocks a segment, never closed by its heartbeat."""
    writer = JournalWriter.open(root, "fra-1", fsync="never")
    for number in range(1, events + 1):
        writer.append(USAGE, [usage(writer.source, number)])
        writer.append("sources.heartbeat", [beat(writer.source, number, number)])
    if close:
        writer.close()
    return writer


def sent(source: str, at: int) -> dict[Partition, int]:
    place = Partition("journal", USAGE, source)
    return {place: at, place._replace(topic="sources.heartbeat"): at}


def firsts(root: Path) -> list[int]:
    return sorted(int(path.stem) for path in root.rglob(f"{USAGE}/*.avro"))


def test_what_goes_is_sent_whole_and_what_stays_has_no_hole(
    tmp_path: Path, rng: random.Random
) -> None:
    events = rng.randint(10, 30)
    source = write(tmp_path, events, close=True).source
    segments = firsts(tmp_path)
    beats = len(list(tmp_path.rglob("sources.heartbeat/*.avro")))
    for position in range(1, events + 2):
        found = prunable(tmp_path, sent(source, position), NEVER_US)
        ends = [first for first in segments[1:] if first <= position]
        assert [(one.first, one.last + 1) for one in found] == list(
            zip(segments, ends, strict=False)
        )
        assert all(one.topic == USAGE and one.octets == one.path.stat().st_size for one in found)
    before = JournalWriter.open(tmp_path, "fra-1").settles
    ends_before = JournalSource(tmp_path).ends([USAGE])
    for _ in range(len(found)):
        prune(prunable(tmp_path, sent(source, position), NEVER_US)[:1])
        assert JournalSource(tmp_path).ends([USAGE]) == ends_before
    assert firsts(tmp_path) == segments[-1:]
    assert len(list(tmp_path.rglob("sources.heartbeat/*.avro"))) == beats
    assert JournalWriter.open(tmp_path, "fra-1").settles == before
    assert before[source, USAGE] == events


def test_a_reader_of_what_was_pruned_is_refused_and_others_begin_where_it_begins(
    tmp_path: Path,
) -> None:
    source = write(tmp_path, 9, close=True).source
    prune(prunable(tmp_path, sent(source, 10), NEVER_US))
    (begin,) = firsts(tmp_path)
    place = Partition("journal", USAGE, source)
    log = JournalSource(tmp_path, [USAGE])
    assert log.begins([USAGE]) == {place: begin}
    (piece,) = log.poll(100, 0.0)
    assert (piece.start, piece.offsets) == (begin, list(range(begin, 10)))
    with pytest.raises(Refused, match="LOG_GONE") as caught:
        log.assign({place: 1})
    assert f"begins at {begin}, offsets 1 to {begin - 1} are gone" in str(caught.value.faults[0])


def test_what_is_held_young_damaged_or_followed_by_no_event_stays(tmp_path: Path) -> None:
    held = write(tmp_path / "held", 9)
    assert prunable(tmp_path / "held", sent(held.source, 10), NEVER_US) == []
    held.close()
    found = prunable(tmp_path / "held", sent(held.source, 10), NEVER_US)
    assert len(found) > 1
    written_us = max(one.path.stat().st_mtime_ns for one in found) // 1000
    assert prunable(tmp_path / "held", sent(held.source, 10), written_us - 10**9) == []
    assert prunable(tmp_path / "held", {}, NEVER_US) == []

    second = found[1].path
    whole = second.read_bytes()
    second.write_bytes(whole[:-30] + b"\0" + whole[-29:])
    assert prunable(tmp_path / "held", sent(held.source, 10), NEVER_US) == found[:1]
    second.write_bytes(whole)

    segments = sorted((second.parent).iterdir())
    for path in segments[2:]:
        head = len(header(held.source, USAGE, int(path.stem)))
        path.write_bytes(path.read_bytes()[: head + 9])  # no whole block but in the first two
    assert prunable(tmp_path / "held", sent(held.source, 10), NEVER_US) == found[:1]


def test_without_kafka_nothing_may_go(tmp_path: Path) -> None:
    done = run_here(tmp_path, "journal", "prune")
    assert (done.returncode, done.stderr[:16]) == (1, "PRUNE_NO_KAFKA: ")
