"""What sources have told, as a model; the rows a projector would have made of it; and, slow and
plain, what is missing for a period by it.

The rules are written out here once more, number by number, without billing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import pyarrow as pa

from billing.rows import append_rows
from edge import Settings
from tests.oracle_calendar import EPOCH
from warehouse import open_store

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
USAGE, BEATS = "meetings.usage", "sources.heartbeat"
REPLAYS: Final = 365 * DAY  # 1971: the watermark of who promises nothing yet


@dataclass(frozen=True)
class Source:
    """`name` is server/incarnation. Sequences 1 to `total` were promised, all but `lost`,
    `in_flight` and `explained` were applied. `refusals`: count, first and last beat that told it.
    `opened` False: its first heartbeat was not read; `beat` None: none was; `untold` of the last
    are lost.
    """

    name: str
    since: int = 0
    beat: int | None = 0
    watermark: int = 0
    phase: str = "BEAT"
    settled: int | None = None
    opened: bool = True
    untold: int = 0
    total: int = 9
    lost: frozenset[int] = frozenset()
    in_flight: frozenset[int] = frozenset()
    explained: frozenset[int] = frozenset()
    refusals: tuple[tuple[int, int, int], ...] = ()

    @property
    def server(self) -> str:
        return self.name.split("/", maxsplit=1)[0]


@dataclass(frozen=True)
class Row:
    """Of the quarantine."""

    id: int
    arrived: int
    account: str | None = None
    started: int | None = None
    topic: str = USAGE
    state: str = "open"


@dataclass(frozen=True)
class Told:
    """`retired`: server to the first day that it is let go, as microseconds; `accepted`: source,
    first, last, until.
    """

    sources: tuple[Source, ...] = ()
    rows: tuple[Row, ...] = ()
    listed: tuple[str, ...] = ()
    retired: dict[str, int] = field(default_factory=dict)
    accepted: tuple[tuple[str, int, int, int], ...] = ()
    grace_hours: int = 48


def together(many: Sequence[Told]) -> Told:
    """All of them at once: the servers of each under names of its own, the rows under numbers."""
    return Told(
        tuple(
            replace(one, name=f"{at}-{one.name}")
            for at, told in enumerate(many)
            for one in told.sources
        ),
        tuple(
            replace(one, id=100 * at + one.id) for at, told in enumerate(many) for one in told.rows
        ),
        tuple(f"{at}-{one}" for at, told in enumerate(many) for one in told.listed),
        {f"{at}-{one}": on for at, told in enumerate(many) for one, on in told.retired.items()},
        tuple(
            (f"{at}-{one}", *rest) for at, told in enumerate(many) for one, *rest in told.accepted
        ),
    )


def missing(told: Told, start: int, end: int, now: int) -> set[tuple[str | None, str, str]]:
    """Account (None: all), code and place of everything that the period lacks."""
    found: set[tuple[str | None, str, str]] = set()
    if now - end < told.grace_hours * HOUR:
        found.add((None, "GRACE_TIME", ""))
    for server in {one.server for one in told.sources} | set(told.listed):
        own = [one for one in told.sources if one.server == server]
        found |= {(None, *one) for one in _of_server(told, server, own, start, end, now)}
    for row in told.rows:
        if row.state == "open" and _touches(row, start, end):
            found.add((row.account, "QUARANTINE_OPEN", f"quarantine {row.id}"))
    return found


def _touches(row: Row, start: int, end: int) -> bool:
    if row.topic not in (USAGE, BEATS):
        return False
    return start < row.arrived if row.started is None else start <= row.started < end


def _of_server(
    told: Told, server: str, own: Sequence[Source], start: int, end: int, now: int
) -> Iterator[tuple[str, str]]:
    heard = max([0, *(_heard(one, now) or 0 for one in own)])
    gone = told.retired.get(server)
    if gone is not None and gone >= end:
        gone = None  # it served the period to its end
    spoke = max([0, *_spoke(own, now)])
    settled = max([0, *(one.settled or 0 for one in own)])
    is_gone = gone is not None and max(spoke, settled) < gone + DAY
    if server in told.listed and not is_gone and spoke < end:
        yield "SERVER_SILENT", f"server {server}"
    if all(_since(one) >= end for one in own):
        return
    for one in own:
        last_heard = _heard(one, now) if _heard(one, now) is not None else heard
        assert last_heard is not None
        if gone is not None and last_heard < gone + DAY:
            continue
        yield from _of_source(told, one, start, end, now)


def _of_source(
    told: Told, one: Source, start: int, end: int, now: int
) -> Iterator[tuple[str, str]]:
    place = f"source {one.name}"
    if _since(one) - 48 * HOUR >= end:
        return  # what it saw began after the period
    is_closed = one.phase == "CLOSE" and one.beat is not None
    is_told = one.beat is not None and end <= one.watermark <= now + HOUR
    if not (is_closed or _is_settled(one)) and not is_told:
        yield "SERVER_BEHIND", place
    last_seen = None
    if is_closed:
        last_seen = one.watermark
    elif _is_settled(one):
        told_last = one.watermark if one.beat is not None else 0
        last_seen = max(one.settled or 0, _beat(one, now) or 0, told_last)
    if last_seen is None or last_seen >= start:
        if any(not _accepted(told, one, stretch, start) for stretch in _runs(one.lost)):
            yield "USAGE_MISSING", place
        if any(not _accepted(told, one, stretch, start, BEATS) for stretch in _lost_beats(one)):
            yield "USAGE_MISSING", place
        if one.in_flight or (_is_left(one) and not one.opened and not one.untold):
            yield "USAGE_IN_FLIGHT", place
    after = _since(one)
    before = 0
    for count, first, last in sorted(one.refusals):
        if count > before and first >= start and (after < end or _since(one) <= REPLAYS):
            yield "USAGE_REFUSED", place
        before, after = count, last


def _beat(one: Source, now: int) -> int | None:
    """None of one that is yet to come: its clock runs ahead."""
    return one.beat if one.beat is not None and one.beat <= now + HOUR else None


def _spoke(own: Sequence[Source], now: int) -> Iterator[int]:
    """When the server itself did. Who replays files in its name speaks for it if it never did."""
    beats = [(one, beat) for one in own if (beat := _beat(one, now)) is not None]
    if not any(one.beat is not None and one.opened and one.since > REPLAYS for one in own):
        yield from (beat for _, beat in beats)
        return
    for one, beat in beats:
        if not one.opened:
            yield min(beat, one.watermark)  # it may be either
        elif one.since > REPLAYS:
            yield beat


def _heard(one: Source, now: int) -> int | None:
    return max((at for at in (_beat(one, now), one.settled) if at is not None), default=None)


def _since(one: Source) -> int:
    return one.since if one.opened and one.beat is not None else 0


def _is_settled(one: Source) -> bool:
    """The opening found all of its beats: nobody beats on."""
    return one.settled is not None


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    left = sorted(numbers)
    while left:
        first = last = left.pop(0)
        while left and left[0] == last + 1:
            last = left.pop(0)
        yield first, last


def _is_left(one: Source) -> bool:
    """Nothing that it told last will be told again."""
    return _is_settled(one) and one.beat is not None and one.phase != "CLOSE"


def _lost_beats(one: Source) -> list[tuple[int, int]]:
    if not _is_left(one) or not one.untold:
        return []
    first = [] if one.opened else [(1, 1)]
    return [*first, (_BEATS + 1, _BEATS + one.untold)]


def _accepted(
    told: Told, one: Source, stretch: tuple[int, int], start: int, topic: str = USAGE
) -> bool:
    return any(
        topic == USAGE
        and source == one.name
        and first <= stretch[0]
        and stretch[1] <= last
        and until < start
        for source, first, last, until in told.accepted
    )


_TEXT, _INT, _TIME = pa.string(), pa.int64(), pa.timestamp("us")
_TABLES: Final[dict[str, dict[str, pa.DataType]]] = {
    "sequences": {"topic": _TEXT, "source": _TEXT, "first": _INT, "last": _INT},
    "proven": {"topic": _TEXT, "source": _TEXT, "last": _INT},
    "source_totals": {"source": _TEXT, "topic": _TEXT, "last": _INT},
    "source_state": {
        "source": _TEXT, "server_id": _TEXT, "sequence": _INT, "phase": _TEXT, "beat_at": _TIME,
        "watermark": _TIME, "since": _TIME,
    },
    "settlements": {"source": _TEXT, "settled_by": _TEXT, "settled_at": _TIME, "beats": _INT},
    "refusals": {
        "source": _TEXT, "topic": _TEXT, "refused": _INT, "first_beat": _TIME, "last_beat": _TIME,
    },
    "quarantine": {
        "id": _INT, "log": _TEXT, "topic": _TEXT, "source": _TEXT, "sequence": _INT, "code": _TEXT,
        "reason": _TEXT, "state": _TEXT, "arrived_at": _TIME, "account_id": _TEXT,
        "started_at": _TIME, "dismissed_by": _TEXT, "dismissed_at": _TIME, "dismissal": _TEXT,
    },
}  # fmt: skip
_BEATS: Final = 7  # how many heartbeats a source has told


def store_told(home: Settings, told: Told) -> None:
    """Into the usage store, in place of what was there."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    for one in told.sources:
        _lay(rows, one)
    for row in told.rows:
        rows["quarantine"].append(_quarantine(row))
    with open_store(home.usage, "usage").closing() as store:
        for name, columns in _TABLES.items():
            store.execute(f"DELETE FROM {name}")
            append_rows(store, name, rows[name], columns)


