"""How to reach Kafka: a frozen value, parsed at the edge. Opens no connection."""

from dataclasses import dataclass
from typing import Self

from edge import Settings
from edge.kafka_access import KafkaAccess


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """`bootstrap_servers` is `host:port`, several parted by commas.

    `group_id` is used for one thing only: offsets committed as advice for lag tools.
    `timeout_s` is how long a broker may take to answer before it counts as unreachable.
    `access` has its password read.
    """

    bootstrap_servers: str
    group_id: str = "homemeeting-projector"
    timeout_s: float = 10.0
    access: KafkaAccess = KafkaAccess()

    @classmethod
    def of(cls, home: Settings) -> Self:
        """Those of a home. Refuses with KAFKA_NOT_SET, KAFKA_SECRETS."""
        return cls(home.kafka_servers(), access=home.kafka.opened())

    def servers(self) -> list[str]:
        return [one.strip() for one in self.bootstrap_servers.split(",") if one.strip()]
