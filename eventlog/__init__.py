"""The log: the journal and Kafka, behind one small interface.

Moves bytes and positions; looks into a message only to tell its source and sequence.
"""

from eventlog.journal_reader import JournalSource
from eventlog.journal_writer import Fsync, JournalWriter
from eventlog.slices import Damage, LogSource, Partition, Slice

__all__ = [
    "Damage",
    "Fsync",
    "JournalSource",
    "JournalWriter",
    "LogSource",
    "Partition",
    "Slice",
]
