"""Alerts: thresholds of what an account's month comes to before tax, each told once per month.

Owns the thresholds and which were told. A month that is not closed comes to what a run would draft
now: fees are for the whole of it, usage as far as it is known.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from billing.accounts import Account
from billing.amounts import to_minor
from billing.audit_trail import Act, record
from billing.books import Catalogue, load_catalogue
from billing.closed import require_account
from billing.drafts import drafted, lay_out_work
from billing.layout import lay_out, without
from billing.money import minor_text
from billing.month import Month, running_month
from billing.queries import SQL
from billing.rows import load_rows
from edge import Fault, Refused, Settings
from warehouse import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reached:
    """Rows of account_id, month, threshold, total (smallest units), currency, fired_us, is_new; and
    the faults of watched accounts for which nothing could be computed.
    """

    rows: list[Row]
    faults: list[Fault]


def set_alert(
    books: Store, account_id: str, threshold: Decimal, act: Act, *, remove: bool
) -> tuple[Account, bool]:
    """The account, and whether anything changed. Refuses with ACCOUNT_UNKNOWN, AMOUNT_PRECISION or
    NO_ALERT (nothing to remove).
    """
    account = require_account(books, account_id)
    row = [account_id, str(to_minor(threshold, account.currency))]
    where = "WHERE account_id = ? AND threshold = ?::HUGEINT"
    known = bool(books.value(f"SELECT count(*) FROM alerts {where}", row))
    if remove and not known:
        raise Refused("NO_ALERT", _no_alert(books, account, threshold))
    if known and not remove:
        return account, False
    details = {"at": f"{threshold:f}", "currency": account.currency}
    with books.transaction():
        if remove:
            books.execute(f"DELETE FROM alerts {where}", row)
        else:
            books.execute("INSERT INTO alerts VALUES (?, ?::HUGEINT)", row)
        record(books, [Act(act.at_us, act.who, act.action, account_id, act.reason, details)])
    return account, True


def _no_alert(books: Store, account: Account, threshold: Decimal) -> str:
    sql = "SELECT threshold FROM alerts WHERE account_id = ? ORDER BY threshold"
    known = [
        minor_text(minor, account.currency) for (minor,) in books.rows(sql, [account.account_id])
    ]
    at = f"{threshold:f} {account.currency}"
    return f"{account.account_id} has no alert at {at}; it has {', '.join(known) or 'none'}"


@contextmanager
def reached_alerts(
    books: Store, home: Settings, month: Month | None, now_us: int
) -> Iterator[Reached]:
    """The thresholds that are reached in this month, or in each account's running one. They are
    kept as told when the block ends: what failed to tell them has them told again. Refuses as
    `lend_tables`.
    """
    catalogue = _watched(load_catalogue(books), books)
    months: dict[Month, set[str]] = {}
    for account_id, zone, _ in catalogue.accounts:
        months.setdefault(month or running_month(zone, now_us), set()).add(account_id)
    books.execute(SQL["no_spent"])
    faults: list[Fault] = []
    for one, accounts in sorted(months.items()):
        faults += _add_spent(books, home, catalogue, one, accounts)
    books.execute(SQL["reached"], {"now_us": now_us})
    rows = books.records("FROM reached ORDER BY account_id, month, threshold")
    with books.transaction():
        books.execute(SQL["fire_alerts"])
        yield Reached(rows, faults)


def _add_spent(
    books: Store, home: Settings, catalogue: Catalogue, month: Month, accounts: set[str]
) -> list[Fault]:
    """Adds to `spent` what the month comes to for each of the accounts."""
    watched = ({"account_id": id} for id in sorted(accounts))
    load_rows(books, "watched", watched, {"account_id": pa.string()})
    closed = {id for (id,) in books.rows(SQL["closed_accounts"], {"month": str(month)})}
    others = {id for id, _, _ in catalogue.accounts} - accounts
    layout = without(lay_out(books, catalogue, month), closed | others)
    with drafted(books, home, lay_out_work(books, home, catalogue, layout)) as faults:
        books.execute(SQL["add_spent"], {"month": str(month)})
        return faults


def _watched(catalogue: Catalogue, books: Store) -> Catalogue:
    """Of the accounts that have an alert, and their history alone."""
    ids = {id for (id,) in books.rows("SELECT DISTINCT account_id FROM alerts")}
    people = tuple(one for one in catalogue.accounts if one[0] in ids)
    history = {id: rows for id, rows in catalogue.history.items() if id in ids}
    return Catalogue(people, history, catalogue.price_books)
