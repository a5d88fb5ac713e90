"""Fetching from Kafka with librdkafka (confluent-kafka), the client of the extra `[fast]`.

Owns the consumer's options and the turning of its messages into columns; judges nothing.
"""

import logging
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from edge import Refused
from eventlog.kafka_options import librdkafka_options
from eventlog.kafka_reach import unreachable
from eventlog.kafka_settings import KafkaSettings
from eventlog.kafka_source import Fetched, LogCut, OutOfRange, Place, source_of

_CHUNK = 20_000  # measured: larger ones are slower
_LINGER_S = 0.02
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}
_CUT = "log truncation detected"  # of the library's text: the code is that of all resets
_NOT_LET_IN = {KafkaError._AUTHENTICATION, KafkaError._SSL}
# The client retries by itself; whether the topic still exists is asked by the source.
_PASSING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
}


class LibrdkafkaClient:
    """`eventlog.kafka_source.KafkaClient` with librdkafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._positions: dict[Place, int] = {}
        self._not_let_in: KafkaError | None = None
        self._consumer = Consumer(
            {
                **librdkafka_options(settings),
                "error_cb": self._hear,
                "client.id": "homemeeting-reader",
                "group.id": settings.group_id,  # demanded by the library; nothing joins or commits
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "allow.auto.create.topics": False,
                "isolation.level": "read_committed",
                "check.crcs": True,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 64 * 1024,
                "topic.metadata.refresh.interval.ms": 30_000,
            },
            logger=logging.getLogger("homemeeting.kafka"),
        )

    def assign(self, positions: Mapping[Place, int]) -> None:
        self._positions = dict(positions)
        self._consumer.assign(
            [TopicPartition(topic, number, at) for (topic, number), at in positions.items()]
        )

    def fetch(self, events_max: int, timeout_s: float) -> dict[Place, Fetched]:
        try:
            messages = self._consume(events_max, timeout_s)
            if not messages and self._not_let_in is not None:
                raise KafkaException(self._not_let_in)
        except KafkaException as error:
            unreachable(self._settings, error)
        by_place: dict[Place, list[Message]] = {}
        ends: dict[Place, int] = {}
        # `map` over the class's own methods: a message costs half of what a loop over it would.
        places = zip(map(Message.topic, messages), map(Message.partition, messages), strict=True)
        for place, message, failure in zip(
            places, messages, map(Message.error, messages), strict=True
        ):
            if failure is None:
                by_place.setdefault(place, []).append(message)
            elif failure.code() == KafkaError._PARTITION_EOF:
                ends[place] = int(message.offset() or 0)
            else:
                self._fail(place, failure)
        found = {place: _columns(some) for place, some in by_place.items()}
        for place, end in ends.items():
            # At the end of a partition the position lies behind the transaction markers.
            one = found.setdefault(place, Fetched(self._positions[place]))
            one.next = max(one.next, end)
        moved = {place: one for place, one in found.items() if one.next != self._positions[place]}
        self._positions.update({place: one.next for place, one in moved.items()})
        return moved

    def close(self) -> None:
        self._consumer.close()

    def _consume(self, events_max: int, timeout_s: float) -> list[Message]:
        """`consume(n, t)` waits for n or t; we want what is there, and to wait for one only."""
        deadline = time.monotonic() + timeout_s
        messages: list[Message] = self._consumer.consume(min(events_max, _CHUNK), 0)
        if not messages:
            messages = self._consumer.consume(1, timeout_s)
        while messages and len(messages) < events_max and time.monotonic() < deadline:
            more = self._consumer.consume(min(events_max - len(messages), _CHUNK), _LINGER_S)
            if not more:
                break
            messages += more
        return messages

    def _hear(self, error: KafkaError) -> None:
        """What the library says of its connections, and would go on trying for ever."""
        if error.code() in _NOT_LET_IN:
            self._not_let_in = error

    def _fail(self, place: Place, error: KafkaError) -> None:
        if error.code() in _GONE and _CUT in error.str():
            raise LogCut([place])
        if error.code() in _GONE:
            raise OutOfRange
        if error.code() not in _PASSING and not error.retriable():
            where, (topic, number) = self._settings.bootstrap_servers, place
            message = f"Kafka at {where} refused {topic}[{number}]: {error.str()}"
            raise Refused("KAFKA_REFUSED", message)


def _columns(messages: list[Message]) -> Fetched:
    offsets: list[int] = list(map(Message.offset, messages))
    keys = list(map(Message.key, messages))
    names = {key: source_of(key) for key in set(keys)}  # one source has many messages
    return Fetched(
        offsets[-1] + 1,
        offsets,
        [value or b"" for value in map(Message.value, messages)],
        [names[key] for key in keys],
        [arrived_ms * 1000 for _, arrived_ms in map(Message.timestamp, messages)],
    )
