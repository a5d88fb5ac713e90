"""The command line: gathers each package's commands, gives the clock, turns refusals to exits."""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn

import click

import audit.commands
import audit.explain_command
import audit.verify_command
import billing.commands
import billing.invoice_commands
import consumers.commands
import corrections.commands
import demo.commands
import eventlog.commands
import producers.commands
import tuning.commands
from edge import Refused
from edge.command import common, set_clock
from edge.instants import micros


class _InOrder(click.Group):
    """Lists its commands as they were added, which is the way of the data, not by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder)
@common
@click.pass_context
def main(context: click.Context) -> None:
    """HomeMeeting's metering and billing, from the meeting server to the invoice.

    Events go into the journal (emit) and perhaps on to Kafka (forward); consume turns them into
    usage and call quality; invoice run bills a month, tuning report says how good calls were.

    \b
    Example: homemeeting --home /var/lib/homemeeting invoice run --month 2026-10 --format json
    Data goes to stdout, everything else to stderr; --home and --format stand before or after the
    command. Settings: homemeeting.toml in the home, over it HOMEMEETING_*.
    Exit codes: 0 done; 1 refused, failed or left undone, each fault on stderr; 2 wrong usage.
    """
    set_clock(context, _clock())


def _clock() -> Callable[[], int]:
    told = os.environ.get("HOMEMEETING_NOW")
    if told is None:
        return lambda: time.time_ns() // 1000
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        raise Refused(
            "SETTINGS", "HOMEMEETING_NOW must be a time as 2026-11-01T00:00:00Z"
        ) from None
    click.echo(f"the clock is set to {told} by HOMEMEETING_NOW", err=True)
    now_us = micros(moment)
    return lambda: now_us


for command in (
    *producers.commands.COMMANDS,
    *eventlog.commands.COMMANDS,
    *consumers.commands.COMMANDS,
    *billing.commands.COMMANDS,
    *tuning.commands.COMMANDS,
    *audit.commands.COMMANDS,
    *demo.commands.COMMANDS,
):
    main.add_command(command)
for command in corrections.commands.USAGE_COMMANDS:
    billing.commands.usage.add_command(command)
for command in (
    *audit.explain_command.INVOICE_COMMANDS,
    *audit.verify_command.INVOICE_COMMANDS,
):
    billing.invoice_commands.invoice.add_command(command)


def run(arguments: Sequence[str] | None = None) -> None:
    """The console script. Faults go to stderr, one per line, the summary last; exit code 1."""
    # Clients log what our own one sentence says better.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        _main(arguments)
    except Refused as refused:
        _end(*map(str, refused.faults), str(refused))
    except (click.Abort, KeyboardInterrupt):
        _end("INTERRUPTED: stopped; what was committed is kept: give the command again")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(f"SYSTEM: {where}{error.strerror or error}: mend it, then give the command again")


def _main(arguments: Sequence[str] | None) -> None:
    try:
        code = main.main(
            list(arguments) if arguments is not None else None, "homemeeting", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        _end(error.format_message(), code=error.exit_code)
    except click.UsageError as error:
        hint = f"{error.ctx.get_usage()}\n" if error.ctx else ""
        _end(f"{hint}USAGE: {error.format_message()}", code=error.exit_code)
    except click.ClickException as error:
        _end(f"FAILED: {error.format_message()}", code=error.exit_code)
    if isinstance(code, int):  # of --help and the like
        sys.exit(code)


def _end(*lines: str, code: int = 1) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)


if __name__ == "__main__":
    run()
