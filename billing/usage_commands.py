"""The command that tells what was used: usage."""

from fractions import Fraction
from typing import Any

import click

from billing.books import load_catalogue, open_books
from billing.invoice_commands import month_option
from billing.layout import lay_out
from billing.money import decimal_text
from billing.month import Month
from billing.queries import SQL
from billing.rating import month_usage
from billing.too_old import note_old, too_old
from edge.command import common, settings, show_rows
from edge.lazy_group import LazyGroup

_USAGE = ("account_id", "meter", "variant", "records", "seconds", "quantity")


@click.group(cls=LazyGroup, invoke_without_command=True)
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
        is_old = unbilled and note_old(books, settings(), month)
        with month_usage(books, settings(), layout):
            found = books.records(SQL["unbilled" if unbilled else "usage"], {"account": account_id})
            found += too_old(books, account_id) if is_old else []
    found.sort(key=_place)
    whose = f" of {account_id}" if account_id else ""
    if unbilled:
        empty = f"no usage{whose} in {month} is unbilled"
        show_rows(map(_usage_row, found), (*_USAGE, "reason"), empty)
    else:
        show_rows(map(_usage_row, found), _USAGE, f"no usage{whose} in {month}")


def _place(row: dict[str, Any]) -> tuple[str, ...]:
    variant = row["variant"]
    kind = (row["account_id"], row["meter"], "" if variant is None else f"+{variant}")
    return (*kind, row.get("reason", ""))


def _usage_row(row: dict[str, Any]) -> dict[str, Any]:
    seconds = decimal_text(Fraction(row["duration_us"], 1_000_000))
    return row | {"seconds": seconds, "quantity": decimal_text(row["quantity"])}


# What reads or writes the log stands in a package that this one knows nothing of.
usage.add_later("corrections.commands", "conflicts", "cancel")

COMMANDS: tuple[click.Command, ...] = (usage,)
