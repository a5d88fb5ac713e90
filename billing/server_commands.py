"""The server commands: list, retire, expect."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from billing.audit_trail import Act
from billing.books import open_books
from billing.item_commands import day_option
from billing.servers import expect, retire, servers
from edge.command import clock, common, reason_text, say, settings, show_rows
from edge.instants import instant

_LIST = (
    *("server_id", "expected", "last_beat", "watermark", "open", "unheard", "lost", "in_flight"),
    *("refused", "retired_on", "reason", "missing"),
)


@click.group()
def server() -> None:
    """The servers that a period waits for: list, retire, expect.

    \b
    Example: homemeeting server list
    Exit codes: 0 done; 1 refused, see stderr; 2 wrong usage.
    """


@server.command("list")
@common
def list_command() -> None:
    """Every server heard of, listed or retired, and what is missing of it.

    Watermark: all it observed until then is in the log.

    \b
    Example: homemeeting server list --format json
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    home = settings()
    with open_books(home, make=False) as books:
        rows = [_row(row) for row in servers(books, home, clock()())]
    show_rows(rows, _LIST, "no server was heard of, and none is listed")


@server.command("retire")
@click.argument("names", metavar="SERVER...", nargs=-1, required=True)
@click.option(
    "--on",
    "day",
    required=True,
    callback=day_option,
    metavar="DATE",
    help="From this day (UTC) on.",
)
@click.option(
    "--reason", required=True, callback=reason_text, help="Why; evidence and audit trail keep it."
)
@common
def retire_command(names: tuple[str, ...], day: date, reason: str) -> None:
    """Wait for a server no longer, from a day on.

    Periods that end after DATE has begun are closed without what it did not tell. A server that is
    heard again after DATE is waited for again, but for the sources that fell silent by then.

    \b
    Example: homemeeting server retire fra-1 --on 2026-10-15 --reason "disk lost"
    Exit codes: 0 done, or so already; 1 refused, every fault on stderr, nothing changed; 2 wrong
    usage.
    """
    home = settings()
    with open_books(home) as books:
        for remark in retire(books, home, names, day, _act("server retire", reason)):
            say(remark)


@server.command("expect")
@click.argument("names", metavar="SERVER...", nargs=-1, required=True)
@click.option("--reason", callback=reason_text, help="Kept in the audit trail.")
@common
def expect_command(names: tuple[str, ...], reason: str | None) -> None:
    """Wait for a server, heard of or not; undoes its retirement.

    As a server in [billing] expected_servers it must be heard at the end of a period or later.

    \b
    Example: homemeeting server expect fra-1 fra-2
    Exit codes: 0 done, or so already; 1 refused, every fault on stderr, nothing changed; 2 wrong
    usage.
    """
    home = settings()
    with open_books(home) as books:
        for remark in expect(books, home, names, _act("server expect", reason or "")):
            say(remark)


def _act(action: str, reason: str) -> Act:
    return Act(clock()(), settings().user, action, "", reason, {})


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    retired = row["retired_on"] is not None and not row["heard_again"]
    expected = "no: retired" if retired else "listed" if row["listed"] else "heard of"
    return {
        **row,
        "expected": expected,
        "last_beat": row["beat_us"] and instant(row["beat_us"]),
        "watermark": row["watermark_us"] and instant(row["watermark_us"]),
    }


COMMANDS: tuple[click.Command, ...] = (server,)
