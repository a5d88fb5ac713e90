"""The commands of checks of VAT numbers, within `account`: vat-check, vat-checks,
vat-check-remove.
"""

from datetime import date
from typing import Final

import click

from billing.audit_trail import Act
from billing.books import open_books
from billing.closed import require_account
from billing.item_commands import day_option
from billing.numbering import sellers_day
from billing.vat_checks import Answer, add_vat_check, list_vat_checks, remove_vat_check
from edge.command import clock, common, reason_text, say, settings, show_rows

_LIST: Final = (
    *("account_id", "country", "vat_number", "state", "checked_on", "reference", "who"),
)


@click.command("vat-check")
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--reference",
    required=True,
    callback=reason_text,
    help="That of the answer, such as VIES's consultation number.",
)
@click.option(
    "--on", "checked_on", required=True, metavar="DATE", callback=day_option, help="Day of it."
)
@common
def vat_check_command(account: str, reference: str, checked_on: date) -> None:
    """Record that a registry knows an account's VAT number.

    Of the number that the account has now, however it is parted: another number needs an answer of
    its own. Ask the registry first, such as VIES of the EU; nothing is asked here. Doing it twice
    changes nothing.

    \b
    Example: homemeeting account vat-check acme --reference WAPIAAAAW1x --on 2026-11-02
    Exit codes: 0 recorded, or so already; 1 refused, such as a day to come; 2 wrong usage.
    """
    now_us, home = clock()(), settings()
    act = Act(now_us, home.user, "account vat-check", account, "", {})
    with open_books(home, make=False) as books:
        answer = Answer(account, reference, checked_on)
        number, is_new = add_vat_check(books, answer, sellers_day(home, now_us), act)
    told = f"{number} of {account}, checked on {checked_on}, {reference}"
    say(f"recorded: {told}" if is_new else f"nothing changed: {told} is in the books already")


@click.command("vat-checks")
@click.option("--account", help="Only this account.")
@common
def vat_checks_command(account: str | None) -> None:
    """Checks of VAT numbers, and the numbers that have none.

    \b
    Example: homemeeting account vat-checks
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        if account is not None:
            require_account(books, account)
        rows = list_vat_checks(books, account)
    show_rows(rows, _LIST, "no account has a VAT number")


@click.command("vat-check-remove")
@click.argument("account", metavar="ACCOUNT")
@click.option("--reference", required=True, help="Of the answer.")
@click.option("--reason", required=True, callback=reason_text, help="Kept in the audit trail.")
@common
def vat_check_remove_command(account: str, reference: str, reason: str) -> None:
    """Take out a check that was mistyped.

    \b
    Example: homemeeting account vat-check-remove acme --reference WAPI1 --reason "wrong day"
    Exit codes: 0 taken out; 1 refused, such as no such check; 2 wrong usage.
    """
    act = Act(clock()(), settings().user, "account vat-check-remove", account, reason, {})
    with open_books(settings(), make=False) as books:
        remove_vat_check(books, account, reference, act)
    say(f"taken out: {reference} of {account}")


COMMANDS: tuple[click.Command, ...] = (
    vat_check_command,
    vat_checks_command,
    vat_check_remove_command,
)
