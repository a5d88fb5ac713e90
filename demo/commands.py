"""The command `demo`: the month, step by step, by the same commands that its users type."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

import billing.commands as billing
import consumers.commands as consumers
import tuning.commands as tuning
from billing.books import open_books
from billing.invoices import list_invoices, make_documents, run_invoices
from billing.month import parse_month
from demo.accounts import accounts_csv
from demo.home import begin_afresh
from edge.command import clock, common, left_undone, say, settings, show_rows
from producers.simulate_command import simulate_command
from warehouse import Queries, read_store

_HERE: Final = Path(__file__).parent
_SQL: Final = Queries(_HERE)
_ACCOUNTS, _SEED, _MONTH = 200, 2026, "2026-10"
# UTC days, as the tuning report takes them.
_SINCE, _UNTIL = datetime(2026, 10, 1), datetime(2026, 11, 1)  # noqa: DTZ001
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001


@click.command()
@click.pass_context
@common
def demo(context: click.Context) -> None:
    """A month of HomeMeeting on this laptop: October 2026, 200 accounts, three plans.

    Begins its home afresh each time, and refuses one that is not empty and not its own.

    \b
    Example: homemeeting demo --home homemeeting-demo
    Exit codes: 0 done; 1 refused or failed, see stderr; 2 wrong usage.
    """
    home = settings().home
    begin_afresh(home)
    shutil.copy(_HERE / "homemeeting.toml", home)
    accounts = home / "accounts.csv"
    accounts.write_text(accounts_csv(_ACCOUNTS), "utf-8")
    _step("Accounts and prices")
    context.invoke(billing.import_command, file=accounts)
    context.invoke(billing.load_command, file=_HERE / "price-book.toml")
    _step("Meetings, through the real emitter into the journal")
    start, end = (_SINCE - _EPOCH).days, (_UNTIL - _EPOCH).days
    context.invoke(simulate_command, accounts=_ACCOUNTS, start=start, end=end, seed=_SEED)
    _step("The projector: journal into usage.duckdb")
    context.invoke(consumers.consume, once=True, log="journal")
    context.invoke(consumers.verify)
    _step("Usage of the month")
    _show_aggregates()
    _step("Invoices of the month, final")
    _invoices()
    _step("Tuning")
    report = home / "tuning.html"
    context.invoke(tuning.report_command, start=_SINCE, end=_UNTIL, html=report)
    _say_where(home, report)


def _step(title: str) -> None:
    say(f"\n{title}\n{'-' * len(title)}")


def _show_aggregates() -> None:
    bounds = {"since_us": _micros(_SINCE), "until_us": _micros(_UNTIL)}
    with read_store(settings().usage, "usage", _SQL.all(), bounds).closing() as store:
        rows = store.records("FROM aggregates ORDER BY meter")
    show_rows(rows, ("meter", "accounts", "records", "hours", "quantity"))


def _micros(day: datetime) -> int:
    return (day - _EPOCH) // timedelta(microseconds=1)


def _invoices() -> None:
    """Every account gets its document; the terminal shows sums by plan, then the largest three."""
    home, month = settings(), parse_month(_MONTH)
    with open_books(home) as books:
        faults = run_invoices(books, home, month, None, clock()())
        documents = list_invoices(books, month, None)
    say(f"{make_documents(home, documents)} PDFs written to {home.documents}")
    left_undone("INVOICES_LEFT", f"{len(faults)} faults kept accounts from it", faults)
    show_rows(_by_plan(documents), ("plan", "invoices", "nil", "total"))
    click.echo()
    largest = sorted(documents, key=lambda one: -Decimal(one["total"]))[:3]
    show_rows(largest, ("number", "account_id", "plan", "currency", "total"))


def _by_plan(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    plans = sorted({one["plan"] for one in documents})
    rows = []
    for plan in plans:
        ours = [one for one in documents if one["plan"] == plan]
        final = [one for one in ours if one["status"] == "final"]
        total = sum((Decimal(one["total"]) for one in ours), Decimal(0))
        counts = {"invoices": len(final), "nil": len(ours) - len(final)}
        rows.append({"plan": plan, **counts, "total": total})
    return rows


def _say_where(home: Path, report: Path) -> None:
    _step("Where everything lies")
    say(f"journal    {home / 'journal'}")
    say(f"usage      {home / 'usage.duckdb'}")
    say(f"books      {home / 'books.duckdb'}")
    say(f"evidence   {home / 'evidence'}")
    say(f"documents  {home / 'documents'}")
    say(f"tuning     {report}")
    say(f"\nGo on: homemeeting --home {home} status")


COMMANDS: tuple[click.Command, ...] = (demo,)
