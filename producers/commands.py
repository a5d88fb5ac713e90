"""The producers' commands: emit and forward."""

import signal
import socket
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from edge import Refused
from edge.command import clock, common, left_undone, say, settings
from eventlog import KafkaSettings
from producers.emitter import Emitter
from producers.forwarder import Forwarder
from producers.ndjson import Lines
from producers.simulate_command import simulate_command


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--server-id", default=socket.gethostname, help="Whose journal [host name].")
@common
def emit(file: Path, server_id: str) -> None:
    """Emit events into the journal of one server.

    FILE holds one JSON object a line; - is stdin.

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
    servers = settings().kafka_servers()
    stopping = threading.Event()
    with Forwarder(settings().journal, KafkaSettings(servers), sleep=time.sleep) as forwarder:
        if once:
            say(f"{forwarder.run_once()} messages forwarded")
            what = f"{forwarder.damaged} places of the journal could not be sent: holes in Kafka"
            left_undone("FORWARD_LEFT", what, forwarder.faults)
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        forwarder.run(stopping.is_set)


COMMANDS: tuple[click.Command, ...] = (emit, forward, simulate_command)
