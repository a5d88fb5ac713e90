"""The commands of prepaid credit, within `account`: credit, credits, credit-remove."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import click

from billing.amounts import MINOR_DIGITS, amount_option
from billing.audit_trail import Act
from billing.books import open_books
from billing.closed import require_account
from billing.credits import Received, add_credit, credits, draws, remove_credit
from billing.item_commands import day_option
from billing.money import minor_to_money
from billing.wording import money
from edge.command import clock, common, form, reason_text, say, settings, show_json, show_rows
from edge.instants import instant

Row = Mapping[str, Any]
_LEDGER: Final = ("reference", "entry", "day", "document", "amount", "left", "expires", "state")


@click.command("credit")
@click.argument("account", metavar="ACCOUNT")
@click.argument(
    "amount", metavar="AMOUNT", callback=amount_option(whole=MINOR_DIGITS, places=12, signed=False)
)
@click.option(
    "--expires", required=True, metavar="DATE", callback=day_option, help="The last day it is used."
)
@click.option(
    "--reference", required=True, callback=reason_text, help="Such as the bank's; once per account."
)
@common
def credit_command(account: str, amount: Decimal, expires: date, reference: str) -> None:
    """Enter money that an account paid ahead.

    In the account's currency. Invoices draw on it after tax: what expires soonest first, then what
    is oldest, up to an issue on --expires, that day included. Doing it twice changes nothing: the
    reference tells one payment from another.

    \b
    Example: homemeeting account credit acme 500 --expires 2027-12-31 --reference "wire 4711"
    Exit codes: 0 entered, or so already; 1 refused, such as too many decimals; 2 wrong usage.
    """
    now_us = clock()()
    act = Act(now_us, settings().user, "account credit", account, "", {})
    with open_books(settings(), make=False) as books:
        found, is_new = add_credit(books, Received(account, amount, expires, reference), act)
    told = f"{reference} of {account}, {money(amount, found.currency)} {found.currency}"
    say(f"entered: {told}" if is_new else f"nothing changed: {told} is in the books already")
    if expires < instant(now_us).date():
        say(f"warning: it expired on {expires}: nothing issued from today on draws on it")


@click.command("credit-remove")
@click.argument("account", metavar="ACCOUNT")
@click.option("--reference", required=True, help="Of the payment.")
@click.option("--reason", required=True, callback=reason_text, help="Kept in the audit trail.")
@common
def credit_remove_command(account: str, reference: str, reason: str) -> None:
    """Take out a payment that was mistyped.

    One that a document drew on stays.

    \b
    Example: homemeeting account credit-remove acme --reference "wire 4711" --reason "wrong amount"
    Exit codes: 0 taken out; 1 refused, such as drawn already; 2 wrong usage.
    """
    act = Act(clock()(), settings().user, "account credit-remove", account, reason, {})
    with open_books(settings(), make=False) as books:
        remove_credit(books, account, reference, act)
    say(f"taken out: {reference} of {account}")


@click.command("credits")
@click.argument("account", metavar="ACCOUNT")
@common
def credits_command(account: str) -> None:
    """What an account paid ahead, and what is left of it.

    In the order in which it is drawn. What a document drew that is void by now was given back. The
    balance is what a document issued today could draw.

    \b
    Example: homemeeting account credits acme
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        currency = require_account(books, account).currency
        found, drawn = credits(books, account), draws(books, account)
    today = instant(clock()()).date()
    told = list(_told(found, drawn, currency, today))
    left = (one["left_over"] for one in found if one["expires"] >= today)
    balance = minor_to_money(sum(left), currency)
    if form() == "json":
        head = {"account_id": account, "currency": currency, "balance": balance}
        show_json({**head, "credits": told})
        return
    empty = f"{account} has no credit: `homemeeting account credit` enters it"
    show_rows((row for one in told for row in _ledger(one)), _LEDGER, empty)
    if told and form() == "table":
        click.echo(f"\nbalance: {money(balance, currency)} {currency}")


def _told(
    found: Sequence[Row], drawn: Sequence[Row], currency: str, today: date
) -> Iterator[dict[str, Any]]:
    """Each credit with its draws, in decimals of the currency."""
    by_credit: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in drawn:
        amount = minor_to_money(one["amount"], currency)
        by_credit[one["credit"]].append({**one, "amount": amount})
    for one in found:
        left = minor_to_money(one["left_over"], currency)
        state = "expired" if one["expires"] < today else "open"
        yield {
            "reference": one["reference"],
            "received": instant(one["received_us"]),
            "expires": one["expires"],
            "amount": minor_to_money(one["amount"], currency),
            "draws": [
                {name: draw[name] for name in ("document", "issued_on", "amount")}
                for draw in by_credit[one["credit"]]
            ],
            "left": left,
            "state": state if left else "drawn",
        }


def _ledger(credit: Row) -> Iterator[dict[str, Any]]:
    """Its rows: received, drawn, given back by what made a document void."""
    about = {"reference": credit["reference"], **dict.fromkeys(("left", "expires", "state"))}
    yield {
        **{name: credit[name] for name in ("reference", "amount", "left", "expires", "state")},
        **{"entry": "received", "day": credit["received"].date(), "document": None},
    }
    for draw in credit["draws"]:
        row = {**about, "document": draw["document"], "day": draw["issued_on"]}
        entry = "drawn" if draw["amount"] > 0 else "given back"
        yield {**row, "entry": entry, "amount": -draw["amount"]}


COMMANDS: tuple[click.Command, ...] = (
    credit_command,
    credits_command,
    credit_remove_command,
)
