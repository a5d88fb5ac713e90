"""How far each partition of the log has been read: compared and set with every batch (DESIGN §5).

Owns `positions` and `batches`, which say the same in two ways. Statements take all slices at once:
in a journal every server and topic is a partition.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from edge import Refused
from eventlog import Partition, Slice
from warehouse import Queries, Store

SQL: Final = Queries(Path(__file__).parent / "sql" / "positions")
_SLICES: Final = pa.schema(
    [
        ("ordinal", pa.int64()),
        ("log", pa.string()),
        ("topic", pa.string()),
        ("partition", pa.string()),
        ("start", pa.int64()),
        ("next", pa.int64()),
        ("events", pa.int64()),
        ("damages", pa.int64()),
    ]
)


def read_positions(store: Store) -> dict[Partition, int]:
    """The position after what was applied, of every partition that was ever read."""
    rows = store.rows('SELECT log, topic, "partition", next FROM positions')
    return {Partition(log, topic, partition): after for log, topic, partition, after in rows}


def move_positions(store: Store, batch: int, slices: Sequence[Slice]) -> None:
    """Put each partition behind its slices, and write down that `batch` read them.

    Refuses with POSITION_MOVED where one does not go on where its partition stands; then the
    caller's transaction must be rolled back.
    """
    rows = [
        (n, *piece.partition, piece.start, piece.next, len(piece.payloads), len(piece.damages))
        for n, piece in enumerate(slices)
    ]
    columns = zip(*rows, strict=True) if rows else [()] * len(_SLICES)
    with store.tables(incoming_slices=pa.table(list(columns), _SLICES)):
        for topic, partition, stands, start in store.rows(SQL["misplaced"]):
            where = f"{topic}/{partition} stands at {stands}, not at {start}"
            raise Refused("POSITION_MOVED", f"{where}: another projector was here; start again")
        store.execute(SQL["merge_positions"])
        store.execute(SQL["insert_batches"], {"batch": batch})
