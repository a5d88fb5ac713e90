"""The tuning command: the report to the terminal, as JSON or CSV, and as an HTML file."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from edge import Refused
from edge.command import common, form, say, settings, show_rows
from edge.faults import inert
from edge.instants import micros
from edge.output import plain
from tuning.advice import Action
from tuning.charts import ACTIONS_MAX
from tuning.html import as_html, heading, number, percent, quantiles
from tuning.line import COLUMNS, Line
from tuning.report import COPIES, DIMENSIONS, Report, tuning_report
from warehouse import read_store

_ROWS_MAX = 25  # of a table on a terminal
_RULE = """
Percentiles are within 1 %. Poor: RTT > 500 ms, loss > 10 % or jitter > 30 ms (Teams CQD, audio)."""
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
    CSV holds the lines; table and JSON also what is worse than its like, and the actions.
    Example: homemeeting tuning report --from 2026-10-01 --to 2026-11-01 --html tuning.html
    Exit codes: 0 reported, empty or not; 1 refused, see stderr; 2 wrong usage.
    """
    if start >= end:
        raise click.BadParameter("--to is the day after the last and must be later than --from")
    bounds = {"start_us": micros(start), "end_us": micros(end)}
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
        say(f"nothing was measured from {report.start} to {report.end}")
        return
    for dimension in DIMENSIONS:
        lines = report.of(dimension)
        if lines and dimension != "release":
            named = heading(dimension, report)
            rows = [{named: line.name, **_cells(line)} for line in lines[:_ROWS_MAX]]
            show_rows(rows, _columns(dimension, named, rows[0]))
            if len(lines) > _ROWS_MAX:
                click.echo(f"{_ROWS_MAX} of {len(lines)}; all are in --format csv")
            click.echo()
    _show_actions(report.actions)
    click.echo(_RULE)


def _columns(dimension: str, named: str, row: dict[str, str]) -> list[str]:
    without = {named}
    if dimension not in ("period", "server"):
        without.add("region")
    if dimension in ("period", "client", "network"):
        without |= {"peak", "of", "load"}
    return [named, *(column for column in row if column not in without)]


def _cells(line: Line) -> dict[str, str]:
    return {
        **({"region": line.region} if line.dimension != "region" else {}),
        "samples": number(line.samples),
        "RTT ms p50/95/99": quantiles(line.rtt_ms),
        "jitter ms": quantiles(line.jitter_ms),
        "join ms": quantiles(line.join_ms),
        "lost": percent(line.loss_share),
        "poor": percent(line.poor_share),
        "frozen": percent(line.freeze_share),
        "peak": number(line.peak),
        "of": number(line.capacity),
        "load": percent(line.load),
    }


def _show_actions(actions: Sequence[Action]) -> None:
    """What to do comes last: it is what stands above the prompt."""
    if not actions:
        click.echo("nothing to do: nothing is full, poor, or worse than its like or than before")
        return
    click.echo("What to do")
    for place, action in enumerate(actions[:ACTIONS_MAX], start=1):
        click.echo(f"{place:>2}. {inert(action.subject)}: {action.what}")
        told = inert(action.evidence)
        click.echo(textwrap.fill(told, 96, initial_indent=" " * 4, subsequent_indent=" " * 4))
    if len(actions) > ACTIONS_MAX:
        click.echo(f"    the first {ACTIONS_MAX} of {len(actions)}; all are in --format json")


COMMANDS: tuple[click.Command, ...] = (tuning,)
