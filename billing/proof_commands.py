"""The invoice commands that go from a document to what it was made from, and back: find, statement.

`invoice explain` reads the log too and so lies in `audit`.
"""

from typing import Any
from uuid import UUID

import click

from billing.books import open_books
from billing.evidence_reading import evidence_files
from billing.finding import find_lines
from billing.proven_lines import prove
from billing.statement import COLUMNS, By, statement
from edge.command import common, left_undone, settings, show_rows

_FOUND = ("number", "id", "status", "account_id", "line", "code", "records")


def _record_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else str(UUID(value))
    except ValueError:
        raise click.BadParameter("must be a record id, which is a UUID") from None


@click.command("find")
@click.option("--meeting", help="A meeting's id.")
@click.option("--record", callback=_record_id, help="A usage record's id.")
@common
def find_command(meeting: str | None, record: str | None) -> None:
    """The lines that charged a meeting or a record.

    Read from the evidence of every run, void documents included; `records` is how many of the
    line's are meant.

    \b
    Example: homemeeting invoice find --meeting m-2041
    Exit codes: 0 shown; 1 evidence is missing, see stderr; 2 wrong usage.
    """
    if (meeting is None) == (record is None):
        raise click.UsageError("Give --meeting or --record, one of them.")
    home = settings()
    with open_books(home, make=False) as books:
        files, missing = evidence_files(books, home.evidence)
        found, broken = find_lines(books, files, meeting=meeting, record=record)
    what = f"meeting {meeting}" if meeting else f"record {record}"
    show_rows(found, _FOUND, f"no final document has charged {what}")
    left_undone(
        "EVIDENCE_LEFT", "what was charged by these runs was not looked at", [*missing, *broken]
    )


@click.command("statement")
@click.argument("name", metavar="NUMBER-OR-ID")
@click.option(
    "--by", type=click.Choice(["meeting", "day"]), help="One row for each [one for each record]."
)
@common
def statement_command(name: str, by: By | None) -> None:
    """What a document charged, as a list for the customer.

    In the account's own time. The quantities of a line's rows add up to the line's; what belongs to
    no single record, such as a peak, is a row of its own. `time` is hours, minutes and seconds.

    \b
    Example: homemeeting invoice statement HM-2026-000001 --by day --format csv
    Exit codes: 0 shown; 1 there is none, or its evidence is not whole; 2 wrong usage.
    """
    home = settings()
    with open_books(home, make=False) as books:
        proof = prove(books, home, name)
    rows: list[dict[str, Any]] = list(statement(proof.lines, proof.zone, by))
    show_rows(rows, COLUMNS, f"{name} has no lines")
    left_undone("EVIDENCE_LEFT", "the list is not what was charged", proof.faults)


COMMANDS: tuple[click.Command, ...] = (find_command, statement_command)
