"""The log's own commands: topics create, log archive."""

from datetime import UTC, datetime
from pathlib import Path

import click

from edge import Fault, Refused, Settings
from edge.command import clock, common, progress, say, say_some, settings, show_rows
from edge.instants import micros
from eventlog.archive_manifest import Archive
from eventlog.archive_writer import Archiver
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import open_kafka
from eventlog.kafka_settings import KafkaSettings
from schemas import TOPICS

_ARCHIVED = ("log", "topic", "partition", "first", "next", "messages", "files", "bytes")


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
    known = KafkaTopics.connect(KafkaSettings.of(settings()))
    try:
        made = known.create(TOPICS)
    finally:
        known.close()
    say(f"created: {', '.join(made) or 'nothing, all are there'}")


@click.group()
def log() -> None:
    """The log itself: archive.

    \b
    Example: homemeeting log archive --until 2026-11-01 --to /var/archive
    Exit codes: 0 done; 1 refused, see stderr; 2 wrong usage.
    """


@log.command("archive")
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Log times before this day."
)
@click.option(
    "--to", "folder", required=True, type=click.Path(path_type=Path), help="Where the archive is."
)
@common
def archive_command(until: datetime, folder: Path) -> None:
    """Copy Kafka's messages into files, or go on where they end.

    Takes every message whose log time lies before the day, 00:00 UTC, and lists what the archive
    holds of each partition. Kafka keeps what it has.

    \b
    Example: homemeeting log archive --until 2026-11-01 --to /var/archive
    Exit codes: 0 all of it is archived; 1 refused, nothing was added; 2 wrong usage.
    """
    day = until.replace(tzinfo=UTC)
    kafka = _kafka_to_archive(settings())
    if micros(day) > clock()():
        what = f"{day:%Y-%m-%d} has not begun in UTC: name a day up to today's"
        raise Refused("ARCHIVE_UNTIL", f"{what}; more of it may come")
    source = open_kafka(kafka)
    try:
        archiver = Archiver(folder)
        try:
            with progress("Archiving", archiver.backlog(source, TOPICS)) as advance:
                done = archiver.extend(source, TOPICS, f"{day:%Y-%m-%d}", micros(day), advance)
        finally:
            archiver.close()
    finally:
        source.close()
    say_some(_late_beginnings(done))
    show_rows(_held(done), _ARCHIVED, "Kafka has no partitions")


def _kafka_to_archive(home: Settings) -> KafkaSettings:
    if not home.bootstrap_servers:
        what = "without Kafka the journal is the archive: copy its directory, all of it is checked"
        raise Refused("ARCHIVE_NO_KAFKA", f"{what} when it is read; it keeps no log times")
    return KafkaSettings.of(home)


def _late_beginnings(archive: Archive) -> list[Fault]:
    lost = "what was before was deleted from Kafka earlier, and is not in this archive"
    return [
        Fault("LOG_GONE", place.where, f"begins at {one.first}: {lost}")
        for place, one in sorted(archive.partitions.items())
        if one.first
    ]


def _held(archive: Archive) -> list[dict[str, object]]:
    return [
        {
            **place._asdict(),
            "first": one.first,
            "next": one.next,
            "messages": sum(file.messages for file in one.files),
            "files": len(one.files),
            "bytes": sum(file.bytes for file in one.files),
        }
        for place, one in sorted(archive.partitions.items())
    ]


COMMANDS: tuple[click.Command, ...] = (topics, log)
