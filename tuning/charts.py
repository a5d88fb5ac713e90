"""Geometry of the charts: report values to coordinates in an SVG's view box. Draws nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuning.advice import LOAD_MAX
from tuning.line import Line
from tuning.report import Point, Report

WIDTH, HEIGHT = 540, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 26, 46
SERIES_MAX = 8  # as many colours as stay apart
BARS_MAX = 30
ACTIONS_MAX = 12
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LABEL_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    tip: str


@dataclass(frozen=True, slots=True)
class Series:
    """A region's dots; `paths` are its unbroken runs, a step without samples breaks one."""

    name: str
    dots: tuple[Dot, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`rows` and `columns` are the ticks of the axes, `unit` and `across` their captions."""

    title: str
    unit: str
    across: str
    series: tuple[Series, ...]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One server's peak against its capacity; widths in percent of the longest."""

    line: Line
    peak: float
    capacity: float

    @property
    def is_full(self) -> bool:
        return (self.line.load or 0) >= LOAD_MAX


def rtt_chart(report: Report) -> Chart:
    return _chart(report, "RTT p95 by region", lambda at: at.rtt_ms_p95, "ms")


def poor_chart(report: Report) -> Chart:
    def percent(at: Point) -> float | None:
        return None if at.poor_share is None else at.poor_share * 100

    return _chart(report, "Poor samples by region", percent, "%")


def bars(report: Report) -> tuple[Bar, ...]:
    """The fullest servers first."""
    lines = [line for line in report.of("server") if line.peak is not None]
    lines.sort(key=lambda at: (-(at.load or 0), -(at.peak or 0), at.region, at.name))
    lines = lines[:BARS_MAX]
    longest = max((max(at.peak or 0, at.capacity or 0) for at in lines), default=0) or 1
    return tuple(
        Bar(at, 100 * (at.peak or 0) / longest, 100 * (at.capacity or 0) / longest) for at in lines
    )


def ticks(most: float) -> list[float]:
    """Round values from 0 to at least `most`, in three to five steps."""
    if most < 1e-6:
        return [0.0, 1.0]
    unit = 1.0
    while unit * 10 <= most / 4:
        unit *= 10
    while unit > most / 4:
        unit /= 10
    step = next(unit * each for each in _STEPS if unit * each * 4 >= most * 0.999999)
    count = next(n for n in range(1, 6) if step * n >= most * 0.999999)
    return [round(step * n, 10) for n in range(count + 1)]


def _chart(report: Report, title: str, value: Callable[[Point], float | None], unit: str) -> Chart:
    names = [line.name for line in report.of("region") if line.samples][:SERIES_MAX]
    told = [
        (at, found)
        for at in report.points
        if at.region in names and (found := value(at)) is not None
    ]
    rows = ticks(max((found for _, found in told), default=0.0))
    moments = sorted({at.moment for at, _ in told})

    def x(moment: datetime) -> float:
        whole = (moments[-1] - moments[0]).total_seconds()
        part = (moment - moments[0]).total_seconds() / whole if whole else 0.5
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(found: float) -> float:
        return round(HEIGHT - BOTTOM - found / rows[-1] * (HEIGHT - TOP - BOTTOM), 1)

    series = []
    for name in names:
        own = [(at, found) for at, found in told if at.region == name]
        dots = [
            Dot(x(at.moment), y(found), f"{name}, {at.moment:%Y-%m-%d %H:%M}: {found:.1f} {unit}")
            for at, found in own
        ]
        series.append(Series(name, tuple(dots), _paths(report, [at for at, _ in own], dots)))
    return Chart(
        title,
        unit,
        "hour, UTC" if report.step < timedelta(days=1) else "day, UTC",
        tuple(series),
        tuple((y(at), f"{at:g}") for at in rows),
        tuple(_columns(moments, x)),
    )


def _paths(report: Report, points: Sequence[Point], dots: Sequence[Dot]) -> tuple[str, ...]:
    runs: list[list[str]] = []
    before: datetime | None = None
    for point, dot in zip(points, dots, strict=True):
        if before is None or point.moment - before > report.step:
            runs.append([])
        runs[-1].append(f"{dot.x},{dot.y}")
        before = point.moment
    return tuple(" ".join(run) for run in runs)


def _columns(
    moments: Sequence[datetime], x: Callable[[datetime], float]
) -> list[tuple[float, str]]:
    """Labels far enough apart not to touch: midnights where there are several days."""
    several = len({at.date() for at in moments}) > 1
    midnights = [at for at in moments if at.hour == 0] if several else []
    form = "%d %b" if midnights else "%d %b %H:%M" if several else "%H:%M"
    found: list[tuple[float, str]] = []
    for at in midnights or moments:
        if not found or x(at) - found[-1][0] >= _LABEL_WIDTH:
            found.append((x(at), at.strftime(form)))
    return found
