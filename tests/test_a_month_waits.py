"""What a clerk is told of servers that fell silent, were cut off, lost their tail, refused usage or
have files emitted beside them: which server, what, since when, and what to type. Once it is settled
so, the month closes, with all that the journal holds.

Every server has a disk of its own, of which the billing's home gets what has arrived.
"""

import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge.instants import micros
from producers import Emitter, EmitterSettings
from schemas import decode
from tests import recount
from tests.clerk import Clerk

USAGE = "meetings.usage"
MONTH = "2026-11"
CLOSE = ("invoice", "run", "--month", MONTH, "--finalize", "--format", "csv")
ENDS = "2026-11-30 23:00:00 UTC"
BRING = "bring its journal in by `forward` and `consume`, "
RESTART = "start the server again where it was killed, or "


class Server:
    """A meeting server on its disk, at a time that is told."""

    def __init__(self, folder: Path, name: str, at: str) -> None:
        self.name, self._folder = name, folder
        self.disk = folder / f"{name}-0"
        self.now = 0
        self.emitter = self.open(at)

    def open(self, at: str, **settings: Any) -> Emitter:
        self.at(at)
        self.emitter = Emitter(
            self.disk, self.name, "eu", "1", clock=lambda: self.now, threaded=False,
            settings=EmitterSettings(fsync="never", **settings),
        )  # fmt: skip
        return self.emitter

    def at(self, time: str) -> None:
        self.now = micros(datetime.fromisoformat(f"{time}Z"))

    def use(self, *times: str) -> None:
        """A record each, which is flushed."""
        for time in times:
            self.at(time)
            self.emitter.start_participant("acme", "m1", "p1").stop()
            self.emitter.flush()

    def beat(self, time: str) -> None:
        self.at(time)
        self.emitter.tick()

    def close(self, time: str) -> None:
        self.at(time)
        self.emitter.close()

    def kill(self) -> None:
        """What lies on the disk is all that is left; the process writes to no disk of ours."""
        left = self.disk
        self.disk = self._folder / f"{left.name}k"
        shutil.copytree(left, self.disk)

    def arrive(self, home: Path) -> None:
        shutil.copytree(self.disk, home / "journal", dirs_exist_ok=True)

    @property
    def source(self) -> str:
        return self.emitter.source


