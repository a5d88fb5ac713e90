"""Which client reads Kafka: librdkafka where it is installed, else kafka-python."""

import importlib.util
from collections.abc import Iterable
from typing import Literal

from eventlog.kafka import KafkaTopics
from eventlog.kafka_python import KafkaPythonClient
from eventlog.kafka_settings import KafkaSettings
from eventlog.kafka_source import KafkaClient, KafkaSource
from schemas import TOPICS

Library = Literal["librdkafka", "kafka-python"]


def open_kafka(
    settings: KafkaSettings, topics: Iterable[str] = TOPICS, library: Library | None = None
) -> KafkaSource:
    """A log over `topics`; `library` None takes the fastest installed.

    Refuses with KAFKA_UNREACHABLE, TOPIC_MISSING or TOPIC_SETTINGS before anything is read.
    """
    names = tuple(topics)
    known = KafkaTopics.connect(settings)
    try:
        known.check(names)
        return KafkaSource(known, open_client(settings, library or fastest()), names)
    except BaseException:
        known.close()
        raise


def fastest() -> Library:
    return "librdkafka" if importlib.util.find_spec("confluent_kafka") else "kafka-python"


def open_client(settings: KafkaSettings, library: Library) -> KafkaClient:
    if library == "kafka-python":
        return KafkaPythonClient(settings)
    # The base install has no librdkafka to import.
    from eventlog.librdkafka import LibrdkafkaClient  # noqa: PLC0415

    return LibrdkafkaClient(settings)
