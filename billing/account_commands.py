"""The account commands: import, list, plan, end."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from billing.accounts import (
    Account,
    Subscription,
    effective_history,
    name_plan,
    split_plan,
    wrong_value,
)
from billing.audit_trail import Act
from billing.books import accounts, open_books, read_input, subscriptions
from billing.history import in_force
from billing.imports import import_file
from billing.plan_changes import Changed, PlanFrom, change_plan, end_plans
from edge.command import clock, common, form, reason_text, say, say_some, settings, show_rows
from edge.lazy_group import LazyGroup

_FILE = click.Path(path_type=Path, dir_okay=False)
_LIST = (
    *("account_id", "name", "country", "time_zone", "currency"),
    *("plan", "since", "until", "quantity"),
)
_NO_PLAN = dict.fromkeys(("plan", "since", "until", "quantity"))
_reason_option = click.option("--reason", callback=reason_text, help="Kept in the audit trail.")


@click.group(cls=LazyGroup)
def account() -> None:
    """Who is billed: import, list, plan, end, credit, alert.

    \b
    Example: homemeeting account import accounts.csv
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@account.command("import")
@click.argument("file", type=_FILE)
@_reason_option
@common
def import_command(file: Path, reason: str | None) -> None:
    """Import accounts and their plans from CSV. Importing twice changes nothing.

    \b
    Example: homemeeting account import accounts.csv
    Exit codes: 0 imported; 1 refused, every fault on stderr, nothing imported; 2 wrong usage.
    """
    content = read_input(file)
    with open_books(settings()) as books:
        done = import_file(books, content, _act("account import", file.name, reason))
    say(f"{done.accounts} accounts imported with {done.subscriptions} subscriptions")
    say_some([f"warning: {one.account_id}: {one}" for one in done.late])


@account.command("list")
@common
def list_command() -> None:
    """Accounts with the history of their plans.

    \b
    Example: homemeeting account list --format csv
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        people, history = accounts(books), subscriptions(books)
    show_rows(_rows(people, history), _LIST, "no accounts: `homemeeting account import`")


@account.command("plan")
@click.argument("name", metavar="ACCOUNT")
@click.argument("plan")
@click.option("--from", "since", metavar="DATE", required=True, help="Its first day.")
@click.option("--quantity", metavar="N", help="Seats [those of the day before, else 1].")
@_reason_option
@common
def plan_command(
    name: str, plan: str, since: str, quantity: str | None, reason: str | None
) -> None:
    """Put an account on a plan from a day on.

    PLAN is a plan code, or book/plan where several books share it. The same plan with another
    --quantity changes the seats alone. What was to end on a day ends then still, and plans that
    begin later stay. Doing it twice changes nothing.

    \b
    Example: homemeeting account plan acme business --from 2026-10-15 --quantity 5
    Exit codes: 0 done, or so already; 1 refused, every fault on stderr, nothing changed; 2 wrong
    usage.
    """
    _check(("PLAN", "plan", plan), ("--from", "since", since), ("--quantity", "quantity", quantity))
    first = date.fromisoformat(since)
    asked = PlanFrom(first, *split_plan(plan), int(quantity) if quantity is not None else None)
    with open_books(settings(), make=False) as books:
        change = change_plan(books, name, asked, _act("account plan", name, reason))
    held = in_force(change.after, first)
    assert held is not None, "the plan asked for holds on its first day"
    _show(change, f"{name} had {_told(held)} already")
    for row in effective_history(change.after) if change.rows else ():
        if row.since > first:
            say(f"planned later, and stays: {_told(row)}")


@account.command("end")
@click.argument("name", metavar="ACCOUNT")
@click.option("--on", "last_day", metavar="DATE", required=True, help="The last day served.")
@_reason_option
@common
def end_command(name: str, last_day: str, reason: str | None) -> None:
    """End an account's plan with a day, the last one served.

    Plans that begin later are taken out. What ended before is not drawn out: `account plan` begins
    it again. Doing it twice changes nothing.

    \b
    Example: homemeeting account end acme --on 2026-12-31
    Exit codes: 0 done, or so already; 1 refused, every fault on stderr, nothing changed; 2 wrong
    usage.
    """
    _check(("--on", "until", last_day))
    last = date.fromisoformat(last_day)
    _check(("the day after --on", "until", str(last + timedelta(1))))
    with open_books(settings(), make=False) as books:
        change = end_plans(books, name, last, _act("account end", name, reason))
    _show(change, f"{name} was not served after {last_day} anyway")
    for row in effective_history(change.before):
        if row.since > last:
            say(f"taken out: {_told(row)}")


def _check(*told: tuple[str, str, str | None]) -> None:
    """What stands where, the column of an accounts file that it must do for, and the text: else
    wrong usage, all of it at once.
    """
    wrong = [
        f"{place}: {found}"
        for place, column, text in told
        if text is not None and (found := wrong_value(column, text))
    ]
    if wrong:
        raise click.UsageError("; ".join(wrong), click.get_current_context())


def _act(action: str, name: str, reason: str | None) -> Act:
    return Act(clock()(), settings().user, action, name, reason or "", {})


def _show(change: Changed, unchanged: str) -> None:
    """The history as it is now: as data, or in words on stderr."""
    if form() != "table":
        show_rows(_rows([change.account], change.after), _LIST)
    for remark in change.remarks:
        say(remark)
    if not change.rows:
        say(f"nothing changed: {unchanged}")
    for one in change.late:
        say(f"warning: {one}")
    if form() == "table":
        for row in effective_history(change.after):
            say(f"{row.account_id}: {_told(row)}")


def _told(row: Subscription) -> str:
    seats = "1 seat" if row.quantity == 1 else f"{row.quantity} seats"
    days = f"from {row.since}"
    if row.until:
        days += f" to {row.until - timedelta(1)} inclusive"
    return f"{name_plan(row.book, row.plan)}, {seats}, {days}"


def _rows(people: Iterable[Account], history: Sequence[Subscription]) -> list[dict[str, Any]]:
    """A row for each plan of each account, with all that is known of the account."""
    plans: dict[str, list[dict[str, Any]]] = {}
    for row in effective_history(history):
        told = {"plan": name_plan(row.book, row.plan), "since": row.since, "until": row.until}
        plans.setdefault(row.account_id, []).append(told | {"quantity": row.quantity})
    return [
        {**asdict(one), **told} for one in people for told in plans.get(one.account_id, [_NO_PLAN])
    ]


account.add_later("billing.credit_commands", "credit", "credits", "credit-remove")
account.add_later("billing.alert_commands", "alert")
account.add_later("billing.vat_check_commands", "vat-check", "vat-checks", "vat-check-remove")

COMMANDS: tuple[click.Command, ...] = (account,)
