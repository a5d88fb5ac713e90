"""The log: the journal and Kafka, behind one small interface.

Moves bytes and positions; looks into a message only to tell its source and sequence.
"""

from eventlog.archive_manifest import Archive, open_archive
from eventlog.archive_source import ArchiveSource
from eventlog.journal_reader import JournalSource
from eventlog.journal_writer import Fsync, JournalWriter
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import open_kafka
from eventlog.kafka_settings import KafkaSettings
from eventlog.opening import open_log
from eventlog.slices import Damage, LogSource, Partition, Slice, Tail

__all__ = [
    "Archive",
    "ArchiveSource",
    "Damage",
    "Fsync",
    "JournalSource",
    "JournalWriter",
    "KafkaSettings",
    "KafkaTopics",
    "LogSource",
    "Partition",
    "Slice",
    "Tail",
    "open_archive",
    "open_kafka",
    "open_log",
]
