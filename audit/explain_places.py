"""Where the events of records lie in the log, as the usage store has it, and the stretches to read.

Owns what is read together. Opens no log.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from consumers.columns import USAGE
from edge.instants import micros
from eventlog import Partition
from warehouse import Queries, read_store

_SQL: Final = Queries(Path(__file__).parent / "sql")
_NEAR: Final = 5_000  # so many messages are passed over rather than looked for


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Events of a record lie in this partition, the first and the last at these offsets."""

    record_id: UUID
    partition: Partition
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of one partition, both ends included, and the places that lie in it."""

    first: int
    last: int
    places: tuple[RecordPlace, ...]


def find_places(usage: Path, records: Sequence[Mapping[str, Any]]) -> list[RecordPlace]:
    """Of the records of these rows of evidence. Refuses as `read_store`."""
    if not records:
        return []
    times: list[datetime] = [record["started_at"] for record in records]
    bounds: dict[str, int | Sequence[UUID]] = {
        "since_us": micros(min(times)),
        "until_us": micros(max(times)),
        "records": sorted({UUID(record["record_id"]) for record in records}),
    }
    copies = {"found": _SQL["places_of_records"]}
    with read_store(usage, "usage", copies, bounds).closing() as store:
        return [
            RecordPlace(record_id, Partition(log, USAGE, partition), first, last)
            for record_id, log, partition, first, last in store.rows("FROM found ORDER BY ALL")
        ]


def stretches(places: Iterable[RecordPlace]) -> dict[Partition, list[Stretch]]:
    """What is to be read of each partition: what lies close together is one stretch."""
    found: dict[Partition, list[Stretch]] = {}
    for place in sorted(places, key=lambda one: (one.partition, one.first)):
        of_partition = found.setdefault(place.partition, [])
        if of_partition and place.first <= of_partition[-1].last + _NEAR:
            before = of_partition.pop()
            last = max(before.last, place.last)
            of_partition.append(Stretch(before.first, last, (*before.places, place)))
        else:
            of_partition.append(Stretch(place.first, place.last, (place,)))
    return found
