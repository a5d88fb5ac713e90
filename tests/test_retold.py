"""The same events once more, in whatever way: usage is counted once, and of a number that two
samples bear one. What cannot both be true is a conflict: it is listed, blocks, and is settled by a
clerk; then the sum of all documents is the recount.
"""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants
from edge.instants import micros
from schemas import encode
from tests import recount
from tests.clerk import Clerk
from tests.command_line import run_here
from tests.fire import some, times
from tests.test_decode import EVENTS
from tests.test_projector import QUALITY, TOPIC, T, _daily, _meetings, _records, _slice
from warehouse import Store, open_scratch, open_store

SAMPLES, LOAD, BEATS = "meetings.quality", "servers.load", "sources.heartbeat"
YEAR_US = 366 * recount.DAY_US
STATE = (
    "FROM usage_daily ORDER BY ALL",
    "SELECT * EXCLUDE (place, first_offset, last_offset) FROM usage_records ORDER BY ALL",
    "FROM sequences ORDER BY ALL",
    "SELECT * EXCLUDE (cell) FROM quality_hourly ORDER BY ALL",
    "FROM quality_sketch ORDER BY ALL",
    "FROM server_hourly ORDER BY ALL",
    *(f"FROM {name} ORDER BY ALL" for name in ("source_state", "source_totals", "settlements")),
    *(f"FROM {name} ORDER BY ALL" for name in ("refusals", "holes", "source_completeness")),
)


class Line:
    """Partitions of each topic, read by projectors that start anew for each batch."""

    def __init__(self, store: Store, now: int) -> None:
        self.store, self.now = store, now
        self._next: Counter[tuple[str, str]] = Counter()

    def read(self, rng: random.Random, told: Iterable[tuple[str, bytes]], places: str) -> None:
        """In batches of any size, each from one of the partitions; a second goes by for each."""
        left = list(told)
        while left:
            size, place = rng.choice([9, 40, len(left)]), rng.choice(places)
            batch, left = left[:size], left[size:]
            slices = []
            for topic in sorted({topic for topic, _ in batch}):
                payloads = [payload for one, payload in batch if one == topic]
                slices.append(_slice(self._next[topic, place], payloads, place, topic))
                self._next[topic, place] += len(payloads)
            self.now += 1_000_000
            Projector(self.store, lambda: self.now, sample_days=3).apply(slices)

    def state(self) -> list[Any]:
        return [self.store.rows(sql) for sql in STATE]


def _facts(rng: random.Random) -> list[tuple[str, bytes]]:
    usage = [(TOPIC, encode(TOPIC, event)) for event in _meetings(rng, 25, "fra-1/0")]
    samples = [
        (SAMPLES, encode(SAMPLES, QUALITY | {"sequence": n, "rtt_ms": rng.random() * 600}))
        for n in range(1, 20)
    ]
    load = [
        (LOAD, encode(LOAD, EVENTS[LOAD] | {"source": "fra-1/0", "sequence": n, "meetings": n}))
        for n in range(1, 10)
    ]
    beats = [_beat(n, rng.choice([n - 1, n]), len(usage)) for n in range(1, 6)]
    return [*usage, *samples, *load, *beats]


