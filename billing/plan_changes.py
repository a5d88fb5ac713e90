"""A clerk's changes to an account's plans: checked, put into the books and into the audit trail.

Owns what is refused, and which closed months a change comes too late for. What a change does to a
history is `billing.history`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from billing.accounts import Account, Subscription, merge_history, name_plan
from billing.audit_trail import Act, record
from billing.books import find_account, merge_subscriptions, price_books, subscriptions
from billing.history import rows_of_change, rows_of_end
from billing.late_changes import Late, changed_histories, late_changes, note_histories
from billing.pricebook import PriceBook
from edge import Fault, Refused
from edge.faults import nearest
from warehouse import Store


@dataclass(frozen=True, slots=True)
class PlanFrom:
    """What `account plan` asks for; without `quantity` the seats stay."""

    since: date
    book: str | None
    plan: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """The history before and after, and what to know of it. `rows` joined it: none if nothing
    changed. `late` is what it comes too late for.
    """

    account: Account
    before: tuple[Subscription, ...]
    after: tuple[Subscription, ...]
    rows: tuple[Subscription, ...]
    late: tuple[Late, ...]
    remarks: tuple[str, ...] = ()


def change_plan(books: Store, account_id: str, asked: PlanFrom, act: Act) -> Changed:
    """Puts the account on a plan from a day on. `act` says who, when and why; its details are
    made here. Refuses with CHANGE_REFUSED, every fault listed: ACCOUNT_UNKNOWN, PLAN_UNKNOWN,
    PLAN_AMBIGUOUS, CURRENCY_DIFFERS.
    """
    versions = price_books(books)
    account = find_account(books, account_id)
    version = _find_version(versions, asked)
    faults = [found for found in (account, version) if isinstance(found, Fault)]
    if isinstance(account, Account) and isinstance(version, PriceBook):
        faults += _currency(account, version)
    _refuse(faults)
    assert isinstance(account, Account) and isinstance(version, PriceBook)
    history = subscriptions(books, account_id)
    row = (asked.since, asked.book, asked.plan, asked.quantity)
    rows = rows_of_change(history, account_id, *row)
    remarks = _not_yet(version, versions, asked)
    return _keep(books, Changed(account, tuple(history), (), rows, (), remarks), versions, act)


def end_plans(books: Store, account_id: str, last_day: date, act: Act) -> Changed:
    """Ends the account's plans with this day. As `change_plan`, but refuses with ACCOUNT_UNKNOWN,
    NO_PLAN (it never had one) and BEFORE_FIRST_DAY (nothing would be left of them).
    """
    account = find_account(books, account_id)
    if isinstance(account, Fault):
        _refuse([account])
    assert isinstance(account, Account)
    history = subscriptions(books, account_id)
    if not history:
        _refuse([Fault("NO_PLAN", account_id, "has no plan that could end")])
    if last_day < history[0].since:
        message = (
            f"{last_day} is before its first day, {history[0].since}: `account import` takes a row "
            "out whose until is its since"
        )
        _refuse([Fault("BEFORE_FIRST_DAY", account_id, message)])
    rows = rows_of_end(history, last_day)
    return _keep(books, Changed(account, tuple(history), (), rows, ()), (), act)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise Refused("CHANGE_REFUSED", f"{count}; nothing was changed", faults)


def _find_version(versions: Sequence[PriceBook], asked: PlanFrom) -> PriceBook | Fault:
    """The version by which the plan is priced on its first day, or will be as soon as possible."""
    named = name_plan(asked.book, asked.plan)
    having = [one for one in versions if asked.book in (None, one.book) and one.plan(asked.plan)]
    codes = sorted({one.book for one in having})
    if not codes:
        hint = nearest(named, _names(versions, asked.book is not None), at_most=1)
        hint = hint or "see `price-book list`, or load its book first"
        return Fault("PLAN_UNKNOWN", named, f"no loaded price book has this plan; {hint}")
    if len(codes) > 1:
        names = " or ".join(name_plan(code, asked.plan) for code in codes)
        return Fault("PLAN_AMBIGUOUS", named, f"several price books have it: name it as {names}")
    begun = [one for one in having if one.effective_from <= asked.since]
    return begun[-1] if begun else having[0]


def _names(versions: Iterable[PriceBook], with_book: bool) -> list[str]:
    plans = ((one.book if with_book else None, plan.code) for one in versions for plan in one.plans)
    return sorted({name_plan(book, plan) for book, plan in plans})


def _currency(account: Account, version: PriceBook) -> list[Fault]:
    if version.currency == account.currency:
        return []
    message = f"is billed in {account.currency}, but {version.book} is in {version.currency}"
    return [Fault("CURRENCY_DIFFERS", account.account_id, message)]


def _not_yet(version: PriceBook, versions: Iterable[PriceBook], asked: PlanFrom) -> tuple[str, ...]:
    """Said where the version in force on the first day lacks the plan: a run will refuse it."""
    in_force = [
        one for one in versions if one.book == version.book and one.effective_from <= asked.since
    ]
    if in_force and in_force[-1].plan(asked.plan):
        return ()
    return (
        f"warning: {version.book} has no plan {asked.plan} on {asked.since}: `invoice run` leaves "
        "the account out until a version of that day has it",
    )


def _keep(books: Store, change: Changed, versions: Sequence[PriceBook], act: Act) -> Changed:
    """The change with what follows from its rows; in the books too, unless there are none."""
    after = merge_history(change.before, change.rows)
    if not change.rows:
        return replace(change, after=after)
    account_id = change.account.account_id
    days = {row.since for row in change.rows}
    with books.transaction():
        note_histories(books, account_id)
        merge_subscriptions(books, change.rows)
        changed_histories(books, account_id)
        late = late_changes(books, versions)
        details = {
            "before": [_told(row) for row in change.before if row.since in days],
            "after": [_told(row) for row in after if row.since in days],
            "closed": [one.name for one in late],
        }
        record(books, [replace(act, details=details)])
    return replace(change, after=after, late=tuple(late))


def _told(row: Subscription) -> Mapping[str, Any]:
    until = row.until.isoformat() if row.until else None
    plan = name_plan(row.book, row.plan)
    return {"plan": plan, "since": row.since.isoformat(), "until": until, "quantity": row.quantity}
