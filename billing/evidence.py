"""Evidence: the rated records of a finalising run, as one Parquet file with its checksum, and
the snapshot of the usage store that the run saw.

Owns the file's place and order. Does not decide what is rated.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from billing.rating import SQL
from billing.rows import load_rows
from warehouse import Store


def write_evidence(
    books: Store, folder: Path, run: int, lines: Sequence[dict[str, Any]]
) -> tuple[str, str, dict[str, tuple[int, str]]]:
    """The name and SHA-256 of the file of a run, and the count and SHA-256 of each invoice's
    rows. `lines` says for each rated line its document: position, number, id, line_id.
    """
    numbers = {"line": pa.int64(), "position": pa.int64()}
    texts = dict.fromkeys(("number", "id", "line_id"), pa.string())
    load_rows(books, "document_lines", lines, numbers | texts)
    books.execute(SQL["evidence"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"run-{run:06}.parquet"
    quoted = str(path).replace("'", "''")
    books.execute(
        f"""COPY (SELECT * EXCLUDE (position) FROM evidence
        ORDER BY position, line_id, started_at, record_id) TO '{quoted}' (FORMAT parquet)"""
    )
    path.chmod(0o600)
    sums = {invoice: (count, sha) for invoice, count, sha in books.rows(SQL["evidence_sums"])}
    return path.name, hashlib.sha256(path.read_bytes()).hexdigest(), sums


def take_snapshot(books: Store) -> str:
    """What the usage store had taken in when it was copied: positions, last batch, open
    quarantine rows.
    """
    positions = books.rows("FROM usage_positions ORDER BY ALL")
    batch = books.value("FROM usage_batch")
    opened = books.rows("FROM usage_quarantine ORDER BY id")
    ids = [row for (row,) in opened]
    return json.dumps({"positions": positions, "last_batch": batch, "quarantine": ids})
