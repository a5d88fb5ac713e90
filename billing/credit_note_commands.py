"""The commands that take back what was invoiced: credit-note, void."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import click

from billing.books import open_books
from billing.credit_notes import (
    Credit,
    Kind,
    documents_of_month,
    give_credit,
    same_notes,
    void_documents,
)
from billing.invoice_commands import month_option, show_documents
from billing.invoices import list_heads
from billing.month import Month, parse_month
from billing.run_commands import ISSUE_DATE, asked_closing, make_documents
from billing.wording import counted
from edge import Refused, Settings
from edge.command import common, reason_text, say, settings
from warehouse import Store

_FEW: Final = 3
_REASON: Final = click.option(
    "--reason", required=True, callback=reason_text, help="Why, for the document and the trail."
)


def _lines(_: click.Context, __: click.Parameter, told: Sequence[str]) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for one in told:
        name, equals, amount = one.partition("=")
        if name in found:
            raise click.BadParameter(f"{name} is named twice")
        try:
            found[name] = Decimal(amount) if equals else None
        except InvalidOperation:
            raise click.BadParameter(f"{amount!r} is not an amount such as 12.50") from None
        if equals and not (found[name] or Decimal(0)).is_finite():
            raise click.BadParameter(f"{amount!r} is not an amount such as 12.50")
    return found


@click.command("credit-note")
@click.argument("number")
@click.option(
    "--kind",
    required=True,
    type=click.Choice(["concession", "correction"]),
    help="A gift that is never billed back, or the mending of what was charged wrongly.",
)
@_REASON
@click.option(
    "--line",
    "lines",
    multiple=True,
    callback=_lines,
    metavar="LINE[=AMOUNT]",
    help="A line, by number or id, and how much of it [all that is left of all lines].",
)
@ISSUE_DATE
@common
def credit_note_command(
    number: str,
    kind: Kind,
    reason: str,
    lines: dict[str, Decimal | None],
    issue_date: datetime | None,
) -> None:
    """Give back a final invoice or parts of it.

    A concession is a gift: no later invoice bills it back. A correction says that too much was
    charged: what the period costs by the records is set against it, with the next invoice.

    \b
    Example: homemeeting credit-note HM-2026-000001 --kind concession --reason "outage" --line 2=10
    Exit codes: 0 done; 1 refused; 2 wrong usage.
    """
    home = settings()
    with open_books(home) as books:
        credit = Credit(kind, reason, {_line_number(name): told for name, told in lines.items()})
        note = give_credit(books, home, number, credit, asked_closing(home, issue_date))
        _show(books, home, [note])
        if same := same_notes(books, note["id"]):
            say(f"warning: {', '.join(same)} says the same; `void` takes back both and the invoice")


def _line_number(name: str) -> int:
    """`2`, `0002` or the whole id of a line."""
    tail = name.rpartition(".")[2]
    if not (tail.isascii() and tail.isdecimal()):
        raise click.BadParameter(f"{name!r} is neither the number nor the id of a line.")
    return int(tail)


@click.command("void")
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@click.option("--month", callback=month_option, metavar="YYYY-MM", help="All of a month.")
@_REASON
@ISSUE_DATE
@common
def void_command(
    numbers: Sequence[str], month: Month | None, reason: str, issue_date: datetime | None
) -> None:
    """Make documents void; their month can then be run again.

    What is left of each is taken back by a document of its own, and all that it carried is to be
    billed again: one-off items, prepaid credit, adjustments of other periods, concessions on it.

    \b
    Example: homemeeting void HM-2026-000001 --reason "wrong price book"
    Exit codes: 0 done; 1 refused; 2 wrong usage.
    """
    if bool(numbers) == bool(month):
        raise click.UsageError("Name documents, or a month by --month.")
    home = settings()
    with open_books(home) as books:
        names = documents_of_month(books, month) if month else numbers
        if not names:
            raise Refused("NOTHING_CLOSED", f"nothing is closed in {month}: see `invoice list`")
        notes = void_documents(books, home, names, reason, asked_closing(home, issue_date))
        _show(books, home, notes)
        told = ", ".join(names) if len(names) <= _FEW else counted(len(names), "document")
        say(f"{told} void: what was carried is billed again by `invoice run`")


def _show(books: Store, home: Settings, notes: Sequence[dict[str, Any]]) -> None:
    ids = {note["id"] for note in notes}
    months = {note["month"]: note["account_id"] if len(notes) == 1 else None for note in notes}
    heads = [
        head
        for month, account in months.items()
        for head in list_heads(books, parse_month(month), account)
        if head["id"] in ids
    ]
    make_documents(books, home, heads)
    show_documents(books, heads, "nothing was left to take back")


COMMANDS: tuple[click.Command, ...] = (credit_note_command, void_command)
