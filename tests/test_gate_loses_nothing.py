"""Whatever servers live through and whatever the log has of it: a period that the gate calls
complete has all usage that was observed before its end.

Servers start, are killed, begin again on their disk or on a new one, refuse what finds no room;
the log lacks what was lost or is not forwarded yet. What truly happened is known to the test alone.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from billing import open_books
from billing.completeness import find_gaps
from billing.queries import COPIES
from consumers import Projector
from edge import Settings
from eventlog import Partition, Slice
from schemas import encode
from tests.billed import NO_USAGE
from warehouse import lend_tables, open_store

USAGE, BEATS = "meetings.usage", "sources.heartbeat"
T: Final = 1_790_000_000_000_000
HOURS: Final = 200  # of which each server lives some
HOUR: Final = 3_600_000_000
PERIODS: Final = [
    (T + a * HOUR, T + b * HOUR) for a, b in itertools.combinations(range(0, HOURS, 20), 2)
]


@dataclass
class Incarnation:
    """What one opening of a server's journal wrote, in order, and what befell it.

    `facts`: of each event of usage its start, when it was observed, and its sequence, or None
    where it found no room.
    """

    source: str
    wrote: list[tuple[str, bytes]] = field(default_factory=list)
    facts: list[tuple[int, int, int | None]] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=lambda: {USAGE: 0, BEATS: 0})
    settles: list[str] = field(default_factory=list)
    refused: int = 0
    told_refused: int = 0
    closed: bool = False

    def observe(self, rng: random.Random, started: int, at: int) -> None:
        if rng.random() < 0.01:
            self.refused += 1
            self.facts.append((started, at, None))
            return
        self.last[USAGE] += 1
        self.facts.append((started, at, self.last[USAGE]))
        event = {
            "source": self.source, "sequence": self.last[USAGE], "phase": "INTERIM",
            "record_id": rng.randbytes(16), "account_id": "acme", "meeting_id": "m",
            "participant_id": None, "meter": "participant", "variant": None, "server_id": "s",
            "region": "eu", "started_at": started, "observed_at": at, "quantity": None,
            "continues": None,
        }  # fmt: skip
        self.wrote.append((USAGE, encode(USAGE, event)))

    def beat(self, phase: str, at: int, settled: list["Incarnation"]) -> None:
        self.last[BEATS] += 1
        self.told_refused = self.refused
        self.settles += [one.source for one in settled]
        totals = [
            {"source": one.source, "topic": topic, "last": last, "refused": 0}
            for one in settled
            for topic, last in one.last.items()
        ]
        own = {"source": self.source, "last": self.last[USAGE], "refused": self.refused}
        event = {
            "source": self.source, "sequence": self.last[BEATS], "phase": phase, "beat_at": at,
            "server_id": self.source.partition("/")[0], "watermark": at,
            "totals": [*totals, {**own, "topic": USAGE}],
        }  # fmt: skip
        self.wrote.append((BEATS, encode(BEATS, event)))


def live(rng: random.Random, server: str) -> Iterator[Incarnation]:
    """The incarnations of a server: an event or a heartbeat an hour, now and then an end."""
    at = rng.randrange(HOURS // 2)
    disk: list[Incarnation] = []
    for number in itertools.count():
        if at >= HOURS:
            return
        one = Incarnation(f"{server}/{number}")
        one.beat("OPEN", T + at * HOUR, [old for old in disk if not old.closed])
        disk.append(one)
        while (at := at + 1) < HOURS:
            now = T + at * HOUR + rng.choice([-1, 0, 1])
            if rng.random() < 0.6:
                # Half of what runs began in the last 48 hours, under whichever incarnation.
                one.observe(rng, now - rng.choice([0, rng.randrange(48 * HOUR)]), now)
            else:
                one.beat("BEAT", now, [])
            if rng.random() < 0.03:
                break
        one.closed = rng.random() < 0.5
        if one.closed:
            one.beat("CLOSE", T + at * HOUR + 2, [])
        yield one
        at += 1 + rng.choice([0, 10, HOURS])
        if rng.random() < 0.2:
            disk = []  # another disk under the same name


def read(
    rng: random.Random, home: Settings, lives: list[Incarnation]
) -> tuple[set[tuple[str, int]], set[str]]:
    """Project what the log has of it: the sequences of usage that it has, and the sources that it
    names at all.
    """
    lossy, late = rng.random() < 0.3, rng.random() < 0.3
    there: dict[str, list[bytes]] = {USAGE: [], BEATS: []}
    found: set[tuple[str, int]] = set()
    named: set[str] = set()
    for one in lives:
        numbers = {topic: itertools.count(1) for topic in there}
        cut = rng.randrange(len(one.wrote) + 1) if late and rng.random() < 0.3 else None
        for topic, payload in one.wrote[:cut]:
            number = next(numbers[topic])
            if lossy and rng.random() < 0.01:
                continue
            there[topic].append(payload)
            named |= {one.source, *(one.settles if (topic, number) == (BEATS, 1) else ())}
            if topic == USAGE:
                found.add((one.source, number))
    with open_store(home.usage, "usage").closing() as store:
        slices = [
            Slice(Partition("c/t", topic, "0"), 0, len(all_), list(range(len(all_))), all_,
                  [None] * len(all_), None)
            for topic, all_ in there.items() if all_
        ]  # fmt: skip
        ends = {piece.partition: piece.next for piece in slices}
        Projector(store, lambda: T).apply(slices, lambda topics: ends)
    return found, named


def complete_periods(home: Settings) -> set[tuple[int, int]]:
    with open_books(home) as books:
        with lend_tables(books, home.usage, "usage", COPIES.all(), NO_USAGE):
            find_gaps(books, home, PERIODS, T + 9 * HOURS * HOUR)
        return set(PERIODS) - set(books.rows("SELECT start_us, end_us FROM gaps_found"))


def lacks(one: Incarnation, found: set[tuple[str, int]], start: int, end: int) -> bool:
    """Whether usage of the period that this incarnation observed before its end is not there. What
    was refused and never told died with the process.
    """
    refused = 0
    for started, at, number in one.facts:
        refused += number is None
        is_told = number is not None or refused <= one.told_refused
        if is_told and start <= started and at < end and (one.source, number or 0) not in found:
            return True
    return False


@pytest.mark.seeds(3)
def test_what_is_called_complete_lacks_nothing(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    calm, held = 0, 0
    for number in range(100):
        if number >= 8 and min(calm, held) > 20:
            break  # hardly ever are so few complete in eight
        folder = tmp_path / str(number)
        folder.mkdir()
        home = Settings(folder, None, "clerk", grace_hours=0)
        lives = [
            one for server in ("a", "b", "c")[: rng.randrange(1, 4)] for one in live(rng, server)
        ]
        found, named = read(rng, home, lives)
        complete = complete_periods(home)
        # What nobody has heard of cannot be missed.
        lives = [one for one in lives if one.source in named]
        for period in complete:
            assert [one.source for one in lives if lacks(one, found, *period)] == [], period
        calm, held = calm + len(complete), held + len(PERIODS) - len(complete)
    assert calm > 20 and held > 20, (calm, held)
