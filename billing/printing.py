"""The papers of numbered documents in the home's folder: which are missing, and how they are made.

Owns the names of the files and the work of all cores. What stands on papers is
`billing.documents`'.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from billing.documents.papers import papers
from edge import Fault, Refused, Settings
from edge.durable import write_whole
from edge.private import make_folder

_AT_ONCE: Final = 20  # documents that a process is given
_ALONE: Final = 60  # so few are printed before another process has begun
Document = Mapping[str, Any]
Task = tuple[Document, Sequence[Mapping[str, Any]] | None]


def pdf_path(home: Settings, document: Document) -> Path:
    return _path(home.documents, document, "pdf")


def ubl_path(home: Settings, document: Document) -> Path:
    return _path(home.documents, document, "xml")


def annexed_path(home: Settings, document: Document) -> Path:
    """Of the PDF with the usage statement as an annex."""
    return _path(home.documents / "annexed", document, "pdf")


def _path(folder: Path, document: Document, kind: str) -> Path:
    return folder / f"{document['number']}.{kind}"


def without_papers(home: Settings, heads: Sequence[Document]) -> list[str]:
    """The ids of the numbered documents whose PDF, which is made last, is not there yet."""
    numbered = [head for head in heads if head["number"] is not None]
    return [head["id"] for head in numbered if not pdf_path(home, head).exists()]


def print_papers(
    home: Settings,
    tasks: Iterable[Task],
    count: int,
    progress: Callable[[int], object] = lambda documents: None,
) -> list[Fault]:
    """Makes the papers of so many documents, over those that are there; of one with an annex, the
    PDF with it, beside the other. `progress` is called with the documents made since. The faults
    are of what pages could not show. Refuses with DOCUMENT_WRITE where the disk does.
    """
    left = iter(tasks)
    faults: list[Fault] = []
    for done, found, refused in _printed(home.documents, left, count):
        if refused:
            raise Refused("DOCUMENT_WRITE", refused)
        faults += found
        progress(done)
    return faults


_Done = tuple[int, list[Fault], str | None]  # of a part: documents, faults, why the disk refused


def _printed(folder: Path, tasks: Iterator[Task], count: int) -> Iterator[_Done]:
    """A part at a time, in their order; on every core where there are many."""
    parts = iter(lambda: list(islice(tasks, _AT_ONCE)), [])
    workers = min(os.cpu_count() or 1, count // _ALONE)
    if workers < 2:
        yield from (_print(folder, part) for part in parts)
        return
    # Not forked: typst and DuckDB have threads, which a fork would not take along.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting: list[Future[_Done]] = []
        for part in parts:
            waiting.append(pool.submit(_print, folder, part))
            if len(waiting) > 2 * workers:  # no more is held than is worked on
                yield waiting.pop(0).result()
        yield from (one.result() for one in waiting)


def _print(folder: Path, part: Sequence[Task]) -> _Done:
    faults: list[Fault] = []
    for document, annex in part:
        made = papers(document, annex)
        faults += made.faults
        target = folder if annex is None else folder / "annexed"
        path = _path(target, document, "pdf")
        try:
            make_folder(target)
            if made.ubl is not None and annex is None:
                write_whole(_path(target, document, "xml"), made.ubl)
            write_whole(path, made.pdf)  # a half of one would never be made again
        except OSError as error:
            # Who gave the command again would issue a second credit note.
            what = (
                f"{path} cannot be written ({error.strerror or error}), but the document is closed"
            )
            advice = "make room or mend that; `invoice run` of its month prints what is missing"
            return len(part), faults, f"{what}: {advice}"
    return len(part), faults, None
