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

from tuning.advice import Action, Outlier, actions, outliers
from tuning.line import METRICS, Key, Line, Quantiles
from warehouse import Queries, Store

__all__ = ["Action", "Line", "Outlier", "Point", "Quantiles", "Report", "tuning_report"]

_QUERIES = Queries(Path(__file__).parent / "sql")
COPIES = Queries(Path(__file__).parent / "sql" / "copies")  # what a report needs of the store
DIMENSIONS = ("all", "region", "server", "version", "client", "network")
_HOURLY_UP_TO = timedelta(days=7)


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
    """Everything of `start` (inclusive) to `end` (exclusive), UTC."""

    start: date
    end: date
    step: timedelta
    lines: tuple[Line, ...]
    points: tuple[Point, ...]
    outliers: tuple[Outlier, ...]
    actions: tuple[Action, ...]

    def of(self, dimension: str) -> list[Line]:
        return [line for line in self.lines if line.dimension == dimension]


def tuning_report(store: Store, start: date, end: date) -> Report:
    """The report of the days from `start` up to, not including, `end`."""
    span = {"start": start, "end": end}
    quantiles = _quantiles(store, span)
    lines = _lines(store, span, quantiles)
    hourly = end - start <= _HOURLY_UP_TO
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    named = span | {"step": "hour" if hourly else "day"}
    points = tuple(Point(**row) for row in store.records(_QUERIES["series"], named))
    found = outliers(lines, {key: each for key, each in quantiles.items() if key[0] == "rest"})
    return Report(start, end, step, lines, points, found, actions(lines, found))


def _quantiles(store: Store, span: Mapping[str, Any]) -> dict[Key, dict[str, Quantiles]]:
    found: dict[Key, dict[str, Quantiles]] = {}
    for dimension, region, name, metric, *values in store.rows(_QUERIES["quantiles"], span):
        found.setdefault((dimension, region, name), {})[metric] = Quantiles(*values)
    return found


def _lines(
    store: Store, span: Mapping[str, Any], quantiles: Mapping[Key, Mapping[str, Quantiles]]
) -> tuple[Line, ...]:
    """One line per name that has quality or load samples; the largest first in its dimension."""
    sums = _by_key(store.records(_QUERIES["sums"], span))
    peaks = _by_key(store.records(_QUERIES["peaks"], span))
    none: dict[str, Any] = {metric: Quantiles(None, None, None) for metric in METRICS}
    lines = []
    for key in sums.keys() | peaks.keys():
        measured = none | sums.get(key, {}) | dict(quantiles.get(key, {})) | peaks.get(key, {})
        lines.append(Line(*key, **measured))
    lines.sort(key=lambda at: (DIMENSIONS.index(at.dimension), -at.samples, at.region, at.name))
    return tuple(lines)


def _by_key(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {(row.pop("dimension"), row.pop("region"), row.pop("name")): row for row in rows}
