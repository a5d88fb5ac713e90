"""An archive of other hands: what its hashes do not tell is refused all the same."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from edge import Refused
from eventlog import ArchiveSource, Partition, open_archive
from eventlog.archive_format import Messages, block_of_runs, segment_header, sync_marker
from eventlog.archive_manifest import MANIFEST, Archive, Archived, ArchivedFile, write_manifest
from eventlog.journal_format import octets, pack, varint
from tests.test_archive import FIRST_US, drain
from tests.test_completeness import USAGE

PLACE = Partition("c/t", USAGE, "0")
HEAD, SYNC = segment_header(PLACE, 0), sync_marker(PLACE, 0)
TWO = Messages([0, 1], [FIRST_US] * 2, ["s/0"] * 2, [b"a", b"b"])


def run(offset: int, source: bytes = varint(0), values: tuple[bytes, ...] = (b"a",)) -> bytes:
    """A run of an archive's block, of whatever is told."""
    items = b"".join(map(octets, values))
    return b"".join(
        [varint(offset), varint(FIRST_US), source, varint(len(values)), items, varint(0)]
    )


# A segment, and what is wrong with it.
FOREIGN = {
    "of another place": (
        segment_header(PLACE, 1) + block_of_runs(TWO, SYNC),
        "the header is not that of this place",
    ),
    "cut before it was hashed": (
        HEAD + block_of_runs(TWO, SYNC)[:-1], "the block ends after the file"
    ),
    "more runs than it says": (
        HEAD + pack(1, run(0) + run(1), SYNC),
        "the block does not hold as many runs as it says",
    ),
    "fewer runs than it says": (HEAD + pack(2, run(0), SYNC), "a length ends after the file"),
    "a run of nothing": (
        HEAD + pack(2, run(0) + run(1, values=()), SYNC), "a run does not end where it says"
    ),
    "no such branch": (
        HEAD + pack(1, run(0, source=varint(2)), SYNC),
        "a run's source is neither there nor missing",
    ),
    "a source that is no text": (
        HEAD + pack(1, run(0, source=varint(1) + octets(b"\xff")), SYNC), "can't decode byte 0xff"
    ),
    "fewer messages than are told": (HEAD + pack(1, run(0), SYNC), "holds 1 messages, not 2"),
}  # fmt: skip


def foreign(folder: Path, data: bytes, **changes: object) -> None:
    """An archive made by other hands: of one segment, whose hash is right, at offsets 0 and 1."""
    (folder / "0.avro").write_bytes(data)
    told = ArchivedFile("0.avro", hashlib.sha256(data).hexdigest(), len(data), 0, 2, 2)
    one = replace(told, **changes)  # type: ignore[arg-type]
    write_manifest(Archive(folder, "2026-11-01", {PLACE: Archived(0, 2, (one,))}))


@pytest.mark.parametrize("name", FOREIGN)
def test_a_segment_of_other_hands_is_refused_though_its_hash_is_right(
    tmp_path: Path, name: str
) -> None:
    data, said = FOREIGN[name]
    foreign(tmp_path, data)
    source = ArchiveSource(open_archive(tmp_path))
    source.assign({})
    with pytest.raises(Refused, match="ARCHIVE_DAMAGED") as caught:
        source.poll(100, 0.0)
    (fault,) = caught.value.faults
    assert fault.place == "0.avro"
    assert said in fault.message
    foreign(tmp_path, HEAD + block_of_runs(TWO, SYNC))
    read = drain(ArchiveSource(open_archive(tmp_path)), {}, 100)
    assert [one.payloads for one in read] == [[b"a", b"b"]]


def test_a_manifest_of_other_hands_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = HEAD + block_of_runs(TWO, SYNC)
    foreign(tmp_path, data, first=1)
    with pytest.raises(Refused, match="ARCHIVE_DAMAGED.*its files leave a gap"):
        open_archive(tmp_path)
    with monkeypatch.context() as later:
        later.setattr("eventlog.archive_manifest._VERSION", 2)
        foreign(tmp_path, data)
    with pytest.raises(Refused, match="ARCHIVE_DAMAGED.*its version"):
        open_archive(tmp_path)
    foreign(tmp_path, data)
    written = (tmp_path / MANIFEST).read_text()
    (tmp_path / MANIFEST).write_text(written.replace('"2026-11-01"', '"2026-12-01"'))
    with pytest.raises(Refused, match="ARCHIVE_DAMAGED.*its hash"):
        open_archive(tmp_path)
