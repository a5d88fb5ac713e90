"""A real Apache Kafka broker for the tests: given, in Docker, or from Maven's jars on Java 17.

Owns starting and stopping it; knows no topics and no client library.
"""

import base64
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.maven import NoJars, fetched

KAFKA_VERSION = "4.3.1"
IMAGE = f"apache/kafka:{KAFKA_VERSION}"
# A broker of a test lives for seconds: what a second compiler makes of it never pays.
_JAVA = ("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_READY_S = 120.0
_POM = Path(__file__).with_name("pom.xml")
_LIBS = Path.home() / ".cache" / "homemeeting-kafka" / KAFKA_VERSION
# Its classes as a first run leaves them, which spares each later one half of its start. Java looks
# whether they are of this Java and of these jars, and goes on without them where they are not.
_CLASSES = _LIBS.with_name(f"{KAFKA_VERSION}.jsa")


class NoBroker(Exception):
    """No broker can be had here; the message says why, way by way."""


@dataclass(frozen=True)
class Broker:
    """A broker of the tests' own at `host:port`. `kill` is SIGKILL; `start` brings it back there,
    with its data.
    """

    address: str
    kill: Callable[[], object]
    start: Callable[[], object]


@dataclass(frozen=True)
class Guarded:
    """More listeners, name to protocol, on `ports`; `lines` say what guards each, with files that
    lie in `folder`. Clients are told `told` instead, where a listener is named there.
    """

    folder: Path
    protocols: Mapping[str, str]
    ports: Mapping[str, int]
    lines: tuple[str, ...]
    told: Mapping[str, int] = field(default_factory=dict)


def given() -> str | None:
    """The `host:port` of a broker that somebody else runs for the tests."""
    return os.environ.get("HOMEMEETING_TEST_KAFKA")


@contextlib.contextmanager
def own_broker(guarded: Guarded | None = None) -> Iterator[Broker]:
    """A running broker, stopped afterwards, with the guarded listeners too. Raises NoBroker."""
    reasons: list[str] = []
    for way in (_docker, _java):
        with contextlib.ExitStack() as stack:
            try:
                running = stack.enter_context(way(guarded))
            except NoBroker as error:
                reasons.append(str(error))
                continue
            yield running
            return
    raise NoBroker("; ".join(reasons))


@contextlib.contextmanager
def _docker(guarded: Guarded | None) -> Iterator[Broker]:
    try:
        import docker  # noqa: PLC0415  # optional: only where testcontainers is installed
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415
    except ImportError:
        raise NoBroker("testcontainers is not installed") from None
    port = free_port()  # fixed beforehand, since the broker must advertise it
    try:
        container = DockerContainer(IMAGE).with_bind_ports(port, port)
        if guarded is not None:
            container = container.with_volume_mapping(guarded.folder, str(guarded.folder), "ro")
            for number in guarded.ports.values():
                container = container.with_bind_ports(number, number)
        text = properties(port, free_port(), None, guarded, bind="0.0.0.0")
        for line in text.splitlines():
            name, _, value = line.partition("=")
            # The image reads `_` as a point, `__` as `_` and `___` as a dash.
            for sign, told in (("_", "__"), ("-", "___"), (".", "_")):
                name = name.replace(sign, told)
            container = container.with_env("KAFKA_" + name.upper(), value)
        # A forwarded port listens before the broker does: its log says when it is ready.
        container.waiting_for(LogMessageWaitStrategy("Kafka Server started")).start()
    except (docker.errors.DockerException, TimeoutError) as error:
        raise NoBroker(f"no broker from Docker ({str(error).splitlines()[0][:120]})") from error
    address = f"127.0.0.1:{port}"
    wrapped = container.get_wrapped_container()
    try:
        yield Broker(address, wrapped.kill, wrapped.start)
    finally:
        container.stop()


@contextlib.contextmanager
def _java(guarded: Guarded | None) -> Iterator[Broker]:
    java = java_command()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="homemeeting-kafka-") as folder:
        home = Path(folder)
        config, log = home / "server.properties", home / "broker.log"
        text = properties(port, free_port(), home / "data", guarded)
        config.write_text(text, "utf-8")
        format_storage(java, config)
        classes = home / "classes.jsa"
        leaving = [] if _CLASSES.exists() else [f"-XX:ArchiveClassesAtExit={classes}"]
        running: list[subprocess.Popen[bytes]] = []  # the last one, those before are killed

        def start() -> None:
            with log.open("ab") as out:
                command = [*java, *leaving, "kafka.Kafka", str(config)]
                running.append(
                    subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
                )
            wait(port, running[-1])

        def kill() -> None:
            running[-1].kill()
            running[-1].wait()

        try:
            start()
            yield Broker(f"127.0.0.1:{port}", kill, start)
        finally:
            if leaving:
                _stop(running[-1])
                _keep(classes)
            else:  # its data goes, and to end in order takes it seconds
                kill()


