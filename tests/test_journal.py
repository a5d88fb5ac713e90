"""The journal: what is appended is read again, whatever befalls the bytes in between."""

import multiprocessing
import os
import uuid
from pathlib import Path

import fastavro
import pytest

from edge import Refused
from eventlog import JournalSource, JournalWriter, Partition, journal_scan
from schemas import decode, encode
from tests.test_completeness import BEATS, beat

TOPIC = "meetings.usage"


def _event(source: str, sequence: int) -> bytes:
    return encode(
        TOPIC,
        {
            "source": source,
            "sequence": sequence,
            "phase": "START",
            "record_id": uuid.UUID(int=sequence).bytes,
            "account_id": "acme",
            "meeting_id": "m1",
            "participant_id": None,
            "meter": "participant",
            "variant": None,
            "server_id": "fra-1",
            "region": "eu",
            "started_at": 1_790_000_000_000_000,
            "observed_at": 1_790_000_000_000_000 + sequence % 10**6,
            "quantity": None,
            "continues": None,
        },
    )


def _write(root: Path, blocks: list[int]) -> list[bytes]:
    writer = JournalWriter.open(root, "fra-1")
    written: list[bytes] = []
    for size in blocks:
        first = len(written) + 1
        payloads = [_event(writer.source, number) for number in range(first, first + size)]
        writer.append(TOPIC, payloads)
        written += payloads
    writer.close()
    return written


def _read(root: Path) -> list[tuple[int, bytes]]:
    source = JournalSource(root)
    read = []
    while slices := source.poll(3, 0.0):
        for piece in slices:
            read += list(zip(piece.offsets, piece.payloads, strict=True))
    return read


def _segment(root: Path) -> Path:
    (path,) = root.rglob("*.avro")
    return path


def test_reads_what_was_written_in_order_and_sequence_is_position(tmp_path: Path) -> None:
    written = _write(tmp_path, [1, 4, 2])
    assert _read(tmp_path) == list(enumerate(written, start=1))


def test_what_was_read_to_its_end_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    scan = journal_scan._read
    monkeypatch.setattr(
        journal_scan, "_read", lambda path, at: opened.append(path.stem) or scan(path, at)
    )
    _write(tmp_path, [2])
    source = JournalSource(tmp_path)
    assert [one.next for one in source.poll(9, 0.0)] == [3]
    opened.clear()
    assert source.poll(9, 0.0) == opened == []
    _write(tmp_path, [3])
    opened.clear()  # the writer looked too
    assert [one.next for one in source.poll(9, 0.0)] == [4]
    assert len(opened) == 1


def test_a_segment_is_an_avro_container_that_other_readers_open(tmp_path: Path) -> None:
    written = _write(tmp_path, [2, 3])
    with _segment(tmp_path).open("rb") as file:
        assert list(fastavro.reader(file)) == written


def test_resumes_in_the_middle_of_a_block(tmp_path: Path) -> None:
    written = _write(tmp_path, [5])
    source = JournalSource(tmp_path)
    name = _segment(tmp_path).parents[1].name
    source.assign({Partition("journal", TOPIC, f"fra-1/{name}"): 4})
    (piece,) = source.poll(10, 0.0)
    assert (piece.start, piece.next, piece.payloads) == (4, 6, written[3:])


def test_follows_a_file_that_is_still_written(tmp_path: Path) -> None:
    writer = JournalWriter.open(tmp_path, "fra-1")
    source = JournalSource(tmp_path)
    writer.append(TOPIC, [_event(writer.source, 1)])
    assert [piece.next for piece in source.poll(10, 0.0)] == [2]
    assert source.poll(10, 0.0) == []
    writer.append(TOPIC, [_event(writer.source, 2)])
    assert [piece.offsets for piece in source.poll(10, 0.0)] == [[2]]
    writer.close()


def test_rolls_segments_and_reads_across_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 200)
    written = _write(tmp_path, [2, 2, 2, 2])
    assert len(list(tmp_path.rglob("*.avro"))) > 1
    assert [payload for _, payload in _read(tmp_path)] == written


