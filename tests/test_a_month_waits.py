"""What a clerk is told of servers that fell silent, were cut off, lost their tail, refused usage or
have files emitted beside them: which server, what, since when, and what to type. Once it is settled
so, the month closes, with all that the journal holds.

Every server has a disk of its own, of which the billing's home gets what has arrived.
"""

import random
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.instants import instant, micros
from producers import Emitter, EmitterSettings
from schemas import decode
from tests import recount
from tests.clerk import Clerk
from tests.fire import some

USAGE, BERLIN = "meetings.usage", ZoneInfo("Europe/Berlin")
MONTH = "2026-11"
CLOSE = ("invoice", "run", "--month", MONTH, "--finalize", "--format", "csv")
ENDS = "2026-11-30 23:00:00 UTC"
BRING = "bring its journal in by `forward` and `consume`, "
RESTART = "start the server again where it was killed, or "
RETIRE = "`homemeeting server retire {} --on DATE --reason R`"


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

    def retire(self, server: str, day: str) -> None:
        self.clerk.must("server", "retire", server, "--on", day, "--reason", "sold")

    def recount(self) -> int:
        """Records of the month in the journal; each costs 1 EUR."""
        told = [
            one for topic, _, one in recount.read_journal(self.home / "journal") if topic == USAGE
        ]
        events = decode(USAGE, told).columns.to_pylist()
        starts = [instant(key[1]).astimezone(BERLIN) for key in recount.records(events)]
        return sum(f"{start:%Y-%m}" == MONTH for start in starts)

    def check_closed(self, *words: str) -> None:
        (document,) = self.clerk.close(MONTH, *words)
        assert (document["status"], document["total"]) == ("final", f"{self.recount()}.00")


CODES = {
    "GRACE_TIME", "SERVER_SILENT", "SERVER_BEHIND", "USAGE_MISSING", "USAGE_IN_FLIGHT",
    "USAGE_REFUSED", "QUARANTINE_OPEN",
}  # fmt: skip


