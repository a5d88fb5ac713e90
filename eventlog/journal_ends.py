"""How far every partition of a journal reaches, asked again and again while it is written.

Remembers how far it has looked: what was looked at once is not read again. Changes nothing.
"""

from dataclasses import dataclass

from eventlog.journal_layout import Incarnation
from eventlog.journal_scan import GoodBlock, TornTail, scan


@dataclass(slots=True)
class _Seen:
    """Looked at up to byte `at` of `segment`, where `due` is next (0: its first)."""

    segment: int
    at: int = 0
    due: int = 0
    end: int = 1


class JournalEnds:
    """Where partitions end, each call reading only what was added since."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], _Seen] = {}

    def end(self, home: Incarnation, topic: str) -> int:
        """The position that a reader of `topic` in `home` comes to; 1 where there is nothing.

        Damage counts as one, as it does to the reader; a torn tail does not count.
        """
        segments = home.segments(topic)
        if not segments:
            return 1
        place = (home.source, topic)
        seen = self._seen.get(place)
        if seen is None:
            firsts = [first for first, _ in segments]
            seen = self._seen[place] = _Seen(_last_with_events(home, topic, firsts))
        for first, path in segments:
            if first > seen.segment:
                seen.segment, seen.at, seen.due = first, 0, 0
            if first == seen.segment and path.stat().st_size > seen.at:
                _look(home, topic, seen, sealed=first < segments[-1][0])
        return seen.end


def _look(home: Incarnation, topic: str, seen: _Seen, *, sealed: bool) -> None:
    for found in scan(home, topic, seen.segment, at=seen.at, due=seen.due, sealed=sealed):
        if isinstance(found, TornTail):
            return
        seen.at = found.end
        seen.due = found.first + (len(found.payloads) if isinstance(found, GoodBlock) else 1)
        seen.end = max(seen.end, seen.due)


def _last_with_events(home: Incarnation, topic: str, segments: list[int]) -> int:
    """A crash may leave segments without a whole block behind the last that has one."""
    for first in reversed(segments):
        if any(isinstance(found, GoodBlock) for found in scan(home, topic, first)):
            return first
    return segments[0]
