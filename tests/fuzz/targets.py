"""What a fuzzer may throw at us: bytes into the codec, the journal's reader and the NDJSON reader.

Each target takes any bytes and raises where a promise is broken; what it refuses in good order is
no finding. `tests/test_fuzz.py` gives them the corpus and changes of it, `tests/fuzz/guided.py`
whatever atheris finds that reaches new code.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from eventlog import JournalSource, JournalWriter, Partition
from eventlog.journal_format import BLOCK_RECORDS_MAX, header, pack, sync_marker
from eventlog.journal_layout import Incarnation, incarnations
from eventlog.journal_scan import is_closed, last_sequences
from producers import Emitter
from producers.ndjson import Lines
from schemas import CONTRACTS, TOPICS, decode, encode, peek
from tests.test_decode import EVENTS, _agree

T: Final = 1_790_000_000_000_000
_MEMORY: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
CORPUS: Final = Path(__file__).parent / "corpus"
_USAGE: Final = "meetings.usage"
_CLAIMS: Final = (0, -1, BLOCK_RECORDS_MAX, 2**40, 2**62)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="homemeeting-fuzz-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def codec(data: bytes) -> None:
    """The first octet chooses the topic, the rest is a message, and a datum behind a good frame.

    The quick and the slow reader agree, each message is an event or a failure, and the good ones
    around it stay.
    """
    topic, rest = TOPICS[data[0] % len(TOPICS) if data else 0], data[1:]
    good = encode(topic, EVENTS[topic])
    payloads = [good, rest, good, good[:10] + rest, good]
    _agree(CONTRACTS[topic], payloads)
    found = decode(topic, payloads)
    bad = [failure.index for failure in found.failures]
    assert sorted([*found.index.tolist(), *bad]) == [0, 1, 2, 3, 4]
    assert not {0, 2, 4} & set(bad)
    for payload in payloads:
        seen = peek(payload)
        assert seen is None or 1 <= seen[1] < 2**63


def journal(data: bytes) -> None:
    """A segment behind a good header and block. An even first octet: raw octets follow. An odd
    one: blocks follow that are whole, whatever is in them, as a forger would make them.

    All is read to its end, at once and one by one; both give the same, and nothing twice.
    """
    with _folder() as root:
        writer = JournalWriter.open(root, "fra-1", fsync="never", incarnation="0")
        first = encode(_USAGE, EVENTS[_USAGE] | {"source": writer.source, "sequence": 1})
        writer.append(_USAGE, [first])
        writer.close()
        home = Incarnation(root / "server=fra-1" / "0")
        path = home.segment(_USAGE, 1)
        behind = data[1:] if not data or not data[0] & 1 else b"".join(_forged(data[1:]))
        path.write_bytes(path.read_bytes() + behind)
        if data and data[0] & 2:  # a later segment, so that no tail is torn
            _next_segment(home, writer.source)
        _read_all(root, Partition("journal", _USAGE, writer.source), first)
        (one,) = incarnations(root)
        assert not is_closed(one)
        assert last_sequences(one)[_USAGE] >= 1


def _forged(data: bytes) -> Iterator[bytes]:
    """Blocks with marker and checksum. Each takes an octet for its count and one for its size."""
    sync, at = sync_marker("fra-1/0", _USAGE, 1), 0
    while at + 2 <= len(data):
        count, size = data[at], data[at + 1]
        claimed = (
            count if count < 250 else (0, -1, BLOCK_RECORDS_MAX, 2**40, 2**62)[count - 250 - 1]
        )
        yield pack(claimed, data[at + 2 : at + 2 + size], sync)
        at += 2 + size


def _next_segment(home: Incarnation, source: str) -> None:
    first = 5_000
    event = encode(_USAGE, EVENTS[_USAGE] | {"source": source, "sequence": first})
    sync = sync_marker(source, _USAGE, first)
    plain = bytes([len(event) % 64 * 2 | 128, len(event) * 2 >> 7]) + event
    home.segment(_USAGE, first).write_bytes(header(source, _USAGE, first) + pack(1, plain, sync))


def _read_all(root: Path, place: Partition, first: bytes) -> None:
    source = JournalSource(root)
    at_once: list[tuple[int, bytes]] = []
    while slices := source.poll(10**6, 0.0):
        for piece in slices:
            assert piece.start < piece.next
            at_once += zip(piece.offsets, piece.payloads, strict=True)
            end = piece.next
    offsets = [offset for offset, _ in at_once]
    assert offsets == sorted(set(offsets))
    assert at_once[0] == (1, first)
    assert end < 2**63
    assert source.ends([_USAGE]) == {place: end}
    source.tails()
    again: list[tuple[int, bytes]] = []
    at: dict[Partition, int] = {}
    while True:
        anew = JournalSource(root)
        anew.assign(at)
        slices = anew.poll(1, 0.0)
        if not slices:
            break
        for piece in slices:
            assert at.get(place, 1) == piece.start
            again += zip(piece.offsets, piece.payloads, strict=True)
            at[place] = piece.next
    assert (again, at[place]) == (at_once, end)


class _Sink:
    """One emitter for many inputs: opening one costs more than all else."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="homemeeting-fuzz-", dir=_MEMORY))
        self.emitter = Emitter(
            self.root, "fra-1", "eu", "1", clock=lambda: T, threaded=False, replay=True
        )
        self.log = JournalSource(self.root)

    def read(self) -> int:
        """How many events of others than the emitter's own there are, all of them valid."""
        count = 0
        while slices := self.log.poll(100_000, 0.0):
            for piece in slices:
                assert not piece.damages
                assert not decode(piece.partition.topic, piece.payloads).failures
                if piece.partition.topic != "sources.heartbeat":
                    count += len(piece.payloads)
        return count

    def close(self) -> None:
        self.emitter.close()
        shutil.rmtree(self.root)