class Trouble:
    """Eight servers in November, and a file that somebody emitted in the name of two of them."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder, self.home = office, folder, office.home
        office.clerk.must("server", "expect", "silent-1", "never-1")
        self.silent = self._silent()
        self.cut = self._cut()
        self.full = self._full()
        self.tail = self._tail()
        self.live = self._live()
        self.fast = self._fast()
        self.back = self._back()

    def _silent(self) -> Server:
        """Heard in October; of its next opening nothing arrives."""
        found = Server(self.folder, "silent-1", "2026-10-01T00:00:00")
        found.close("2026-10-02T00:00:00")
        found.arrive(self.home)
        found.open("2026-11-07T00:00:00")
        found.use("2026-11-08T00:00:00")
        found.close("2026-12-01T00:00:00")
        self.office.emit("silent-1", "2026-11-09")
        return found

    def _cut(self) -> Server:
        """Killed, opened again, and cut off after that was heard."""
        found = Server(self.folder, "cut-1", "2026-11-01T00:00:00")
        found.use("2026-11-09T00:00:00")
        found.kill()
        found.open("2026-11-12T00:00:00")
        found.arrive(self.home)
        found.use("2026-11-20T00:00:00")
        found.close("2026-11-21T00:00:00")
        return found

    def _full(self) -> Server:
        """It took five records, and had room for two."""
        found = Server(self.folder, "full-1", "2026-11-01T00:00:00")
        found.close("2026-11-02T00:00:00")
        found.open("2026-11-15T00:00:00", buffer_events=2)
        with no_room():
            for _ in range(5):
                found.emitter.start_participant("acme", "m1", "p1")
        found.close("2026-11-15T01:00:00")
        found.arrive(self.home)
        return found

    def _tail(self) -> Server:
        """All of it arrives but the end of its usage."""
        found = Server(self.folder, "tail-1", "2026-11-01T00:00:00")
        found.use("2026-11-02T00:00:00")
        (segment,) = found.disk.glob(f"*/*/{USAGE}/*.avro")
        torn = segment.read_bytes()
        found.use("2026-11-03T00:00:00", "2026-11-04T00:00:00")
        found.close("2026-12-02T00:00:00")
        found.arrive(self.home)
        (self.home / "journal" / segment.relative_to(found.disk)).write_bytes(torn)
        return found

    def _live(self) -> Server:
        """It runs on the billing's own disk while somebody emits a file in its name."""
        found = Server(self.folder, "live-1", "2026-11-01T00:00:00")
        found.disk = self.home / "journal"
        found.open("2026-11-05T00:00:00")
        found.use("2026-11-06T00:00:00")
        self.office.emit("live-1", "2026-11-07")
        return found

    def _fast(self) -> Server:
        """Its clock ran ahead by months; it was killed, and its next opening did not arrive."""
        found = Server(self.folder, "fast-1", "2026-11-01T00:00:00")
        found.use("2026-11-02T00:00:00")
        found.beat("2027-06-01T00:00:00")
        found.arrive(self.home)
        self.fast_source = found.source
        found.kill()
        found.open("2026-11-10T00:00:00")
        found.use("2026-11-11T00:00:00")
        found.close("2026-12-01T00:00:00")
        return found

    def _back(self) -> Server:
        """It lost its disk, was retired, and speaks from a new one."""
        gone = Server(self.folder, "gone-1", "2026-11-01T00:00:00")
        gone.use("2026-11-02T00:00:00")
        gone.beat("2026-11-03T00:00:00")
        gone.arrive(self.home)
        self.office.clerk.must("consume", "--once")
        self.office.retire("gone-1", "2026-11-05")
        found = Server(self.folder / "new disk", "gone-1", "2026-11-08T00:00:00")
        found.arrive(self.home)
        return found

    def missing(self) -> dict[str, str]:
        """What a clerk reads, by server."""
        no_override = 'close with `--accept-incomplete "reason"`'
        return {
            "silent": "SERVER_SILENT: server silent-1: is expected and was last heard at 2026-10-02"
            f" 00:00:00 UTC, not at {ENDS} or later (what `emit` tells in its name is not its"
            f" word): {BRING}or {RETIRE.format('silent-1')}",
            "never": "SERVER_SILENT: server never-1: is expected and was never heard:"
            f" {BRING}or {RETIRE.format('never-1')}",
            "cut": _behind(self.cut, "2026-11-12"),
            "back": _behind(self.back, "2026-11-08"),
            "fast": f"SERVER_BEHIND: source {self.fast_source}: has a clock that runs ahead and"
            f" told all up to 2027-06-01 00:00:00 UTC: {BRING}{RESTART}{RETIRE.format('fast-1')}",
            "live": _behind(self.live, "2026-11-05"),
            "full": f"USAGE_REFUSED: source {self.full.source}: 3 events of usage found no room,"
            f" told at 2026-11-15 01:00:00 UTC: nothing brings them back; {no_override}",
            "tail": f"USAGE_MISSING: source {self.tail.source}: usage 3 to 6 is not in the log:"
            f" look in the journal of tail-1 and `homemeeting forward` it again, or {no_override}",
        }


def _behind(server: Server, day: str) -> str:
    told = f"has told all only up to {day} 00:00:00 UTC, not up to {ENDS}"
    place = f"SERVER_BEHIND: source {server.source}"
    return f"{place}: {told}: {BRING}{RESTART}{RETIRE.format(server.name)}"


@pytest.mark.fire
@pytest.mark.long
def test_each_gap_names_its_server_and_goes_when_it_is_settled(
    tmp_path: Path, rng: random.Random
) -> None:
    office = Office(tmp_path)
    trouble = Trouble(office, tmp_path)
    missing = trouble.missing()
    assert office.gaps() == sorted(missing.values())
    settling: dict[str, Callable[[], object]] = {
        "silent": lambda: trouble.silent.arrive(office.home),
        "never": lambda: office.retire("never-1", "2026-11-01"),
        "cut": lambda: trouble.cut.arrive(office.home),
        "back": lambda: office.retire("gone-1", "2026-11-09"),
        "tail": lambda: trouble.tail.arrive(office.home),
        "fast": lambda: trouble.fast.arrive(office.home),
        "live": lambda: trouble.live.close("2026-12-01T00:00:00"),
    }
    asked = some(rng, range(len(settling)), 2)
    for number, name in enumerate(rng.sample(list(settling), len(settling))):
        settling[name]()
        del missing[name]
        if number in asked:
            assert office.gaps() == sorted(missing.values()), name
    assert office.gaps() == [missing["full"]]
    office.check_closed("--accept-incomplete", "nobody knows these calls")
    closing = office.clerk.sees("invoice", "show", "HM-2026-000001")["closing"]
    assert [gap["code"] for gap in closing["accepted"]] == ["USAGE_REFUSED"]
    assert {one["server_id"] for one in closing["retired"]} == {"gone-1", "never-1"}
