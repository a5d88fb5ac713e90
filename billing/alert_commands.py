"""The commands of alerts: account alert, alerts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import click

from billing.alerts import reached_alerts, set_alert
from billing.amounts import MINOR_DIGITS, amount_option
from billing.audit_trail import Act
from billing.books import open_books
from billing.invoice_commands import month_option
from billing.money import minor_to_money
from billing.month import Month
from billing.wording import money
from edge.command import clock, common, form, say, say_some, settings, show_rows
from edge.instants import instant

_LIST: Final = ("account_id", "month", "at", "total", "currency", "told")


@click.command("alert")
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--at",
    "threshold",
    required=True,
    metavar="AMOUNT",
    callback=amount_option(whole=MINOR_DIGITS, places=12, signed=False),
    help="What a month comes to before tax, in the account's currency.",
)
@click.option("--remove", is_flag=True, help="Watch for it no longer.")
@common
def alert_command(account: str, threshold: Decimal, remove: bool) -> None:
    """Watch for an account whose month comes to an amount.

    `homemeeting alerts` tells of it. An account may have several. Doing it twice changes nothing.

    \b
    Example: homemeeting account alert acme --at 500
    Exit codes: 0 done, or so already; 1 refused, such as no such account; 2 wrong usage.
    """
    action = "account alert --remove" if remove else "account alert"
    act = Act(clock()(), settings().user, action, account, "", {})
    with open_books(settings(), make=False) as books:
        found, changed = set_alert(books, account, threshold, act, remove=remove)
    told = f"{account} at {money(threshold, found.currency)} {found.currency}"
    if remove:
        say(f"watched no longer: {told}")
    else:
        say(f"watched: {told}" if changed else f"nothing changed: {told} is watched already")


@click.command("alerts")
@click.option(
    "--month",
    callback=month_option,
    metavar="YYYY-MM",
    help="Such as 2026-10 [each account's running month].",
)
@click.option("--all", "every", is_flag=True, help="Those that were told before too.")
@common
def alerts_command(month: Month | None, every: bool) -> None:
    """The accounts whose month came to an amount watched for.

    Each is told once per month, by the first call after usage was read; a table of none is no
    output at all, for a cron job that mails what is printed. What a month comes to is what a run
    would draft now, before tax. Accounts that cannot be billed are named on stderr.

    \b
    Example: homemeeting alerts --month 2026-10
    Exit codes: 0 told, or nothing to tell; 1 refused; 2 wrong usage.
    """
    home = settings()
    with (
        open_books(home, make=False) as books,
        reached_alerts(books, home, month, clock()()) as found,
    ):
        rows = [_row(row) for row in found.rows if every or row["is_new"]]
        if rows or form() != "table":
            show_rows(rows, _LIST)
        say_some(found.faults)


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    currency = found["currency"]
    return {
        **{name: found[name] for name in ("account_id", "month", "currency")},
        "at": minor_to_money(found["threshold"], currency),
        "total": minor_to_money(found["total"], currency),
        "told": instant(found["fired_us"]),
    }


COMMANDS: tuple[click.Command, ...] = (alert_command, alerts_command)
