"""From the journal to Kafka: every message value as it is, keyed by its source.

Owns the cursor, which moves only after the acknowledgement, and patience while Kafka is down. A
restart may send again what was sent: readers recognise it by its sequence. Topics are checked
before the first send and never created.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer

from edge import Refused
from eventlog import JournalSource, Partition, Slice
from eventlog.journal_layout import hold
from eventlog.kafka import KafkaTopics, reaching, servers
from eventlog.kafka_settings import KafkaSettings
from schemas import TOPICS

_CURSOR: Final = "forward.json"
_LOCK: Final = "forward.lock"
_VERSION: Final = 1


_BATCH_EVENTS: Final = 20_000
_PAUSE_S_MIN: Final = 0.5
_PAUSE_S_MAX: Final = 30.0


class Forwarder:
    """The one process that forwards the journal under `root`; a second is refused (LOCK_HELD).

    `sleep` is called between attempts while Kafka does not answer. `forwarded` counts events,
    `damaged` stretches of the journal that could not be read and hence not be sent.
    """

    def __init__(
        self, root: Path, settings: KafkaSettings, *, sleep: Callable[[float], object]
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._settings, self._sleep = settings, sleep
        self._cursor = root / _CURSOR
        self._lock = hold(root / _LOCK, "forwarding this journal")
        try:
            self._positions = _load(self._cursor)
        except Refused:
            os.close(self._lock)
            raise
        self._log = JournalSource(root)
        self._producer: Any = None
        self.forwarded = 0
        self.damaged = 0

    def run_once(self) -> int:
        """Forward up to the journal's present end and return how many events that were.

        Raises Refused(KAFKA_UNREACHABLE) where Kafka does not take them; the cursor says how far
        it came.
        """
        begin = self.forwarded
        ends = self._log.ends(TOPICS)
        self._log.assign(self._positions)
        try:
            while not self._reached(ends) and self._forward(0.0):
                pass
        except Refused:
            self._disconnect()
            raise
        return self.forwarded - begin

    def run(self, stopping: Callable[[], bool], poll_s: float = 0.5) -> None:
        """Forward until `stopping()`. While Kafka is down, wait, longer each time, and go on.

        Raises Refused for what waiting does not mend, such as a topic that is missing.
        """
        pause = _PAUSE_S_MIN
        self._log.assign(self._positions)
        while not stopping():
            try:
                self._forward(poll_s)
                pause = _PAUSE_S_MIN
            except Refused as refusal:
                self._disconnect()
                if refusal.code != "KAFKA_UNREACHABLE":
                    raise
                self._log.assign(self._positions)
                self._sleep(pause)
                pause = min(2 * pause, _PAUSE_S_MAX)

    def close(self) -> None:
        self._disconnect()
        self._log.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _forward(self, timeout_s: float) -> bool:
        """Send one batch, wait for its acknowledgement, move the cursor. False: nothing was there.

        Damage cannot be sent; it is counted and passed over, and shows in Kafka as a gap.
        """
        slices = self._log.poll(_BATCH_EVENTS, timeout_s)
        if not slices:
            return False
        self._send(slices)
        moved = {**self._positions, **{one.partition: one.next for one in slices}}
        _save(self._cursor, moved)
        self._positions = moved
        self.forwarded += sum(len(one.payloads) for one in slices)
        self.damaged += sum(len(one.damages) for one in slices)
        return True

    def _send(self, slices: Sequence[Slice]) -> None:
        producer = self._connected()
        with reaching(self._settings):
            sent = [
                producer.send(one.partition.topic, key=one.partition.partition.encode(), value=each)
                for one in slices
                for each in one.payloads
            ]
            producer.flush()
            for future in sent:
                future.get(timeout=self._settings.timeout_s)

    def _connected(self) -> Any:
        if self._producer is not None:
            return self._producer
        topics = KafkaTopics.connect(self._settings)
        try:
            topics.check(TOPICS)
        finally:
            topics.close()
        timeout_ms = int(self._settings.timeout_s * 1000)
        with reaching(self._settings):
            self._producer = KafkaProducer(
                bootstrap_servers=servers(self._settings),
                client_id="homemeeting-forwarder",
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                delivery_timeout_ms=3 * timeout_ms,
                max_block_ms=timeout_ms,
                batch_size=256 * 1024,
                linger_ms=20,
            )
        return self._producer

    def _disconnect(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            producer.close(timeout=0)

    def _reached(self, ends: Mapping[Partition, int]) -> bool:
        return all(self._positions.get(partition, 1) >= end for partition, end in ends.items())


def _load(path: Path) -> dict[Partition, int]:
    try:
        stored = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        stored = None
    if not isinstance(stored, dict) or stored.get("version") != _VERSION:
        advice = "remove it to send the whole journal again, which harms nothing"
        raise Refused("CURSOR_DAMAGED", f"{path} is not a forwarder's cursor: {advice}")
    return {Partition(*key): position for *key, position in stored["positions"]}


def _save(path: Path, positions: Mapping[Partition, int]) -> None:
    """Replace the cursor as one: after a crash there is the old one or the new one."""
    rows = [[*partition, position] for partition, position in sorted(positions.items())]
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"version": _VERSION, "positions": rows}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
