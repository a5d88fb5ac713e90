"""What stands out and what to do: servers worse than the rest of their region, full servers.

Owns the thresholds. A server is compared with its region without it, so that it does not hide in
an average of its own making; a server alone in its region is compared with nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tuning.line import Key, Line, Quantiles, share

SAMPLES_MIN = 200  # below this a p95 rests on fewer than ten values
RATIO_MIN = 1.25
EXCESS_MIN: Mapping[str, float] = {
    "rtt_ms": 20.0, "jitter_ms": 5.0, "join_ms": 500.0, "poor_share": 0.02,
}  # fmt: skip
LOAD_MAX = 0.8
POOR_MAX = 0.05
_LABELS = {"rtt_ms": "RTT p95", "jitter_ms": "jitter p95", "join_ms": "join time p95"}


@dataclass(frozen=True, slots=True)
class Outlier:
    """A server whose `metric` (p95, or `poor_share`) is worse than the rest of its region."""

    region: str
    server: str
    metric: str
    value: float
    rest: float
    samples: int

    @property
    def sentence(self) -> str:
        if self.metric == "poor_share":
            return f"{self.value:.1%} of samples are poor, {self.rest:.1%} elsewhere in the region"
        label = _LABELS[self.metric]
        return f"{label} is {self.value:.0f} ms, {self.rest:.0f} ms elsewhere in the region"


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about `region` or one of its servers (empty for the region), and the evidence."""

    region: str
    server: str
    what: str
    evidence: str


def outliers(
    lines: Iterable[Line], rest: Mapping[Key, Mapping[str, Quantiles]]
) -> tuple[Outlier, ...]:
    """Worst first, by ratio. `rest` holds the quantiles of each region without each server."""
    told = list(lines)
    regions = {line.name: line for line in told if line.dimension == "region"}
    found = [
        Outlier(line.region, line.name, metric, value, other, line.samples)
        for line in told
        if line.dimension == "server"
        and SAMPLES_MIN <= line.samples <= regions[line.region].samples - SAMPLES_MIN
        for metric, value, other in _compared(line, regions[line.region], rest)
        if value >= other * RATIO_MIN and value - other >= EXCESS_MIN[metric]
    ]
    found.sort(key=lambda at: (-at.value / max(at.rest, 1e-9), at.region, at.server, at.metric))
    return tuple(found)


def _compared(
    line: Line, region: Line, rest: Mapping[Key, Mapping[str, Quantiles]]
) -> list[tuple[str, float, float]]:
    others = rest.get(("rest", line.region, line.name), {})
    pairs: list[tuple[str, float | None, float | None]] = [
        (metric, getattr(line, metric).p95, others[metric].p95)
        for metric in _LABELS
        if metric in others
    ]
    poor = share(region.poor - line.poor, region.samples - line.samples)
    pairs.append(("poor_share", line.poor_share, poor))
    return [
        (metric, value, other)
        for metric, value, other in pairs
        if value is not None and other is not None
    ]


def actions(lines: Iterable[Line], found: Iterable[Outlier]) -> tuple[Action, ...]:
    """Full servers first, then servers unlike their region, then regions poor as a whole."""
    told = list(lines)
    full = sorted(
        (line for line in told if line.dimension == "server" and (line.load or 0) >= LOAD_MAX),
        key=lambda line: (-(line.load or 0), line.region, line.name),
    )
    done = [
        Action(
            line.region,
            line.name,
            "Add capacity or spread its meetings",
            f"{line.load or 0:.0%} of capacity in its fullest hour, peak {line.peak}",
        )
        for line in full
    ]
    by_server: dict[tuple[str, str], list[Outlier]] = {}
    for each in found:
        by_server.setdefault((each.region, each.server), []).append(each)
    for (region, server), all_of in by_server.items():
        evidence = "; ".join(each.sentence for each in all_of)
        done.append(Action(region, server, "Drain it and check its host and network", evidence))
    for line in told:
        if line.dimension == "region" and line.samples >= SAMPLES_MIN:
            poor = line.poor_share or 0
            if poor >= POOR_MAX:
                evidence = f"{poor:.1%} of {line.samples} samples are poor; {_state(line)}"
                done.append(Action(line.name, "", _cure(line), evidence))
    return tuple(done)


def _state(line: Line) -> str:
    return (
        f"RTT p95 {line.rtt_ms.p95 or 0:.0f} ms, loss p95 {line.loss_ratio.p95 or 0:.1%},"
        f" jitter p95 {line.jitter_ms.p95 or 0:.0f} ms"
    )


def _cure(line: Line) -> str:
    """By the limit of the rule that the region's p95 is nearest to or furthest beyond."""
    strain = {
        "Bring servers nearer: its RTT is long": (line.rtt_ms.p95 or 0) / 500,
        "Check its transit and uplinks: packets get lost": (line.loss_ratio.p95 or 0) / 0.1,
        "Check its links for congestion: jitter is high": (line.jitter_ms.p95 or 0) / 30,
    }
    return max(strain, key=lambda what: strain[what])
