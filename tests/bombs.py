"""Actions on forged input, for a process of its own under a memory limit: what each takes at most.

Run by `tests/test_extremes.py`. Each action prints what came of it; `run` adds the peak.
"""

import itertools
import random
import resource
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from consumers import Projector, broken_invariants, retry
from edge import Refused
from eventlog import JournalSource, JournalWriter
from eventlog.journal_format import (
    BLOCK_BYTES_MAX,
    BLOCK_RECORDS_MAX,
    octets,
    pack,
    sync_marker,
    varint,
)
from producers import Emitter
from producers.ndjson import Lines
from schemas import TOPICS, decode, encode
from tests.command_line import run_here
from tests.test_decode import EVENTS
from warehouse import open_store

T: Final = 1_790_000_000_000_000
MIB: Final = 1024 * 1024
_USAGE: Final = "meetings.usage"
_STRING: Final = 10_000_000
_HUGE: Final = (65_537, 2**31, 2**31 - 1, 2**40, 2**55, 2**62, 2**63 - 1, -1, -(2**40), -(2**63))


def forged_lengths(_: Path) -> int:
    """Every length, count and branch of every topic's datum replaced by numbers that cannot be."""
    refused = 0
    for topic in TOPICS:
        good = encode(topic, EVENTS[topic])
        forged = [
            good[:at] + varint(number) + good[at + 1 :]
            for at in range(10, len(good))
            for number in _HUGE
        ]
        found = decode(topic, [good, *forged, good])
        assert {0, len(forged) + 1} <= set(found.index.tolist())
        refused += len(found.failures)
    return refused


def long_messages(_: Path) -> int:
    """Messages of 10 MB: noise, and events that hold a string of that length."""
    event = encode(_USAGE, EVENTS[_USAGE])
    name = octets(EVENTS[_USAGE]["account_id"].encode())
    text = event.replace(name, octets(b"a" * _STRING))
    assert len(text) > _STRING
    noise = random.Random(1).randbytes(_STRING)
    found = decode(_USAGE, [event, text, event, noise, event])
    assert found.index.tolist() == [0, 2, 4]
    assert {one.code for one in found.failures} == {"TOO_LARGE"}
    return len(found.failures)


def long_strings(folder: Path) -> int:
    """Strings of 10 MB in every field of an event, into the emitter and as lines of JSON."""
    emitter = Emitter(folder, "s", "eu", "1", clock=lambda: T, threaded=False, replay=True)
    refused, text = 0, "a" * _STRING
    event = {k: v for k, v in EVENTS[_USAGE].items() if k not in ("source", "sequence")}
    for name in event:
        try:
            emitter.emit(_USAGE, event | {name: text})
        except Refused as refusal:
            assert len(str(refusal)) < 1000
            refused += 1
    for line in (
        b'{"topic": "' + text.encode() + b'"}',
        b"[" * _STRING,
        b"1" * _STRING,
        b'{"a":' * 50_000,
        b'{"topic": "meetings.usage", "quantity": ' + b"9" * 400_000 + b"}",
        text.encode(),
    ):
        lines = Lines(emitter)
        lines.emit(BytesIO(line + b"\n"))
        refused += len(lines.faults)
    assert sum(emitter.accepted.values()) == 0
    emitter.close()
    return refused


def _journal(folder: Path, blocks: Iterable[bytes]) -> None:
    """A journal with a good event, `blocks`, octets as they are, and one event more."""
    writer = JournalWriter.open(folder / "journal", "fra-1", fsync="never", incarnation="0")
    place = folder / "journal" / "server=fra-1" / "0" / _USAGE / f"{1:020}.avro"

    def event(sequence: int) -> bytes:
        told = {"source": writer.source, "sequence": sequence}
        return encode(_USAGE, EVENTS[_USAGE] | told | {"record_id": bytes([sequence]) * 16})

    writer.append(_USAGE, [event(1)])
    with place.open("ab") as file:
        file.writelines(blocks)
        file.write(_block([event(99)]))
    writer.close()


def _block(values: Sequence[bytes]) -> bytes:
    return pack(len(values), b"".join(map(octets, values)), _sync())


def _sync() -> bytes:
    return sync_marker("fra-1/0", _USAGE, 1)


def _projected(folder: Path) -> int:
    """How many blocks or messages were put aside; the good events before and after count."""
    with open_store(folder / "usage.duckdb", "usage").closing() as store:
        store.hold(512)
        projector = Projector(store, itertools.count(T).__next__)
        projector.run_once(JournalSource(folder / "journal"))
        assert store.value("SELECT count(*) FROM usage_records") == 2
        assert store.value("SELECT sum(last - first + 1) FROM sequences") == 2
        assert broken_invariants(store) == []
        return int(store.value("SELECT count(*) FROM quarantine"))


