"""The commands of one-off items, within `invoice`: item, items, item-remove."""

from datetime import date
from decimal import Decimal
from typing import Final

import click

from billing.accounts import wrong_value
from billing.amounts import amount_option
from billing.audit_trail import Act
from billing.books import open_books
from billing.closed import require_account
from billing.described import named
from billing.items import Item, Row, add_item, list_items, remove_item, same_items
from billing.money import decimal_text
from edge.command import clock, common, reason_text, say, settings, show_rows

_LIST: Final = (
    *("item", "account_id", "on_day", "amount", "currency", "tax_category", "ledger_account"),
    *("billed", "description"),
)
_WHOLE, _PLACES = 9, 12  # as of prices


def day_option(_: click.Context, __: click.Parameter, value: str) -> date:
    """The callback of a day: wrong ones are wrong usage."""
    if wrong := wrong_value("since", value):
        raise click.BadParameter(f"{wrong}.")
    return date.fromisoformat(value)


def _code(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and (wrong := wrong_value("tax_category", value)):
        raise click.BadParameter(f"{wrong}.")
    return value


@click.command("item")
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--description", required=True, callback=reason_text, help="As it stands on the invoice."
)
@click.option(
    "--amount",
    required=True,
    metavar="AMOUNT",
    callback=amount_option(whole=_WHOLE, places=_PLACES, signed=True),
    help="Before tax, in the account's currency; negative for a discount or a gift.",
)
@click.option(
    "--on",
    "on_day",
    required=True,
    metavar="DATE",
    callback=day_option,
    help="A day of the month to bill it with.",
)
@click.option("--tax-category", metavar="NAME", callback=_code, help="For the tax of it.")
@click.option(
    "--ledger-account", metavar="NAME", callback=_code, help="What `invoice export` tells of it."
)
@common
def item_command(  # noqa: PLR0913  what is told of an item
    *,
    account: str,
    description: str,
    amount: Decimal,
    on_day: date,
    tax_category: str | None,
    ledger_account: str | None,
) -> None:
    """Bill something once, with the month that --on lies in.

    An amount may have more decimals than its currency: its line is rounded as any other. Every
    call adds an item; `invoice item-remove` takes out one that was typed twice.

    \b
    Example: homemeeting invoice item acme --description Training --amount 450 --on 2026-10-15
    Exit codes: 0 added; 1 refused, such as a closed month; 2 wrong usage.
    """
    booked = (tax_category, ledger_account)
    wanted = Item(account, on_day, description, decimal_text(amount), *booked)
    with open_books(settings(), make=False) as books:
        same = same_items(books, wanted)
        act = Act(clock()(), settings().user, "invoice item", account, "", {})
        added = add_item(books, wanted, act)
        (row,) = (one for one in list_items(books, account) if one["item"] == added.item)
    if same:
        say(f"warning: {', '.join(same)} says the same: `homemeeting invoice item-remove` one")
    show_rows([_shown(row)], _LIST)


@click.command("items")
@click.option("--account", help="Only this account.")
@common
def items_command(account: str | None) -> None:
    """One-off items and the documents they are billed on.

    \b
    Example: homemeeting invoice items --account acme
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        if account is not None:
            require_account(books, account)
        rows = list_items(books, account)
    show_rows(map(_shown, rows), _LIST, "no items: `homemeeting invoice item` adds one")


@click.command("item-remove")
@click.argument("item", metavar="ITEM")
@click.option("--reason", required=True, callback=reason_text, help="Kept in the audit trail.")
@common
def item_remove_command(item: str, reason: str) -> None:
    """Take out an item that is on no closed document.

    What is billed is given back by a credit note instead. A draft has it until the next run.

    \b
    Example: homemeeting invoice item-remove i000001 --reason "typed twice"
    Exit codes: 0 taken out; 1 refused, such as billed already; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        act = Act(clock()(), settings().user, "invoice item-remove", "", reason, {})
        row = remove_item(books, item, act)
    told = (
        item,
        row["account_id"],
        row["on_day"],
        f"{row['amount']} {row['currency']}",
        named(row),
    )
    say(f"taken out: {', '.join(map(str, told))}")


def _shown(row: Row) -> Row:
    return {**row, "description": named(row)}


COMMANDS: tuple[click.Command, ...] = (item_command, items_command, item_remove_command)
