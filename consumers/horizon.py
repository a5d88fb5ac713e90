"""In flight or lost: a hole is a loss only once the log has been read to where it ended when the
hole was seen (DESIGN §5.3).

Owns promises, their horizons and what is proven, within the projector's transaction. What a hole
means, and what quarantine explains of it, are views of the store.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from eventlog import Partition
from warehouse import Queries, Store

Ends = Callable[[Iterable[str]], Mapping[Partition, int]]
_SQL = Queries(Path(__file__).parent / "sql" / "horizon")
_ENDS = pa.schema(
    [("log", pa.string()), ("topic", pa.string()), ("partition", pa.string()), ("end", pa.int64())]
)
_PROVE = ("drop_reached", "prove", "drop_kept")
_TRIM = ("drop_healed", "drop_horizons", "drop_unfounded", "trim_proven")


def nothing_unread(_: Iterable[str]) -> Mapping[Partition, int]:
    """The ends of a log that has been read whole."""
    return {}


class Horizons:
    """The promises of one store. Every method is called within a transaction of its caller."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def move(self, ends: Ends) -> None:
        """After a batch was merged, whose sources lie in `touched`: prove, promise, ask, prove.

        `ends` is asked only where something new is missing, and only of the topics concerned.
        """
        if self._look():
            return
        self._run(_PROVE)
        self._run(("drop_healed", "promise"))
        self._ask(ends)
        self._run((*_PROVE, *_TRIM))

    def wait(self) -> None:
        """After rows were merged with no log at hand: promise, and leave the asking to the next."""
        if not self._look():
            self._run(("drop_healed", "promise", *_TRIM))

    def resume(self, ends: Ends) -> None:
        """When a log begins to be read: ask anew where it cannot reach an end it was to reach."""
        store = self._store
        topics = [topic for (topic,) in store.rows("SELECT DISTINCT topic FROM promises")]
        if not topics:
            return
        with store.tables(log_ends=_table(ends(topics))):
            self._run(("renew", "drop_horizons"))
        store.execute("CREATE OR REPLACE TEMP TABLE touched AS SELECT topic, source FROM promises")
        self.move(ends)

    def _look(self) -> bool:
        """Whether there is nothing to do: nothing is missing, nor was before."""
        self._run(("highest_holes",))
        return bool(self._store.value(_SQL["is_whole"]))

    def _ask(self, ends: Ends) -> None:
        store = self._store
        asking = "SELECT DISTINCT topic FROM promises WHERE horizon IS NULL"
        topics = [topic for (topic,) in store.rows(asking)]
        if not topics:
            return
        number = store.value("SELECT coalesce(max(horizon), 0) + 1 FROM promises")
        with store.tables(log_ends=_table(ends(topics))):
            store.execute(_SQL["insert_horizons"], {"horizon": number})
        store.execute(_SQL["set_horizons"], {"horizon": number})

    def _run(self, names: Iterable[str]) -> None:
        for name in names:
            self._store.execute(_SQL[name])


def _table(ends: Mapping[Partition, int]) -> pa.Table:
    rows = [(*place, end) for place, end in ends.items()]
    return pa.Table.from_pylist(
        [dict(zip(_ENDS.names, row, strict=True)) for row in rows], schema=_ENDS
    )