@contextmanager
def ndjson() -> Iterator[Callable[[bytes], None]]:
    """The target takes a file: every line is an event that the projector will take, or a fault
    with its number, or blank.
    """
    sink = _Sink()

    def target(data: bytes) -> None:
        lines = Lines(sink.emitter)
        before = lines.accepted
        lines.emit(BytesIO(data))
        taken = lines.accepted - before
        # The reader's own lines end with \n alone.
        spoken = [line for line in data.split(b"\n") if line.strip()]
        assert taken + len(lines.faults) == len(spoken)
        assert lines.left() == []
        assert all(fault.place.startswith("line ") for fault in lines.faults)
        assert sink.read() == taken

    try:
        yield target
    finally:
        sink.close()


@contextmanager
def target(name: str) -> Iterator[Callable[[bytes], None]]:
    if name == "ndjson":
        with ndjson() as found:
            yield found
    else:
        yield {"codec": codec, "journal": journal}[name]


def seeds(name: str) -> dict[str, bytes]:
    """What the corpus of `name` is begun with; findings are added to it as files."""
    if name == "codec":
        return {
            f"{topic}-{kind}": bytes([number]) + value
            for number, topic in enumerate(TOPICS)
            for kind, value in (
                ("whole", encode(topic, EVENTS[topic])),
                ("datum", encode(topic, EVENTS[topic])[10:]),
            )
        }
    if name == "journal":
        event = encode(_USAGE, EVENTS[_USAGE] | {"source": "fra-1/0", "sequence": 2})
        plain = bytes([len(event) % 64 * 2 | 128, len(event) * 2 >> 7]) + event
        block = pack(1, plain, sync_marker("fra-1/0", _USAGE, 1))
        return {
            "raw": b"\x00" + block * 2,
            "torn": b"\x00" + block[:-3],
            "sealed": b"\x02" + block + block[:50],
            "forged": b"\x01" + bytes([1, len(plain)]) + plain + bytes([3, 6]) + bytes(6),
            "counts": b"\x03" + bytes([251, 0, 252, 1, 0, 253, 2, 0, 0, 254, 0, 255, 0, 0, 0]),
        }
    event_ = {
        "topic": _USAGE, "phase": "STOP", "record_id": "00000000-0000-0000-0000-000000000001",
        "account_id": "acme", "meeting_id": "m1", "participant_id": "p1", "meter": "participant",
        "server_id": "fra-1", "region": "eu", "started_at": "2026-10-01T10:00:00Z",
        "observed_at": 1_790_848_900_000_000, "quantity": 7,
    }  # fmt: skip
    line = json.dumps(event_).encode()
    return {
        "one": line + b"\n",
        "three": line + b"\n\n" + line.replace(b"acme", b"a cme") + b"\r\n" + line,
        "numbers": line.replace(b"7}", b"NaN}") + b"\n" + line.replace(b"7}", b"1e999}"),
        "twice": b'{"topic": "servers.load", "topic": 1}\n[]\n{"a": {"a": [' + b"[" * 40,
    }
