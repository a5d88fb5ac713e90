"""Holds: months of accounts that no run closes before somebody releases them.

Owns the table. That a run leaves out what is held is the run's to do.
"""

from billing.audit_trail import Act, record
from billing.closed import refuse_closed, require_account
from billing.month import Month
from edge import Refused
from edge.instants import instant
from warehouse import Store

_HELD = "FROM holds WHERE account_id = ? AND month = ?"


def hold(books: Store, account_id: str, month: Month, act: Act) -> None:
    """`act` says who, when and why. Refuses with ACCOUNT_UNKNOWN, MONTH_CLOSED or HELD_ALREADY."""
    require_account(books, account_id)
    refuse_closed(books, account_id, month)
    where = [account_id, str(month)]
    for who, at_us, reason in books.rows(f"SELECT who, at_us, reason {_HELD}", where):
        at = f"{instant(at_us):%Y-%m-%d %H:%M} UTC"
        message = f"{who} held {month} of {account_id} at {at} already: {reason}"
        raise Refused("HELD_ALREADY", message)
    with books.transaction():
        row = [*where, act.reason, act.who, act.at_us]
        books.execute("INSERT INTO holds VALUES (?, ?, ?, ?, ?)", row)
        record(books, [act])


def release(books: Store, account_id: str, month: Month, act: Act) -> None:
    """Refuses with ACCOUNT_UNKNOWN, MONTH_CLOSED or NOT_HELD."""
    require_account(books, account_id)
    where = [account_id, str(month)]
    if not books.value(f"SELECT count(*) {_HELD}", where):
        refuse_closed(books, account_id, month)
        message = f"{month} of {account_id} is not held: see `homemeeting invoice holds`"
        raise Refused("NOT_HELD", message)
    with books.transaction():
        books.execute(f"DELETE {_HELD}", where)
        record(books, [act])
