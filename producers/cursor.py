"""How far a journal was forwarded: positions, and the topics that they count for.

A position is worth something only for the very topic that acknowledged it: one made anew, or of
another cluster, holds nothing of what came before. Replaced as one: after a crash there is the old
cursor or the new one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge import Refused
from edge.durable import sync_folder, write_whole
from eventlog import Partition

CURSOR: Final = "forward.json"
_VERSION: Final = 2


class Cursor:
    """The cursor kept at `path`. `positions` are of the journal: the next sequence to send.

    Refuses with CURSOR_DAMAGED where the file is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._topics, self.positions = _load(path)

    def meet(self, logs: Mapping[str, str]) -> list[str]:
        """Positions count for these topics from now on, given as name and `log` (cluster/topic id).

        Those of topics that are not the ones they counted for are dropped; their names.
        """
        changed = {topic for topic, log in logs.items() if self._topics.get(topic) != log}
        if not changed:
            return []
        dropped = sorted({place.topic for place in self.positions} & changed)
        kept = {place: at for place, at in self.positions.items() if place.topic not in changed}
        self._save({**self._topics, **logs}, kept)
        return dropped

    def acknowledged(self, logs: Mapping[str, str]) -> dict[Partition, int]:
        """The positions that count for these topics, given as name and `log`; no others."""
        return {
            place: at
            for place, at in self.positions.items()
            if place.topic in logs and self._topics.get(place.topic) == logs[place.topic]
        }

    def move(self, positions: Mapping[Partition, int]) -> None:
        """All before `positions` was acknowledged."""
        self._save(self._topics, {**self.positions, **positions})

    def _save(self, topics: dict[str, str], positions: dict[Partition, int]) -> None:
        rows = [[*place, at] for place, at in sorted(positions.items())]
        told = {"version": _VERSION, "topics": topics, "positions": rows}
        write_whole(self._path, json.dumps(told).encode())
        sync_folder(self._path.parent)
        self._topics, self.positions = topics, positions


def _load(path: Path) -> tuple[dict[str, str], dict[Partition, int]]:
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["version"] != _VERSION:
            raise ValueError("another version")
        topics = {str(topic): str(log) for topic, log in stored["topics"].items()}
        return topics, {Partition(*place): int(at) for *place, at in stored["positions"]}
    except FileNotFoundError:
        return {}, {}
    except (AttributeError, KeyError, TypeError, ValueError):
        advice = "remove it to send the whole journal again, which harms nothing"
        raise Refused("CURSOR_DAMAGED", f"{path} is not a forwarder's cursor: {advice}") from None
