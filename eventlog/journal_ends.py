"""How far every partition of a journal reaches, asked again and again while it is written.

Remembers how far it has looked: what was looked at once is not read again. Changes nothing.
"""

from dataclasses import dataclass

from eventlog.journal_layout import Incarnation
from eventlog.journal_scan import GoodBlock, TornTail, scan


@dataclass(slots=True)
class _Seen:
    """Looked at up to byte `at` of `segment`, where `due` is next (0: its first); `torn` octets
    behind it are no whole block.
    """

    segment: int
    at: int = 0
    due: int = 0
    end: int = 1
    torn: int = 0


class JournalEnds:
    """Where partitions end, each call reading only what was added since."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], _Seen] = {}

    def end(self, home: Incarnation, topic: str) -> int:
        """The position that a reader of `topic` in `home` comes to; 1 where there is nothing.

        Damage counts as one, as it does to the reader; a torn tail does not count.
        """
        seen = self._look(home, topic)
        return seen.end if seen else 1

    def torn(self, home: Incarnation, topic: str) -> int:
        """How many octets of the last segment, at its end, are no whole block."""
        seen = self._look(home, topic)
        return seen.torn if seen else 0

    def _look(self, home: Incarnation, topic: str) -> _Seen | None:
        segments = home.segments(topic)
        if not segments:
            return None
        place = (home.source, topic)
        seen = self._seen.get(place)
        if seen is None:
            firsts = [first for first, _ in segments]
            seen = self._seen[place] = _Seen(_last_with_events(home, topic, firsts))
        for first, path in segments:
            if first > seen.segment:
                seen.segment, seen.at, seen.due = first, 0, 0
            if first == seen.segment:
                seen.torn = 0  # a writer that meets a full disk takes its half block back
                if path.stat().st_size > seen.at:
                    _look(home, topic, seen, sealed=first < segments[-1][0])
        return seen


def _look(home: Incarnation, topic: str, seen: _Seen, *, sealed: bool) -> None:
    for found in scan(home, topic, seen.segment, at=seen.at, due=seen.due, sealed=sealed):
        if isinstance(found, TornTail):
            seen.torn = found.octets
            return
        after = found.first + (len(found.payloads) if isinstance(found, GoodBlock) else 1)
        seen.end = max(seen.end, after)
        if isinstance(found, GoodBlock):  # what follows damage must be seen behind it
            seen.at, seen.due = found.end, after


def _last_with_events(home: Incarnation, topic: str, segments: list[int]) -> int:
    """A crash may leave segments without a whole block behind the last that has one."""
    for first in reversed(segments):
        if any(isinstance(found, GoodBlock) for found in scan(home, topic, first)):
            return first
    return segments[0]
