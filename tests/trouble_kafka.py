"""A plan against a real broker: forwarder and projector are processes, and are killed with -9.

Servers and what befalls messages on their way are as in `trouble_line`; what is delivered goes to
Kafka. Beside it the forwarder sends what the journal holds, so that all comes twice and what was
broken on its way comes whole. The recount is of what an independent consumer reads there.
"""

import time
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from consumers import verify_usage
from edge import Refused
from eventlog import KafkaSettings
from schemas import TOPICS
from tests.test_killed import bootstrap, killed, run
from tests.trouble_disk import How
from tests.trouble_line import Line
from tests.world import produce


class KafkaLine(Line):
    """On a broker whose topics are empty."""

    def __init__(self, home: Path, kafka: KafkaSettings) -> None:
        super().__init__(home, "wire")
        self._address = kafka.bootstrap_servers
        (home / "homemeeting.toml").write_text(bootstrap(self._address))
        self._producer = KafkaProducer(bootstrap_servers=self._address)
        self.callback(self._producer.close)

    def _deliver(self, count: int) -> None:
        told = self.wire.deliver(count, self.now_us)
        produce(self._producer, [(one.topic, one.source, one.payload) for one in told])

    def _mark(self) -> None:
        """No transaction is under way."""

    def _kill_forwarder(self, permille: int) -> None:
        """About so many milliseconds after it began."""
        with killed(self.home, "forward"):
            time.sleep(1 + permille / 1000)

    def rest(self) -> None:
        super().rest()
        run(self.home, "forward", "--once")

    def _project(self, sizes: list[int]) -> None:
        self.close_store()
        run(self.home, "consume", "--once")

    def _kill_projector(self, events_max: int, calls: int, how: How, permille: int) -> None:
        """At a moment that is not the plan's to say; about so many milliseconds after it began."""
        self.close_store()
        with killed(self.home, "consume"):
            time.sleep(1 + permille / 1000)
        if (usage := self.home / "usage.duckdb").exists():
            try:
                assert verify_usage(usage) == []
            except Refused as refusal:
                assert refusal.code == "STORE_OLDER"  # killed before it had made its tables

    def _zombie(self) -> None:
        """Two processes do not meet in one store: the second waits, then is refused."""

    def log(self) -> list[tuple[str, bytes]]:
        return read_topics(self._address)


def read_topics(address: str) -> list[tuple[str, bytes]]:
    """(topic, value) of every message of our topics: a consumer that shares nothing with ours."""
    consumer = KafkaConsumer(bootstrap_servers=address.split(","), enable_auto_commit=False)
    places = [
        TopicPartition(topic, number)
        for topic in TOPICS
        for number in consumer.partitions_for_topic(topic)
    ]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(places)
    found: list[tuple[str, bytes]] = []
    while any(consumer.position(place) < ends[place] for place in places):
        for place, some in consumer.poll(1000).items():
            found += [(place.topic, one.value) for one in some]
    consumer.close()
    return found
