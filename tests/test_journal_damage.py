"""Any bit of a segment flipped, any octet cut off: through journal, projector and rebuild.

Each fault has a server of its own, so that one store meets all of them at once. What must come of
each is told by where the blocks lay when they were written, never by what a reader finds.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cramjam
import pytest

from consumers import Projector, broken_invariants
from eventlog import JournalSource, JournalWriter
from schemas import encode
from tests import recount
from tests.fire import some, times
from tests.test_completeness import BEATS, beat, holes
from tests.test_projector import T, _records
from tests.test_rebuild import rebuilt
from tests.test_schemas import USAGE as EVENT
from warehouse import Store, open_store

USAGE = "meetings.usage"
BLOCKS = ([1], [2, 3], [4])


@dataclass(frozen=True)
class Server:
    """What one server wrote: `data` of its first segment, in which block n ends at `ends[n]`.

    `ends[0]` is the header's. Of `rolled` ones the last block lies in a second segment.
    """

    source: str
    path: Path
    data: bytes
    ends: list[int]
    events: list[dict[str, Any]]

    def block_at(self, octet: int) -> int | None:
        """The number of the block in which `octet` lies; None for the header."""
        number = sum(end <= octet for end in self.ends)
        return number - 1 if number else None

    def block(self, data: bytes, number: int) -> bytes:
        return data[self.ends[number] : self.ends[number + 1]]


def _server(root: Path, number: int, patch: pytest.MonkeyPatch | None = None) -> Server:
    """`patch` rolls the segment before the last block."""
    writer = JournalWriter.open(root, f"s{number:05}", fsync="never", incarnation="0")
    events = [
        EVENT
        | {"source": writer.source, "sequence": n, "record_id": bytes(8) + _octets(number, n)}
        | {"quantity": 2**40 + n, "observed_at": T + n * 1_000_000}
        for n in range(1, 5)
    ]
    ends: list[int] = []
    for numbers in BLOCKS:
        if patch and numbers is BLOCKS[-1]:
            patch.setattr("eventlog.journal_writer.SEGMENT_BYTES", 1)
        writer.append(USAGE, [encode(USAGE, events[n - 1]) for n in numbers])
        path = min((root / f"server=s{number:05}" / "0" / USAGE).iterdir())
        ends.append(path.stat().st_size)
    writer.append(BEATS, [beat(writer.source, 1, 4)])
    writer.close()
    if patch:
        patch.undo()
        del ends[-1]
    data = path.read_bytes()
    return Server(writer.source, path, data, [_header_end(data), *ends], events)


def _octets(number: int, sequence: int) -> bytes:
    return (number * 100 + sequence).to_bytes(8, "big")


def _header_end(data: bytes) -> int:
    """Avro's container header ends with the marker that each block ends with."""
    return data.index(data[-16:]) + 16


def _project(home: Path) -> Store:
    """All of the journal, however much of it is damage: `run_once` would stop at the ceiling."""
    store, log = open_store(home / "usage.duckdb", "usage"), JournalSource(home / "journal")
    projector = Projector(store, itertools.count(T).__next__)
    while slices := log.poll(100_000, 0.0):
        projector.apply(slices, log.ends)
    return store


def _check(
    store: Store, home: Path, kept: Sequence[dict[str, Any]], damaged: dict[str, tuple[int, bytes]]
) -> None:
    """`kept` is all the usage there is, `damaged` by source the place and octets of what is not."""
    assert _records(store) == recount.records(kept)
    rows = store.rows('SELECT "partition", "offset", payload, code, topic FROM quarantine')
    assert {source: (place, raw) for source, place, raw, _, _ in rows} == damaged
    assert len(rows) == len(damaged)
    assert {row[3:] for row in rows} <= {("BLOCK_DAMAGED", USAGE)}
    assert broken_invariants(store) == []
    store.close()
    assert rebuilt(home)[0] == {}


