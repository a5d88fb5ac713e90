"""Which log is read: the journal, Kafka, or an archive and then Kafka."""

from collections.abc import Iterable
from pathlib import Path

from edge import Refused, Settings
from eventlog.archive_manifest import open_archive
from eventlog.archive_source import ArchiveSource
from eventlog.journal_reader import JournalSource
from eventlog.kafka_settings import KafkaSettings
from eventlog.slices import LogSource
from schemas import TOPICS


def open_log(
    home: Settings,
    log: str | None = None,
    archive: Path | None = None,
    topics: Iterable[str] = TOPICS,
) -> LogSource:
    """The log over `topics`; `log` is `journal`, `kafka`, or None for what the settings say.

    Refuses with ARCHIVE_NO_KAFKA, ARCHIVE_MISSING, ARCHIVE_DAMAGED, or as `open_kafka`.
    """
    names = tuple(topics)
    is_kafka = log == "kafka" or (log is None and bool(home.bootstrap_servers))
    if not is_kafka:
        if archive is not None:
            raise no_kafka()
        return JournalSource(home.journal, names)
    kept = open_archive(archive) if archive is not None else None
    from eventlog.kafka_open import open_kafka  # noqa: PLC0415  loads the client

    live = open_kafka(KafkaSettings.of(home), names)
    return live if kept is None else ArchiveSource(kept, live, names)


def no_kafka() -> Refused:
    """An archive was named, and no Kafka is read."""
    what = "an archive is of Kafka's messages, and goes on in Kafka"
    return Refused("ARCHIVE_NO_KAFKA", f"{what}: set [kafka] bootstrap_servers")
