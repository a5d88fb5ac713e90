"""The edges of every number, and input made to exhaust: exact or put aside, memory bounded."""

import itertools
import json
import math
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants
from edge import Refused
from producers.intake import event_from
from schemas import encode
from schemas.rules import LIMITS
from tests import bombs
from tests.command_line import python, run_here
from tests.test_decode import EVENTS
from tests.test_projector import _slice
from tests.tuning_events import FIRST, us
from warehouse import Store, open_scratch, open_store

QUALITY, LOAD, USAGE = "meetings.quality", "servers.load", "meetings.usage"
COUNTS = {
    QUALITY: (
        "interval_s", "packets_received", "packets_lost", "bitrate_bps", "frozen_ms", "join_ms",
    ),
    LOAD: ("meetings", "participants", "capacity", "egress_bps"),
    USAGE: ("quantity",),
}  # fmt: skip
FLOATS = {QUALITY: ("rtt_ms", "jitter_ms"), LOAD: ("cpu", "memory"), USAGE: ()}
LONGS = (0, 1, 2**31, 2**53 + 1, 2**55, 2**62, 2**63 - 1)
DOUBLES = (0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.0, 1e300, 1.7976931348623157e308)
NOT_FINITE = (math.nan, math.inf, -math.inf, struct.unpack("<d", b"\1" + b"\xff" * 7)[0])
NEGATIVE = (-1, -(2**31), -(2**63) + 1)


def _events(topic: str) -> list[dict[str, Any]]:
    """Each field at each of its edges by itself, and all of them at the same edge."""
    changes: list[dict[str, Any]] = [
        {name: value}
        for names, values in ((COUNTS[topic], LONGS), (FLOATS[topic], DOUBLES))
        for name in names
        for value in values
    ]
    for count, number in zip(LONGS, DOUBLES, strict=True):
        changes.append(dict.fromkeys(COUNTS[topic], count) | dict.fromkeys(FLOATS[topic], number))
    changes += changes[-3:]  # the greatest twice: what is added must hold it
    told = [EVENTS[topic] | one | {"sequence": n} for n, one in enumerate(changes, 1)]
    if topic == USAGE:
        return [one | {"record_id": one["sequence"].to_bytes(16, "big")} for one in told]
    return [one | {"sampled_at": us(FIRST)} for one in told]


def _apply(store: Store, topic: str, payloads: list[bytes]) -> int:
    clock = itertools.count(us(FIRST)).__next__
    return Projector(store, clock).apply([_slice(0, payloads, topic=topic)]).quarantined


