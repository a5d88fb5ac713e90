"""Evidence: the rated records of a finalising run, as one Parquet file with its checksum, and
the snapshot of the usage store that the run saw.

Owns the file's place and order. Does not decide what is rated.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from billing.completeness import allowances
from billing.queries import SQL
from warehouse import Store

_PART_ROWS: Final = 1_000_000  # digested together: as text they are some 100 MB


def write_evidence(books: Store, folder: Path, run: int) -> tuple[str, str]:
    """The name and SHA-256 of the file of a run. Leaves `evidence_sums`: the count and SHA-256 of
    each invoice's rows. Reads `closing` and what rating left.
    """
    books.execute(SQL["evidence"])
    sum_evidence(books)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"run-{run:06}.parquet"
    quoted = str(path).replace("'", "''")
    books.execute(
        f"""COPY (SELECT * EXCLUDE (account) FROM evidence
        ORDER BY account, line_id, started_at, record_id) TO '{quoted}' (FORMAT parquet)"""
    )
    path.chmod(0o600)
    _write_through(path)
    with path.open("rb") as file:
        return path.name, hashlib.file_digest(file, "sha256").hexdigest()


def sum_evidence(books: Store) -> None:
    """Leaves `evidence_sums`: the count and SHA-256 of each invoice's rows in `evidence`."""
    for name in ("begin_evidence_sums", "evidence_text"):
        books.execute(SQL[name])
    parts = books.value("SELECT count(*) FROM evidence") // _PART_ROWS + 1
    for part in range(parts):
        books.execute(SQL["evidence_sums"], {"parts": parts, "part": part})


def _write_through(path: Path) -> None:
    """To the disk, before the books say that it is there: DuckDB leaves its files in the cache."""
    for one in (path, path.parent):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def take_snapshot(books: Store, accepted: Sequence[Mapping[str, Any]] = ()) -> str:
    """What the usage store had taken in when it was read: positions, last batch, open quarantine
    rows; by whose word it counts as complete; and the gaps that were accepted.
    """
    positions = books.rows("FROM usage_positions ORDER BY ALL")
    batch = books.value("FROM usage_batch")
    opened = books.rows("FROM usage_quarantine ORDER BY id")
    ids = [row for (row,) in opened]
    told = {"positions": positions, "last_batch": batch, "quarantine": ids}
    return json.dumps({**told, **allowances(books), "accepted": list(accepted)}, ensure_ascii=False)
