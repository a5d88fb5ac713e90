"""Billing's commands: accounts and usage; gathers those of price books, invoices and audit."""

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from billing.accounts import effective_history
from billing.audit_commands import audit
from billing.books import (
    accounts,
    import_accounts,
    load_catalogue,
    open_books,
    read_input,
    subscriptions,
)
from billing.invoice_commands import invoice, month_option
from billing.layout import lay_out
from billing.money import decimal_text
from billing.month import Month
from billing.price_book_commands import price_book
from billing.queries import SQL
from billing.rating import month_usage
from edge.command import common, say, settings, show_rows

_FILE = click.Path(path_type=Path, dir_okay=False)
_ACCOUNT_LIST = ("account_id", "name", "country", "time_zone", "currency", "plan", "since", "until")
_USAGE = ("account_id", "meter", "variant", "records", "seconds", "quantity")
_NO_PLAN = dict.fromkeys(("plan", "since", "until", "quantity"))


@click.group()
def account() -> None:
    """Who is billed: import, list.

    \b
    Example: homemeeting account import accounts.csv
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@account.command("import")
@click.argument("file", type=_FILE)
@common
def import_command(file: Path) -> None:
    """Import accounts and their plans from CSV. Importing twice changes nothing.

    \b
    Example: homemeeting account import accounts.csv
    Exit codes: 0 imported; 1 refused, every fault on stderr, nothing imported; 2 wrong usage.
    """
    content = read_input(file)
    with open_books(settings()) as books:
        people, rows = import_accounts(books, content)
    say(f"{people} accounts imported with {rows} subscriptions")


@account.command("list")
@common
def list_accounts() -> None:
    """Accounts with the history of their plans.

    \b
    Example: homemeeting account list --format csv
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        people = accounts(books)
        history = effective_history(subscriptions(books))
    by_account: dict[str, list[dict[str, Any]]] = {}
    for row in history:
        plan = f"{row.book}/{row.plan}" if row.book else row.plan
        told = {"plan": plan, "since": row.since, "until": row.until, "quantity": row.quantity}
        by_account.setdefault(row.account_id, []).append(told)
    rows = [
        {**asdict(one), **told}
        for one in people
        for told in by_account.get(one.account_id, [_NO_PLAN])
    ]
    show_rows(rows, (*_ACCOUNT_LIST, "quantity"), "no accounts: `homemeeting account import`")


@click.group(invoke_without_command=True)
@click.option("--account", "account_id", help="Only this account.")
@click.option(
    "--month",
    callback=month_option,
    metavar="YYYY-MM",
    help="The account's own month, such as 2026-10.",
)
@click.option("--unbilled", is_flag=True, help="Only what no charge rates, with the reason.")
@common
@click.pass_context
def usage(
    context: click.Context, account_id: str | None, month: Month | None, unbilled: bool
) -> None:
    """What was used in a month, by account, meter and variant.

    \b
    Example: homemeeting usage --month 2026-10 --unbilled
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    if context.invoked_subcommand:
        return
    if month is None:
        raise click.UsageError("Missing option '--month'.")
    with open_books(settings(), make=False) as books:
        layout = lay_out(books, load_catalogue(books), month)
        with month_usage(books, settings(), layout):
            found = books.records(SQL["unbilled" if unbilled else "usage"], {"account": account_id})
    whose = f" of {account_id}" if account_id else ""
    if unbilled:
        empty = f"no usage{whose} in {month} is unbilled"
        show_rows(map(_usage_row, found), (*_USAGE, "reason"), empty)
    else:
        show_rows(map(_usage_row, found), _USAGE, f"no usage{whose} in {month}")


def _usage_row(row: dict[str, Any]) -> dict[str, Any]:
    seconds = decimal_text(Fraction(row["duration_us"], 1_000_000))
    return row | {"seconds": seconds, "quantity": decimal_text(row["quantity"])}


COMMANDS: tuple[click.Command, ...] = (account, price_book, usage, invoice, audit)
