"""Evidence: the rated records of a finalising run, as one Parquet file with its checksum, and
the snapshot of the usage store that the run saw.

Owns the file's place and order. Does not decide what is rated. The file's metadata repeats what the
books say of the run: `snapshot`, `overrides`, and, where records in conflict kept closed periods
from being adjusted, `left_out`: name and SHA-256 of a second file that lists them.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from billing.completeness import allowances
from billing.queries import EVIDENCE
from billing.rows import load_rows
from edge import Refused
from edge.durable import sync_folder
from edge.private import make_folder
from warehouse import Store, read_parquet

# As a run writes them, wherever they were read from.
_IN_ORDER: Final = """SELECT invoice, account, evidence_text(one) || chr(10) AS text
FROM (FROM evidence ORDER BY account, started_at, record_id, lines[1]) AS one"""
_PART: Final = "FROM told_evidence({first}, {last}, {first_account}, {last_account})".format
_PART_ROWS: Final = 100_000
# All else is a value of its own in nearly every row.
_REPEATING: Final = (
    *("number", "invoice", "account_id", "meeting_id", "participant_id", "meter", "variant"),
)
SUMS: Final = {
    **dict.fromkeys(("invoice", "sha256"), pa.string()),
    "records": pa.int64(),
}


def write_evidence(books: Store, folder: Path, run: int) -> tuple[str, str]:
    """The name and SHA-256 of the file of a run. Leaves `evidence_sums`: the count and SHA-256 of
    each invoice's rows. Reads `closing` and what rating left. Refuses with EVIDENCE_WRITE where the
    disk does.
    """
    for name in ("left_out_records", "told_documents", "on_lines", "adjusted_rows"):
        books.execute(EVIDENCE[name])
    lay_kinds(books)
    with _written(folder):
        make_folder(folder)
    ((snapshot, overrides),) = books.rows(
        "SELECT snapshot, overrides FROM runs WHERE run = ?", [run]
    )
    told = {"snapshot": snapshot, "overrides": overrides}
    if books.value("SELECT count(*) FROM left_out_records"):
        path = folder / f"run-{run:06}.left-out.parquet"
        rows = books.table("FROM left_out_records ORDER BY ALL")
        with _written(path):
            sha256 = _write([rows.to_reader()], path, {})
        told["left_out"] = json.dumps({"file": path.name, "sha256": sha256})
    path = folder / f"run-{run:06}.parquet"
    sums = _Sums()
    with _written(path):
        sha256 = _write(map(sums.taken, _in_parts(books)), path, told)
    load_rows(books, "evidence_sums", sums.rows(), SUMS)
    return path.name, sha256


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"{path} cannot be written ({error.strerror or error}), and nothing was closed"
        advice = "make room or mend that, then give the command again"
        raise Refused("EVIDENCE_WRITE", f"{what}: {advice}") from error


def lay_kinds(books: Store) -> None:
    """Leaves `kinds`: what lines each kind of record is on, and what it comes to there. Reads what
    rating left.
    """
    for name in ("kinds", "rounded_each"):
        books.execute(EVIDENCE[name])


def told_parts(books: Store) -> Iterator[Mapping[str, int]]:
    """Lays out the records that `told_documents` are made of, and gives the bounds of so many at a
    time as fit into memory, at least once: `told_rows` of these are rows of the evidence. Reads
    `kinds`, `on_lines`, `adjusted_rows` and what rating left.
    """
    books.execute(EVIDENCE["told_records"])
    ((least, most),) = books.rows("SELECT min(rowid), max(rowid) FROM told_records")
    for first in range(least or 0, (most or 0) + 1, _PART_ROWS):
        bounds = {"first": first, "last": first + _PART_ROWS - 1}
        (accounts,) = books.records(EVIDENCE["accounts"], bounds)
        bounds |= accounts
        books.execute(EVIDENCE["kind_lines"], bounds)
        books.execute(EVIDENCE["told_rows"])
        yield bounds


def _in_parts(books: Store) -> Iterator[pa.RecordBatchReader]:
    """All rows in order, each with its document's account and its text."""
    books.execute(EVIDENCE["text"])
    for bounds in told_parts(books):
        books.execute(EVIDENCE["told_evidence"])
        rows = books.table(_PART(**bounds))
        # A join may give them in any order: what was sorted once is cheaply put back into it.
        places = rows["place"].to_numpy()
        if (places[1:] < places[:-1]).any():
            rows = rows.take(np.argsort(places))
        yield rows.drop_columns(["place"]).to_reader()


