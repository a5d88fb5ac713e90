"""Kafka's topics: making them as we need them, and refusing those that would lose or alter facts.

Owns settings, identity (`log` = cluster id/topic id) and bounds of topics; reads no message. Always
kafka-python, whichever client reads.
"""

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from kafka.protocol.consumer import IsolationLevel
from kafka.structs import OffsetAndMetadata

from edge import Fault, Refused
from eventlog.kafka_options import kafka_python_options
from eventlog.kafka_probe import why_not
from eventlog.kafka_reach import reaching
from eventlog.kafka_settings import KafkaSettings
from eventlog.slices import Partition
from schemas import LIMITS

# An event stamped by its own time would be deleted by age; a deleted event is a lost bill.
TOPIC_SETTINGS: Mapping[str, str] = {
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    # A replica that lacks what was acknowledged must not lead: the rest would follow it.
    "unclean.leader.election.enable": "false",
}
PARTITIONS = 4
_PAUSE_S = 0.1
# Every event there can be must fit, with its key and what Kafka puts around it.
_MESSAGE_BYTES = "max.message.bytes"
_MESSAGE_BYTES_MIN, _MESSAGE_BYTES_ADVISED = LIMITS.event_bytes_max + 4096, 1_048_588


@dataclass(frozen=True, slots=True)
class Topic:
    """One incarnation of a topic: deleted and made again it has another `log`."""

    log: str
    name: str
    partitions: tuple[int, ...]


