"""Meeting servers on a disk that may die, and what their callers know: when each thing that was
measured began, was last seen and ended, and what a returned `flush` covers.

A killed server may have told as much as was passed in, and no less than what was flushed.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from producers import Emitter, EmitterSettings
from producers.emitter import UsageHandle
from tests import recount
from tests.oracle_log import read_event
from tests.trouble_disk import Disk, How, Killed, Process

SERVERS: Final = ("fra-1", "nyc-1", "sin-1")
HEARTBEATS: Final = "sources.heartbeat"


@dataclass
class Measured:
    """One thing under its caller's eyes, in its server's time. `end` is None while nobody knows."""

    handle: UsageHandle
    opening: int
    first: bytes  # the record id that it began under
    start: int
    seen: int
    covered: int | None = None
    end: int | None = None
    is_careful: bool = True
    is_bound: bool = True  # what was flushed must be there
    is_open: bool = True


@dataclass
class Server:
    """One meeting server: `latest` is the time that its emitter has come to."""

    name: str
    disk: Disk
    root: Path
    now: Callable[[], int]
    skew_us: int = 0
    openings: int = 0
    process: Process = field(default_factory=Process)
    emitter: Emitter | None = None
    is_careful: bool = True
    latest: int = 0
    measured: list[Measured] = field(default_factory=list)
    issued: set[bytes] = field(default_factory=set)
    careful: set[str] = field(default_factory=set)  # sources

    @property
    def folder(self) -> Path:
        return self.root / f"server={self.name}"

    def clock(self) -> int:
        return self.now() + self.skew_us

    def open(self, *, is_careful: bool = True) -> Emitter:
        """The emitter; a new one where there is none. The careful write through whatever they
        write, others nothing.
        """
        if self.emitter is None:
            self.openings += 1
            self.is_careful = is_careful
            self.latest = self.clock()
            ids = self._ids(self.openings)
            if is_careful:
                self.careful.add(f"{self.name}/{self.openings:032x}")
            with self.disk.run(self.process):
                self.emitter = Emitter(
                    self.root, self.name, "eu", "1", clock=self.clock, threaded=False, ids=ids,
                    settings=EmitterSettings(fsync="always" if is_careful else "never"),
                    incarnation=f"{self.openings:032x}",
                )  # fmt: skip
        self.latest = max(self.latest, self.clock())
        return self.emitter

    def _ids(self, opening: int) -> Callable[[], UUID]:
        count = 0

        def draw() -> UUID:
            nonlocal count
            count += 1
            told = f"{self.name}/{opening}/{count}".encode()
            found = hashlib.blake2b(told, digest_size=16).digest()
            self.issued.add(found)
            return UUID(bytes=found)

        return draw

    def begin(self, meter: str, account: str, **told: Any) -> None:
        emitter = self.open()
        with self.disk.run(self.process):
            handle = emitter.start_feature(meter, account, **told)
        now = self.latest
        self.measured.append(
            Measured(
                handle, self.openings, handle.record_id.bytes, now, now,
                is_careful=self.is_careful,
            )
        )  # fmt: skip

    def _mine(self) -> list[Measured]:
        """Those of the last opening."""
        return [one for one in self.measured if one.opening == self.openings]

    def running(self) -> list[Measured]:
        return [one for one in self.measured if one.is_open]

    def observe(self, nth: int, quantity: int | None, *, stops: bool) -> None:
        if self.emitter is None or not (running := self.running()):
            return
        self.open()
        one = running[nth % len(running)]
        with self.disk.run(self.process):
            (one.handle.stop if stops else one.handle.update)(quantity)
        one.seen = self.latest
        if stops:
            one.end, one.is_open = self.latest, False

    def sample(self, nth: int) -> None:
        emitter = self.open()
        with self.disk.run(self.process):
            emitter.load(
                cpu=0.5, memory=0.25, meetings=nth, participants=nth, capacity=100, egress_bps=nth
            )
            if running := self.running():
                emitter.quality(
                    running[nth % len(running)].handle, client="web", network="wifi",
                    interval_s=30, rtt_ms=float(nth), jitter_ms=1.0, packets_received=nth,
                    packets_lost=nth // 50, bitrate_bps=1000, frozen_ms=0,
                )  # fmt: skip

    def pass_in(self, events: Iterable[Mapping[str, Any]]) -> None:
        emitter = self.open()
        with self.disk.run(self.process):
            for one in events:
                assert emitter.emit("meetings.usage", one)

    def tick(self) -> None:
        if self.emitter is not None:
            emitter = self.open()
            with self.disk.run(self.process):
                emitter.tick()

    def flush(self) -> None:
        if self.emitter is not None:
            emitter = self.open()
            with self.disk.run(self.process):
                emitter.flush()
            for one in self._mine():
                one.covered = one.seen

    def close(self) -> None:
        if self.emitter is not None:
            emitter = self.open()
            with self.disk.run(self.process):
                emitter.close()
            for one in self.running():
                one.seen = one.end = self.latest
                one.is_open = False
            for one in self._mine():
                one.covered = one.seen
            self.emitter = None

    def kill(self, act: str, calls: int, how: How) -> None:
        """In the middle of what it does, at a system call; or right afterwards."""
        self.process.calls_left, self.process.how = calls, how
        with suppress(Killed):
            {"open": self.open, "flush": self.flush, "tick": self.tick, "close": self.close}[act]()
        self.disk.bury(self.process)
        self.process, self.emitter = Process(), None
        for one in self._mine():
            if one.is_open or one.covered != one.seen:
                one.seen = self.latest if one.is_open else one.seen
                one.is_open, one.end = False, None

    def fail(self, permille: int) -> None:
        """The power fails, of this machine alone. `kill` comes first."""
        self.disk.cut(self.folder, permille)
        for one in self.measured:
            if not one.is_careful:
                one.is_bound, one.end = False, None

    def check(self, states: Mapping[recount.Identity, Mapping[str, Any]]) -> None:
        """What the journals say of each thing measured, record after record."""
        following = {state["continues"]: (key, state) for key, state in states.items()}
        by_id = {key[0]: (key, state) for key, state in states.items()}
        for one in self.measured:
            length, at, found = 0, one.start, by_id.get(one.first)
            while found:
                key, state = found
                assert key[1] == at, "a record begins where the one before it ended"
                length += state["seen"] - at
                at = state["seen"]
                found = following.get(key[0])
            if one.end is not None:
                assert length == one.end - one.start, (self.name, length, one)
            elif one.is_bound and one.covered is not None:
                assert one.first in by_id, (self.name, one)
                assert one.covered - one.start <= length, (self.name, length, one)
            last = self.latest if one.is_open else one.seen
            assert length <= last - one.start, (self.name, length, one)

    def check_settled(self, messages: Iterable[tuple[str, str, int, bytes]]) -> None:
        """By its own messages: whoever opened with a heartbeat has named how far each opening
        before came that did not close: of those that wrote through whatever they told, all that is
        there. Of nobody more is named than is there, whenever the power failed.
        """
        last: dict[str, dict[str, int]] = {}
        beats: dict[str, list[Mapping[str, Any]]] = {}
        for topic, source, number, payload in messages:
            last.setdefault(source, {})[topic] = number
            if topic == HEARTBEATS and (beat := read_event(topic, payload)):
                beats.setdefault(source, []).append(beat)
        closed = {
            source for source, some in beats.items() if any(one["phase"] == "CLOSE" for one in some)
        }
        for source, some in beats.items():
            named = {(one["source"], one["topic"]): one["last"] for one in some[0]["totals"]}
            for (earlier, topic), number in named.items():
                there = last.get(earlier, {}).get(topic, 0)
                assert earlier == source or number <= there, (source, earlier, topic, number, there)
            for earlier in self.careful - closed:
                if earlier < source:
                    for topic, number in last.get(earlier, {}).items():
                        found = named.get((earlier, topic), 0)
                        assert found >= number, (source, earlier, topic, found, number)