@pytest.mark.fire
def test_every_bit_flip_costs_its_own_block_and_is_one_row_and_a_hole(
    tmp_path: Path, rng: random.Random
) -> None:
    """But a flip after which the block still says what it said: then all of it counts."""
    bits = len(_server(tmp_path / "one", 0).data) * 8
    flipped = some(rng, range(bits), 120)
    print(f"{len(flipped)} of {bits} bits")
    kept: list[dict[str, Any]] = []
    damaged: dict[str, tuple[int, bytes]] = {}
    explained: set[tuple[str, int, int, str]] = set()
    for number, bit in enumerate(flipped):
        server = _server(tmp_path / "journal", number)
        data = bytearray(server.data)
        data[bit // 8] ^= 1 << bit % 8
        server.path.write_bytes(data)
        hit = server.block_at(bit // 8)
        if hit is not None and _says_the_same(server, bytes(data), hit):
            print(f"bit {bit}: other octets that say the same")
            hit = None
        lost = BLOCKS[hit] if hit is not None else []
        kept += [event for event in server.events if event["sequence"] not in lost]
        if hit is not None:
            damaged[server.source] = (lost[0], server.block(bytes(data), hit))
            explained.add((server.source, lost[0], lost[-1], "explained"))
    store = _project(tmp_path)
    assert set(store.rows("SELECT source, first, last, state FROM holes")) == explained
    _check(store, tmp_path, kept, damaged)


def _says_the_same(server: Server, data: bytes, number: int) -> bool:
    """Whether it unpacks to what was written: snappy may say "as 26 octets ago" or "as 27 ago"."""
    was, now = (server.block(one, number) for one in (server.data, data))
    begin, end = 3, -20  # behind the count and the size, before checksum and marker
    assert (was[1] & 0x80, was[2] & 0x80) == (0x80, 0)
    if was[:begin] != now[:begin] or was[end:] != now[end:]:
        return False
    try:
        unpacked = cramjam.snappy.decompress_raw(now[begin:end])
    except cramjam.DecompressionError:
        return False
    return bytes(unpacked) == bytes(cramjam.snappy.decompress_raw(was[begin:end]))


@pytest.mark.fire
@pytest.mark.parametrize("is_sealed", [False, True], ids=["last", "sealed"])
def test_every_truncation_keeps_the_whole_blocks_and_what_follows(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch, is_sealed: bool
) -> None:
    roll = monkeypatch if is_sealed else None
    cuts = some(rng, range(len(_server(tmp_path / "one", 0, roll).data)), 60)
    print(f"{len(cuts)} truncations")
    kept: list[dict[str, Any]] = []
    torn: dict[str, int] = {}
    damaged: dict[str, tuple[int, bytes]] = {}
    missing = 0
    for number, cut in enumerate(cuts):
        server = _server(tmp_path / "journal", number, roll)
        server.path.write_bytes(server.data[:cut])
        whole = sum(end <= cut for end in server.ends[1:])
        first = BLOCKS[whole][0]
        behind = BLOCKS[-1] if is_sealed else []
        told = [n for numbers in BLOCKS[:whole] for n in numbers] + behind
        kept += [event for event in server.events if event["sequence"] in told]
        missing += 4 - len(told)
        rest = server.data[server.ends[whole] : cut]
        if rest and is_sealed:
            damaged[server.source] = (first, rest)
        elif rest:
            torn[server.source] = len(rest)
    tails = JournalSource(tmp_path / "journal").tails()
    assert {tail.source: tail.octets for tail in tails} == torn
    store = _project(tmp_path)
    assert sum(last - first + 1 for first, last, _ in holes(store)) == missing
    _check(store, tmp_path, kept, damaged)


@pytest.mark.fire
def test_many_octets_lost_at_once_are_never_read_as_usage(
    tmp_path: Path, rng: random.Random
) -> None:
    """Runs of zeros, of noise, or cut out: what a disk or a copy does to more than a bit. Blocks
    not touched are read, or, behind one that lost its marker too, lie in quarantine with it.
    """
    servers: list[tuple[Server, set[int]]] = []
    for number in range(times(60)):
        server = _server(tmp_path / "journal", number)
        begin = rng.randrange(server.ends[0], len(server.data))
        end = min(begin + rng.choice([1, 2, 7, 40, 200]), len(server.data))
        lost = server.data[begin:end]
        put = rng.choice([bytes(len(lost)), rng.randbytes(len(lost)), b"", lost * 2])
        server.path.write_bytes(server.data[:begin] + put + server.data[end:])
        servers.append((server, _touched(server, begin, end)))
    store = _project(tmp_path)
    stored = _records(store)
    everything = recount.records(event for server, _ in servers for event in server.events)
    assert stored.items() <= everything.items()
    rows = store.rows('SELECT "partition", payload FROM quarantine ORDER BY "offset"')
    raw = {source: b"".join(row[1] for row in rows if row[0] == source) for source, _ in rows}
    for server, touched in servers:
        for number in {0, 1, 2} - touched:
            block = server.block(server.data, number)
            told = recount.records(server.events[n - 1] for n in BLOCKS[number])
            assert told.keys() <= stored.keys() or block in raw[server.source]
    assert len(stored) < len(everything)
    assert broken_invariants(store) == []
    store.close()
    assert rebuilt(tmp_path)[0] == {}


def _touched(server: Server, begin: int, end: int) -> set[int]:
    found = {server.block_at(octet) for octet in range(begin, end)}
    return {number for number in found if number is not None}