def test_torn_tail_is_left_and_reported(tmp_path: Path) -> None:
    written = _write(tmp_path, [2, 2])
    path = _segment(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    source = JournalSource(tmp_path)
    (piece,) = source.poll(10, 0.0)
    assert piece.payloads == written[:2]
    last_block = whole[:-16].rindex(whole[-16:]) + 16  # each ends with the sync marker
    (tail,) = source.tails()
    assert (tail.topic, tail.octets) == (TOPIC, len(whole) - 5 - last_block)
    assert path.read_bytes() == whole[:-5]
    assert source.poll(10, 0.0) == []
    path.write_bytes(whole)
    assert source.poll(10, 0.0)[0].payloads == written[2:]
    assert source.tails() == []


def test_a_torn_tail_of_a_living_writer_is_no_news(tmp_path: Path) -> None:
    writer = JournalWriter.open(tmp_path, "fra-1")
    writer.append(TOPIC, [_event(writer.source, 1)])
    with _segment(tmp_path).open("ab") as file:
        file.write(b"half")
    source = JournalSource(tmp_path)
    assert source.tails() == []
    writer.close()
    assert [(one.source, one.octets) for one in source.tails()] == [(writer.source, 4)]
    os.truncate(_segment(tmp_path), _segment(tmp_path).stat().st_size - 4)
    assert source.tails() == []


def test_a_journal_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    """A file stands where a directory should: what every user, root too, cannot read."""
    assert JournalSource(tmp_path / "none").poll(10, 0.0) == []
    assert JournalSource(tmp_path / "none").ends([TOPIC]) == {}
    _write(tmp_path / "j", [2])
    (home,) = (tmp_path / "j").glob("server=*/*")
    for place in (home / TOPIC, home.parent, tmp_path / "j"):
        place.rename(tmp_path / "aside")
        place.write_bytes(b"")
        for read in (
            lambda log: log.poll(10, 0.0),
            lambda log: log.ends([TOPIC]),
            lambda log: log.tails(),
        ):
            with pytest.raises(Refused, match="JOURNAL_UNREADABLE") as caught:
                read(JournalSource(tmp_path / "j"))
            assert f"{place} cannot be read (Not a directory)" in caught.value.summary
        place.unlink()
        (tmp_path / "aside").rename(place)
    assert len(_read(tmp_path / "j")) == 2


def test_no_single_bit_flip_is_read_as_an_event_and_good_blocks_are_kept(tmp_path: Path) -> None:
    written = _write(tmp_path, [1, 1, 1])
    path = _segment(tmp_path)
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(broken)
        source = JournalSource(tmp_path)
        slices = source.poll(10, 0.0)
        read = {o: p for s in slices for o, p in zip(s.offsets, s.payloads, strict=True)}
        damages = [damage for piece in slices for damage in piece.damages]
        assert all(written[offset - 1] == payload for offset, payload in read.items()), bit
        assert len(read) >= 2, bit
        if len(read) == 2:
            assert len(damages) + len(source.tails()) == 1, bit


@pytest.mark.parametrize("number", [1, 3, 4, 9, 10**6, 2**62, 2**63 - 1])
@pytest.mark.parametrize("spoilt", [False, True], ids=["whole", "behind damage"])
def test_a_number_that_an_event_forges_leads_no_reader_past_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, spoilt: bool
) -> None:
    """Where an event lies is its place; its own number counts only behind a damaged block, and
    only within what that can have held. Read on one by one, and by a reader that begins anew.
    """
    writer = JournalWriter.open(tmp_path, "fra-1")
    blocks = [[1], [number, 3], [4], [5], [6]]
    for numbers in blocks:
        if numbers == [5]:
            monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 1)
        writer.append(TOPIC, [_event(writer.source, n) for n in numbers])
    writer.close()
    first = min(tmp_path.rglob("*.avro"))
    if spoilt:
        data = first.read_bytes()
        at = data.index(data[-16:], data.index(data[-16:]) + 1) - 5  # the first block's checksum
        first.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    source, read, damages = JournalSource(tmp_path), [], []
    place = Partition("journal", TOPIC, writer.source)
    while slices := source.poll(1, 0.0):
        for piece in slices:
            read += list(zip(piece.offsets, piece.payloads, strict=True))
            damages += piece.damages
            source = JournalSource(tmp_path)
            source.assign({place: piece.next})
    written = [_event(writer.source, n) for numbers in blocks for n in numbers][spoilt:]
    assert [payload for _, payload in read] == written
    assert len(damages) == spoilt
    assert source.ends([TOPIC]) == {place: 7}
    assert [offset for offset, _ in read] == list(range(1 + spoilt, 7))


