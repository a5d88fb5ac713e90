"""The producers' commands: emit and forward."""

import socket
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from edge import Fault, Refused
from edge.command import clock, common, left_undone, say, say_some, settings
from edge.stopping import Stopping
from eventlog import KafkaSettings
from producers.emitter import Emitter
from producers.forwarder import Forwarder
from producers.journal_command import journal
from producers.ndjson import Lines
from producers.simulate_command import simulate_command

_PATIENCE_S = 2.0  # what was sent and not acknowledged is sent again, and counted once


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--server-id", default=socket.gethostname, help="Whose journal [host name].")
@common
def emit(file: Path, server_id: str) -> None:
    """Emit events into the journal of one server.

    FILE holds one JSON object a line; - is stdin. Usage that is given again counts once. Samples of
    quality and load count again: they have no identity but their place in a journal.

    \b
    Example: homemeeting emit events.ndjson --server-id fra-1
    Exit codes: 0 all emitted; 1 some lines refused, each named on stderr; 2 wrong usage.
    """
    with _input(file) as opened:
        emitter = Emitter(
            settings().journal,
            server_id,
            "none",
            "emit",
            clock=clock(),
            threaded=False,
            replay=True,
        )
        lines = Lines(emitter)
        try:
            with emitter:
                lines.emit(opened)
        except Refused as refused:
            reason = (
                f"{refused.summary.partition(':')[0]}; {lines.accepted} lines are in the journal"
            )
            advice = "mend that, then give again the lines that are named as left"
            faults = [*lines.faults, *lines.left()]
            raise Refused(refused.code, f"{reason}: {advice}", faults) from refused
    say(f"{lines.accepted} events emitted")
    left_undone("LINES_REFUSED", f"{len(lines.faults)} lines refused", lines.faults)


def _input(file: Path) -> AbstractContextManager[BinaryIO]:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise Refused("FILE_UNREADABLE", f"{file} cannot be read: {error.strerror}") from error


@click.command()
@click.option("--once", is_flag=True, help="Forward what is there now, then exit.")
@common
def forward(once: bool) -> None:
    """Send the journal to Kafka; without Kafka, wait.

    \b
    Example: homemeeting forward --once
    Exit codes: 0 done; 1 refused, or some could not be sent, see stderr; 2 wrong usage.
    """
    kafka = KafkaSettings.of(settings())
    unsent: list[Fault] = []

    def tell(fault: Fault) -> None:
        unsent.append(fault)
        say(str(fault))

    with Forwarder(settings().journal, kafka, sleep=time.sleep, unsent=tell) as forwarder:
        say_some(forwarder.tails())
        if not once:
            with Stopping(_PATIENCE_S) as stopping:
                forwarder.run(stopping.asked)
            return
        say(f"{forwarder.run_once()} messages forwarded")
    if unsent:
        what = f"{len(unsent)} places of the journal could not be sent: holes in Kafka"
        raise Refused("FORWARD_LEFT", what)


COMMANDS: tuple[click.Command, ...] = (emit, forward, journal, simulate_command)
