"""The usage that the log tells, as an invoice's snapshot read it: what `verify` compares with.

Owns which part of the log that is. What it proves is `billing.verification`'s.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from audit.replay import GivenUp, Stretches, reads_journal
from audit.usage_replay import replay_usage
from billing import LogWanted
from consumers.columns import USAGE
from edge import Fault, Refused, Settings
from eventlog import LogSource, Partition, open_log
from warehouse import Store, read_store

# A damaged block is no message: it is found again where it lies.
_GIVEN_UP: Final = """
SELECT topic, list(payload) AS payloads FROM quarantine
WHERE state = 'dismissed' AND code <> 'BLOCK_DAMAGED' GROUP BY topic
"""


class LoggedRecords:
    """Gives `logged_records` out of one log, for one act of closing after the other."""

    def __init__(self, source: LogSource, given_up: GivenUp) -> None:
        self._source = source
        self._given_up = given_up

    def __call__(self, books: Store, wanted: LogWanted) -> list[Fault]:
        """Each act's part of the log is read from its beginning: nothing but all of it tells what
        a record had come to. The faults say why it cannot be: LOG_GONE, TOPIC_CHANGED, LOG_OTHER.
        """
        stretches = self._stretches(wanted)
        if not stretches and wanted.positions:
            what = "the usage was read from the other of journal and Kafka: name it with --from"
            return [Fault("LOG_OTHER", "", what)]
        try:
            replay_usage(
                books,
                self._source,
                stretches,
                since_us=wanted.from_us,
                until_us=wanted.end_us,
                given_up=self._given_up,
            )
        except Refused as refused:
            return list(refused.faults) or [Fault(refused.code, "", refused.summary)]
        books.execute("DROP TABLE IF EXISTS logged_records")
        books.execute("ALTER TABLE replayed_records RENAME TO logged_records")
        return []

    def _stretches(self, wanted: LogWanted) -> Stretches:
        """From the first message of each partition to where the snapshot stood."""
        is_journal = reads_journal(self._source, [USAGE])
        found = {}
        for *place, after in wanted.positions:
            part = Partition(*place)
            if part.topic == USAGE and part.is_journal == is_journal and after > part.begin:
                found[part] = (part.begin, after)
        return found


@contextmanager
def open_logged(home: Settings, log: str | None, archive: Path | None) -> Iterator[LoggedRecords]:
    """Out of the log of this name, closed at the end of the block. Refuses as `open_log`."""
    with closing(open_log(home, log, archive, [USAGE])) as source:
        yield LoggedRecords(source, _dismissed(home))


def _dismissed(home: Settings) -> GivenUp:
    """The messages that somebody dismissed, by topic; none where there is no store."""
    if not home.usage.exists():
        return {}
    with read_store(home.usage, "usage", {"given_up": _GIVEN_UP}).closing() as store:
        return {topic: frozenset(held) for topic, held in store.rows("FROM given_up")}
