"""Clocks that are wrong and calendars that are odd: an event is judged by itself, a record belongs
to the day and the month in which it started, to the microsecond, and the reader's clock changes
nothing. The oracle is Python's own calendar.
"""

import random
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.period import day_start_us
from consumers import Projector, broken_invariants
from schemas import encode
from tests import recount
from tests.clerk import Clerk
from tests.command_line import run_here, usage_event
from tests.fire import some, times
from tests.oracle_log import obeys
from tests.test_decode import EVENTS
from tests.test_projector import QUALITY, TOPIC, _daily, _meetings, _records, _slice
from warehouse import open_scratch

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
FIRST_US, END_US = 365 * recount.DAY_US, 84_006 * recount.DAY_US  # 1971 and 2200 begin
MEANT = [
    # Zones of half an hour, without and with a change of half an hour; of 45 minutes; at the edges
    # of the world; that change at midnight, into winter, or for the month of Ramadan.
    "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia",
    "Pacific/Kiritimati", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Europe/Dublin",
    "Africa/Casablanca", "America/Havana", "America/St_Johns", "Asia/Tehran", "Asia/Gaza",
    "America/Asuncion", "America/Scoresbysund", "Antarctica/Troll", "Europe/Berlin", "UTC",
]  # fmt: skip


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _local(moment_us: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + moment_us * MICROSECOND).astimezone(zone)


def _text(moment_us: int) -> str:
    return (EPOCH + moment_us * MICROSECOND).isoformat()


@pytest.mark.fire
def test_a_month_begins_with_the_first_instant_of_its_first_day(rng: random.Random) -> None:
    """In every zone there is, of every month whose events count; all in a whole soak."""
    zones = {*some(rng, sorted(zoneinfo.available_timezones()), 20), *MEANT}
    checked = 0
    for name in sorted(zones):
        zone = ZoneInfo(name)
        months = [date(year, month, 1) for year in range(1971, 2200) for month in range(1, 13)]
        for day in some(rng, months, 40 if name not in MEANT else 100):
            start = day_start_us(day, zone)
            assert _local(start, zone).date() >= day, (name, day)
            for before in (1, HOUR_US // 2, HOUR_US, 3 * HOUR_US, 26 * HOUR_US):
                assert _local(start - before, zone).date() < day, (name, day, before)
            checked += 1
    print(f"{checked} months of {len(zones)} zones")


# Nights in which a clock changes, a leap day, both ends of a year, the ends of all that counts.
NIGHTS = [
    date(1971, 1, 31), date(1972, 2, 29), date(1999, 12, 31), date(2011, 12, 30), date(2018, 11, 4),
    date(2024, 2, 29), date(2026, 3, 29), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1),
    date(2026, 12, 31), date(2100, 2, 28), date(2199, 11, 30),
]  # fmt: skip


def _edges(night: date, zone: ZoneInfo) -> list[int]:
    """Where its day and its month begin, and the month after, and its day in UTC."""
    months = [night.replace(day=1), (night.replace(day=1) + timedelta(31)).replace(day=1)]
    local = [_us(datetime(one.year, one.month, one.day, tzinfo=zone)) for one in (night, *months)]
    return [*local, _us(datetime(night.year, night.month, night.day, tzinfo=UTC))]


@pytest.mark.fire
def test_days_and_months_are_parted_to_the_microsecond(tmp_path: Path, rng: random.Random) -> None:
    """As `usage` shows them, of accounts in odd zones; days in UTC, as the store has them."""
    clerk = Clerk(tmp_path, "2199-12-31T12:00:00Z")
    zones = dict(enumerate(some(rng, MEANT, 6)))
    for number, zone in zones.items():
        clerk.subscribe(zone, **{f"a{number}": "p,1971-01-01,"})
    nights = some(rng, NIGHTS, 5)
    edges = [
        (number, edge + by)
        for number, zone in zones.items()
        for night in nights
        for edge in _edges(night, ZoneInfo(zone))
        for by in (-1, 0, 1, HOUR_US, -HOUR_US)
    ]
    told: dict[str, list[tuple[int, int]]] = {f"a{number}": [] for number in zones}
    events = []
    for at, (number, start) in enumerate(edges, 1):
        seen = start + rng.choice([0, 1, 999_999, 48 * HOUR_US])
        if start >= FIRST_US and seen < END_US:
            told[f"a{number}"].append((start, seen))
            events.append(usage_event(at, f"a{number}", _text(start), _text(seen)))
    clerk.told(events)
    around = {
        (night + timedelta(31 * by)).strftime("%Y-%m") for night in nights for by in (-1, 0, 1)
    }
    months = [month for month in sorted(around) if "1971" <= month < "2200"]
    for month in months:
        found = {
            row["account_id"]: (int(row["records"]), Fraction(row["seconds"]))
            for row in clerk.sees("usage", "--month", month)
        }
        owed: dict[str, tuple[int, Fraction]] = {}
        for number, zone in zones.items():
            lengths = [
                Fraction(seen - start, 10**6)
                for start, seen in told[f"a{number}"]
                if f"{_local(start, ZoneInfo(zone)):%Y-%m}" == month
            ]
            if lengths:
                owed[f"a{number}"] = (len(lengths), sum(lengths, Fraction(0)))
        assert found == owed, month


