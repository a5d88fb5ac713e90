"""The command `demo`: the month, step by step, by the same commands that its users type."""

import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import click

import consumers.commands as consumers
import tuning.commands as tuning
from billing.account_commands import import_command
from billing.books import open_books
from billing.closing import Closing
from billing.invoices import list_heads, list_invoices, run_invoices
from billing.month import parse_month
from billing.price_book_commands import load_command
from billing.run_commands import make_documents
from billing.wording import counted
from demo.accounts import accounts_csv
from demo.home import begin_afresh
from demo.tables import largest, meter_rows, plan_rows
from edge.command import common, form, left_undone, settings, show_rows
from edge.instants import micros
from producers.simulate_command import simulate_command
from warehouse import Queries, read_store

_HERE: Final = Path(__file__).parent
_SQL: Final = Queries(_HERE)
_ACCOUNTS, _SEED, _MONTH = 200, 2026, "2026-10"
# UTC days, as the tuning report takes them.
_SINCE, _UNTIL = datetime(2026, 10, 1), datetime(2026, 11, 1)  # noqa: DTZ001
# When the month is closed: not now, so that the same demo gives the same invoices on any day.
_CLOSED = datetime(2026, 11, 4, 9)  # noqa: DTZ001
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001


@click.command()
@click.pass_context
@common
def demo(context: click.Context) -> None:
    """A month on this laptop, from meetings to invoices.

    October 2026, 200 accounts on three plans.

    Begins its home afresh each time, and refuses one that is not empty and not its own.

    \b
    Example: homemeeting demo --home homemeeting-demo
    Exit codes: 0 done; 1 refused or failed, see stderr; 2 wrong usage.
    """
    home = settings().home
    begin_afresh(home)
    shutil.copyfile(_HERE / "homemeeting.toml", home / "homemeeting.toml")
    accounts = home / "accounts.csv"
    accounts.write_text(accounts_csv(_ACCOUNTS), "utf-8")
    _step("Accounts and prices")
    context.invoke(import_command, file=accounts)
    context.invoke(load_command, file=_HERE / "price-book.toml")
    _step("Meetings, through the real emitter into the journal")
    start, end = (_SINCE - _EPOCH).days, (_UNTIL - _EPOCH).days
    context.invoke(simulate_command, accounts=_ACCOUNTS, start=start, end=end, seed=_SEED)
    _step("The projector: journal into usage.duckdb")
    context.invoke(consumers.consume, once=True, log="journal")
    context.invoke(consumers.verify)
    _step("Usage of October 2026, by meter")
    _show_aggregates()
    _step("Invoices of October 2026, final, in EUR")
    _invoices()
    _step("Call quality of October 2026, days in UTC")
    report = home / "tuning.html"
    context.invoke(tuning.report_command, start=_SINCE, end=_UNTIL, html=report)
    _say_where(home, report)


def _step(title: str) -> None:
    """A heading belongs to the tables below it; programs that read JSON or CSV get none."""
    _tell(f"\n{title}\n{'-' * len(title)}")


def _tell(text: str) -> None:
    click.echo(text, err=form() != "table")


def _show_aggregates() -> None:
    bounds = {"since_us": micros(_SINCE), "until_us": micros(_UNTIL)}
    with read_store(settings().usage, "usage", _SQL.all(), bounds).closing() as store:
        rows = store.records("FROM aggregates ORDER BY meter")
    show_rows(meter_rows(rows), ("meter", "accounts", "records", "hours", "GB"))


def _invoices() -> None:
    """Every account gets its document; the terminal shows sums by plan, then the largest three."""
    home, month = settings(), parse_month(_MONTH)
    with open_books(home) as books:
        faults = run_invoices(books, home, month, None, Closing(micros(_CLOSED), home.user))
        make_documents(books, home, list_heads(books, month))
        documents = list_invoices(books, month)
    left_undone("INVOICES_LEFT", f"{counted(len(faults), 'fault')} kept accounts from it", faults)
    by_plan = plan_rows(documents)
    # All of the demo is in one currency, and its table has no room for a column of it.
    unsaid = "currency" if form() == "table" else ""
    show_rows(by_plan, [name for name in by_plan[0] if name != unsaid])
    _step("The three largest")
    show_rows(largest(documents, 3), ("number", "customer", "plan", "total", "currency"))


def _say_where(home: Path, report: Path) -> None:
    _step("Where everything lies")
    places = {
        "events": home / "journal",
        "usage": home / "usage.duckdb",
        "books": home / "books.duckdb",
        "evidence": home / "evidence",
        "invoices": home / "documents",
        "call quality": report,
    }
    for name, path in places.items():
        _tell(f"{name:<14}{path}")
    _step("Go on")
    called = Path(sys.argv[0])
    program = called if called.name == "homemeeting" else "homemeeting"
    month = f"--month {_MONTH}"
    for rest in ("status", f"usage {month} --account a0001", f"invoice list {month}"):
        _tell(f"{program} --home {home} {rest}")


COMMANDS: tuple[click.Command, ...] = (demo,)