def _lay(rows: dict[str, list[dict[str, Any]]], one: Source) -> None:
    gone = one.lost | one.in_flight | one.explained
    applied = set(range(1, one.total + 1)) - gone
    there = {"topic": USAGE, "source": one.name}
    rows["sequences"] += [{**there, "first": a, "last": b} for a, b in _runs(applied)]
    rows["source_totals"].append({**there, "last": one.total})
    if one.lost:
        rows["proven"].append({**there, "last": max(one.lost)})
    for number in one.explained:
        told = {"id": 1000 + number, "log": "c/t", "sequence": number, "state": "dismissed"}
        at = {"arrived_at": 1, "code": "RULE_BROKEN", "reason": "r"}
        rows["quarantine"].append({**there, **told, **at})
    if one.beat is not None:
        state = {"source": one.name, "server_id": one.server, "sequence": _BEATS}
        times = {"beat_at": one.beat, "watermark": one.watermark, "since": one.since}
        rows["source_state"].append({**state, **times, "phase": one.phase})
        first = {"first": 1 if one.opened else 2, "last": _BEATS}
        there_too = {"topic": BEATS, "source": one.name}
        rows["sequences"].append({**there_too, **first})
        if one.untold:
            rows["source_totals"].append({**there_too, "last": _BEATS + one.untold})
            rows["proven"].append({**there_too, "last": _BEATS + one.untold})
    if one.settled is not None:
        by = {"settled_by": f"{one.server}/next", "beats": _BEATS}
        rows["settlements"].append({"source": one.name, "settled_at": one.settled, **by})
    for count, first_beat, last_beat in one.refusals:
        beats = {"first_beat": first_beat, "last_beat": last_beat}
        rows["refusals"].append({**there, "refused": count, **beats})


def _quarantine(row: Row) -> dict[str, Any]:
    gone = row.state == "dismissed"
    return {
        "id": row.id, "log": "c/t", "topic": row.topic, "source": None, "sequence": None,
        "code": "BAD_FRAME", "reason": "r", "state": row.state, "arrived_at": row.arrived,
        "account_id": row.account, "started_at": row.started,
        "dismissed_by": "ops" if gone else None, "dismissed_at": row.arrived + 1 if gone else None,
        "dismissal": "a test" if gone else None,
    }  # fmt: skip


def day_of(us: int) -> date:
    return date.fromordinal(EPOCH.toordinal() + us // DAY)
