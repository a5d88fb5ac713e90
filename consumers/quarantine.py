"""Rows that could not be applied: tried again through the same transaction, or dismissed."""

from consumers.projector import Projector
from edge import Fault, Refused
from eventlog import Partition, Slice
from warehouse import Store

_OPEN = """
SELECT id, log, topic, "partition", "offset", payload, source, epoch_us(arrived_at), code
FROM quarantine WHERE state = 'open' AND ($id IS NULL OR id = $id) ORDER BY id
"""


def retry(store: Store, projector: Projector, row: int | None = None) -> tuple[int, list[Fault]]:
    """Apply open rows again, all or `row` alone: how many went in, and a fault for each other.

    Refuses with QUARANTINE_NO_ROW where `row` is none that is open.
    """
    with store.transaction():
        rows = store.rows(_OPEN, {"id": row})
        if row is not None and not rows:
            raise _no_row(row)
        if not rows:
            return 0, []
        applied = projector.reapply([_slice(*found[1:-1]) for found in rows])
        retried = [[number] for n, (number, *_) in enumerate(rows) if n not in applied.rejected]
        for one in retried:
            store.execute("UPDATE quarantine SET state = 'retried' WHERE id = ?", one)
    failed = [row for n, row in enumerate(rows) if n in applied.rejected]
    return len(retried), [
        Fault(str(row[8]), f"quarantine {row[0]}", "cannot be applied yet") for row in failed
    ]


def _slice(
    log: str, topic: str, partition: str, offset: int, payload: bytes, source: str | None, us: int
) -> Slice:
    place = Partition(log, topic, partition)
    return Slice(place, offset, offset + 1, [offset], [payload], [source], [us])


def dismiss(store: Store, row: int, reason: str, who: str, at_us: int) -> None:
    """Give an open row up for `reason`; its bytes stay, and who did it when is kept beside them.
    Refuses with QUARANTINE_NO_ROW.
    """
    with store.transaction():
        done = store.rows(
            "UPDATE quarantine SET state = 'dismissed', dismissal = $why, dismissed_by = $who,"
            " dismissed_at = make_timestamp($at) WHERE id = $id AND state = 'open' RETURNING id",
            {"id": row, "why": reason, "who": who, "at": at_us},
        )
        if not done:
            raise _no_row(row)


def _no_row(row: int) -> Refused:
    return Refused(
        "QUARANTINE_NO_ROW", f"there is no open quarantine row {row}: see `quarantine list`"
    )
