"""What is worse than its like: a server or a version than the rest of its region, a period than
those before it, a client or network than the others.

Owns the thresholds. What is compared is taken out of what it is compared with, so that it does not
hide in an average of its own making; what is alone is compared with nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuning.line import Key, Line, Quantiles, share

SAMPLES_MIN = 200  # below this a p95 rests on fewer than ten values
RATIO_MIN = 1.25
EXCESS_MIN: Mapping[str, float] = {
    "rtt_ms": 20.0, "jitter_ms": 5.0, "join_ms": 500.0, "poor_share": 0.02,
}  # fmt: skip
POOR_MAX = 0.05
_LABELS = {"rtt_ms": "RTT p95", "jitter_ms": "jitter p95", "join_ms": "join time p95"}
_AGAINST = {
    "server": "elsewhere in the region",
    "release": "with other versions in the region",
    "period": "before",
    "client": "with other clients",
    "network": "on other networks",
}


@dataclass(frozen=True, slots=True)
class Outlier:
    """Of `name`, `metric` (p95, or `poor_share`) is worse than of its like, which had `rest`."""

    dimension: str
    region: str
    name: str
    metric: str
    value: float
    rest: float
    samples: int

    @property
    def key(self) -> Key:
        return self.dimension, self.region, self.name

    @property
    def sentence(self) -> str:
        against = _AGAINST[self.dimension]
        if self.metric == "poor_share":
            return f"{self.value:.1%} of samples are poor, {self.rest:.1%} {against}"
        return f"{_LABELS[self.metric]} is {self.value:,.0f} ms, {self.rest:,.0f} ms {against}"


def outliers(
    lines: Iterable[Line], rest: Mapping[Key, Mapping[str, Quantiles]]
) -> tuple[Outlier, ...]:
    """Worst first, by ratio. `rest` holds, by the key of what it is the rest of, the quantiles of
    each region without each server and version, and before each period.
    """
    told = tuple(lines)
    found = [
        Outlier(line.dimension, line.region, line.name, metric, value, other, line.samples)
        for line in told
        if line.dimension in _AGAINST
        for metric, value, other in _compared(line, told, rest.get(line.key, {}))
        if is_worse(metric, value, other)
    ]
    found.sort(key=lambda at: (-at.value / max(at.rest, 1e-9), at.region, at.name, at.metric))
    return tuple(found)


def is_worse(metric: str, value: float, other: float) -> bool:
    return value >= other * RATIO_MIN and value - other >= EXCESS_MIN[metric]


def _compared(
    line: Line, told: Sequence[Line], rest: Mapping[str, Quantiles]
) -> Iterator[tuple[str, float, float]]:
    samples, poor = _others(line, told)
    if min(line.samples, samples) < SAMPLES_MIN:
        return
    for metric in _LABELS:
        value, other = getattr(line, metric).p95, rest[metric].p95 if metric in rest else None
        if value is not None and other is not None:
            yield metric, value, other
    own, others = line.poor_share, share(poor, samples)
    # Who calls from a worse network than others is told only where it hurts.
    if own is not None and others is not None and (line.region or own >= POOR_MAX):
        yield "poor_share", own, others


def _others(line: Line, told: Sequence[Line]) -> tuple[int, int]:
    """Samples, and poor ones, of what `line` is compared with."""
    if line.dimension == "period":
        like = [at for at in told if at.dimension == "period" and at.region == line.region]
        before = [at for at in like if at.name < line.name]
        return sum(at.samples for at in before), sum(at.poor for at in before)
    whole = ("region", line.region, line.region) if line.region else ("all", "", "all")
    (parent,) = [at for at in told if at.key == whole]
    return parent.samples - line.samples, parent.poor - line.poor
