"""What a journal holds, as `oracle_log` reads it, asked again and again while it is written.

Remembers: a file is read again when it has changed, a message value is decoded once.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.oracle_log import Event, read_event, whole_blocks

USAGE: Final = "meetings.usage"


class Segment(NamedTuple):
    """The message values of one file, the first of them numbered `first`."""

    topic: str
    source: str
    first: int
    payloads: list[bytes]


class Told:
    """Of the journal at `root`, whoever writes there and whatever is taken away."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, tuple[tuple[int, int], Segment]] = {}
        self._events: dict[tuple[str, bytes], Event | None] = {}

    def segments(self, server: str = "*") -> Iterator[Segment]:
        """In order of their names; of all servers, or of one."""
        for home in self._homes(server):
            for topic in sorted(set(os.listdir(home)) - {"lock"}):
                yield from self._of(f"{home}/{topic}")

    def messages(self, server: str = "*") -> Iterator[tuple[str, str, int, bytes]]:
        """As `oracle_log.read_torn_journal`."""
        for topic, source, first, payloads in self.segments(server):
            for number, payload in enumerate(payloads, first):
                yield topic, source, number, payload

    def any_usage(self, nth: int) -> Event | None:
        """An event of some opening, or of one behind it where that has none: the journal has no
        others than valid ones. None where there is none at all.
        """
        homes = self._homes()
        at = nth % len(homes) if homes else 0
        for home in homes[at:] + homes[:at]:
            if os.path.isdir(f"{home}/{USAGE}"):
                payloads = [one for part in self._of(f"{home}/{USAGE}") for one in part.payloads]
                if payloads:
                    event = self.event(USAGE, payloads[nth // len(homes) % len(payloads)])
                    assert event is not None, home
                    return event
        return None

    def event(self, topic: str, payload: bytes) -> Event | None:
        """As `oracle_log.read_event`. Not to be changed: it is given out again."""
        try:
            return self._events[topic, payload]
        except KeyError:
            return self._events.setdefault((topic, payload), read_event(topic, payload))

    def _homes(self, server: str = "*") -> list[str]:
        return sorted(map(str, self._root.glob(f"server={server}/*")))

    def _of(self, folder: str) -> Iterator[Segment]:
        for name in sorted(os.listdir(folder)):
            yield self._segment(f"{folder}/{name}")

    def _segment(self, path: str) -> Segment:
        now = os.stat(path)
        stamp = (now.st_size, now.st_mtime_ns)
        found = self._read.get(path)
        if found is None or found[0] != stamp:
            server, incarnation, topic, name = path.split("/")[-4:]
            source = f"{server.removeprefix('server=')}/{incarnation}"
            payloads = list(whole_blocks(Path(path)))
            found = stamp, Segment(topic, source, int(name.removesuffix(".avro")), payloads)
            self._read[path] = found
        return found[1]
