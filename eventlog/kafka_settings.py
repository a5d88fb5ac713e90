"""How to reach Kafka: a frozen value, parsed at the edge. Opens nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """`bootstrap_servers` is `host:port`, several parted by commas.

    `group_id` is used for one thing only: offsets committed as advice for lag tools.
    `timeout_s` is how long a broker may take to answer before it counts as unreachable.
    """

    bootstrap_servers: str
    group_id: str = "homemeeting-projector"
    timeout_s: float = 10.0