class KafkaTopics:
    """The topics of one cluster. Every error is `edge.Refused`."""

    def __init__(self, settings: KafkaSettings, admin: KafkaAdminClient, cluster: str) -> None:
        self._settings = settings
        self._admin = admin
        self._cluster = cluster

    @classmethod
    def connect(cls, settings: KafkaSettings) -> Self:
        """Refuses with KAFKA_UNREACHABLE where no broker answers within `settings.timeout_s`, and
        with what `kafka_probe` finds.
        """
        timeout_ms = int(settings.timeout_s * 1000)
        # Asked first: the client would try a wrong password again and again until its time is up.
        if settings.access.has_tls and (found := why_not(settings)):
            raise found
        with reaching(settings):
            if not settings.servers():
                raise ValueError("no address")
            admin = KafkaAdminClient(
                **kafka_python_options(settings),
                client_id="homemeeting-topics",
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
            )
            try:
                cluster = str(admin.describe_cluster()["cluster_id"])
            except BaseException:
                admin.close()
                raise
        return cls(settings, admin, cluster)

    def create(
        self, names: Iterable[str], *, partitions: int = PARTITIONS, replication: int = -1
    ) -> list[str]:
        """Make those of `names` that are missing and return them; `replication` -1: broker's own.

        Refuses with TOPIC_SETTINGS, making nothing, where one exists that is set otherwise.
        """
        wanted = list(names)
        there = self.find(wanted)
        self.judge(there)
        missing = [name for name in wanted if name not in there]
        if not missing:
            return []
        spec = {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(TOPIC_SETTINGS),
        }
        with reaching(self._settings):
            # Another `topics create` may be at it too: then it is its topics that are checked.
            with contextlib.suppress(TopicAlreadyExistsError):
                self._admin.create_topics(dict.fromkeys(missing, spec))
            self._admin.wait_for_topics(missing)
        # A broker may not have heard of them yet, or, for a moment longer, of how they are set.
        deadline = time.monotonic() + self._settings.timeout_s
        while not self._are_made(wanted) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
        self.check(wanted)
        return missing

    def _are_made(self, names: Collection[str]) -> bool:
        there = self.find(names)
        return {*names} <= there.keys() and not self._faults_of_settings(there)

    def check(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics by name. Refuses with every fault: TOPIC_MISSING, TOPIC_SETTINGS."""
        wanted = list(names)
        there = self.find(wanted)
        faults = [
            Fault(
                "TOPIC_MISSING",
                name,
                f"no such topic at {self._settings.bootstrap_servers}: "
                "make it with `homemeeting topics create`",
            )
            for name in wanted
            if name not in there
        ]
        self._refuse([*faults, *self._faults_of_settings(there)])
        return there

    def judge(self, there: Mapping[str, Topic]) -> None:
        """Refuses with TOPIC_SETTINGS where one of these, given by name, is set otherwise."""
        self._refuse(self._faults_of_settings(there))

    def find(self, names: Iterable[str]) -> dict[str, Topic]:
        """Those of `names` that exist, as they are now, whatever their settings."""
        found: dict[str, Topic] = {}
        with reaching(self._settings):
            for seen in self._admin.describe_topics(list(names)):
                error = for_code(seen["error_code"])
                if error.__name__ == "UnknownTopicOrPartitionError":
                    continue
                if seen["error_code"]:
                    raise error(seen["name"])
                numbers = sorted(part["partition_index"] for part in seen["partitions"])
                log = f"{self._cluster}/{seen['topic_id']}"
                found[seen["name"]] = Topic(log, seen["name"], tuple(numbers))
        return found

    def begins(self, topics: Iterable[Topic]) -> dict[Partition, int]:
        """The first offset that retention has left in every partition."""
        return self._bounds(topics, OffsetSpec.EARLIEST)

    def ends(self, topics: Iterable[Topic]) -> dict[Partition, int]:
        """The offset after the last one that may be read: open transactions lie beyond it."""
        return self._bounds(topics, OffsetSpec.LATEST)

    def advise(self, positions: Mapping[Partition, int]) -> None:
        """Commit `positions` for the group of the settings. Advice: a failure changes nothing."""
        offsets = {
            TopicPartition(place.topic, int(place.partition)): OffsetAndMetadata(offset, "", -1)
            for place, offset in positions.items()
        }
        if offsets:
            with contextlib.suppress(KafkaError):
                self._admin.alter_group_offsets(self._settings.group_id, offsets)

    def close(self) -> None:
        self._admin.close()

    def _bounds(self, topics: Iterable[Topic], spec: OffsetSpec) -> dict[Partition, int]:
        places = {
            TopicPartition(topic.name, number): Partition(topic.log, topic.name, str(number))
            for topic in topics
            for number in topic.partitions
        }
        if not places:
            return {}
        with reaching(self._settings):
            found = self._admin.list_partition_offsets(
                dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED
            )
        return {places[place]: int(at.offset) for place, at in found.items()}

    def _faults_of_settings(self, topics: Mapping[str, Topic]) -> list[Fault]:
        if not topics:
            return []
        faults: list[Fault] = []
        for name, values in self._told_settings(topics).items():
            wrong = {
                key: values[key] for key, value in TOPIC_SETTINGS.items() if values[key] != value
            }
            if int(values[_MESSAGE_BYTES]) < _MESSAGE_BYTES_MIN:
                wrong[_MESSAGE_BYTES] = values[_MESSAGE_BYTES]
            if wrong:
                faults.append(Fault("TOPIC_SETTINGS", name, self._mending(name, wrong)))
        return faults

    def _told_settings(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Settings by topic. A broker that has not heard of one yet, as of one just made, tells
        nothing of it: then it is asked again. Refuses with KAFKA_REFUSED where that goes on.
        """
        keys = [*TOPIC_SETTINGS, _MESSAGE_BYTES]
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name, keys) for name in names]
        deadline = time.monotonic() + self._settings.timeout_s
        while True:
            with reaching(self._settings):
                answer = self._admin.describe_configs(wanted, config_filter="all")
            by_name = next(iter(answer.values()))
            if all(by_name.values()):
                return {
                    name: {key: one["value"] for key, one in told.items()}
                    for name, told in by_name.items()
                }
            if time.monotonic() >= deadline:
                untold = ", ".join(sorted(name for name, told in by_name.items() if not told))
                advice = "give this user the right to describe their settings, or wait and retry"
                raise Refused(
                    "KAFKA_REFUSED", f"Kafka does not tell how {untold} are set: {advice}"
                )
            time.sleep(_PAUSE_S)

    def _mending(self, name: str, wrong: Mapping[str, str]) -> str:
        found = ", ".join(f"{key}={value}" for key, value in wrong.items())
        right = {**TOPIC_SETTINGS, _MESSAGE_BYTES: str(_MESSAGE_BYTES_ADVISED)}
        config = ",".join(f"{key}={right[key]}" for key in wrong)
        return (
            f"is set to {found}: mend it with `kafka-configs.sh "
            f"--bootstrap-server {self._settings.bootstrap_servers} --alter --entity-type topics "
            f"--entity-name {name} --add-config {config}`"
        )

    @staticmethod
    def _refuse(faults: list[Fault]) -> None:
        if faults:
            count = len(faults)
            topics = "1 topic is" if count == 1 else f"{count} topics are"
            raise Refused(
                faults[0].code, f"{topics} missing or set otherwise; nothing was changed", faults
            )