def _beat(sequence: int, refused: int, last: int) -> tuple[str, bytes]:
    """The first settles another source; the last promises all and closes."""
    phases = {1: "OPEN", 5: "CLOSE"}
    own = {"source": "fra-1/0", "topic": TOPIC, "last": last * sequence // 5, "refused": refused}
    other = {"source": "fra-1/gone", "topic": TOPIC, "last": 3, "refused": 0}
    event = {
        "source": "fra-1/0", "sequence": sequence, "server_id": "fra-1", "totals": [own, other],
        "phase": phases.get(sequence, "BEAT"), "beat_at": T + sequence, "watermark": T + sequence,
    }  # fmt: skip
    return BEATS, encode(BEATS, event)


@pytest.mark.fire
def test_what_comes_again_after_years_changes_nothing(rng: random.Random) -> None:
    """Nor does any closed month have to be looked at for it: raw samples are long gone by then."""
    for _ in range(times(1)):
        told = _facts(rng)
        with open_scratch("usage").closing() as store:
            line = Line(store, T)
            line.read(rng, rng.sample(told, len(told)), "01")
            before = line.state()
            for _ in range(2):
                line.now += rng.choice([recount.DAY_US * 40, 9 * YEAR_US])
                line.read(rng, rng.choices(told, k=len(told)), "012")
            assert line.state() == before
            assert broken_invariants(store) == []


def _other(rng: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    """Another payload under the same source and sequence."""
    later = event["observed_at"] + rng.randrange(3_600_000_000)
    return event | rng.choice(
        [
            {"observed_at": min(later, event["started_at"] + 48 * 3_600_000_000)},
            {"phase": rng.choice(["STOP", "CANCEL", "INTERIM"])},
            {"quantity": rng.randrange(10**6)},
            {"account_id": "elsewhere"},
            {"meeting_id": "elsewhere"},
            {"record_id": rng.randbytes(16)},
            {"continues": rng.randbytes(16)},
        ]
    )


@pytest.mark.fire
def test_of_two_payloads_with_one_number_usage_keeps_both_and_samples_the_first(
    rng: random.Random,
) -> None:
    for _ in range(times(2)):
        events = _meetings(rng, 25, "fra-1/0")
        usage = events + [_other(rng, event) for event in events for _ in range(rng.randrange(3))]
        samples = [QUALITY | {"sequence": n, "rtt_ms": 1.0, "frozen_ms": n} for n in range(1, 20)]
        twice = samples + [one | {"frozen_ms": 1000, "client": "app"} for one in samples]
        told = [(TOPIC, encode(TOPIC, one)) for one in usage]
        told += [(SAMPLES, encode(SAMPLES, one)) for one in twice]
        order = rng.sample(range(len(told)), len(told))
        first: dict[int, int] = {}
        for at in order:
            if at >= len(usage):
                one = twice[at - len(usage)]
                first.setdefault(one["sequence"], one["frozen_ms"])
        with open_scratch("usage").closing() as store:
            Line(store, T).read(rng, [told[at] for at in order], "01")
            assert _records(store) == recount.records(usage)
            assert _daily(store) == recount.daily(usage)
            assert store.rows("SELECT topic, source, first, last FROM sequences ORDER BY ALL") == [
                (SAMPLES, "fra-1/00", 1, 19),
                (TOPIC, "fra-1/0", 1, len(events)),
            ]
            sums = "SELECT sum(samples), sum(frozen_ms) FROM quality_hourly"
            assert store.rows(sums) == [(19, sum(first.values()))]
            assert broken_invariants(store) == []


def test_a_file_that_is_emitted_again_counts_its_usage_once_and_its_samples_again(
    tmp_path: Path, rng: random.Random
) -> None:
    """As `emit --help` says: who gives samples again has another source."""
    ours = ("source", "sequence")
    events = [
        {k: v for k, v in one.items() if k not in ours} | {"topic": TOPIC}
        for one in _meetings(rng, 20, "-")
    ]
    sample = {k: v for k, v in QUALITY.items() if k not in ours} | {"topic": SAMPLES, "rtt_ms": 1.0}
    lines = [
        one
        | {
            name: one[name] and one[name].hex()
            for name in ("record_id", "continues")
            if name in one
        }
        for one in (*events, sample)
    ]
    for server in ("fra-1", "fra-1", "nyc-1"):
        assert run_here(tmp_path, "emit", "-", "--server-id", server, lines=lines).returncode == 0
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert _records(store) == recount.records(events)
        assert _daily(store) == recount.daily(events)
        assert store.value("SELECT sum(samples) FROM quality_hourly") == 3
        assert broken_invariants(store) == []


CHANGES: dict[str, dict[str, Any]] = {
    "account": {"account_id": "other"},
    "meeting": {"meeting_id": "m9"},
    "participant": {"participant_id": None},
    "variant": {"variant": "DE"},
    "start": {"started_at": "2026-11-03T11:00:00Z"},
    "month": {"started_at": "2026-12-01T11:00:00Z", "observed_at": "2026-12-01T12:00:00Z"},
}
ACCOUNTS = ("acme", "calm", "other")


class Told:
    """A clerk, and the recount of all that was emitted: each record costs 1 EUR."""

    def __init__(self, folder: Path) -> None:
        self.clerk = Clerk(folder, "2026-12-10T09:00:00Z", **dict.fromkeys(ACCOUNTS, "p"))
        self._events: list[dict[str, Any]] = []

    def tell(self, server: str, *events: dict[str, Any]) -> None:
        self.clerk.told(events, server=server)
        self._events += events

    def records(self) -> dict[Any, dict[str, Any]]:
        absent = dict.fromkeys(("variant", "quantity", "continues"))
        found = recount.records(
            absent | one | {"observed_at": micros(datetime.fromisoformat(one["observed_at"]))}
            for one in self._events
        )
        return {key: state for key, state in found.items() if not state["cancelled"]}

    def in_conflict(self) -> list[Any]:
        told = Counter(key[0] for key in self.records())
        return [key for key in self.records() if told[key[0]] > 1]

    def check_listed(self) -> list[dict[str, Any]]:
        """What `usage conflicts` shows is what the recount has."""
        rows: list[dict[str, Any]] = self.clerk.sees("usage", "conflicts")
        names = recount.IDENTITY
        shown = sorted(str([row[name] for name in names]) for row in rows)
        assert shown == sorted(str(list(key)) for key in self.in_conflict())
        return rows

    def cancel(self, rows: Iterable[dict[str, Any]]) -> None:
        told = list(rows)
        words = [f"{row['record_id']}:{row['hash']}" for row in told]
        self.clerk.must("usage", "cancel", *words, "--reason", "told twice")
        self.clerk.must("consume", "--once")
        for row in told:
            identity = {name: row[name] for name in recount.IDENTITY}
            gone = {"phase": "CANCEL", "observed_at": row["last_seen"], "quantity": None}
            self._events.append({**identity, **gone, "continues": None})

    def check_sums(self, upto: str, spared: Iterable[str] = ()) -> None:
        """The final documents of each account are what the recount has of it up to a month."""
        found: Counter[str] = Counter()
        for one in self.clerk.sees("invoice", "list"):
            if one["status"] == "final":
                sign = -1 if one["kind"] == "credit_note" else 1
                found[one["account_id"]] += sign * int(one["total"].removesuffix(".00"))
        owed = Counter(key[2] for key in self.records() if key[1][:7] <= upto)
        for account in set(ACCOUNTS) - set(spared):
            assert found[account] == owed[account], account


def _close(month: str) -> tuple[str, ...]:
    return ("invoice", "run", "--month", month, "--finalize", "--format", "csv")


@pytest.mark.fire
@pytest.mark.long
def test_a_conflict_is_listed_blocks_and_is_settled(tmp_path: Path, rng: random.Random) -> None:
    """Told after the month was closed; with more of them, in time too."""
    for is_late in (True, False)[: times(1)]:
        print("late" if is_late else "in time")
        _settle_conflicts(tmp_path / str(is_late), rng, is_late=is_late)


def _settle_conflicts(folder: Path, rng: random.Random, *, is_late: bool) -> None:
    folder.mkdir()
    told = Told(folder)
    clerk = told.clerk
    changed = ["account", *some(rng, [name for name in CHANGES if name != "account"], 1)]
    print(changed)
    first = [clerk.event("acme", "2026-11-03") for _ in changed]
    told.tell("fra-1", *first, *(clerk.event(name, "2026-11-04") for name in ACCOUNTS))
    told.tell("twin-1", *first)  # the same through another source is none
    assert told.check_listed() == []
    if is_late:
        clerk.must(*_close("2026-11"))
        told.check_sums("2026-11")
    twins = [one | CHANGES[name] for one, name in zip(first, changed, strict=True)]
    told.tell("twin-1", *twins)
    told.tell("fra-1", *(clerk.event(name, "2026-12-04") for name in ACCOUNTS))
    rows = told.check_listed()
    assert len(rows) == 2 * len(changed)

    month, clerk.now = ("2026-12", "2027-01-10T09:00:00Z") if is_late else ("2026-11", clerk.now)
    done = clerk.types(*_close(month))
    lines = done.stderr.splitlines()
    blocked = {line.split(": ")[1] for line in lines if line.startswith("USAGE_CONFLICT: ")}
    of_month = {row["account_id"] for row in rows if row["started_at"].startswith(month)}
    assert blocked == of_month, "an account is blocked where its own month has one"
    assert (done.returncode == 1) == bool(blocked)
    if is_late and "acme" not in blocked:
        title = "Changed after it was closed, and not adjusted while records are in conflict"
        assert title in lines
        assert any(line.split() == ["acme", "2026-11"] for line in lines)
        assert "See `usage conflicts`, then `usage cancel`." in lines
    told.check_sums(month, spared={row["account_id"] for row in rows})

    # Where the other account is right, the document that it got meanwhile was so too.
    wrong = [row for row in rows if row["account_id"] == "acme"]
    told.cancel(
        rng.choice([row for row in wrong if row["record_id"] == record_id])
        for record_id in sorted({row["record_id"] for row in rows})
    )
    assert told.check_listed() == []
    clerk.now = "2027-03-10T09:00:00Z"
    for later in ("2026-11", "2026-12", "2027-01")[is_late:]:
        clerk.must(*_close(later))
    told.check_sums("2027-01")
    clerk.must("invoice", "verify", "--all", "--from-log", "--no-documents")
