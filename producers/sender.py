"""Sending journal events to Kafka: in batches, acknowledged, and what is refused is found out.

Owns the producer and its options; knows no order among topics, no cursor and no patience.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from edge import Fault, Refused
from eventlog import Partition
from eventlog.kafka_options import kafka_python_options
from eventlog.kafka_reach import reaching
from eventlog.kafka_settings import KafkaSettings

_DELIVERIES: Final = 3  # so often the time of one answer, before an event counts as not taken


class Message(NamedTuple):
    """One event of the journal, `sequence` its place there."""

    partition: Partition
    sequence: int
    value: bytes

    def __str__(self) -> str:
        place = f"{self.partition.topic} {self.partition.partition} {self.sequence}"
        return f"{place} ({len(self.value)} bytes)"


class Sender:
    """A producer of one cluster. Raises Refused: KAFKA_UNREACHABLE, KAFKA_REFUSED."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer = _producer(settings)

    def send(self, messages: Sequence[Message]) -> None:
        """Send and wait until every one is acknowledged or given up; raises the first refusal."""
        sent: list[Any] = []
        first: Refused | None = None
        try:
            with reaching(self._settings):
                for one in messages:
                    topic, key = one.partition.topic, one.partition.partition.encode()
                    sent.append(self._producer.send(topic, key=key, value=one.value))
        except Refused as refusal:
            first = refusal
        # Not flush: it gives up where the client splits a batch that is too large for the broker.
        patience_s = (_DELIVERIES + 1) * self._settings.timeout_s
        for future in sent:
            if not future.succeeded():
                try:
                    with reaching(self._settings):
                        future.get(timeout=patience_s)
                except Refused as refusal:
                    first = first or refusal
        if first is not None:
            raise first

    def isolate(
        self, messages: Sequence[Message], taken: Callable[[Sequence[Message]], None]
    ) -> list[Fault]:
        """A fault for the first message of each partition of the journal that Kafka will not take.

        A batch falls as a whole, so it is halved; `taken` hears of what is acknowledged meanwhile.
        """
        faults: list[Fault] = []
        for place in dict.fromkeys(one.partition for one in messages):
            rest = [one for one in messages if one.partition == place]
            while rest:
                part = rest
                while (refused := self._refusal(part)) and len(part) > 1:
                    part = part[: len(part) // 2]
                if refused:
                    faults.append(Fault(refused.code, str(part[0]), refused.summary))
                    break
                taken(part)
                rest = rest[len(part) :]
        return faults

    def renew(self) -> None:
        """Begin with a producer id of its own: one that was refused takes nothing more."""
        self.close()
        self._producer = _producer(self._settings)

    def close(self) -> None:
        # It raises where something is still on its way; that is sent again by the next.
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=0)

    def _refusal(self, messages: Sequence[Message]) -> Refused | None:
        self.renew()
        try:
            self.send(messages)
        except Refused as refusal:
            if refusal.code != "KAFKA_REFUSED":
                raise
            return refusal
        return None


def _producer(settings: KafkaSettings) -> Any:
    timeout_ms = int(settings.timeout_s * 1000)
    with reaching(settings):
        return KafkaProducer(
            **kafka_python_options(settings),
            client_id="homemeeting-forwarder",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms,
            delivery_timeout_ms=_DELIVERIES * timeout_ms,
            max_block_ms=timeout_ms,
            batch_size=256 * 1024,
            linger_ms=20,
        )
