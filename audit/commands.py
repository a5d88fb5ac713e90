"""The command that proves the usage store from the log: rebuild."""

from pathlib import Path

import click

from audit.comparison import COMPARED
from audit.rebuild import Rebuilt, rebuild
from audit.replay import log_so_far
from edge.command import clock, common, left_undone, progress, say, settings, show_rows
from edge.log_options import archive_option, from_option
from eventlog import open_log

_COLUMNS = ("table", "store_only", "log_only")


@click.command("rebuild")
@from_option
@archive_option
@click.option("--accept-differences", is_flag=True, help="Take what the log says in any case.")
@common
def rebuild_command(log: str | None, archive: Path | None, accept_differences: bool) -> None:
    """Make the usage store anew from the log.

    Reads again exactly what the store was made of, compares both as sets, and lists how many rows
    of each table only one of them has. If none, or if they are accepted, the new store takes the
    place of the old one, which stays beside it as usage.duckdb.before-rebuild.

    \b
    Example: homemeeting rebuild --archive /var/archive
    Exit codes: 0 the new store is in place; 1 refused, or they differ: nothing was changed; 2
    wrong usage.
    """
    home = settings()
    source = open_log(home, log, archive)
    try:
        offsets = sum(after - first for first, after in log_so_far(source).values())
        with progress("Replaying", offsets) as advance:
            done = rebuild(
                home, source, clock(), accept_differences=accept_differences, progress=advance
            )
    finally:
        source.close()
    _show(done)
    faults = [fault for one in done.differences for fault in one.faults()]
    if not done.is_swapped:
        what = "store and log differ, the store is as it was: find out why, or --accept-differences"
        left_undone("REBUILD_DIFFERS", what, faults)
    for fault in faults:
        say(str(fault))
    beside = f"; the old one is {done.kept}" if done.kept else ""
    say(f"{done.messages:,} messages read, the new store is in place{beside}")


def _show(done: Rebuilt) -> None:
    by_table = {one.table: one for one in done.differences}
    rows = []
    for table in COMPARED.all():
        one = by_table.get(table)
        counts = (one.in_store, one.in_log) if one else (0, 0)
        rows.append(dict(zip(_COLUMNS, (table, *counts), strict=True)))
    show_rows(rows, _COLUMNS)


COMMANDS: tuple[click.Command, ...] = (rebuild_command,)
