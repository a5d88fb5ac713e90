"""Where the projector stands against its log, what sources miss, what waits in quarantine."""

from collections.abc import Mapping
from typing import Any

from consumers.projector import SQL
from eventlog import Partition
from warehouse import Store

STATUS_TABLES = (
    *("positions", "sequences", "quarantine"),
    *("source_state", "source_totals", "settlements"),
)


def status(store: Store, ends: Mapping[Partition, int]) -> dict[str, Any]:
    """The status as the command line prints it; `ends` are the log's present ends.

    Healthy = no lag, nothing missing, no open quarantine row.
    """
    rows = store.rows('SELECT log, topic, "partition", next FROM positions')
    found = {Partition(*row[:3]): row[3] for row in rows}
    positions = [_position(place, found.get(place, 0), ends) for place in sorted({*found, *ends})]
    sources = store.records(SQL["source_status"])
    quarantine = store.value("SELECT count(*) FROM quarantine WHERE state = 'open'")
    return {
        "healthy": not quarantine
        and not any(one["lag"] for one in positions)
        and not any(one["missing"] for one in sources),
        "positions": positions,
        "sources": sources,
        "quarantine": quarantine,
    }


def _position(place: Partition, after: int, ends: Mapping[Partition, int]) -> dict[str, Any]:
    is_journal = place.log == "journal"
    at = max(after, 1) if is_journal else after
    end = max(ends.get(place, at), at)
    return {
        "log": place.log,
        "topic": place.topic,
        "partition": place.partition if is_journal else int(place.partition),
        "offset": at,
        "end_offset": end,
        "lag": end - at,
    }