EDGES = [
    0, 1, -1, FIRST_US - 1, FIRST_US, FIRST_US + 1, END_US - 48 * HOUR_US, END_US - 1, END_US,
    END_US + 1, _us(datetime(2026, 10, 25, 1, tzinfo=UTC)), _us(datetime(9999, 12, 31, tzinfo=UTC)),
    2**53, 2**62, -(2**62), 2**63 - 1, -(2**63),
]  # fmt: skip
SPANS = [0, 1, -1, -HOUR_US, HOUR_US, 48 * HOUR_US, 48 * HOUR_US + 1, 2**62, -(2**62), 2**63 - 1]


@pytest.mark.fire
def test_a_span_of_any_two_times_counts_or_is_put_aside_by_the_rules() -> None:
    """Stops before their starts, records longer than any, times whose difference is beyond 64 bits:
    as a second statement of the rules says, in one batch, each neighbour of the other.
    """
    times_ = {(a, b) for a in EDGES for b in [*EDGES, *(a + span for span in SPANS)]
              if -(2**63) <= b < 2**63}  # fmt: skip
    events = [
        EVENTS[TOPIC]
        | {"source": "fra-1/0", "sequence": n, "record_id": n.to_bytes(16, "big")}
        | {"started_at": start, "observed_at": seen}
        for n, (start, seen) in enumerate(sorted(times_), 1)
    ]
    good = [one for one in events if obeys(one)]
    with open_scratch("usage").closing() as store:
        done = Projector(store, lambda: 0).apply([_slice(0, [encode(TOPIC, e) for e in events])])
        assert done.quarantined == len(events) - len(good)
        assert _records(store) == recount.records(good)
        assert _daily(store) == recount.daily(good)
        rows = store.rows("SELECT DISTINCT code FROM quarantine")
        assert rows == [("RULE_BROKEN",)]
        assert broken_invariants(store) == []
    print(f"{len(events)} spans, {len(good)} count")
    assert len(good) > 10


def test_a_line_of_a_time_that_does_not_count_is_refused_by_name(tmp_path: Path) -> None:
    times_ = [
        "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", 2**63 - 1,
        -(2**63) + 1, 2**64, "2026-10-25T02:30:00", "2026-02-29T00:00:00Z",
    ]  # fmt: skip
    good = usage_event(1, "acme", "2024-02-29T23:59:59.999999Z", "2024-02-29T23:59:59.999999Z")
    lines = [good | {"started_at": one, "observed_at": one} for one in times_]
    lines.append(good | {"started_at": "2024-03-01T00:00:00Z"})  # it ended before it began
    done = run_here(tmp_path, "emit", "-", lines=[good, *lines, good])
    said = done.stderr.splitlines()
    assert (done.returncode, said[0]) == (1, "2 events emitted")
    for number, line in enumerate(said[1:-1], 2):
        assert line.startswith(f"EVENT_REFUSED: line {number}: "), line
        assert "_at" in line
    assert len(said) == len(lines) + 2


def _clocks(rng: random.Random) -> list[Callable[[], int]]:
    """Right, stuck in 1971, in 2199, falling, and leaping to and fro."""
    falling = iter(range(END_US - 1, 0, -recount.DAY_US))
    return [
        lambda: 1_790_000_000_000_000,
        lambda: FIRST_US,
        lambda: END_US - 1,
        lambda: next(falling),
        lambda: rng.randrange(FIRST_US, END_US),
    ]


@pytest.mark.fire
def test_no_clock_of_a_reader_changes_a_row(rng: random.Random) -> None:
    """Records, days, sequences and what is put aside are the same; raw samples alone are kept by
    the clock.
    """
    for _ in range(times(1)):
        events = _meetings(rng, 30, "fra-1/0")
        told = [encode(TOPIC, one) for one in events]
        told += [encode(TOPIC, one | {"observed_at": one["started_at"] - 1}) for one in events[:5]]
        samples = [
            encode("meetings.quality", QUALITY | {"sequence": n, "rtt_ms": 9.0})
            for n in range(1, 9)
        ]
        rng.shuffle(told)
        found: list[Any] = []
        for clock in _clocks(rng):
            with open_scratch("usage").closing() as store:
                for at in range(0, len(told), 20):
                    part = _slice(at, told[at : at + 20])
                    quality = [_slice(0, samples, topic="meetings.quality")] if at == 0 else []
                    Projector(store, clock, sample_days=1).apply([part, *quality])
                found.append([
                    sorted(_records(store).items(), key=str), _daily(store),
                    store.rows("FROM sequences ORDER BY ALL"),
                    store.rows("SELECT * EXCLUDE (cell) FROM quality_hourly ORDER BY ALL"),
                    store.rows(
                        "SELECT id, sha256, code, reason, state, account_id, started_at"
                        " FROM quarantine ORDER BY id"
                    ),
                ])  # fmt: skip
                batches = [one for (one,) in store.rows("SELECT DISTINCT batch FROM batches")]
                assert len(batches) == len(range(0, len(told), 20)), "numbers never fall"
                assert broken_invariants(store) == []
        assert all(one == found[0] for one in found)
        assert found[0][1] == recount.daily(events)