def java_command() -> list[str]:
    """Raises NoBroker. To it comes what of the jars is to be run."""
    shared = [f"-XX:SharedArchiveFile={_CLASSES}"] if _CLASSES.exists() else []
    return [*_JAVA, *shared, "-cp", f"{_jars()}/*"]


def _keep(classes: Path) -> None:
    if classes.exists():
        part = _CLASSES.with_name(f"{_CLASSES.name}.{os.getpid()}")
        shutil.copyfile(classes, part)
        part.replace(_CLASSES)


def format_storage(java: list[str], config: Path) -> None:
    """Makes the folder of a node's data, of a cluster of its own. Raises NoBroker."""
    told = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
    storage = [*java, "kafka.tools.StorageTool", "format", "-t", told, "-c", str(config)]
    try:
        subprocess.run(storage, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:  # a Java before 17, say
        raise NoBroker(f"java cannot run the broker: {error.stderr.strip()[:200]}") from error


def _jars() -> Path:
    """The broker's jars, fetched once and kept under ~/.cache."""
    try:
        return fetched(_POM, _LIBS)
    except NoJars as error:
        raise NoBroker(str(error)) from error


def properties(
    port: int,
    controller: int,
    data: Path | None,
    guarded: Guarded | None,
    bind: str = "127.0.0.1",
) -> str:
    """A single KRaft node's settings. `data` None leaves the image's own folder."""
    ports = {"PLAINTEXT": port, **(guarded.ports if guarded else {})}
    listeners = [f"{name}://{bind}:{number}" for name, number in ports.items()]
    told = {**ports, **(guarded.told if guarded else {})}
    advertised = [f"{name}://127.0.0.1:{number}" for name, number in told.items()]
    protocols = {
        **{"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"},
        **(guarded.protocols if guarded else {}),
    }
    lines = [
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@127.0.0.1:{controller}",
        f"listeners={','.join(listeners)},CONTROLLER://127.0.0.1:{controller}",
        f"advertised.listeners={','.join(advertised)}",
        "controller.listener.names=CONTROLLER",
        "listener.security.protocol.map="
        + ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "inter.broker.listener.name=PLAINTEXT",
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=4",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "transaction.state.log.num.partitions=4",
        "group.initial.rebalance.delay.ms=0",
        "log.retention.check.interval.ms=500",
        "broker.session.timeout.ms=3000",  # a killed broker waits so long for its own return
        "broker.heartbeat.interval.ms=500",
        *(guarded.lines if guarded else ()),
    ]
    return "\n".join([*lines, f"log.dirs={data}"] if data else lines) + "\n"


def _ports() -> Iterator[int]:
    """Each once, and none that another process of the run hands out: a broker that starts listens
    seconds later. Below those that the system gives to clients: one could take it before that.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = range(15_000 + number, 32_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    yield from random.SystemRandom().sample(own, len(own))


_PORTS: Final = _ports()


def free_port() -> int:
    """Nobody listens there, and it was not given before."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports were given")


def wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NoBroker(f"the broker ended at once with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise NoBroker(f"the broker did not listen within {_READY_S:.0f} s")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