def test_files_that_no_writer_names_so_are_no_journal(tmp_path: Path) -> None:
    written = _write(tmp_path, [2, 1])
    path = _segment(tmp_path)
    for name in ("²", "٣" * 20, "3", "-1", "0" * 20, "9" * 20, f"{2**63:020}", "x", "9" * 30):
        path.with_name(f"{name}.avro").write_bytes(path.read_bytes())
    for home in (b"server=\xff/0", b"server=fra-2/\xfe"):
        folder = os.path.join(os.fsencode(tmp_path), home, TOPIC.encode())
        os.makedirs(folder)
        Path(os.fsdecode(folder), path.name).write_bytes(path.read_bytes())
    assert _read(tmp_path) == list(enumerate(written, start=1))
    assert list(JournalSource(tmp_path).ends([TOPIC]).values()) == [4]
    assert list(JournalWriter.open(tmp_path, "fra-1").settles.values()) == [3]
    assert JournalWriter.open(tmp_path, "fra-2").settles == {}


def test_damage_that_was_read_before_what_follows_it_shifts_nothing(tmp_path: Path) -> None:
    """The damaged block held three; the reader saw it when it was the last there was."""
    writer = JournalWriter.open(tmp_path, "fra-1")
    writer.append(TOPIC, [_event(writer.source, n) for n in (1, 2, 3)])
    path = _segment(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-17] + bytes([data[-17] ^ 1]) + data[-16:])
    source = JournalSource(tmp_path)
    assert [(piece.next, len(piece.damages)) for piece in source.poll(10, 0.0)] == [(2, 1)]
    assert list(source.ends([TOPIC]).values()) == [2]
    writer.append(TOPIC, [_event(writer.source, n) for n in (4, 5)])
    assert [(piece.offsets, piece.damages) for piece in source.poll(10, 0.0)] == [([4, 5], ())]
    assert list(source.ends([TOPIC]).values()) == [6]
    writer.close()


def test_an_unclosed_earlier_incarnation_is_settled_by_the_next(tmp_path: Path) -> None:
    first = JournalWriter.open(tmp_path, "fra-1")
    first.append(TOPIC, [_event(first.source, 1), _event(first.source, 2)])
    while_open = JournalWriter.open(tmp_path, "fra-1")
    assert while_open.settles == {}
    first.close()
    after = JournalWriter.open(tmp_path, "fra-1")
    assert after.settles == {(first.source, TOPIC): 2}
    assert JournalWriter.open(tmp_path, "fra-2").settles == {}


