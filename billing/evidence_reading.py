"""Reading evidence: the records that a document was made from, as its run froze them.

Owns what is said where a file is missing or is not what the books say. Proves no file as a whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.evidence import read_evidence_file
from billing.queries import PROOFS
from edge import Fault, Refused
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Evidence:
    """The act that froze a document: its snapshot of the usage store, and the file of its run, None
    where it left none. `rows` and `sha256` are of the document's part.
    """

    invoice: str
    run: int
    snapshot: dict[str, Any]
    file: Path | None
    rows: int
    sha256: str | None


def find_evidence(books: Store, folder: Path, invoice: str) -> Evidence | None:
    """Of the document with this id; None of a draft, which has none."""
    found = books.records(PROOFS["run_of"], {"id": invoice})
    if not found:
        return None
    (row,) = found
    return Evidence(
        invoice,
        row["run"],
        json.loads(row["snapshot"] or "{}"),
        folder / row["evidence"] if row["evidence"] else None,
        row["evidence_rows"] or 0,
        row["evidence_sha256"],
    )


def read_evidence(
    books: Store, evidence: Evidence, lines: Sequence[int] | None = None
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The records of the document's lines in order of line and time, of the lines of these numbers
    or of all, each with `line` and `chargeable`, times in UTC; and EVIDENCE_BROKEN where its rows,
    whole, are not those that were frozen with it.

    Refuses with EVIDENCE_MISSING, or EVIDENCE_BROKEN where the file cannot be read.
    """
    file = evidence.file
    if file is None or not evidence.rows:
        return [], []
    if not file.exists():
        raise Refused("EVIDENCE_MISSING", missing_evidence(file).message)
    try:
        found = read_evidence_file(books, file, PROOFS["evidence_of"], {"id": evidence.invoice})
    except Refused as refused:
        raise Refused("EVIDENCE_BROKEN", f"{refused.summary}: put the file back") from refused
    rows = books.records(PROOFS["evidence_rows"], {"lines": lines and list(lines)})
    if [(one["records"], one["sha256"]) for one in found] == [(evidence.rows, evidence.sha256)]:
        return rows, []
    message = f"its rows in {file.name} are not those that were frozen: put the file back"
    return rows, [Fault("EVIDENCE_BROKEN", evidence.invoice, message)]


def evidence_files(books: Store, folder: Path) -> tuple[list[Path], list[Fault]]:
    """Every run's file that is there, and EVIDENCE_MISSING for each that is not."""
    files = [folder / name for _, name in books.rows(PROOFS["evidence_files"])]
    here = [file for file in files if file.exists()]
    return here, [missing_evidence(file) for file in files if not file.exists()]


def missing_evidence(file: Path) -> Fault:
    message = f"there is no {file}: put a copy of it back, the books have its SHA-256"
    return Fault("EVIDENCE_MISSING", file.name, message)
