"""The usage records of a span of time, straight from the log: what an invoice is verified by.

Much faster than a whole replay: one topic, no aggregates, and one fold at the end instead of a
merge per batch. What it decides about a message is what the projector decides: the same decoder,
the same rules, the same semilattice.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from audit.replay import GivenUp, Stretches, read_stretches
from consumers.columns import USAGE
from eventlog import LogSource
from schemas import decode
from warehouse import Queries, Store

_SQL = Queries(Path(__file__).parent / "sql")


def replay_usage(  # noqa: PLR0913  all but three have names and defaults
    store: Store,
    source: LogSource,
    stretches: Stretches,
    *,
    since_us: int | None = None,
    until_us: int | None = None,
    given_up: GivenUp | None = None,
) -> None:
    """Makes the temporary table `replayed_records` of `store`, shaped as `usage_records`: every
    record that started from `since_us` to before `until_us`, as the usage messages in `stretches`
    tell it.

    Guarantees that every usage message of every stretch was read and judged, those of other times
    too, for nothing in the log bounds when a record is told. So the table is exactly what the
    projector's `usage_records` of that span are after these stretches, but for messages that it
    could not decode and were retried or are readable only now. Those of `given_up` are left out.

    `stretches` of other topics are not read; `source` should be opened on usage alone. Refuses as
    `read_stretches`: LOG_GONE before anything is read, naming partitions and offsets.
    """
    wanted = {place: one for place, one in stretches.items() if place.topic == USAGE}
    dismissed = (given_up or {}).get(USAGE, frozenset())
    store.execute(_SQL["told_records"])
    for slices in read_stretches(source, wanted):
        payloads = [payload for piece in slices for payload in piece.payloads]
        if dismissed:
            payloads = [payload for payload in payloads if payload not in dismissed]
        found = _within(decode(USAGE, payloads).columns, since_us, until_us)
        with store.tables(incoming_usage=found):
            store.execute(_SQL["fold_batch"])
    store.execute(_SQL["fold_records"])
    store.execute("DROP TABLE told_records")


def _within(events: pa.Table, since_us: int | None, until_us: int | None) -> pa.Table:
    started = events["started_at"]
    if since_us is not None:
        events = events.filter(pc.greater_equal(started, since_us))
        started = events["started_at"]
    return events if until_us is None else events.filter(pc.less(started, until_us))