@pytest.mark.parametrize("segment_bytes", [1, 1 << 20])
@pytest.mark.parametrize("kept", ["all", "half", "none"])
def test_a_close_that_was_not_written_whole_closes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segment_bytes: int, kept: str
) -> None:
    """Its writer was killed meanwhile; it lies behind the other heartbeats or in a new segment."""
    monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", segment_bytes)
    first = JournalWriter.open(tmp_path, "fra-1")
    first.append(TOPIC, [_event(first.source, 1)])
    first.append(BEATS, [beat(first.source, 1, 1, phase="OPEN")])
    first.append(BEATS, [beat(first.source, 2, 1, phase="CLOSE")])
    first.close()
    *_, last = sorted(tmp_path.rglob(f"{BEATS}/*.avro"))
    data = last.read_bytes()
    block = len(data) - data.rindex(data[-16:], 0, -16) - 16
    last.write_bytes(data[: len(data) - {"all": 0, "half": block // 2, "none": block}[kept]])
    settled = {} if kept == "all" else {(first.source, TOPIC): 1, (first.source, BEATS): 1}
    assert JournalWriter.open(tmp_path, "fra-1").settles == settled


def test_a_journal_copied_without_its_locks_is_held_by_nobody(tmp_path: Path) -> None:
    first = JournalWriter.open(tmp_path, "fra-1")
    first.append(TOPIC, [_event(first.source, 1)])
    first.close()
    with _segment(tmp_path).open("ab") as file:
        file.write(b"half")
    (lock,) = tmp_path.rglob("lock")
    lock.unlink()
    (tail,) = JournalSource(tmp_path).tails()
    assert (tail.source, tail.octets) == (first.source, 4)
    assert JournalWriter.open(tmp_path, "fra-1").settles == {(first.source, TOPIC): 1}


def _hold(root: Path, ready: "multiprocessing.synchronize.Event", done: object) -> None:
    JournalWriter.open(root, "fra-1", incarnation="one")
    ready.set()
    done.wait(300)  # type: ignore[attr-defined]


def test_a_second_writer_of_one_incarnation_is_told_who_holds_it(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    assert ready.wait(120)
    with pytest.raises(Refused, match=f"LOCK_HELD.*process {other.pid}"):
        JournalWriter.open(tmp_path, "fra-1", incarnation="one")
    done.set()
    other.join()


def test_an_incarnation_that_was_written_is_never_written_again(tmp_path: Path) -> None:
    first = JournalWriter.open(tmp_path, "fra-1", incarnation="one")
    first.append(TOPIC, [_event(first.source, 1)])
    first.close()
    with pytest.raises(Refused, match=f"JOURNAL_EXISTS: {first.source} was written before"):
        JournalWriter.open(tmp_path, "fra-1", incarnation="one")


def test_a_failed_write_leaves_no_half_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter.open(tmp_path, "fra-1")
    writer.append(TOPIC, [_event(writer.source, 1)])
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if len(data) > 10:
            return real(handle, bytes(data[:10]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError):
        writer.append(TOPIC, [_event(writer.source, 2)] * 3)
    monkeypatch.undo()
    writer.append(TOPIC, [_event(writer.source, 2)])
    writer.close()
    payloads = [payload for _, payload in _read(tmp_path)]
    assert decode(TOPIC, payloads).columns["sequence"].to_pylist() == [1, 2]


def test_a_busy_incarnation_starves_no_other(tmp_path: Path) -> None:
    busy, quiet = (JournalWriter.open(tmp_path, server) for server in ("a", "b"))
    busy.append(TOPIC, [_event(busy.source, 1)])
    quiet.append(TOPIC, [_event(quiet.source, 1)])
    source = JournalSource(tmp_path)
    served = []
    for number in range(2, 6):
        served += [piece.partition.partition for piece in source.poll(1, 0.0)]
        busy.append(TOPIC, [_event(busy.source, number)])
    assert served == [busy.source, quiet.source, busy.source, busy.source]


def test_ends_follow_a_journal_and_read_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 300)
    writer = JournalWriter.open(tmp_path, "fra-1")
    source, read = JournalSource(tmp_path), []
    real = journal_scan.read_block
    monkeypatch.setattr(journal_scan, "read_block", lambda *at: read.append(at[1]) or real(*at))
    place = Partition("journal", TOPIC, writer.source)
    for number in range(1, 8):
        writer.append(TOPIC, [_event(writer.source, number)])
        assert source.ends([TOPIC]) == {place: number + 1}
        assert source.ends([TOPIC, "servers.load"]) == {place: number + 1}
        assert JournalSource(tmp_path).ends([TOPIC]) == {place: number + 1}
        assert source.ends(["servers.load"]) == {}
    read.clear()
    assert source.ends([TOPIC]) == {place: 8}
    assert read == []
    assert len(list(tmp_path.rglob("*.avro"))) > 2


def test_ends_stop_before_a_torn_tail_and_go_on_when_it_is_whole(tmp_path: Path) -> None:
    written = _write(tmp_path, [2, 2])
    path = _segment(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    source = JournalSource(tmp_path)
    assert list(source.ends([TOPIC]).values()) == [3]
    path.write_bytes(whole)
    assert list(source.ends([TOPIC]).values()) == [len(written) + 1]


def test_a_journal_that_cannot_be_read_is_refused_and_not_empty(tmp_path: Path) -> None:
    assert JournalSource(tmp_path / "none").ends([TOPIC]) == {}
    (tmp_path / "file").write_text("no journal")
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "server=s").write_text("no folder")
    for root in (tmp_path / "file", tmp_path / "journal"):
        with pytest.raises(Refused, match="JOURNAL_UNREADABLE"):
            JournalSource(root).ends([TOPIC])