def _claiming(plain_bytes: int, count: int) -> bytes:
    """A block of a few octets that says it holds so much."""
    rest, out = plain_bytes, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    data = bytes([*out, rest]) + b"\x00a" + bytes(4)
    return varint(count) + varint(len(data)) + data + _sync()


def claimed_sizes(folder: Path) -> int:
    """Blocks whose snappy data claims far more than there is, and counts and sizes of all kinds."""
    sizes = (0, 1, BLOCK_BYTES_MAX, BLOCK_BYTES_MAX + 1, 2**31, 2**32 - 1, 2**40, 2**63)
    blocks = [_claiming(size, 1) for size in sizes]
    for number in (BLOCK_RECORDS_MAX + 1, *_HUGE):
        blocks.append(_claiming(1, number))
        blocks.append(varint(1) + varint(number) + bytes(20) + _sync())
    _journal(folder, blocks)
    return _projected(folder)


def records_of_nothing(folder: Path) -> int:
    """A block of 3 MB, true in every way, that holds 64 million records of no octets."""
    count = BLOCK_BYTES_MAX - 1024
    _journal(folder, [pack(count, bytes(count), _sync())])
    return _projected(folder)


def as_many_as_may_be(folder: Path) -> int:
    """The greatest number of records that a block may hold, all of them empty."""
    _journal(folder, [_block([b""] * BLOCK_RECORDS_MAX)])
    return _projected(folder)


def one_of_64_mib(folder: Path) -> int:
    """One message as long as a block may be, packed into 3 MB."""
    _journal(folder, [_block([bytes(BLOCK_BYTES_MAX - 1024)])])
    return _projected(folder)


def many_long_ones(folder: Path) -> int:
    """600 MB of messages of 10 MB, packed into 30 MB, through the reader."""
    _journal(folder, (_block([bytes([n]) * _STRING]) for n in range(60)))
    source, read = JournalSource(folder / "journal"), 0
    while slices := source.poll(100_000, 0.0):
        read += sum(len(value) for piece in slices for value in piece.payloads)
    assert read > 60 * _STRING
    assert source.ends([_USAGE])
    source.tails()
    return read // _STRING


_NOISE: Final = """
INSERT INTO quarantine BY NAME
SELECT *, sha256(payload) AS sha256 FROM (
    SELECT n AS id, 'c/t' AS log, 'meetings.usage' AS topic, '0' AS "partition", n AS "offset",
        repeat('x', $length * (n % 2) + n)::BLOB AS payload, 'BAD_FRAME' AS code,
        'noise' AS reason, 'open' AS state, make_timestamp($now) AS arrived_at, 1 AS batch
    FROM (SELECT unnest(range($first, $first + 20)) AS n)
)
"""


def many_in_quarantine(folder: Path) -> int:
    """80 MB of messages of 1 MB in quarantine, and as many short ones, tried again and listed."""
    with open_store(folder / "usage.duckdb", "usage").closing() as store:
        store.hold(1024)
        for first in range(1, 161, 20):
            told = {"first": first, "length": MIB, "now": T}
            store.execute(_NOISE, told)
    Path("/proc/self/clear_refs").write_text("5")  # what DuckDB took to write them is not meant
    with open_store(folder / "usage.duckdb", "usage").closing() as store:
        store.hold(128)
        applied, faults = retry(store, Projector(store, itertools.count(T).__next__))
        assert (applied, len(faults)) == (0, 160)
        assert store.value("SELECT count(*) FROM quarantine") == 160
    listed = run_here(folder, "quarantine", "list", "--format", "csv")
    return len(listed.stdout.splitlines()) - 1


ACTIONS: Final[dict[str, Callable[[Path], int]]] = {
    action.__name__: action
    for action in (
        forged_lengths,
        long_messages,
        long_strings,
        claimed_sizes,
        records_of_nothing,
        as_many_as_may_be,
        one_of_64_mib,
        many_long_ones,
        many_in_quarantine,
    )
}


def _kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise AssertionError(name)


def run(name: str, folder: str, limit_mib: int) -> None:
    """Print what came of it, and by how many MiB the process grew at its peak."""
    warm: Any = decode(_USAGE, [encode(_USAGE, EVENTS[_USAGE])])
    del warm
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _kib("VmRSS")
    most = _kib("VmSize") * 1024 + limit_mib * MIB
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    found = ACTIONS[name](Path(folder))
    print(found, (_kib("VmHWM") - before) // 1024)