def _write(readers: Iterable[pa.RecordBatchReader], path: Path, told: Mapping[str, str]) -> str:
    """The rows to a file with this metadata, whole and on the disk; gives its SHA-256. Some are
    written while the next are made.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  as long as all of pyarrow, and for runs alone

    left = iter(readers)
    first = next(left)
    schema = first.schema.with_metadata(dict(told))
    with (
        pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=list(_REPEATING)) as file,
        ThreadPoolExecutor(1) as writing,
    ):
        before = writing.submit(_append, file, first)
        for reader in left:
            before.result()
            before = writing.submit(_append, file, reader)
        before.result()
    path.chmod(0o600)
    # On the disk, before the books say that it is there.
    with path.open("rb") as written:
        os.fsync(written.fileno())
        sha256 = hashlib.file_digest(written, "sha256").hexdigest()
    sync_folder(path.parent)
    return sha256


def _append(file: Any, reader: pa.RecordBatchReader) -> None:
    for batch in reader:
        file.write_batch(batch)


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file can be read and is, byte for byte, what its run wrote."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def read_stored(books: Store, path: Path, sql: str, asked: Mapping[str, Any]) -> None:
    """Runs a statement on `stored_evidence($path)`. Refuses as `read_parquet`."""
    books.execute(EVIDENCE["stored"])
    read_parquet(books, path, sql, asked)


def read_evidence_file(
    books: Store, path: Path, sql: str, asked: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Leaves `evidence`, what the statement takes of the file, without rows that no run has
    written; and gives the sums of each invoice before those went. Refuses as `read_parquet`.
    """
    read_stored(books, path, sql, asked)
    sums = list(_sum_evidence(books))
    books.execute(EVIDENCE["malformed"])
    return sums


def _sum_evidence(books: Store) -> Iterator[dict[str, Any]]:
    """Of each invoice with rows in `evidence`: how many, and the SHA-256 of their texts
    (`evidence/text.sql`), each with a line feed after it, in UTF-8.
    """
    sums = _Sums()
    books.execute(EVIDENCE["text"])
    for _ in sums.taken(books.batches(_IN_ORDER)):
        pass
    return sums.rows()


class _Sums:
    """The rows of each invoice, counted and hashed as they pass."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Any, int]] = {}

    def taken(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The rows without account and text, which are last; counted as they are read."""
        schema = pa.schema(list(reader.schema)[:-2])
        return pa.RecordBatchReader.from_batches(schema, map(self._take, reader))

    def rows(self) -> Iterator[dict[str, Any]]:
        for invoice, (digest, records) in self._sums.items():
            yield {"invoice": invoice, "records": records, "sha256": digest.hexdigest()}

    def _take(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts = batch["text"]
        _, starts, data = texts.buffers()
        offsets = np.frombuffer(starts, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        accounts = batch["account"].to_numpy()
        edges = [0, *(np.flatnonzero(accounts[1:] != accounts[:-1]) + 1).tolist(), len(accounts)]
        whole = memoryview(data)
        for first, end in pairwise(edges):
            invoice = batch["invoice"][first].as_py()
            digest, records = self._sums.get(invoice) or (hashlib.sha256(), 0)
            digest.update(whole[offsets[first] : offsets[end]])
            self._sums[invoice] = digest, records + end - first
        return batch.drop_columns(["account", "text"])


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
