"""Rows that could not be applied: tried again through the same transaction, or dismissed."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from consumers.projector import Projector
from edge import Fault, Refused
from eventlog import Partition, Slice
from warehouse import Store

# What is held at a time, however much lies in quarantine: a piece ends with so many rows or octets.
# Bytes are read by ranges of few rows: DuckDB takes up to 2,048 of a table at once, and of those
# all that a join or a function asks for, whereas bounds of the id are heeded first.
_PIECE_ROWS: Final = 10_000
_PIECE_BYTES: Final = 16 * 1024 * 1024
_RANGE_ROWS: Final = 16
_OPEN = """
SELECT id FROM quarantine
WHERE state = 'open' AND ($id IS NULL OR id = $id) AND ($code IS NULL OR code = $code) ORDER BY id
"""
_RANGE = """
SELECT id, log, topic, "partition", "offset", payload, source, epoch_us(arrived_at), code
FROM quarantine WHERE state = 'open' AND id BETWEEN $first AND $last ORDER BY id
"""
_RETRIED = "UPDATE quarantine SET state = 'retried' WHERE id IN (SELECT unnest($ids))"
_DISMISSED = """
UPDATE quarantine SET state = 'dismissed', dismissal = $why, dismissed_by = $who,
    dismissed_at = make_timestamp($at)
WHERE id IN (SELECT unnest($ids))
"""
_Row = tuple[Any, ...]


def retry(store: Store, projector: Projector, row: int | None = None) -> tuple[int, list[Fault]]:
    """Apply open rows again, all or `row` alone: how many went in, and a fault for each other.

    They are committed piece by piece: whoever is killed goes on by asking again. Refuses with
    QUARANTINE_NO_ROW where `row` is none that is open.
    """
    ids = open_rows(store, row=row)
    if row is not None and not ids:
        raise _no_rows([row])
    failed: list[Fault] = []
    for piece in _pieces(store, ids):
        failed += _retry(store, projector, piece)
    return len(ids) - len(failed), failed


def open_rows(store: Store, *, row: int | None = None, code: str | None = None) -> list[int]:
    """The numbers of open rows: of all, of `row` alone, or of those with this code."""
    return [number for (number,) in store.rows(_OPEN, {"id": row, "code": code})]


def _pieces(store: Store, ids: Sequence[int]) -> Iterator[list[_Row]]:
    """Open rows with their bytes, as many at a time as may be held."""
    piece, octets = list[_Row](), 0
    for at in range(0, len(ids), _RANGE_ROWS):
        some = ids[at : at + _RANGE_ROWS]
        found = store.rows(_RANGE, {"first": some[0], "last": some[-1]})
        piece += found
        octets += sum(len(row[5]) for row in found)
        if len(piece) >= _PIECE_ROWS or octets >= _PIECE_BYTES:
            yield piece
            piece, octets = [], 0
    if piece:
        yield piece


def _retry(store: Store, projector: Projector, rows: Sequence[_Row]) -> list[Fault]:
    """The faults of those that stay open; the others are applied, or none is."""
    with store.transaction():
        applied = projector.reapply([_slice(*found[1:-1]) for found in rows])
        retried = [number for n, (number, *_) in enumerate(rows) if n not in applied.rejected]
        store.execute(_RETRIED, {"ids": retried})
    failed = [row for n, row in enumerate(rows) if n in applied.rejected]
    return [Fault(str(row[8]), f"quarantine {row[0]}", "cannot be applied yet") for row in failed]


def _slice(
    log: str, topic: str, partition: str, offset: int, payload: bytes, source: str | None, us: int
) -> Slice:
    place = Partition(log, topic, partition)
    return Slice(place, offset, offset + 1, [offset], [payload], [source], [us])


def dismiss(store: Store, rows: Sequence[int], reason: str, who: str, at_us: int) -> None:
    """Give open rows up for `reason`, all of them or none. Their bytes stay, and who did it when is
    kept beside them. Refuses with QUARANTINE_NO_ROW.
    """
    with store.transaction():
        if missing := sorted({*rows}.difference(open_rows(store))):
            raise _no_rows(missing)
        told = {"ids": rows, "why": reason, "who": who, "at": at_us}
        store.execute(_DISMISSED, told)


def _no_rows(rows: Sequence[int]) -> Refused:
    message = "there is no such open row: see `quarantine list`"
    faults = [Fault("QUARANTINE_NO_ROW", f"quarantine {row}", message) for row in rows]
    summary = f"{len(faults)} rows are not open; nothing was done"
    return Refused("QUARANTINE_NO_ROW", summary, faults)
