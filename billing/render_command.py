"""The invoice command that makes papers again: render."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from billing.books import open_books
from billing.document import documents
from billing.documents.einvoice import why_not
from billing.heads import find_heads
from billing.invoice_commands import month_option
from billing.invoices import list_heads
from billing.language import language_of
from billing.month import Month
from billing.printing import Task, annexed_path, pdf_path, print_papers, ubl_path
from billing.proven_lines import prove
from billing.statement import statement
from billing.wording import counted
from edge import Fault, Refused, Settings
from edge.command import common, left_undone, progress, say, say_some, settings, show_rows
from warehouse import Store

_COLUMNS = ("number", "account_id", "pdf", "ubl", "note")


@click.command("render")
@click.argument("names", metavar="[NUMBER]...", nargs=-1)
@click.option("--month", callback=month_option, metavar="YYYY-MM", help="All of a month.")
@click.option("--annex", is_flag=True, help="With what was used, as `invoice statement` lists it.")
@common
def render_command(names: Sequence[str], month: Month | None, annex: bool) -> None:
    """Print documents again, whatever is there already.

    A document is always the same, byte for byte. With --annex a second PDF is made, which has the
    usage statement behind the document.

    \b
    Example: homemeeting invoice render --month 2026-10
    Exit codes: 0 made; 1 refused, or a statement could not be made; 2 wrong usage.
    """
    if bool(names) == bool(month):
        raise click.UsageError("Name documents, or a month by --month.")
    home = settings()
    with open_books(home, make=False) as books:
        heads = _numbered(books, names, month)
        rows: list[dict[str, Any]] = []
        left: list[Fault] = []
        tasks = _tasks(books, home, [head["id"] for head in heads], rows, left, annex=annex)
        with progress(f"Printing {counted(len(heads), 'document')}", len(heads)) as advance:
            say_some(print_papers(home, tasks, len(heads), advance))
        say(f"{counted(len(heads), 'document')} in {home.documents}")
    show_rows(rows, _COLUMNS, f"no document has a number{f' in {month}' if month else ''}")
    left_undone("EVIDENCE_LEFT", "what was used is not whole", left)


def _numbered(books: Store, names: Sequence[str], month: Month | None) -> list[dict[str, Any]]:
    if month:
        return [head for head in list_heads(books, month) if head["number"]]
    heads, unknown = find_heads(books, names)
    faults = [Fault("INVOICE_UNKNOWN", name, "there is no such document") for name in unknown]
    faults += [
        Fault("NOT_FINAL", head["id"], f"is {head['status']}: what has no number has no papers")
        for head in heads
        if not head["number"]
    ]
    if faults:
        raise Refused("RENDER_REFUSED", "nothing was printed", faults)
    return heads


def _tasks(  # noqa: PLR0913  two of them are filled
    books: Store,
    home: Settings,
    ids: Sequence[str],
    rows: list[dict[str, Any]],
    left: list[Fault],
    *,
    annex: bool,
) -> Iterator[Task]:
    """Tells of each document in `rows`. One whose statement cannot be made is told in `left`, and
    printed without.
    """
    for document in documents(books, ids):
        rows.append(_row(home, document, annex=annex))
        yield document, None
        if annex:
            try:
                proof = prove(books, home, document["id"])
            except Refused as refused:
                left.append(Fault(refused.code, document["number"], refused.summary))
                continue
            left += proof.faults
            language = language_of(document["buyer"]["language"])
            yield document, list(statement(proof.lines, proof.zone, None, language))


def _row(home: Settings, document: dict[str, Any], *, annex: bool) -> dict[str, Any]:
    why = why_not(document)
    pdf = (annexed_path if annex else pdf_path)(home, document)
    return {
        "number": document["number"],
        "account_id": document["account_id"],
        "pdf": pdf.relative_to(home.documents),
        "ubl": None if why else ubl_path(home, document).relative_to(home.documents),
        "note": why and f"no electronic invoice: {why}",
    }


COMMANDS: tuple[click.Command, ...] = (render_command,)