@contextmanager
def no_room() -> Iterator[None]:
    """No file may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


class Office:
    """A clerk at a month, and every gap that is told of it."""

    def __init__(self, folder: Path) -> None:
        self.clerk = Clerk(folder, "2026-12-10T09:00:00Z", acme="p")

    @property
    def home(self) -> Path:
        return self.clerk.home

    def gaps(self) -> list[str]:
        """After all that has arrived was read."""
        self.clerk.must("consume", "--once")
        done = self.clerk.types(*CLOSE)
        lines = [line for line in done.stderr.splitlines() if line.partition(":")[0] in CODES]
        assert bool(lines) == (done.returncode == 1), done.stderr
        return sorted(lines)

    def emit(self, server: str, *starts: str) -> None:
        """A file in the name of a server, as somebody does who found it later."""
        lines = [self.clerk.event("acme", start) for start in starts]
        done = self.clerk.types("emit", "-", "--server-id", server, lines=lines)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stderr

    def recount(self) -> int:
        """Records of the month in the journal; each costs 1 EUR."""
        told = [
            one for topic, _, one in recount.read_journal(self.home / "journal") if topic == USAGE
        ]
        events = decode(USAGE, told).columns.to_pylist()
        month = [micros(datetime.fromisoformat(one)) for one in (
            "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")]  # fmt: skip
        starts = [key[1] for key in recount.records(events)]
        return sum(month[0] <= start < month[1] for start in starts)

    def check_closed(self, *words: str) -> None:
        (document,) = self.clerk.close(MONTH, *words)
        assert (document["status"], document["total"]) == ("final", f"{self.recount()}.00")


CODES = {
    "GRACE_TIME", "SERVER_SILENT", "SERVER_BEHIND", "USAGE_MISSING", "USAGE_IN_FLIGHT",
    "USAGE_REFUSED", "QUARANTINE_OPEN",
}  # fmt: skip


def retire(server: str) -> str:
    return f"`homemeeting server retire {server} --on DATE --reason R`"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_each_gap_names_its_server_and_goes_when_it_is_settled(
    office: Office, tmp_path: Path
) -> None:
    home, clerk = office.home, office.clerk
    clerk.must("server", "expect", "silent-1", "never-1")

    silent = Server(tmp_path, "silent-1", "2026-10-01T00:00:00")
    silent.close("2026-10-02T00:00:00")
    silent.arrive(home)
    silent.open("2026-11-07T00:00:00")  # of which nothing arrives
    silent.use("2026-11-08T00:00:00")
    silent.close("2026-12-01T00:00:00")
    office.emit("silent-1", "2026-11-09")

    cut = Server(tmp_path, "cut-1", "2026-11-01T00:00:00")
    cut.use("2026-11-09T00:00:00")
    cut.kill()
    cut.open("2026-11-12T00:00:00")
    cut.arrive(home)
    cut.use("2026-11-20T00:00:00")
    cut.close("2026-11-21T00:00:00")  # after which it did not serve

    gone = Server(tmp_path, "gone-1", "2026-11-01T00:00:00")
    gone.use("2026-11-02T00:00:00")
    gone.beat("2026-11-03T00:00:00")
    gone.arrive(home)
    back = Server(tmp_path / "new disk", "gone-1", "2026-11-08T00:00:00")

    full = Server(tmp_path, "full-1", "2026-11-01T00:00:00")
    full.close("2026-11-02T00:00:00")
    full.open("2026-11-15T00:00:00", buffer_events=2)
    with no_room():
        for _ in range(5):
            full.emitter.start_participant("acme", "m1", "p1")
    full.close("2026-11-15T01:00:00")
    full.arrive(home)

    tail = Server(tmp_path, "tail-1", "2026-11-01T00:00:00")
    tail.use("2026-11-02T00:00:00")
    (segment,) = tail.disk.glob(f"*/*/{USAGE}/*.avro")
    torn = segment.read_bytes()
    tail.use("2026-11-03T00:00:00", "2026-11-04T00:00:00")
    tail.close("2026-12-02T00:00:00")
    tail.arrive(home)
    (home / "journal" / segment.relative_to(tail.disk)).write_bytes(torn)

    live = Server(tmp_path, "live-1", "2026-11-01T00:00:00")
    live.disk = home / "journal"  # the billing's own: what it writes is there at once
    live.open("2026-11-05T00:00:00")
    live.use("2026-11-06T00:00:00")
    office.emit("live-1", "2026-11-07")

    clerk.must("consume", "--once")
    clerk.must("server", "retire", "gone-1", "--on", "2026-11-05", "--reason", "disk lost")
    back.arrive(home)
    missing = {
        "silent": f"SERVER_SILENT: server silent-1: is expected and was last heard at 2026-10-02"
        f" 00:00:00 UTC, not at {ENDS} or later (what `emit` tells in its name is not its word):"
        f" {BRING}or {retire('silent-1')}",
        "never": f"SERVER_SILENT: server never-1: is expected and was never heard: {BRING}or"
        f" {retire('never-1')}",
        "cut": f"SERVER_BEHIND: source {cut.source}: has told all only up to 2026-11-12 00:00:00"
        f" UTC, not up to {ENDS}: {BRING}{RESTART}{retire('cut-1')}",
        "back": f"SERVER_BEHIND: source {back.source}: has told all only up to 2026-11-08 00:00:00"
        f" UTC, not up to {ENDS}: {BRING}{RESTART}{retire('gone-1')}",
        "full": f"USAGE_REFUSED: source {full.source}: 3 events of usage found no room, told at"
        " 2026-11-15 01:00:00 UTC: nothing brings them back; close with"
        ' `--accept-incomplete "reason"`',
        "tail": f"USAGE_MISSING: source {tail.source}: usage 3 to 6 is not in the log: look in the"
        " journal of tail-1 and `homemeeting forward` it again, or close with"
        ' `--accept-incomplete "reason"`',
        "live": f"SERVER_BEHIND: source {live.source}: has told all only up to 2026-11-05 00:00:00"
        f" UTC, not up to {ENDS}: {BRING}{RESTART}{retire('live-1')}",
    }
    assert office.gaps() == sorted(missing.values())
    assert office.gaps() == sorted(missing.values()), "asking changes nothing"

    def settled(name: str) -> None:
        del missing[name]
        assert office.gaps() == sorted(missing.values())

    silent.arrive(home)
    settled("silent")
    clerk.must("server", "retire", "never-1", "--on", "2026-11-01", "--reason", "never bought")
    settled("never")
    cut.arrive(home)
    settled("cut")
    clerk.must("server", "retire", "gone-1", "--on", "2026-11-09", "--reason", "sold")
    settled("back")
    tail.arrive(home)
    settled("tail")
    live.close("2026-12-01T00:00:00")
    settled("live")
    office.check_closed("--accept-incomplete", "nobody knows these calls")
    closing = clerk.sees("invoice", "show", "HM-2026-000001")["closing"]
    assert [gap["code"] for gap in closing["accepted"]] == ["USAGE_REFUSED"]
    assert {one["server_id"] for one in closing["retired"]} == {"gone-1", "never-1"}
