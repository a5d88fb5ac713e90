"""Papers compared, byte for byte, with what the frozen documents make.

Owns which papers must be there. One that is missing is no fault: a run makes it again.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from billing.document import documents
from billing.documents.papers import papers
from billing.printing import pdf_path, ubl_path
from billing.record_check import Finding
from billing.unreadable import each_readable
from edge import Fault, Settings
from warehouse import Store

_AT_ONCE: Final = 50  # pages between two steps of the bar


def paper_findings(
    books: Store, home: Settings, ids: Sequence[str], progress: Callable[[int], object]
) -> Iterator[Finding]:
    """Of the numbered ones among these documents by id; `progress` is called for each."""
    for at in range(0, len(ids), _AT_ONCE):
        yield from each_readable(
            ids[at : at + _AT_ONCE],
            lambda some: list(_findings(books, home, some)),
            "DOCUMENT_DIFFERS",
            "its page cannot be made",
        )
        progress(len(ids[at : at + _AT_ONCE]))


def _findings(books: Store, home: Settings, ids: Sequence[str]) -> Iterator[Finding]:
    for document in documents(books, ids):
        if document["number"] is None:
            continue
        wanted = papers(document)
        for path, octets in (
            (pdf_path(home, document), wanted.pdf), (ubl_path(home, document), wanted.ubl)
        ):  # fmt: skip
            yield from _compared(document, path, octets)


def _compared(document: dict[str, Any], path: Path, wanted: bytes | None) -> Iterator[Finding]:
    if not path.exists():
        if wanted is not None:
            message = f"{path.name} is not there: `invoice render` makes it again"
            fault = Fault("DOCUMENT_MISSING", document["number"], message)
            yield Finding(document["id"], fault, is_late=True)
    elif path.read_bytes() != wanted:
        message = f"{path.name} is not what the frozen document makes, byte for byte"
        yield Finding(document["id"], Fault("DOCUMENT_DIFFERS", document["number"], message))
