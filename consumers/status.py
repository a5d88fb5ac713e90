"""Where the projector stands against its log, what sources miss, what waits in quarantine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.projector import SQL
from eventlog import Partition, Tail
from warehouse import Store, whole

STATUS_COPIES = {
    **whole("positions", "holes"),
    "source_status": SQL["source_status"],
    "opened": "SELECT count(*) AS rows FROM quarantine WHERE state = 'open'",
}
_SOURCE = ("source", "server_id", "topic", "first", "last", "missing", "watermark", "state")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Status:
    """`positions` and `sources` as the contract names their fields; a source has `in_flight` and
    `explained` besides. `holes` are those of every state, the lost ones first; `quarantine` counts
    open rows; `changed` are positions that the log no longer continues.
    """

    positions: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    holes: list[dict[str, Any]]
    quarantine: int
    changed: Sequence[Partition] = ()
    tails: Sequence[Tail] = ()

    @property
    def lag(self) -> int:
        return sum(one["lag"] for one in self.positions)

    @property
    def healthy(self) -> bool:
        """No lag, nothing lost, no open quarantine row, and the log is the one that was read."""
        lost = any(one["missing"] for one in self.sources)
        return not (self.lag or lost or self.quarantine or self.changed)

    def contract(self) -> dict[str, Any]:
        """What `status --format json` prints: missing counts lost events alone."""
        return {
            "healthy": self.healthy,
            "positions": self.positions,
            "sources": [{name: one[name] for name in _SOURCE} for one in self.sources],
            "quarantine": self.quarantine,
        }

    def sentences(self) -> list[str]:
        """What is wrong and what to do about it, for whoever was woken by it."""
        if not self.positions and not self.sources:
            return ["Nothing has been read yet, and the log is empty."]
        told = [*self._of_changes(), *self._of_lag(), *map(_of_hole, self.holes[:_SHOWN])]
        if len(self.holes) > _SHOWN:
            told.append(f"… and {len(self.holes) - _SHOWN} more holes.")
        if self.quarantine:
            told.append(
                f"QUARANTINE: {self.quarantine} open rows could not be applied: "
                "`homemeeting quarantine list`, then retry or dismiss."
            )
        told += [str(tail) for tail in self.tails[:_SHOWN]]
        if len(self.tails) > _SHOWN:
            told.append(f"… and {len(self.tails) - _SHOWN} more torn tails.")
        if not self.healthy:
            return ["NOT HEALTHY", *told]
        return [
            "Healthy: all of the log is read, nothing is lost, no quarantine row is open.",
            *told,
        ]

    def _of_changes(self) -> list[str]:
        topics: dict[tuple[str, str], list[str]] = {}
        for place in self.changed:
            topics.setdefault((place.topic, place.log), []).append(place.partition)
        return [
            f"TOPIC_CHANGED: {topic}[{', '.join(numbers)}] was read from topic id {log}, and Kafka"
            " has no more of it: restore the topic, or begin a new home and rebuild."
            for (topic, log), numbers in topics.items()
        ]

    def _of_lag(self) -> list[str]:
        if not self.lag:
            return []
        return [f"LAG: {self.lag} offsets are not read yet: `homemeeting consume` reads them."]


def read_status(store: Store, ends: Mapping[Partition, int], tails: Sequence[Tail] = ()) -> Status:
    """The status by the copies `STATUS_COPIES`; `ends` and `tails` are the log's of now."""
    rows = store.rows('SELECT log, topic, "partition", next FROM positions')
    found = {Partition(*row[:3]): row[3] for row in rows}
    positions = [_position(place, found.get(place, 0), ends) for place in sorted({*found, *ends})]
    return Status(
        positions,
        store.records("FROM source_status ORDER BY source, topic"),
        store.records("FROM holes ORDER BY state = 'lost' DESC, state DESC, source, topic, first"),
        store.value("FROM opened"),
        [place for place in sorted(found) if _is_changed(place, found[place], ends)],
        tails,
    )


def _is_changed(place: Partition, after: int, ends: Mapping[Partition, int]) -> bool:
    """Whether Kafka, where `ends` are its, ends before `after` or has another topic of that name.

    A journal that was restored from an older copy just has less to give.
    """
    is_read = any(
        one.topic == place.topic and not (one.is_journal or place.is_journal) for one in ends
    )
    return is_read and ends.get(place, -1) < after


def _of_hole(hole: Mapping[str, Any]) -> str:
    first, last = hole["first"], hole["last"]
    events = last - first + 1
    what = f"event {first}" if events == 1 else f"events {first} to {last} ({events})"
    where = f"{what} of {hole['source']} on {hole['topic']}"
    if hole["state"] == "lost":
        return (
            f"LOST: {where}: the log was read past them and does not hold them. Look in that "
            "server's journal, and forward it again if they are there."
        )
    if hole["state"] == "explained":
        return f"EXPLAINED: {where}: not applied, a quarantine row says why."
    return f"IN FLIGHT: {where}: promised and not read yet. No loss so far; wait for the lag to go."


def _position(place: Partition, after: int, ends: Mapping[Partition, int]) -> dict[str, Any]:
    at = max(after, place.begin)
    end = max(ends.get(place, at), at)
    return {
        "log": place.log,
        "topic": place.topic,
        "partition": place.partition if place.is_journal else int(place.partition),
        "offset": at,
        "end_offset": end,
        "lag": end - at,
    }
