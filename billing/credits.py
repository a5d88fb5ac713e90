"""Prepaid credit: money received before it is owed, and what documents drew of it.

Owns the ledger and the order of drawing: after tax, what expires soonest first, then what is
oldest. The day a credit expires is the last on which a document can be issued that draws on it.
What a void document drew comes back with its old expiry: a draw below zero, of the document that
takes the void one back.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.accounts import Account
from billing.amounts import to_minor
from billing.audit_trail import Act, record
from billing.closed import require_account
from billing.counting import count_up
from billing.queries import SQL
from edge import Refused
from warehouse import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """A payment, in the currency's main unit. `reference` tells an account's payments apart."""

    account_id: str
    amount: Decimal
    expires: date
    reference: str


def add_credit(books: Store, told: Received, act: Act) -> tuple[Account, bool]:
    """The account, and whether the payment is new: typed again it changes nothing. Refuses with
    ACCOUNT_UNKNOWN, AMOUNT_PRECISION, or CREDIT_DIFFERS where the reference has another amount or
    expiry.
    """
    account = require_account(books, told.account_id)
    minor = to_minor(told.amount, account.currency)
    sql = "SELECT amount, expires FROM prepaid_credits WHERE account_id = ? AND reference = ?"
    known = books.rows(sql, [told.account_id, told.reference])
    if known == [(minor, told.expires)]:
        return account, False
    if known:
        message = (
            f"{told.reference} of {told.account_id} is in the books with another amount or "
            "expiry: see `homemeeting account credits`, and give another payment another reference"
        )
        raise Refused("CREDIT_DIFFERS", message)
    details = _details(told.reference, f"{told.amount:f}", account.currency, told.expires)
    with books.transaction():
        row = [count_up(books, "credit"), told.account_id, str(minor), told.expires]
        books.execute(
            "INSERT INTO prepaid_credits VALUES (?, ?, ?::HUGEINT, ?, ?, ?)",
            [*row, told.reference, act.at_us],
        )
        record(books, [replace(act, details=details)])
    return account, True


def remove_credit(books: Store, account_id: str, reference: str, act: Act) -> Row:
    """Takes out a payment that was mistyped: as it was. Refuses with ACCOUNT_UNKNOWN,
    CREDIT_UNKNOWN or CREDIT_DRAWN.
    """
    require_account(books, account_id)
    found = [row for row in credits(books, account_id) if row["reference"] == reference]
    if not found:
        message = f"{account_id} has no credit {reference}: see `homemeeting account credits`"
        raise Refused("CREDIT_UNKNOWN", message)
    (row,) = found
    drew = [one["document"] for one in draws(books, account_id) if one["credit"] == row["credit"]]
    if drew:
        message = f"{', '.join(drew)} drew on {reference}: it stays in the ledger"
        raise Refused("CREDIT_DRAWN", message)
    details = _details(reference, str(row["amount"]), "smallest units", row["expires"])
    with books.transaction():
        books.execute("DELETE FROM prepaid_credits WHERE credit = ?", [row["credit"]])
        record(books, [replace(act, details=details)])
    return row


def credits(books: Store, account_id: str) -> list[Row]:
    """The payments in the order in which they are drawn, in smallest units: credit, reference,
    amount, received_us, expires, left_over.
    """
    books.execute(SQL["prepaid_left"])
    return books.records(SQL["credits"], {"account": account_id})


def draws(books: Store, account_id: str) -> list[Row]:
    """What documents drew, in order of credit and document: credit, document, issued_on, and the
    amount, below zero where it was given back.
    """
    return books.records(SQL["credit_draws"], {"account": account_id})


def draw_prepaid(books: Store) -> None:
    """Draws for the documents in `closing_totals` (invoice, account_id, issued_on, total in
    smallest units, more than zero), within the caller's transaction: `prepaid_draws`. What this
    call drew is in `new_draws` too. An account's documents have one day of issue.
    """
    sql = """SELECT count(*) FROM (
        FROM closing_totals SELECT account_id GROUP BY account_id
        HAVING count(DISTINCT issued_on) > 1
    )"""
    assert books.value(sql) == 0, "credit that one document can draw may be expired for another"
    books.execute(SQL["prepaid_left"])
    books.execute(SQL["new_draws"])
    books.execute("INSERT INTO prepaid_draws BY NAME FROM new_draws")


def return_prepaid(books: Store) -> None:
    """Gives back what the documents drew that `credit_notes` take back whole, within the caller's
    transaction.
    """
    books.execute(SQL["returned_draws"])
    books.execute("INSERT INTO prepaid_draws BY NAME FROM returned_draws")
    books.execute(SQL["note_returned"])


def _details(reference: str, amount: str, currency: str, expires: date) -> Row:
    told = {"reference": reference, "amount": amount, "currency": currency}
    return told | {"expires": expires.isoformat()}
