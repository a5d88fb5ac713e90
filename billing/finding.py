"""From a record or a meeting to the documents and lines that charged it, by the evidence alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from billing.evidence import read_stored
from billing.queries import PROOFS
from edge import Fault, Refused
from warehouse import Store


def find_lines(
    books: Store, files: Sequence[Path], *, meeting: str | None = None, record: str | None = None
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The lines whose evidence in these files holds the meeting or the record: number, id, status,
    account_id, line, code, records; and EVIDENCE_BROKEN for each file that cannot be read.
    """
    asked = {"meeting": meeting, "record": record}
    books.execute(PROOFS["no_lines"])
    faults = []
    for file in files:
        try:
            read_stored(books, file, PROOFS["found_lines"], asked)
        except Refused as refused:
            message = f"{refused.summary}: put the file back"
            faults.append(Fault("EVIDENCE_BROKEN", file.name, message))
    found = [
        {**row, "code": json.loads(row["content"])["code"]}
        for row in books.records(PROOFS["found_documents"])
    ]
    return found, faults
