"""The invoice commands: run, list, show."""

from collections.abc import Sequence
from typing import Any

import click

from billing.books import open_books
from billing.invoices import find_invoice, list_invoices, make_documents, run_invoices
from billing.month import Month, parse_month
from edge import Refused
from edge.command import clock, common, form, left_undone, say, settings, show_json, show_rows

_LIST = ("id", "number", "status", "account_id", "plan", "currency", "total")
_LINES = ("kind", "code", "description", "quantity", "unit", "included", "amount")


def month_option(_: click.Context, __: click.Parameter, value: str | None) -> Month | None:
    """The callback of every `--month`: wrong ones are wrong usage."""
    try:
        return parse_month(value) if value is not None else None
    except Refused as refused:
        raise click.BadParameter(refused.summary) from None


@click.group()
def invoice() -> None:
    """Invoices of a month: run, list, show."""


@invoice.command("run")
@click.option("--month", required=True, callback=month_option, help="Such as 2026-10.")
@click.option("--account", help="Only this account.")
@click.option("--finalize", is_flag=True, help="Number and freeze what is over.")
@common
def run_command(month: Month, account: str | None, finalize: bool) -> None:
    """Compute a month's invoices; closed ones stay as they are.

    \b
    Example: homemeeting invoice run --month 2026-10 --finalize
    Exit codes: 0 done; 1 refused, or accounts left out, each on stderr; 2 wrong usage.
    """
    home = settings()
    with open_books(home) as books:
        faults = run_invoices(books, home, month, account, clock()() if finalize else None)
        documents = list_invoices(books, month, account)
    pdfs = make_documents(home, documents)
    say(f"{len(documents)} documents, {pdfs} PDFs written to {home.documents}")
    _show(documents)
    left_undone("INVOICES_LEFT", f"{len(faults)} faults kept accounts from it", faults)


def _show(documents: Sequence[dict[str, Any]]) -> None:
    if form() == "json":
        show_json(documents)
    else:
        show_rows(documents, _LIST)


@invoice.command("list")
@click.option("--month", callback=month_option, help="Such as 2026-10.")
@common
def list_command(month: Month | None) -> None:
    """Every document. Example: homemeeting invoice list --month 2026-10. Exit codes: 0, 1, 2."""
    with open_books(settings()) as books:
        _show(list_invoices(books, month))


@invoice.command("show")
@click.argument("name", metavar="NUMBER-OR-ID")
@common
def show_command(name: str) -> None:
    """One document.

    \b
    Example: homemeeting invoice show HM-2026-000001 --format json
    Exit codes: 0 shown; 1 there is none; 2 wrong usage.
    """
    with open_books(settings()) as books:
        found = find_invoice(books, name)
    if form() == "json":
        show_json(found)
        return
    show_rows(found["lines"], _LINES)
    if form() == "table":
        click.echo(f"\n{found['status']} {found['number'] or found['id']}: {found['total']}")
