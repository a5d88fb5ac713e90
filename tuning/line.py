"""One line of the report: sums, quantiles and peaks of one name in one dimension.

Owns the derived shares and the flat row that JSON, CSV and DataFrames share.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

METRICS = ("rtt_ms", "jitter_ms", "join_ms", "loss_ratio", "freeze_ratio")
Key = tuple[str, str, str]  # dimension, region (of what belongs to one), name


@dataclass(frozen=True, slots=True)
class Quantiles:
    """None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """`peak` is the most participants in an hour and `capacity` that hour's; `load` is the fullest
    hour's share, another hour than the peak's where capacity changed. Beyond one server, hourly
    peaks are added, so `peak` and `load` are upper bounds."""

    rtt_ms: Quantiles
    jitter_ms: Quantiles
    join_ms: Quantiles
    loss_ratio: Quantiles  # of samples; loss_share is the ratio of the sums
    freeze_ratio: Quantiles
    samples: int = 0
    poor: int = 0
    interval_s: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    frozen_ms: int = 0
    peak: int | None = None
    capacity: int | None = None
    peak_at: datetime | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Line(_Measured):
    """What was measured under one name; `dimension` is one of `report.DIMENSIONS`."""

    dimension: str
    region: str
    name: str

    @property
    def key(self) -> Key:
        return self.dimension, self.region, self.name

    @property
    def poor_share(self) -> float | None:
        """Of samples, by the rule of Teams CQD: RTT > 500 ms, loss > 10 % or jitter > 30 ms."""
        return share(self.poor, self.samples)

    @property
    def loss_share(self) -> float | None:
        return share(self.packets_lost, self.packets_lost + self.packets_received)

    @property
    def freeze_share(self) -> float | None:
        return share(self.frozen_ms, self.interval_s * 1000)

    def row(self) -> dict[str, Any]:
        """Flat, by `COLUMNS`."""
        return {column: self._value(column) for column in COLUMNS}

    def _value(self, column: str) -> Any:
        metric, _, name = column.rpartition("_")
        return getattr(getattr(self, metric), name) if metric in METRICS else getattr(self, column)


COLUMNS = (
    "dimension", "region", "name", "samples", "rtt_ms_p50", "rtt_ms_p95", "rtt_ms_p99",
    "jitter_ms_p50", "jitter_ms_p95", "jitter_ms_p99", "join_ms_p50", "join_ms_p95", "join_ms_p99",
    "loss_ratio_p50", "loss_ratio_p95", "loss_ratio_p99", "freeze_ratio_p50", "freeze_ratio_p95",
    "freeze_ratio_p99", "loss_share", "poor_share", "freeze_share", "peak", "capacity", "load",
    "peak_at",
)  # fmt: skip


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
