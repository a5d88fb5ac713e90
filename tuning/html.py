"""The report as one self-contained HTML file: no script, no font, no request to anywhere.

Owns the formatting of numbers for people. Every name is hostile until escaped, so Jinja escapes
all, and the page's own policy forbids scripts besides.
"""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tuning import charts
from tuning.line import Quantiles
from tuning.report import DIMENSIONS, Report


def as_html(report: Report) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent, quantiles=quantiles, moment=moment)
    tables = [(name, heading(name, report), report.of(name)) for name in DIMENSIONS[1:]]
    return environment.get_template("report.html").render(
        report=report,
        overall=next(iter(report.of("all")), None),
        tables=[at for at in tables if at[2]],
        lines=(charts.rtt_chart(report), charts.poor_chart(report)),
        bars=charts.bars(report),
        c=charts,
    )


def heading(dimension: str, report: Report) -> str:
    """The column of names: a period is named by its first day."""
    if dimension == "period":
        return "day" if report.period_days == 1 else f"{report.period_days} days from"
    return "version in region" if dimension == "release" else dimension


def number(value: float | None) -> str:
    """Whole, or one decimal below ten."""
    if value is None:
        return "–"
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value != int(value) else f"{value:,.0f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def quantiles(value: Quantiles) -> str:
    if value.p50 is None:
        return "–"
    return " / ".join(map(number, (value.p50, value.p95, value.p99)))


def moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M}"
