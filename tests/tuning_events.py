"""Events for the tests of tuning: five servers in two regions, of which fra-3 is slow."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consumers import Projector
from eventlog import Partition, Slice
from schemas import encode
from warehouse import Store

START, END = date(2026, 10, 1), date(2026, 10, 4)
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERVERS = {"fra-1": "eu", "fra-2": "eu", "fra-3": "eu", "iad-1": "us", "iad-2": "us"}


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def sample(rng: random.Random, n: int) -> dict[str, Any]:
    server = rng.choice(sorted(SERVERS))
    slow = 3 if server == "fra-3" else 1
    return {
        "source": "s/0", "sequence": n, "record_id": rng.randbytes(16), "account_id": "a",
        "meeting_id": "m", "server_id": server, "server_version": rng.choice(["1.4", "1.5"]),
        "region": SERVERS[server], "client": rng.choice(["web", "ios"]),
        "network": rng.choice(["wifi", "cellular"]),
        "sampled_at": us(FIRST) + rng.randrange(72 * 3_600_000_000), "interval_s": 10,
        "rtt_ms": rng.choice([0.0, slow * rng.lognormvariate(4, 0.8)]) if n % 5 == 0
        else slow * rng.lognormvariate(4, 0.8),
        "jitter_ms": rng.lognormvariate(1.5, 0.9), "packets_received": rng.randrange(1000),
        "packets_lost": rng.randrange(60), "bitrate_bps": 1, "frozen_ms": rng.randrange(100),
        "join_ms": rng.choice([None, rng.randrange(1, 4000)]),
    }  # fmt: skip


def load(sequence: int, server: str, at: datetime, people: int, capacity: int) -> dict[str, Any]:
    return {
        "source": "s/0", "sequence": sequence, "server_id": server, "region": SERVERS[server],
        "version": "1.4", "sampled_at": us(at), "cpu": 0.5, "memory": 0.5, "meetings": 1,
        "participants": people, "capacity": capacity, "egress_bps": 1,
    }  # fmt: skip


def project(store: Store, topic: str, events: list[dict[str, Any]]) -> None:
    payloads = [encode(topic, event) for event in events]
    place = Partition("c/t", topic, "0")
    ends = list(range(len(payloads)))
    told = Slice(place, 0, len(payloads), ends, payloads, [None] * len(payloads), None)
    done = Projector(store, lambda: us(FIRST)).apply([told])
    assert done.quarantined == 0
