"""Fetching from Kafka with kafka-python, the client of the base install.

Owns the consumer's options and the turning of its records into columns; judges nothing.
"""

from collections.abc import Mapping

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError

from eventlog.kafka_options import kafka_python_options
from eventlog.kafka_reach import reaching
from eventlog.kafka_settings import KafkaSettings
from eventlog.kafka_source import Fetched, LogCut, OutOfRange, Place, source_of

_FETCH_BYTES = 8 * 1024 * 1024


class KafkaPythonClient:
    """`eventlog.kafka_source.KafkaClient` with kafka-python."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._positions: dict[Place, int] = {}
        timeout_ms = int(settings.timeout_s * 1000)
        with reaching(settings):
            self._consumer = KafkaConsumer(
                **kafka_python_options(settings),
                client_id="homemeeting-reader",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                allow_auto_create_topics=False,
                isolation_level="read_committed",
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                max_partition_fetch_bytes=_FETCH_BYTES,
                metadata_max_age_ms=30_000,
                metrics_enabled=False,
            )

    def assign(self, positions: Mapping[Place, int]) -> None:
        self._positions = dict(positions)
        with reaching(self._settings):
            self._consumer.assign([TopicPartition(*place) for place in positions])
            for place, offset in positions.items():
                self._consumer.seek(TopicPartition(*place), offset)

    def fetch(self, events_max: int, timeout_s: float) -> dict[Place, Fetched]:
        with reaching(self._settings):
            try:
                polled = self._consumer.poll(
                    timeout_ms=int(timeout_s * 1000), max_records=events_max
                )
                found = self._moved()
            except LogTruncationError as error:
                raise LogCut((at.topic, at.partition) for at in error.divergent_offsets) from error
            except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
                raise OutOfRange from error
        for partition, records in polled.items():
            _fill(found[partition.topic, partition.partition], records)
        self._positions.update({place: one.next for place, one in found.items()})
        return found

    def _moved(self) -> dict[Place, Fetched]:
        """Every partition whose position moved, be it by nothing but transaction markers."""
        found: dict[Place, Fetched] = {}
        for place, before in self._positions.items():
            after = self._consumer.position(TopicPartition(*place), timeout_ms=0)
            if after is not None and after != before:
                found[place] = Fetched(int(after))
        return found

    def close(self) -> None:
        self._consumer.close(autocommit=False)


def _fill(one: Fetched, records: list[ConsumerRecord]) -> None:
    one.offsets = [record.offset for record in records]
    one.payloads = [record.value or b"" for record in records]
    # One source has many messages: its name is decoded once.
    names = {key: source_of(key) for key in {record.key for record in records}}
    one.sources = [names[record.key] for record in records]
    one.arrived_us = [record.timestamp * 1000 for record in records]
