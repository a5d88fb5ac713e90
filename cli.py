"""The command line: gathers each package's commands, gives the clock, turns refusals to exits."""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.abc import MetaPathFinder
from typing import NoReturn

import click

from edge import Refused
from edge.command import common, set_clock
from edge.faults import inert
from edge.instants import micros
from edge.lazy_group import LazyGroup
from edge.private import private_umask


@click.group(cls=LazyGroup)
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


main.add_later("producers.commands", "emit", "forward", "journal", "simulate")
main.add_later("eventlog.commands", "topics", "log")
main.add_later("consumers.commands", "consume", "status", "quarantine", "verify")
main.add_later("billing.account_commands", "account")
main.add_later("billing.price_book_commands", "price-book")
main.add_later("billing.usage_commands", "usage")
main.add_later("billing.server_commands", "server")
main.add_later("billing.invoice_commands", "invoice")
main.add_later("billing.credit_note_commands", "credit-note", "void")
main.add_later("billing.alert_commands", "alerts")
main.add_later("billing.audit_commands", "audit")
main.add_later("tuning.commands", "tuning")
main.add_later("audit.commands", "rebuild")
main.add_later("demo.commands", "demo")


class _Unwanted(MetaPathFinder):
    """What no command uses and a library loads to see whether it was handed some: pandas, for which
    DuckDB looks when it binds a parameter and pyarrow when it makes an array, a third of a second;
    and pyarrow's datasets, for which DuckDB looks when it is handed a table, a tenth.
    """

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname in ("pandas", "pyarrow.dataset"):
            raise ModuleNotFoundError(f"no command uses {fullname}", name=fullname)


def run(arguments: Sequence[str] | None = None) -> None:
    """The console script. Faults go to stderr, one per line, the summary last; exit code 1."""
    if arguments is None:  # a process of its own
        sys.meta_path.insert(0, _Unwanted())
    # Clients log what our own one sentence says better.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        with private_umask():
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


def _end(*texts: str, code: int = 1) -> NoReturn:
    for line in "\n".join(texts).split("\n"):
        click.echo(inert(line), err=True)
    sys.exit(code)


if __name__ == "__main__":
    run()
