"""A cluster of three real brokers, each a controller too: replication 3, two must have a message.

Owns starting, killing and restarting them. Before each broker lies a `Line`, which is where clients
that bootstrap from `lines` are told to go.
"""

import contextlib
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.kafka.broker import (
    Guarded,
    format_storage,
    free_port,
    java_command,
    properties,
    wait,
)
from tests.kafka.line import Line

NODES = (1, 2, 3)
_HEAP = "-Xmx256m"


@dataclass
class Cluster:
    """Nodes have the numbers 1 to 3. `kill` is SIGKILL; `start` brings some back, all at once."""

    home: Path
    ports: dict[int, int]
    before: dict[int, Line]
    _running: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def addresses(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    @property
    def lines(self) -> str:
        return ",".join(f"127.0.0.1:{line.port}" for line in self.before.values())

    def kill(self, node: int) -> None:
        self._running[node].kill()
        self._running[node].wait()

    def start(self, *nodes: int) -> None:
        for node in nodes:
            with (self.home / f"{node}.log").open("ab") as out:
                command = [*java_command(), _HEAP, "kafka.Kafka"]
                self._running[node] = subprocess.Popen(
                    [*command, str(self.home / f"{node}.properties")],
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
        for node in nodes:
            wait(self.ports[node], self._running[node])

    def stop(self) -> None:
        """Nothing of theirs is used again: they are killed, which takes no time."""
        for node in self._running:
            self.kill(node)


@contextlib.contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Running, and stopped afterwards. Raises NoBroker."""
    java = java_command()
    ports = {node: free_port() for node in NODES}
    controllers = {node: free_port() for node in NODES}
    inner = {node: free_port() for node in NODES}
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homemeeting-kafka-")))
        before = {node: Line(free_port(), inner[node]) for node in NODES}
        for line in before.values():
            stack.callback(line.close)
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in controllers.items())
        for node in NODES:
            # Of two lines that set one thing the last counts.
            lines = (
                f"node.id={node}",
                f"controller.quorum.voters={voters}",
                "default.replication.factor=3",
                "min.insync.replicas=2",
                "offsets.topic.replication.factor=3",
                "num.network.threads=1",
                "replica.lag.time.max.ms=3000",
            )
            told = {"LINE": before[node].port}
            more = Guarded(home, {"LINE": "PLAINTEXT"}, {"LINE": inner[node]}, lines, told)
            text = properties(ports[node], controllers[node], home / str(node), more)
            (home / f"{node}.properties").write_text(text, "utf-8")
        format_storage(java, home / f"{NODES[0]}.properties")
        for node in NODES[1:]:
            _copy(home, node)
        cluster = Cluster(home, ports, before)
        stack.callback(cluster.stop)
        cluster.start(*NODES)
        yield cluster


def _copy(home: Path, node: int) -> None:
    """The formatted folder of the first node for another: a second Java would do no more."""
    shutil.copytree(home / str(NODES[0]), home / str(node))
    meta = home / str(node) / "meta.properties"
    told = dict(
        line.split("=", 1) for line in meta.read_text("utf-8").splitlines() if line[:1] != "#"
    )
    folder = uuid.uuid4().hex[:21] + "A"  # 22 letters of base64, the last of them with four bits
    told |= {"node.id": str(node), "directory.id": folder}
    meta.write_text("".join(f"{key}={value}\n" for key, value in told.items()), "utf-8")
