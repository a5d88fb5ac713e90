"""What would happen in a simulated month: accounts, their rhythm, their meetings, call quality.

Plans only, each drawn from a random stream of its own, so that one more account changes no other.
Knows no emitter and no clock; `simulator` lets the plans happen.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, TypedDict

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
# 1 January 1970 was a Thursday.
_EPOCH_WEEKDAY: Final = 3
_WEEKEND_SHARE: Final = 0.22
_DIAL_IN_SHARE: Final = 0.06
_LOST_SHARE: Final = 0.0015
# Share of a day's meetings that begin in each local hour: mornings, afternoons, some evenings.
_WORKDAY: Final = (0, 0, 0, 0, 0, 0, 1, 4, 10, 14, 14, 10, 5, 9, 13, 12, 9, 5, 3, 4, 5, 3, 1, 0)
_WEEKEND: Final = (0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 6, 7, 5, 4, 5, 6, 6, 7, 9, 12, 13, 9, 4, 1)


@dataclass(frozen=True, slots=True)
class Server:
    """A meeting server, with room for `capacity` participants where there are 200 accounts.

    `strain` is the factor of its version on jitter, loss, freezes and joining.
    """

    server_id: str
    region: str
    version: str
    capacity: int
    strain: float


@dataclass(frozen=True, slots=True)
class Network:
    """How a participant is connected, with what that costs."""

    name: str
    rtt_ms: float
    jitter_ms: float
    loss: float


@dataclass(frozen=True, slots=True)
class Seat:
    """One participant's connection. `country` marks a telephone; a `lost` one is never stopped."""

    participant_id: str
    join: int
    leave: int
    client: str
    network: Network
    country: str | None
    lost: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A feature in use, by one participant or by the meeting as a whole."""

    meter: str
    start: int
    end: int
    participant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """`end` is None for a room that stands open as long as the simulation lasts."""

    account_id: str
    meeting_id: str
    server: Server
    start: int
    end: int | None
    seats: tuple[Seat, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Size:
    meetings: float
    seats_min: int
    seats_max: int
    recorded: float


_OLD: Final = "4.2.1"
_NEW: Final = "4.3.0"
# The newer version is the worse one: that is what tuning is to find.
SERVERS: Final = (
    Server("fra-1", "eu-central", _OLD, 120, 1.0),
    Server("fra-2", "eu-central", _NEW, 120, 1.9),
    Server("nyc-1", "us-east", _OLD, 90, 1.0),
    Server("nyc-2", "us-east", _NEW, 90, 1.9),
    Server("sin-1", "ap-southeast", _OLD, 48, 1.0),
    Server("sin-2", "ap-southeast", _OLD, 48, 1.0),
)
_HOURS_EAST: Final = {"eu-central": 1, "us-east": -5, "ap-southeast": 8}
_REGION_SHARES: Final = {"eu-central": 55, "us-east": 30, "ap-southeast": 15}
_COUNTRIES: Final = {
    "eu-central": ("DE", "FR", "GB", "AT"),
    "us-east": ("US", "US", "CA"),
    "ap-southeast": ("SG", "IN", "JP"),
}
_NETWORKS: Final = (
    Network("wired", 14.0, 2.0, 0.0004),
    Network("wifi", 26.0, 5.0, 0.003),
    Network("cellular", 68.0, 15.0, 0.03),
)
_NETWORK_SHARES: Final = (30, 52, 18)
_CLIENTS: Final = ("web-141", "desktop-6.2", "ios-6.1", "android-6.1")
_CLIENT_SHARES: Final = (45, 35, 11, 9)
_SMALL: Final = _Size(0.9, 2, 4, 0.05)
_MEDIUM: Final = _Size(3.2, 2, 8, 0.15)
_LARGE: Final = _Size(11.0, 3, 18, 0.30)


class Measured(TypedDict):
    """A quality sample's numbers, as `Emitter.quality` takes them."""

    interval_s: int
    rtt_ms: float
    jitter_ms: float
    packets_received: int
    packets_lost: int
    bitrate_bps: int
    frozen_ms: int


