"""The invoice commands that make documents and close them: run, finalize."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import click

from billing.books import open_books
from billing.closing import Closing, held_back
from billing.control_report import Reported, control_report
from billing.document import documents
from billing.invoice_commands import month_option, show_documents
from billing.invoices import list_heads, months_of, run_invoices
from billing.month import Month
from billing.printing import print_papers, without_papers
from billing.wording import counted
from edge import Fault, Settings
from edge.command import (
    clock,
    common,
    form,
    left_undone,
    progress,
    reason_text,
    say,
    say_some,
    settings,
)
from edge.currencies import is_known_currency
from edge.tax_settings import Exchange, told_exchange
from warehouse import Store

ISSUE_DATE: Final = click.option(
    "--issue-date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day of issue [today in the seller's time zone].",
)
_INCOMPLETE: Final = click.option(
    "--accept-incomplete",
    metavar="REASON",
    callback=reason_text,
    help="Close although usage may be missing; the evidence names the reason.",
)
_OLD: Final = click.option(
    "--include-old",
    metavar="REASON",
    callback=reason_text,
    help="Charge late usage of long ago too; the evidence names the reason.",
)


def _rates(_: click.Context, __: click.Parameter, told: Sequence[str]) -> dict[str, Exchange]:
    found = {}
    for text in told:
        one = told_exchange(text)
        if one is None or not is_known_currency(one[0]):
            wanted = "USD=0.9213 or 'USD=0.9213@2026-10-30 ECB'"
            raise click.BadParameter(f"{text!r} is not such as {wanted}.")
        found[one[0]] = one[1]
    return found


_RATE: Final = click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="USD=0.9213",
    callback=_rates,
    help="What one unit of a currency is in the seller's tax currency, with @DAY and SOURCE where "
    "they are to be told [that of the settings].",
)


@click.command("run")
@click.option(
    "--month", required=True, callback=month_option, metavar="YYYY-MM", help="Such as 2026-10."
)
@click.option("--account", help="Only this account.")
@click.option("--finalize", is_flag=True, help="Number and freeze what is over.")
@ISSUE_DATE
@_INCOMPLETE
@_OLD
@_RATE
@common
def run_command(
    month: Month, account: str | None, finalize: bool, rates: Mapping[str, Exchange], **told: Any
) -> None:
    """Compute a month's invoices; closed ones stay as they are.

    Ends with a control report: what the month came to, what is left open and why.

    \b
    Example: homemeeting invoice run --month 2026-10 --finalize
    Exit codes: 0 done; 1 refused, or accounts left out, each on stderr; 2 wrong usage.
    """
    home = _exchanging(settings(), rates)
    if told["issue_date"] and not finalize:
        raise click.UsageError("--issue-date goes with --finalize.")
    asked = asked_closing(home, **told)
    with open_books(home) as books:
        accounts = None if account is None else [account]
        done = _run(books, home, month, accounts, asked, finalize=finalize)
        heads = list_heads(books, month, account)
        make_documents(books, home, heads)
        empty = f"no account has a period in {month}: see `homemeeting account list`"
        show_documents(books, heads, empty)
    _report([done])


@click.command("finalize")
@click.argument("names", metavar="[NUMBER-OR-ID]...", nargs=-1)
@click.option("--month", callback=month_option, metavar="YYYY-MM", help="All of a month.")
@click.option("--accept-changes", is_flag=True, help="Close drafts that have changed since, too.")
@ISSUE_DATE
@_INCOMPLETE
@_OLD
@_RATE
@common
def finalize_command(
    names: Sequence[str],
    month: Month | None,
    accept_changes: bool,
    rates: Mapping[str, Exchange],
    **told: Any,
) -> None:
    """Close what was shown: compute again, number and freeze.

    A draft that says something else than it did stays a draft, refreshed, and is named, so that
    nothing is closed that nobody has seen.

    \b
    Example: homemeeting invoice finalize 2026-10.acme
    Exit codes: 0 done; 1 refused, or accounts left out, each on stderr; 2 wrong usage.
    """
    if bool(names) == bool(month):
        raise click.UsageError("Name documents, or a month by --month.")
    home = _exchanging(settings(), rates)
    closing = asked_closing(home, **told, unchanged=not accept_changes)
    done: list[_Done] = []
    heads: list[dict[str, Any]] = []
    with open_books(home) as books:
        asked: Mapping[Month, Collection[str] | None] = (
            {month: None} if month else months_of(books, names)
        )
        for at, accounts in asked.items():
            done.append(_run(books, home, at, accounts, closing, finalize=True))
            found = list_heads(books, at)
            heads += [one for one in found if accounts is None or one["account_id"] in accounts]
        make_documents(books, home, heads)
        show_documents(books, heads, f"no account has a period in {month}")
    _report(done)


def _exchanging(home: Settings, rates: Mapping[str, Exchange]) -> Settings:
    """The settings, with these rates over theirs."""
    exchange = tuple({**dict(home.tax.exchange), **rates}.items())
    return replace(home, tax=replace(home.tax, exchange=exchange))


@dataclass(frozen=True, slots=True)
class _Done:
    """What a run left out, and its control report."""

    faults: Sequence[Fault]
    report: str


def _run(  # noqa: PLR0913  what a run is asked
    books: Store,
    home: Settings,
    month: Month,
    accounts: Collection[str] | None,
    asked: Closing,
    *,
    finalize: bool,
) -> _Done:
    closing = asked if finalize else None
    faults = run_invoices(books, home, month, accounts, closing, reporter=asked)
    report = control_report(books, home, Reported(month, accounts, asked.includes_old, finalize))
    if accounts is None:
        kept_back = held_back(books)
        faults = [one for one in faults if one not in kept_back]
    return _Done(faults, report)


def _report(done: Sequence[_Done]) -> None:
    for one in done:
        click.echo(f"\n{one.report}", err=form() != "table")
    faults = [fault for one in done for fault in one.faults]
    left_undone("INVOICES_LEFT", f"{counted(len(faults), 'fault')} kept accounts from it", faults)


def asked_closing(
    home: Settings,
    issue_date: datetime | None,
    accept_incomplete: str | None = None,
    include_old: str | None = None,
    *,
    unchanged: bool = False,
) -> Closing:
    """What a command asks for, by its options: now, by who runs it."""
    reasons = {"accept_incomplete": accept_incomplete, "include_old": include_old}
    told = {name: reason for name, reason in reasons.items() if reason is not None}
    day = issue_date.date() if issue_date else None
    return Closing(clock()(), home.user, day, unchanged, told)


def make_documents(books: Store, home: Settings, heads: Sequence[Mapping[str, Any]]) -> None:
    """The papers that are not there yet, with a bar."""
    missing = without_papers(home, heads)
    tasks = ((document, None) for document in documents(books, missing))
    with progress(f"Printing {counted(len(missing), 'invoice')}", len(missing)) as advance:
        say_some(print_papers(home, tasks, len(missing), advance))
    if missing:
        say(f"{counted(len(missing), 'invoice')} written as PDF to {home.documents}")


COMMANDS: tuple[click.Command, ...] = (run_command, finalize_command)
