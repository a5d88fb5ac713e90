"""The simulator: planned meetings happen on a simulated clock and reach the journal by emitters.

Owns the clock, the order of what happens and the servers; what happens is `simulated_month`'s.
One seed gives the same facts on every run, but for the source, which each opening makes anew.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from edge import Refused
from eventlog import JournalSource
from producers.emitter import Emitter, UsageHandle
from producers.engine import EmitterSettings
from producers.simulated_month import (
    DAY_US,
    SECOND_US,
    SERVERS,
    Account,
    Meeting,
    Seat,
    Server,
    Span,
    join_ms,
    quality,
)
from schemas import TOPICS

_RECORDED_BYTES_S: Final = 160_000
_SAMPLE_S_MIN: Final = 5
_ACCOUNTS_SERVED: Final = 200
# Simulated hours pass in seconds, so the emitter writes by simulated hours: large blocks.
_SETTINGS: Final = EmitterSettings(
    flush_interval_ms=3 * 3600 * 1000, interim_s=900, beat_s=3 * 3600
)
# What happens, as a generator of the times at which it wants to go on.
_Happening = Iterator[int]


@dataclass(frozen=True, slots=True)
class Workload:
    """What to simulate: [`start_day`, `end_day`) are UTC days since 1970.

    A connection's quality is sampled every `quality_s`, a server's load every `load_s`.
    """

    accounts: int
    start_day: int
    end_day: int
    seed: int
    quality_s: int = 200
    load_s: int = 300

    def __post_init__(self) -> None:
        assert self.accounts > 0 and self.start_day < self.end_day
        assert self.quality_s >= _SAMPLE_S_MIN and self.load_s >= 60


def simulate(
    journal: Path, workload: Workload, progress: Callable[[int], object] = lambda days: None
) -> int:
    """Write the facts of `workload` into `journal`; how many events, heartbeats included.

    `progress` is called with 1 after each simulated day. Refuses where the journal cannot be
    written.
    """
    world = _World(workload)
    with ExitStack() as stack:
        sites = {
            server.server_id: world.site(
                server, stack.enter_context(world.emitter(journal, server))
            )
            for server in SERVERS
        }
        world.run(sites, progress)
    if any(site.emitter.refused for site in sites.values()):
        raise Refused("JOURNAL_WRITE", f"{journal} refused writes for so long that facts were lost")
    sources = {site.emitter.source for site in sites.values()}
    ends = JournalSource(journal).ends(TOPICS)
    return sum(end - 1 for place, end in ends.items() if place.partition in sources)


@dataclass(slots=True)
class _Site:
    """A server while it runs."""

    server: Server
    emitter: Emitter
    capacity: int
    meetings: int = 0
    participants: int = 0

    @property
    def busy(self) -> float:
        return min(1.0, self.participants / self.capacity)


@dataclass(slots=True)
class _Attendance:
    """Who is in one meeting now, and the most there ever were."""

    handle: UsageHandle
    present: int = 0
    peak: int = 0

    def arrive(self) -> None:
        self.present += 1
        if self.present > self.peak:
            self.peak = self.present
            self.handle.update(self.peak)


class _World:
    """The simulated clock and all that is to happen, in order of time."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._now = workload.start_day * DAY_US
        self._agenda: list[tuple[int, int, _Happening]] = []
        self._added = 0
        # Two streams: a changed number of draws for quality must not change every id.
        self._ids = Random(f"{workload.seed}/ids")
        self._rng = Random(f"{workload.seed}/quality")

    def emitter(self, journal: Path, server: Server) -> Emitter:
        return Emitter(
            journal,
            server.server_id,
            server.region,
            server.version,
            clock=lambda: self._now,
            settings=_SETTINGS,
            threaded=False,
            ids=self._new_id,
        )

    def site(self, server: Server, emitter: Emitter) -> _Site:
        """More accounts are served by larger servers."""
        scale = max(_ACCOUNTS_SERVED, self._workload.accounts)
        return _Site(server, emitter, server.capacity * scale // _ACCOUNTS_SERVED)

    def run(self, sites: dict[str, _Site], progress: Callable[[int], object]) -> None:
        load = self._workload
        for site in sites.values():
            self._add(self._server(site))
        for number in range(1, load.accounts + 1):
            self._add(self._account(Account(load.seed, number), sites))
        for day in range(load.start_day, load.end_day):
            self._run_until((day + 1) * DAY_US)
            progress(1)

    def _run_until(self, end: int) -> None:
        while self._agenda and self._agenda[0][0] < end:
            self._now, _, happening = heapq.heappop(self._agenda)
            self._add(happening)
        self._now = end

    def _add(self, happening: _Happening) -> None:
        """Let it happen up to its next time. What was added first goes first among equals."""
        if (at := next(happening, None)) is not None:
            self._added += 1
            heapq.heappush(self._agenda, (max(at, self._now), self._added, happening))

    def _new_id(self) -> UUID:
        return UUID(int=self._ids.getrandbits(128), version=4)

    def _server(self, site: _Site) -> _Happening:
        """Load samples; the emitter's own work falls due with them."""
        rng = self._rng
        while True:
            yield self._now + self._workload.load_s * SECOND_US
            site.emitter.load(
                cpu=round(min(1.0, (0.06 + 0.8 * site.busy) * rng.uniform(0.85, 1.15)), 4),
                memory=round(min(1.0, (0.22 + 0.5 * site.busy) * rng.uniform(0.95, 1.05)), 4),
                meetings=site.meetings,
                participants=site.participants,
                capacity=site.capacity,
                egress_bps=int(site.participants * 1_300_000 * rng.uniform(0.9, 1.1)),
            )
            site.emitter.tick()

    def _account(self, account: Account, sites: dict[str, _Site]) -> _Happening:
        """Plan one day at a time: a month's plans at once would fill the memory."""
        start = self._workload.start_day
        if room := account.room(start * DAY_US):
            self._add(self._meeting(room, sites[room.server.server_id]))
        for day in range(start, self._workload.end_day):
            yield day * DAY_US
            for meeting in account.meetings(day):
                self._add(self._meeting(meeting, sites[meeting.server.server_id]))

    def _meeting(self, meeting: Meeting, site: _Site) -> _Happening:
        yield meeting.start
        handle = site.emitter.start_meeting(meeting.account_id, meeting.meeting_id, quantity=0)
        if meeting.end is None:
            return
        site.meetings += 1
        here = _Attendance(handle)
        for seat in meeting.seats:
            self._add(self._lost(meeting, seat, site) if seat.lost else
                      self._seat(meeting, seat, site, here))  # fmt: skip
        for span in meeting.spans:
            self._add(self._feature(meeting, span, site))
        yield meeting.end
        handle.stop(here.peak)
        site.meetings -= 1

    def _seat(self, meeting: Meeting, seat: Seat, site: _Site, here: _Attendance) -> _Happening:
        yield seat.join
        ids = (meeting.account_id, meeting.meeting_id, seat.participant_id)
        connection = site.emitter.start_participant(*ids)
        leg = None
        if seat.country:
            leg = site.emitter.start_feature("dial_in", *ids, variant=seat.country)
        site.participants += 1
        here.arrive()
        # A telephone has no statistics of its own.
        if leg is None:
            yield from self._samples(connection, seat, site)
        yield seat.leave
        connection.stop()
        if leg:
            leg.stop()
        site.participants -= 1
        here.present -= 1

    def _samples(self, connection: UsageHandle, seat: Seat, site: _Site) -> _Happening:
        """A sample per interval and one for the rest, the time of joining on the first."""
        joined: int | None = join_ms(self._rng, seat, site.server)
        left = (seat.leave - seat.join) // SECOND_US
        at = seat.join
        while (seconds := min(self._workload.quality_s, left)) >= _SAMPLE_S_MIN:
            at, left = at + seconds * SECOND_US, left - seconds
            yield at
            measured = quality(self._rng, seat, site.server, site.busy, seconds)
            site.emitter.quality(
                connection,
                client=seat.client,
                network=seat.network.name,
                join_ms=joined,
                **measured,
            )
            joined = None

    def _lost(self, meeting: Meeting, seat: Seat, site: _Site) -> _Happening:
        """A connection whose server forgets it: seen for a while, never stopped."""
        event = {
            "record_id": self._new_id(),
            "account_id": meeting.account_id,
            "meeting_id": meeting.meeting_id,
            "participant_id": seat.participant_id,
            "meter": "participant",
            "server_id": site.server.server_id,
            "region": site.server.region,
            "started_at": seat.join,
        }
        half = seat.join + (seat.leave - seat.join) // 2
        for at, phase in ((seat.join, "START"), (half, "INTERIM")):
            yield at
            site.emitter.emit("meetings.usage", {**event, "phase": phase, "observed_at": at})

    def _feature(self, meeting: Meeting, span: Span, site: _Site) -> _Happening:
        yield span.start
        recorded = span.meter == "recording"
        handle = site.emitter.start_feature(
            span.meter,
            meeting.account_id,
            meeting.meeting_id,
            span.participant_id,
            quantity=0 if recorded else None,
        )
        yield span.end
        octets = (span.end - span.start) * _RECORDED_BYTES_S // SECOND_US
        handle.stop(octets if recorded else None)
