"""From a record or a meeting to the documents and lines that charged it, by the evidence alone."""

import json
from collections.abc import Sequence
from typing import Any

from billing.queries import PROOFS
from warehouse import Store


def find_lines(
    books: Store, files: Sequence[str], *, meeting: str | None = None, record: str | None = None
) -> list[dict[str, Any]]:
    """The lines whose evidence in these files holds the meeting or the record: number, id, status,
    account_id, line, code, records.
    """
    if not files:
        return []
    asked = {"files": list(files), "meeting": meeting, "record": record}
    books.execute(PROOFS["found_lines"], asked)
    return [
        {**row, "code": json.loads(row["content"])["code"]}
        for row in books.records(PROOFS["found_documents"])
    ]
