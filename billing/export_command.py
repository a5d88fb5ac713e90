"""The invoice command that hands documents to other programs: export."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from billing.books import open_books
from billing.document import documents
from billing.export import COLUMNS, export_rows, write_parquet
from billing.invoice_commands import month_option
from billing.invoices import list_heads
from billing.month import Month
from edge import Refused
from edge.command import say, settings, with_home
from edge.output import csv_lines

_FORMATS = ("csv", "json", "parquet")


@click.command("export")
@click.option(
    "--month", required=True, callback=month_option, metavar="YYYY-MM", help="Such as 2026-10."
)
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="csv", help="How it is written [csv]."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where it is written [stdout, but for parquet].",
)
@with_home
def export_command(month: Month, form: str, output: Path | None) -> None:
    """A month's documents, line by line, for other programs.

    Of all that was issued, void or not, and credit notes: a row for each line, and one for each
    rate of tax. What is given back is negative.

    \b
    Example: homemeeting invoice export --month 2026-10 --format parquet --output october.parquet
    Exit codes: 0 written; 1 refused; 2 wrong usage.
    """
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs --output.")
    with open_books(settings(), make=False) as books:
        issued = [head["id"] for head in list_heads(books, month) if head["number"]]
        rows = export_rows(documents(books, issued))
        if form == "parquet":
            assert output is not None
            write_parquet(rows, output)
        elif output is None:
            _write(rows, form, sys.stdout)
        else:
            try:
                with output.open("w", encoding="utf-8", newline="") as file:
                    _write(rows, form, file)
            except OSError as error:
                what = f"{output} cannot be written: {error.strerror or error}"
                raise Refused("EXPORT_WRITE", what) from error
    say(f"{len(issued)} documents of {month}")


def _write(rows: Iterable[dict[str, Any]], form: str, file: TextIO) -> None:
    lines = csv_lines(rows, COLUMNS) if form == "csv" else _json_lines(rows)
    file.writelines(lines)


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A list, a row at a time."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


COMMANDS: tuple[click.Command, ...] = (export_command,)
