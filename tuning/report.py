"""The report: lines by dimension, points over time, servers unlike their region, and actions.

Owns reading the usage store and deriving shares; how it looks is `commands`, `html` and `frames`.
Quantile q of n values: the smallest sketch bucket whose cumulative count is at least ceil(q * n),
within 1 % of the true value. Shares are ratios of sums, None where there is nothing to divide by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from tuning.advice import Action, Stint, actions
from tuning.line import METRICS, Key, Line, Quantiles
from tuning.outliers import Outlier, outliers
from warehouse import Queries, Store

__all__ = ["Action", "Line", "Outlier", "Point", "Quantiles", "Report", "tuning_report"]

_QUERIES = Queries(Path(__file__).parent / "sql")
COPIES = Queries(Path(__file__).parent / "sql" / "copies")  # what a report needs of the store
# A release is a version within a region; a period is a week, or a day of a short range, within one.
DIMENSIONS = (*("all", "region", "period", "server", "version", "release", "client", "network"),)
_HOURLY_UP_TO = timedelta(days=7)
_WEEKLY_FROM = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Point:
    """One region in one step of time."""

    moment: datetime
    region: str
    samples: int
    rtt_ms_p95: float | None
    poor_share: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of `start` (inclusive) to `end` (exclusive), UTC. Points are `step` apart; periods
    are `period_days` long and counted back from the end, so the first may be cut short."""

    start: date
    end: date
    step: timedelta
    period_days: int
    lines: tuple[Line, ...]
    points: tuple[Point, ...]
    outliers: tuple[Outlier, ...]
    actions: tuple[Action, ...]

    def of(self, dimension: str) -> list[Line]:
        return [line for line in self.lines if line.dimension == dimension]


def tuning_report(store: Store, start: date, end: date) -> Report:
    """The report of the days from `start` up to, not including, `end`."""
    days = 7 if end - start >= _WEEKLY_FROM else 1
    span = {"start": start, "end": end}
    parted = span | {"days": days}
    quantiles = _quantiles(store, parted)
    lines = _lines(store, parted, quantiles)
    hourly = end - start <= _HOURLY_UP_TO
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    named = span | {"step": "hour" if hourly else "day"}
    points = tuple(Point(**row) for row in store.records(_QUERIES["series"], named))
    rest = {
        (dimension.removeprefix("not "), region, name): each
        for (dimension, region, name), each in quantiles.items()
        if dimension.startswith("not ")
    }
    found = outliers(lines, rest)
    stints = [Stint(**row) for row in store.records(_QUERIES["stints"], parted)]
    return Report(start, end, step, days, lines, points, found, actions(lines, found, stints))


def _quantiles(store: Store, span: Mapping[str, Any]) -> dict[Key, dict[str, Quantiles]]:
    found: dict[Key, dict[str, Quantiles]] = {}
    for dimension, region, name, metric, *values in store.rows(_QUERIES["quantiles"], span):
        found.setdefault((dimension, region, name), {})[metric] = Quantiles(*values)
    return found


def _lines(
    store: Store, span: Mapping[str, Any], quantiles: Mapping[Key, Mapping[str, Quantiles]]
) -> tuple[Line, ...]:
    """One line per name that has quality or load samples; the largest first in its dimension, but
    periods in order of time."""
    sums = _by_key(store.records(_QUERIES["sums"], span))
    peaks = _by_key(store.records(_QUERIES["peaks"], {"start": span["start"], "end": span["end"]}))
    none: dict[str, Any] = {metric: Quantiles(None, None, None) for metric in METRICS}
    lines = []
    for key in sums.keys() | peaks.keys():
        measured = none | sums.get(key, {}) | dict(quantiles.get(key, {})) | peaks.get(key, {})
        lines.append(Line(*key, **measured))
    return tuple(sorted(lines, key=_order))


def _order(line: Line) -> tuple[Any, ...]:
    place = DIMENSIONS.index(line.dimension)
    if line.dimension == "period":
        return place, line.region, line.name
    return place, -line.samples, line.region, line.name


def _by_key(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {(row.pop("dimension"), row.pop("region"), row.pop("name")): row for row in rows}
