"""What every command shares: `--home` and `--format` before and after it, the clock, its output."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from edge.faults import Fault, Refused, inert
from edge.output import FORMATS, Format, as_json, as_rows
from edge.settings import Settings, load_settings

_HOME, _FORMAT, _CLOCK = "homemeeting.home", "homemeeting.format", "homemeeting.clock"

_SAID_MAX = 20
_REASON_MAX = 500


def with_home(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--home`."""
    home = click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        expose_value=False,
        callback=_keep(_HOME),
        help="Where the journal, the stores and the documents lie [./homemeeting-data].",
    )
    return home(command)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--home` and `--format`. The place nearest to the command wins."""
    form = click.option(
        "--format",
        type=click.Choice(FORMATS),
        expose_value=False,
        callback=_keep(_FORMAT),
        help="How data is written to stdout [table].",
    )
    return with_home(form(command))


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None:
            context.meta[key] = value

    return callback


def set_clock(context: click.Context, clock: Callable[[], int]) -> None:
    context.meta[_CLOCK] = clock


def clock() -> Callable[[], int]:
    """The injected clock: UTC microseconds."""
    found: Callable[[], int] = click.get_current_context().meta[_CLOCK]
    return found


def reason_text(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The callback of every `--reason` that the audit trail keeps."""
    if value is None:
        return None
    reason = value.strip()
    if not reason.isprintable() or not 1 <= len(reason) <= _REASON_MAX:
        raise click.BadParameter(f"must be 1 to {_REASON_MAX} printable characters")
    return reason


def settings() -> Settings:
    home = click.get_current_context().meta.get(_HOME, Path("homemeeting-data"))
    return load_settings(home, os.environ)


def form() -> Format:
    found: Format = click.get_current_context().meta.get(_FORMAT, "table")
    return found


def show_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], empty: str = "nothing to show"
) -> None:
    """`rows` to stdout. A table without rows is no table: then stderr says `empty`."""
    told = list(rows)
    if told or form() != "table":
        click.echo(as_rows(told, columns, form()))
    else:
        say(empty)


def show_json(data: Any) -> None:
    click.echo(as_json(data))


def say(text: str) -> None:
    """Progress and remarks go to stderr: stdout is data. They may repeat what was typed."""
    click.echo(inert(text), err=True)


def say_some(remarks: Sequence[object]) -> None:
    """Remarks of which there may be very many: the first of them, and how many more."""
    for remark in remarks[:_SAID_MAX]:
        say(str(remark))
    if len(remarks) > _SAID_MAX:
        say(f"… and {len(remarks) - _SAID_MAX} more")


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], object]]:
    """A bar of `length` steps on stderr; gives what to call with the steps done since the last
    call. Where stderr is no terminal it is the label alone, and of no steps it is nothing.
    """
    if length <= 0:
        yield lambda steps: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def left_undone(code: str, summary: str, faults: Sequence[Fault]) -> None:
    """Refuses where there are faults; for work that was done as far as it could be."""
    if faults:
        raise Refused(code, summary, faults)
