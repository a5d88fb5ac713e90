"""The log's own commands: topics create."""

import click

from edge.command import common, say, settings
from eventlog.kafka import KafkaTopics
from eventlog.kafka_settings import KafkaSettings
from schemas import TOPICS


@click.group()
def topics() -> None:
    """The Kafka topics: create.

    \b
    Example: homemeeting topics create
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@topics.command("create")
@common
def create() -> None:
    """Make the topics that are missing, set as they must be.

    \b
    Example: homemeeting topics create
    Exit codes: 0 all are there; 1 refused, see stderr; 2 wrong usage.
    """
    servers = settings().kafka_servers()
    known = KafkaTopics.connect(KafkaSettings(servers))
    try:
        made = known.create(TOPICS)
    finally:
        known.close()
    say(f"created: {', '.join(made) or 'nothing, all are there'}")


COMMANDS: tuple[click.Command, ...] = (topics,)
