"""The producers' commands: emit and forward."""

import signal
import socket
import threading
import time
from typing import BinaryIO

import click

from edge.command import clock, common, left_undone, say, settings
from eventlog import KafkaSettings
from producers.emitter import Emitter
from producers.forwarder import Forwarder
from producers.ndjson import emit_lines
from producers.simulate_command import simulate_command


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--server-id", default=socket.gethostname, help="Whose journal [host name].")
@common
def emit(file: BinaryIO, server_id: str) -> None:
    """Emit events into the journal of one server.

    FILE holds one JSON object a line; - is stdin.

    \b
    Example: homemeeting emit events.ndjson --server-id fra-1
    Exit codes: 0 all emitted; 1 some lines refused, each named on stderr; 2 wrong usage.
    """
    with Emitter(
        settings().journal, server_id, "none", "emit", clock=clock(), threaded=False, replay=True
    ) as emitter:
        emitted, faults = emit_lines(file, emitter)
    say(f"{emitted} events emitted")
    left_undone("LINES_REFUSED", f"{len(faults)} lines refused", faults)


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
