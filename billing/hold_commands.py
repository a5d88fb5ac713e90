"""The commands of holds, within `invoice`: hold, release, holds."""

from typing import Final

import click

from billing.audit_trail import Act
from billing.books import open_books
from billing.holds import hold, release
from billing.invoice_commands import month_option
from billing.month import Month
from edge.command import clock, common, reason_text, say, settings, show_rows
from edge.instants import instant

_LIST: Final = ("account_id", "month", "at", "who", "reason")
_month = click.option(
    "--month", required=True, callback=month_option, metavar="YYYY-MM", help="Such as 2026-10."
)


@click.command("hold")
@click.argument("account", metavar="ACCOUNT")
@_month
@click.option("--reason", required=True, callback=reason_text, help="Kept in the audit trail.")
@common
def hold_command(account: str, month: Month, reason: str) -> None:
    """Keep an account's month from being closed.

    It still has a draft. `invoice release` lets the next run close it; later months wait for it.

    \b
    Example: homemeeting invoice hold acme --month 2026-10 --reason "call of 3 November"
    Exit codes: 0 held; 1 refused, such as held or closed already; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        details = {"month": str(month)}
        act = Act(clock()(), settings().user, "invoice hold", account, reason, details)
        hold(books, account, month, act)
    say(f"held: {month} of {account}")


@click.command("release")
@click.argument("account", metavar="ACCOUNT")
@_month
@click.option("--reason", callback=reason_text, help="Kept in the audit trail.")
@common
def release_command(account: str, month: Month, reason: str | None) -> None:
    """Let a month that is held be closed.

    \b
    Example: homemeeting invoice release acme --month 2026-10 --reason settled
    Exit codes: 0 released; 1 refused, such as not held; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        details = {"month": str(month)}
        act = Act(clock()(), settings().user, "invoice release", account, reason or "", details)
        release(books, account, month, act)
    say(f"released: {month} of {account}")


@click.command("holds")
@common
def holds_command() -> None:
    """The months that are held, by whom and why.

    \b
    Example: homemeeting invoice holds
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        rows = books.records("FROM holds ORDER BY account_id, month")
    shown = [row | {"at": instant(row["at_us"])} for row in rows]
    show_rows(shown, _LIST, "nothing is held")


COMMANDS: tuple[click.Command, ...] = (hold_command, release_command, holds_command)
