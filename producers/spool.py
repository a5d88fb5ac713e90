"""From events to the journal: sequences, bytes, one block per topic, and the heartbeats.

Owns that sequences are dense and that a heartbeat lies behind all it promises. Called by one
thread at a time, which its owner sees to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from eventlog.journal_writer import JournalWriter
from schemas import encode

HEARTBEATS = "sources.heartbeat"
COUNTED = ("meetings.usage", "meetings.quality", "servers.load")
# A total is at most 310 octets long: so many of them stay below the 64 KiB of an event.
_TOTALS_MAX = 200
# An event of ours is at most 2 KiB long: so many of them stay below what a block may hold.
_BLOCK_EVENTS_MAX = 20_000

BeatPhase = Literal["OPEN", "BEAT", "CLOSE"]


class Spool:
    """Writes batches; what the disk refused is kept, encoded, and written first the next time."""

    def __init__(self, writer: JournalWriter, server_id: str) -> None:
        self._writer = writer
        self._server_id = server_id
        self._unwritten: dict[str, list[bytes]] = {}

    @property
    def source(self) -> str:
        return self._writer.source

    def refuse_child(self) -> None:
        """Refuses with JOURNAL_FORKED in a child of the process that opened the journal."""
        self._writer.refuse_child()

    def written(self) -> dict[str, int]:
        """How many events of each counted topic the journal has taken."""
        return {topic: self._writer.last(topic) for topic in COUNTED}

    @property
    def sync_error(self) -> OSError | None:
        """Why the last writing through to the disk failed; None where it did not."""
        return self._writer.sync_error

    def add(self, batch: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """Give the events of `batch` their sequences. Only when nothing is left over."""
        assert not self._unwritten, "sequences continue from what is written"
        for topic, events in batch.items():
            self._unwritten[topic] = self._encoded(topic, events)

    def write(self) -> None:
        """Write what was added. Raises OSError; what was not written stays for the next call."""
        for topic, payloads in list(self._unwritten.items()):
            while payloads:
                self._writer.append(topic, payloads[:_BLOCK_EVENTS_MAX])
                del payloads[:_BLOCK_EVENTS_MAX]
            del self._unwritten[topic]

    def beat(self, phase: BeatPhase, at: int, watermark: int, lost: Mapping[str, int]) -> None:
        """Write a heartbeat: all observed up to `watermark` is written, up to these totals."""
        assert not self._unwritten, "a heartbeat lies behind what it promises"
        totals = [
            self._total(self.source, topic, self._writer.last(topic), lost.get(topic, 0))
            for topic in COUNTED
        ]
        if phase == "OPEN":
            totals += [
                self._total(source, topic, last, 0)
                for (source, topic), last in sorted(self._writer.settles.items())
            ]
        parts = [totals[i : i + _TOTALS_MAX] for i in range(0, len(totals), _TOTALS_MAX)]
        # The own totals come last too: a source's state is that of its newest heartbeat.
        parts[1:] = [[*totals[: len(COUNTED)], *part] for part in parts[1:]]
        beats = [
            {
                "server_id": self._server_id,
                "phase": phase,
                "beat_at": at,
                "watermark": watermark,
                "totals": part,
            }
            for part in parts
        ]
        self._writer.append(HEARTBEATS, self._encoded(HEARTBEATS, beats))

    def close(self) -> None:
        self._writer.close()

    def _encoded(self, topic: str, events: Sequence[dict[str, Any]]) -> list[bytes]:
        source, first = self.source, self._writer.last(topic) + 1
        payloads = []
        for sequence, event in enumerate(events, first):
            event["source"], event["sequence"] = source, sequence
            payloads.append(encode(topic, event))
        return payloads

    @staticmethod
    def _total(source: str, topic: str, last: int, refused: int) -> dict[str, Any]:
        return {"source": source, "topic": topic, "last": last, "refused": refused}