@pytest.mark.parametrize("topic", COUNTS)
def test_every_edge_of_every_number_is_counted_exactly(tmp_path: Path, topic: str) -> None:
    events = _events(topic)
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert _apply(store, topic, [encode(topic, event) for event in events]) == 0
        assert store.rows("SELECT topic, first, last FROM sequences") == [(topic, 1, len(events))]
        if topic == USAGE:
            ((records, quantity),) = store.rows("SELECT records, quantity FROM usage_daily")
            assert (records, quantity) == (len(events), sum(one["quantity"] for one in events))
        elif topic == QUALITY:
            _check_quality(store, events)
        else:
            names = (*COUNTS[LOAD], *FLOATS[LOAD])
            (row,) = store.rows(
                f"SELECT {', '.join(f'{name}_max' for name in names)} FROM server_hourly"
            )
            assert row == tuple(max(one[name] for one in events) for name in names)
        assert broken_invariants(store) == []
    told = run_here(
        tmp_path, "tuning", "report", "--from", "2026-10-01", "--to", "2026-10-02",
        "--format", "json", "--html", str(tmp_path / "page.html"),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    json.loads(told.stdout, parse_constant=_no_number)


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def _check_quality(store: Store, events: list[dict[str, Any]]) -> None:
    names = ("interval_s", "packets_received", "packets_lost", "frozen_ms")
    (row,) = store.rows(f"SELECT samples, poor, {', '.join(names)} FROM quality_hourly")
    poor = sum(
        one["rtt_ms"] > 500
        or one["jitter_ms"] > 30
        or one["packets_lost"] * 10 > one["packets_lost"] + one["packets_received"]
        for one in events
    )
    assert row == (len(events), poor, *(sum(one[name] for one in events) for name in names))
    buckets: dict[str, Counter[int | None]] = {}
    for metric, bucket, samples in store.rows("SELECT metric, bucket, samples FROM quality_sketch"):
        buckets.setdefault(metric, Counter())[bucket] += samples
    for metric in ("rtt_ms", "jitter_ms", "join_ms", "loss_ratio", "freeze_ratio"):
        values = [value for one in events if (value := _ratio(one, metric)) is not None]
        assert buckets[metric].total() == len(values), metric
        assert buckets[metric][None] == sum(value == 0 for value in values), metric
        for value in values:
            if value > 0:
                near = math.ceil(math.log(value) / math.log(1.01 / 0.99))
                assert any(buckets[metric][near + by] for by in (-1, 0, 1)), (metric, value)


def _ratio(sample: dict[str, Any], metric: str) -> float | None:
    """None where there is nothing to divide by, or nothing was measured."""
    if metric == "loss_ratio":
        total = sample["packets_lost"] + sample["packets_received"]
        return sample["packets_lost"] / total if total else None
    if metric == "freeze_ratio":
        span_ms = sample["interval_s"] * 1000
        return sample["frozen_ms"] / span_ms if span_ms else None
    found: float | None = sample[metric]
    return found


@pytest.mark.parametrize("topic", COUNTS)
def test_what_is_no_number_or_negative_is_put_aside_and_refused(topic: str) -> None:
    changes = [(name, value) for name in FLOATS[topic] for value in (*NOT_FINITE, -5e-324, -1.0)]
    changes += [(name, value) for name in COUNTS[topic] for value in NEGATIVE]
    events = [
        EVENTS[topic] | {"sequence": n, name: value} for n, (name, value) in enumerate(changes, 1)
    ]
    good = EVENTS[topic] | {"sequence": len(events) + 1}
    with open_scratch("usage").closing() as store:
        payloads = [encode(topic, event) for event in [*events, good]]
        # One NaN is another's equal to a message's hash alone where its octets are.
        assert _apply(store, topic, payloads) == len(set(payloads)) - 1 == len(events)
        rows = store.rows("SELECT sequence, code, reason FROM quarantine ORDER BY sequence")
        for (name, _), (_, code, reason) in zip(changes, rows, strict=True):
            assert code == "RULE_BROKEN"
            assert name in reason
        assert store.rows("SELECT first, last FROM sequences") == [(len(events) + 1,) * 2]
        assert broken_invariants(store) == []
    for name, value in changes:
        given = {k: v for k, v in EVENTS[topic].items() if k not in ("source", "sequence")}
        with pytest.raises(Refused, match=f"EVENT_REFUSED: .*{name}"):
            event_from(topic, given | {name: value})


TIMES = (0, 1, -1, LIMITS.time_us_min - 1, LIMITS.time_us_end, 2**53, 2**62, 2**63 - 1, -(2**63))


@pytest.mark.parametrize("topic", EVENTS)
def test_times_beyond_the_years_that_count_are_put_aside_by_the_event_alone(topic: str) -> None:
    names = [name for name in ("started_at", "observed_at", "sampled_at", "beat_at", "watermark")
             if name in EVENTS[topic]]  # fmt: skip
    changes = [{name: value} for name in names for value in TIMES]
    changes += [dict.fromkeys(names, value) for value in TIMES]
    changes += [dict.fromkeys(names, LIMITS.time_us_min), dict.fromkeys(names, 7 * 10**15)]
    payloads = [
        encode(topic, EVENTS[topic] | one | {"sequence": n}) for n, one in enumerate(changes, 1)
    ]
    with open_scratch("usage").closing() as store:
        assert _apply(store, topic, payloads) == len(changes) - 2
        last = len(changes)
        assert store.rows("SELECT first, last FROM sequences") == [(last - 1, last)]
        assert {code for (code,) in store.rows("SELECT code FROM quarantine")} == {"RULE_BROKEN"}
        assert broken_invariants(store) == []


# What is put aside or refused by each action, and by how many MiB the process may grow. As a
# message is read it is held two or three times; the store has 512 MiB.
BOMBS = {
    "forged_lengths": (None, 64),
    "long_messages": (2, 64),
    "long_strings": (19, 128),
    "claimed_sizes": (30, 128),
    "records_of_nothing": (1, 256),
    "as_many_as_may_be": (1, 512),
    "one_of_64_mib": (1, 1024),
    "many_long_ones": (60, 320),
    "many_in_quarantine": (160, 320),
}


@pytest.mark.drawn(4)
@pytest.mark.parametrize("name", bombs.ACTIONS)
def test_what_claims_much_costs_little(tmp_path: Path, name: str) -> None:
    """In a process that can map 2 GiB more than it has at first; its peak is measured."""
    code = f"from tests.bombs import run; run({name!r}, {str(tmp_path)!r}, 2048)"
    done = python(code)
    assert done.returncode == 0, done.stderr
    # Before them DuckDB's bar of progress, on a slow machine: it takes `-c` for a terminal.
    found, grown_mib = map(int, done.stdout.split()[-2:])
    print(f"{name}: {found} put aside or read, {grown_mib} MiB more")
    wanted, most_mib = BOMBS[name]
    assert grown_mib <= most_mib
    assert found == wanted if wanted is not None else found > 2000
