"""Events as lines of JSON, passed into an emitter: every bad line is named, good ones go on.

Owns the lines and what became of each; what an event must be is `intake`'s.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from edge import Fault, Refused
from producers.emitter import Emitter
from schemas import LIMITS

# A line is refused before it is parsed; JSON spells an event longer than Avro does.
_LINE_BYTES_MAX: Final = 8 * LIMITS.event_bytes_max
# Far less than the emitter's buffer holds: it never refuses one of them.
_LINES_AT_ONCE: Final = 10_000


class Lines:
    """What became of the lines of one file that go into `emitter`, which takes no others."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._waiting: list[tuple[int, str]] = []
        self._settled = emitter.accepted
        self._read, self._ended = 0, False
        self.faults: list[Fault] = []

    @property
    def accepted(self) -> int:
        """How many lines the journal has taken."""
        return sum(self._emitter.accepted.values())

    def emit(self, file: BinaryIO) -> None:
        """Pass in every good line, and note a fault for every other; blank lines are skipped.

        Raises Refused(JOURNAL_WRITE) where the disk refuses; `left` then says from where on.
        """
        for number, line in _lines(file):
            self._read = number
            if not line.strip():
                continue
            try:
                topic, event = _event(line)
                taken = self._emitter.emit(topic, event)
                assert taken, "the buffer holds more than is passed in at once"
                self._waiting.append((number, topic))
            except Refused as refused:
                self.faults.append(Fault(refused.code, f"line {number}", refused.summary))
            if len(self._waiting) == _LINES_AT_ONCE:
                self._flush()
        self._ended = True
        self._flush()

    def left(self) -> list[Fault]:
        """From which line on the journal took none, by topic, and from where on none was read."""
        first: dict[str, int] = {}
        room = {
            topic: last - self._settled[topic] for topic, last in self._emitter.accepted.items()
        }
        for number, topic in self._waiting:
            room[topic] -= 1
            if room[topic] < 0:
                first.setdefault(topic, number)
        rest = "is not in the journal, nor is any later line of {}: give them again"
        faults = [
            Fault("NOT_ACCEPTED", f"line {number}", rest.format(topic))
            for topic, number in first.items()
        ]
        if not self._ended:
            unread = "was not read, nor was any later line: give them again"
            faults.append(Fault("NOT_READ", f"line {self._read + 1}", unread))
        return faults

    def _flush(self) -> None:
        self._emitter.flush()
        self._waiting.clear()
        self._settled = self._emitter.accepted


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines. Of one that is too long no more is read at a time than shows that it is."""
    number = 0
    while line := file.readline(_LINE_BYTES_MAX + 1):
        number += 1
        yield number, line
        while not line.endswith(b"\n") and (line := file.readline(_LINE_BYTES_MAX + 1)):
            pass


def _event(line: bytes) -> tuple[str, dict[str, Any]]:
    if len(line) > _LINE_BYTES_MAX:
        raise Refused("TOO_LARGE", f"the line has more than {_LINE_BYTES_MAX} bytes")
    try:
        event = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused("BAD_JSON", f"not JSON: {error}"[:200]) from None
    if not isinstance(event, dict):
        raise Refused("BAD_JSON", "must be an object")
    topic = event.pop("topic", None)
    if not isinstance(topic, str):
        raise Refused("BAD_FIELD", "topic is missing or not a string")
    return topic, event


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice would silently lose one of its values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found
