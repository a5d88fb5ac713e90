"""The rules a single event must obey: one validator, by which the emitter refuses and the
projector quarantines. An event is judged by itself, so that a rebuild decides the same.

`violations` says what is wrong with one event, `whose` what of it is right all the same, `obeys`
which of many are in order; all read the same tables.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of DESIGN §3. Times are UTC microseconds since 1970, sizes are octets."""

    time_us_min: int = 31_536_000_000_000  # 1971-01-01: the year must exceed 1970
    time_us_end: int = 7_258_118_400_000_000  # 2200-01-01, exclusive
    record_us_max: int = 48 * 3600 * 1_000_000
    event_bytes_max: int = 64 * 1024


LIMITS: Final = Limits()

_ID = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}", re.ASCII)
_SOURCE = re.compile(r"[A-Za-z0-9_.:@+/-]{1,256}", re.ASCII)


# The same few ids come again in every event; a look-up costs a fifth of a match.
@lru_cache(maxsize=1 << 16)
def _is_id(value: str) -> bool:
    return _ID.fullmatch(value) is not None


@lru_cache(maxsize=1 << 12)
def _is_source(value: str) -> bool:
    return _SOURCE.fullmatch(value) is not None


_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "meetings.usage": (
        "account_id",
        "meeting_id",
        "participant_id",
        "meter",
        "variant",
        "server_id",
        "region",
    ),
    "meetings.quality": (
        "account_id",
        "meeting_id",
        "server_id",
        "server_version",
        "region",
        "client",
        "network",
    ),
    "servers.load": ("server_id", "region", "version"),
    "sources.heartbeat": ("server_id",),
}
_NULLABLE: Final = frozenset({"participant_id", "variant"})
_TIMES: Final[Mapping[str, tuple[str, ...]]] = {
    "meetings.usage": ("started_at", "observed_at"),
    "meetings.quality": ("sampled_at",),
    "servers.load": ("sampled_at",),
    "sources.heartbeat": ("beat_at", "watermark"),
}
_COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "meetings.usage": ("quantity",),
    "meetings.quality": (
        "interval_s",
        "packets_received",
        "packets_lost",
        "bitrate_bps",
        "frozen_ms",
        "join_ms",
    ),
    "servers.load": ("meetings", "participants", "capacity", "egress_bps"),
    "sources.heartbeat": (),
}
_FLOATS: Final[Mapping[str, tuple[str, ...]]] = {
    "meetings.usage": (),
    "meetings.quality": ("rtt_ms", "jitter_ms"),
    "servers.load": ("cpu", "memory"),
    "sources.heartbeat": (),
}


def violations(topic: str, event: Mapping[str, Any]) -> list[str]:
    """Every rule of `topic` that `event` breaks, each a sentence naming the field; [] if none.

    `event` has the types of the contract: times and counts int, ids str, record ids bytes.
    """
    return [
        *_id_faults(topic, event),
        *_time_faults(topic, event),
        *_number_faults(topic, event),
        *_phase_faults(event),
        *(_span_faults(event) if topic == "meetings.usage" else ()),
        *(_total_faults(event) if topic == "sources.heartbeat" else ()),
    ]


def whose(topic: str, event: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """The account and start of an event of usage that breaks some rule; None where they may be
    what is wrong with it, and for other topics.
    """
    if topic != "meetings.usage":
        return None, None
    started_us = event["started_at"]
    is_time = LIMITS.time_us_min <= started_us < LIMITS.time_us_end
    return (
        event["account_id"] if _is_id(event["account_id"]) else None,
        started_us if is_time and not any(_span_faults(event)) else None,
    )


def _id_faults(topic: str, event: Mapping[str, Any]) -> Iterator[str]:
    if not _is_source(event["source"]):
        yield "source must be 1 to 256 of A-Z a-z 0-9 _ . : @ + - /"
    for name in _IDS[topic]:
        value = event[name]
        if value is None and name in _NULLABLE:
            continue
        if not _is_id(value):
            yield f"{name} must be 1 to 128 of A-Z a-z 0-9 _ . : @ + -"


def _time_faults(topic: str, event: Mapping[str, Any]) -> Iterator[str]:
    for name in _TIMES[topic]:
        if not LIMITS.time_us_min <= event[name] < LIMITS.time_us_end:
            yield f"{name} must lie in the years 1971 to 2199"


def _number_faults(topic: str, event: Mapping[str, Any]) -> Iterator[str]:
    if event["sequence"] < 1:
        yield "sequence must be at least 1"
    for name in _COUNTS[topic]:
        if event[name] is not None and event[name] < 0:
            yield f"{name} must not be negative"
    for name in _FLOATS[topic]:
        if not math.isfinite(event[name]) or event[name] < 0:
            yield f"{name} must be a finite number, not negative"


def _phase_faults(event: Mapping[str, Any]) -> Iterator[str]:
    if event.get("phase") == "UNKNOWN":
        yield "phase is UNKNOWN to this version: add the newer schema, then retry"


def _span_faults(event: Mapping[str, Any]) -> Iterator[str]:
    span_us = event["observed_at"] - event["started_at"]
    if not 0 <= span_us <= LIMITS.record_us_max:
        yield "observed_at must be at most 48 h after started_at and not before it"


def _total_faults(event: Mapping[str, Any]) -> Iterator[str]:
    for total in event["totals"]:
        if not _is_source(total["source"]) or not _is_id(total["topic"]):
            yield "totals must name a source and a topic"
        if total["last"] < 0 or total["refused"] < 0:
            yield "totals must not be negative"


def obeys(topic: str, rows: pa.Table) -> npt.NDArray[np.bool_]:
    """For each row of one of the topics of flat events: whether `violations` finds nothing."""
    good = np.ones(len(rows), np.bool_)
    for name in ("source", *_IDS[topic]):
        good &= _judged(rows[name], _is_source if name == "source" else _is_id)
    for name in _TIMES[topic]:
        times = rows[name].to_numpy()
        good &= (times >= LIMITS.time_us_min) & (times < LIMITS.time_us_end)
    good &= rows["sequence"].to_numpy() >= 1
    for name in _COUNTS[topic]:
        good &= rows[name].fill_null(0).to_numpy() >= 0
    for name in _FLOATS[topic]:
        values = rows[name].to_numpy()
        good &= np.isfinite(values) & (values >= 0)
    if "phase" in rows.column_names:
        good &= _judged(rows["phase"], "UNKNOWN".__ne__)
    if topic == "meetings.usage":
        span_us = rows["observed_at"].to_numpy() - rows["started_at"].to_numpy()
        good &= (span_us >= 0) & (span_us <= LIMITS.record_us_max)
    return good


def _judged(texts: pa.ChunkedArray, judge: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
    """`judge` of each text, asked once per distinct one; null, where a type allows it, is good."""
    codes = texts.combine_chunks().dictionary_encode()
    distinct = codes.dictionary.to_pylist()
    verdicts = np.array([*map(judge, distinct), True])
    found: npt.NDArray[np.bool_] = verdicts[codes.indices.fill_null(len(distinct)).to_numpy()]
    return found
