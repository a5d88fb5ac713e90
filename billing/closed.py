"""What a clerk's command must not touch: accounts that are not there, months that are closed.

Owns how that is found and said. What closes a month is `billing.invoices`.
"""

from billing.accounts import Account
from billing.books import find_account
from billing.month import Month
from edge import Fault, Refused
from warehouse import Store


def require_account(books: Store, account_id: str) -> Account:
    """Refuses with ACCOUNT_UNKNOWN and the nearest names."""
    found = find_account(books, account_id)
    if isinstance(found, Fault):
        raise Refused(found.code, f"{found.place}: {found.message}")
    return found


def refuse_closed(books: Store, account_id: str, month: Month) -> None:
    """Refuses with MONTH_CLOSED where a run has closed the account's month, and it is not void."""
    sql = "SELECT coalesce(number, id) FROM closed_documents WHERE account_id = ? AND month = ?"
    for (name,) in books.rows(sql, [account_id, str(month)]):
        message = f"{month} of {account_id} is closed: see `homemeeting invoice show {name}`"
        raise Refused("MONTH_CLOSED", message)


def refuse_passed(books: Store, account_id: str, month: Month) -> None:
    """As `refuse_closed`, and for a month before the account's last closed one too: no run closes
    it any more, unless its own document was made void.
    """
    refuse_closed(books, account_id, month)
    sql = """SELECT max(month) FILTER (status IN ('final', 'nil')), bool_or(month = $month)
    FROM run_documents WHERE account_id = $account"""
    asked = {"account": account_id, "month": str(month)}
    for last, is_void in books.rows(sql, asked):
        if last is not None and str(month) < last and not is_void:
            message = f"{month} of {account_id} was passed over: {last} is closed already"
            raise Refused("MONTH_CLOSED", message)
