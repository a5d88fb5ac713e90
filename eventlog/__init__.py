"""The log: the journal and Kafka, behind one small interface.

Moves bytes and positions; looks into a message only to tell its source and sequence. What connects
to Kafka is in `kafka` and `kafka_open`, imported by who does: the client takes a tenth of a second.
"""

from eventlog.archive_manifest import Archive, open_archive
from eventlog.archive_source import ArchiveSource
from eventlog.journal_reader import JournalSource
from eventlog.journal_writer import Fsync, JournalWriter
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
    "LogSource",
    "Partition",
    "Slice",
    "Tail",
    "open_archive",
    "open_log",
]