class Account:
    """One customer: how large, where at home, and what its people do on a given day."""

    def __init__(self, seed: int, number: int) -> None:
        self.account_id = f"a{number:04d}"
        self._stream = f"{seed}/{self.account_id}"
        rng = Random(self._stream)
        self._size = rng.choices((_SMALL, _MEDIUM, _LARGE), (70, 24, 6))[0]
        self._rate = self._size.meetings * rng.uniform(0.6, 1.4)
        self._region = rng.choices(list(_REGION_SHARES), list(_REGION_SHARES.values()))[0]
        self._people = 3 * self._size.seats_max
        self._stands = number % 97 == 5

    def room(self, start: int) -> Meeting | None:
        """The room that a few accounts keep open day and night."""
        if not self._stands:
            return None
        server = self._server(Random(f"{self._stream}/room"))
        return Meeting(self.account_id, f"{self.account_id}-lobby", server, start, None, (), ())

    def meetings(self, day: int) -> Iterator[Meeting]:
        """The meetings that begin on the UTC day `day`, counted from 1970."""
        rng = Random(f"{self._stream}/{day}")
        weights = _hour_weights(day, _HOURS_EAST[self._region])
        count = _poisson(rng, self._rate * sum(weights))
        for number, hour in enumerate(rng.choices(range(24), weights, k=count), start=1):
            # Meetings are called for the full hour or the half, and begin about then.
            minutes = rng.choice((0, 0, 30)) + rng.uniform(0, 12)
            start = day * DAY_US + hour * HOUR_US + int(minutes * MINUTE_US)
            yield self._meeting(rng, f"{self.account_id}-{day}-{number}", start)

    def _meeting(self, rng: Random, meeting_id: str, start: int) -> Meeting:
        planned = rng.choices((15, 30, 45, 60, 90, 150), (10, 30, 20, 28, 9, 3))[0]
        end = start + int(planned * rng.uniform(0.6, 1.15) * MINUTE_US)
        wanted = min(
            self._size.seats_min + int(rng.expovariate(1 / 2.2)),
            self._size.seats_max,
        )
        people = rng.sample(range(1, self._people + 1), wanted)
        seats = [seat for person in people for seat in self._seats(rng, person, start, end)]
        server = self._server(rng)
        spans = tuple(self._spans(rng, seats, start, end))
        return Meeting(self.account_id, meeting_id, server, start, end, tuple(seats), spans)

    def _seats(self, rng: Random, person: int, start: int, end: int) -> Iterator[Seat]:
        """One connection, or two where the first one breaks."""
        participant = f"{self.account_id}-p{person}"
        length = end - start
        join = start + int(min(rng.expovariate(1 / 90) * SECOND_US, length * 0.5))
        leave = end
        if rng.random() < 0.12:
            leave = join + int((end - join) * rng.uniform(0.2, 0.95))
        country = None
        if rng.random() < _DIAL_IN_SHARE:
            country = rng.choice(_COUNTRIES[self._region])
        network = rng.choices(_NETWORKS, _NETWORK_SHARES)[0]
        client = rng.choices(_CLIENTS, _CLIENT_SHARES)[0]
        lost = rng.random() < _LOST_SHARE
        if not lost and country is None and rng.random() < 2 * network.loss:
            broken = join + int((leave - join) * rng.uniform(0.1, 0.8))
            again = broken + rng.randint(4, 40) * SECOND_US
            yield Seat(participant, join, broken, client, network, None, False)
            if again >= leave:
                return
            join = again
        yield Seat(participant, join, leave, client, network, country, lost)

    def _spans(self, rng: Random, seats: list[Seat], start: int, end: int) -> Iterator[Span]:
        if rng.random() < self._size.recorded:
            yield Span("recording", *_part(rng, start, end))
        if rng.random() < 0.08:
            yield Span("whiteboard", *_part(rng, start, end))
        if rng.random() < 0.45:
            seat = rng.choice(seats)
            yield Span("screen_share", *_part(rng, seat.join, seat.leave), seat.participant_id)

    def _server(self, rng: Random) -> Server:
        return rng.choice([server for server in SERVERS if server.region == self._region])


def join_ms(rng: Random, seat: Seat, server: Server) -> int:
    """Milliseconds from click to first media."""
    return int((420 * server.strain + 6 * seat.network.rtt_ms) * rng.lognormvariate(0, 0.4))


def quality(rng: Random, seat: Seat, server: Server, busy: float, seconds: int) -> Measured:
    """What one connection measured over `seconds`; `busy` is its server's share of capacity."""
    network, luck = seat.network, rng.lognormvariate(0, 0.35)
    crowd = 1 + 0.8 * busy * busy
    sent = 130 * seconds
    lost = min(sent, int(sent * network.loss * server.strain * crowd * rng.expovariate(1)))
    jitter = network.jitter_ms * server.strain * crowd * luck
    frozen = min(1000 * seconds, int(9_000 * seconds * (lost / sent) ** 1.5 * server.strain))
    return {
        "interval_s": seconds,
        "rtt_ms": round(network.rtt_ms * crowd * luck + 8, 2),
        "jitter_ms": round(jitter, 2),
        "packets_received": sent - lost,
        "packets_lost": lost,
        "bitrate_bps": int(1_300_000 * (1 - lost / sent) / luck),
        "frozen_ms": frozen,
    }


def _part(rng: Random, start: int, end: int) -> tuple[int, int]:
    length = end - start
    return start + int(length * rng.uniform(0, 0.3)), start + int(length * rng.uniform(0.5, 1))


def _hour_weights(day: int, hours_east: int) -> list[float]:
    """The share of a workday's meetings in each UTC hour of `day`, for people `hours_east`."""
    weights = []
    for hour in range(24):
        local_day, local_hour = divmod(day * 24 + hour + hours_east, 24)
        weekend = (local_day + _EPOCH_WEEKDAY) % 7 >= 5
        if weekend:
            weights.append(_WEEKEND_SHARE * _WEEKEND[local_hour] / sum(_WEEKEND))
        else:
            weights.append(_WORKDAY[local_hour] / sum(_WORKDAY))
    return weights


def _poisson(rng: Random, mean: float) -> int:
    """Knuth's way, which is good for small means."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
