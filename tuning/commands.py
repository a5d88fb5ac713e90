"""The tuning command: the report to the terminal, as JSON or CSV, and as an HTML file."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from edge import Refused
from edge.command import common, form, say, settings, show_rows
from edge.output import plain
from tuning.html import as_html, moment, number, percent, quantiles
from tuning.line import COLUMNS, Line
from tuning.report import COPIES, DIMENSIONS, Report, tuning_report
from warehouse import read_store

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def tuning() -> None:
    """How good calls were, and what to do: report.

    \b
    Example: homemeeting tuning report --from 2026-10-01 --to 2026-11-01
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@tuning.command("report")
@click.option("--from", "start", type=_DAY, metavar="DATE", required=True, help="First day, UTC.")
@click.option(
    "--to", "end", type=_DAY, metavar="DATE", required=True, help="Day after the last, UTC."
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report with charts to this file.",
)
@common
def report_command(start: datetime, end: datetime, html: Path | None) -> None:
    """Quality and capacity by region, server, version, client and network.

    \b
    CSV holds the lines; table and JSON also the servers unlike their region and the actions.
    Example: homemeeting tuning report --from 2026-10-01 --to 2026-11-01 --html tuning.html
    Exit codes: 0 reported, empty or not; 1 refused, see stderr; 2 wrong usage.
    """
    if start >= end:
        raise click.BadParameter("--to is the day after the last and must be later than --from")
    bounds = {"start_us": _micros(start), "end_us": _micros(end)}
    with read_store(settings().usage, "usage", COPIES.all(), bounds).closing() as store:
        report = tuning_report(store, start.date(), end.date())
    if html is not None:
        _write(html, as_html(report))
    if form() == "json":
        click.echo(json.dumps(as_data(report), indent=2, ensure_ascii=False, allow_nan=False))
    elif form() == "csv":
        show_rows([line.row() for line in report.lines], COLUMNS)
    else:
        _show_tables(report)


def _micros(day: datetime) -> int:
    return (day - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001  both UTC


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise Refused("TUNING_HTML", f"{path} cannot be written: {error.strerror}") from error
    say(f"written: {path}")


def as_data(report: Report) -> dict[str, Any]:
    """For JSON: numbers stay numbers, times are ISO 8601 in UTC."""
    found: dict[str, Any] = _plain(
        {
            "from": report.start,
            "to": report.end,
            "lines": [line.row() for line in report.lines],
            "series": [asdict(point) for point in report.points],
            "outliers": [asdict(each) for each in report.outliers],
            "actions": [asdict(action) for action in report.actions],
        }
    )
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, float) else plain(value)


def _show_tables(report: Report) -> None:
    if not report.lines:
        click.echo(f"nothing was measured from {report.start} to {report.end}")
        return
    for dimension in DIMENSIONS:
        lines = report.of(dimension)
        if lines:
            rows = [_cells(line) for line in lines]
            show_rows(rows, _columns(dimension, rows[0]))
            click.echo()
    if report.actions:
        rows = [asdict(action) for action in report.actions]
        show_rows(rows, ("region", "server", "what", "evidence"))
    else:
        click.echo("nothing to do: no full server, no server unlike its region, no poor region")


def _columns(dimension: str, row: dict[str, str]) -> list[str]:
    without = set() if dimension == "server" else {"region"}
    if dimension in ("client", "network"):
        without |= {"peak", "capacity", "load", "peak at"}
    # The name's column is headed by its dimension; a region's own name is no second column.
    return [dimension, *(column for column in row if column not in {dimension, *without})]


def _cells(line: Line) -> dict[str, str]:
    return {
        "region": line.region,
        line.dimension: line.name,
        "samples": number(line.samples),
        "RTT ms p50/95/99": quantiles(line.rtt_ms),
        "jitter ms": quantiles(line.jitter_ms),
        "join ms": quantiles(line.join_ms),
        "lost": percent(line.loss_share),
        "poor": percent(line.poor_share),
        "frozen": percent(line.freeze_share),
        "peak": number(line.peak),
        "capacity": number(line.capacity),
        "load": percent(line.load),
        "peak at": moment(line.peak_at),
    }


COMMANDS: tuple[click.Command, ...] = (tuning,)
