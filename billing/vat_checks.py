"""Checks of VAT numbers: what the registry of a number answered when somebody asked it.

Owns the table. How a number is written is `edge.party`'s; that it is registered, only such an
answer says.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from billing.accounts import Account
from billing.audit_trail import Act, record
from billing.books import find_account
from billing.closed import require_account
from billing.queries import SQL
from billing.wording import counted
from edge import Fault, Refused
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Answer:
    """That the number is registered. `reference` tells an account's answers apart."""

    account_id: str
    reference: str
    checked_on: date


def add_vat_check(books: Store, told: Answer, today: date, act: Act) -> tuple[str, bool]:
    """The account's VAT number, and whether the answer is new: typed again it changes nothing.
    Refuses with CHECK_REFUSED, every fault listed: ACCOUNT_UNKNOWN, VAT_NUMBER_MISSING, CHECK_DATE
    (after `today`), CHECK_DIFFERS (the reference is that of another day or number).
    """
    account = find_account(books, told.account_id)
    faults = [account] if isinstance(account, Fault) else []
    if isinstance(account, Account) and account.vat_number is None:
        message = "has no VAT number to ask about: import the account with it first"
        faults.append(Fault("VAT_NUMBER_MISSING", told.account_id, message))
    if told.checked_on > today:
        message = f"is to come: today is {today}"
        faults.append(Fault("CHECK_DATE", str(told.checked_on), message))
    known = _under(books, told.account_id, told.reference)
    faults += [_differs(told, row) for row in known if not _is_same(told, row)]
    if faults:
        summary = f"{counted(len(faults), 'fault')}; nothing was recorded"
        raise Refused("CHECK_REFUSED", summary, faults)
    assert isinstance(account, Account) and account.vat_number is not None
    if not known:
        _keep(books, told, account.vat_number, act)
    return account.vat_number, not known


def remove_vat_check(books: Store, account_id: str, reference: str, act: Act) -> None:
    """Takes out an answer that was mistyped; `act` says who and why. Refuses with ACCOUNT_UNKNOWN
    or CHECK_UNKNOWN.
    """
    require_account(books, account_id)
    found = _under(books, account_id, reference)
    if not found:
        message = f"{account_id} has no answer {reference}: see `homemeeting account vat-checks`"
        raise Refused("CHECK_UNKNOWN", message)
    (row,) = found
    details = _details(row["vat_number"], reference, row["checked_on"])
    with books.transaction():
        where = [account_id, reference]
        books.execute("DELETE FROM vat_checks WHERE account_id = ? AND reference = ?", where)
        record(books, [replace(act, details=details)])


def list_vat_checks(books: Store, account_id: str | None) -> list[dict[str, Any]]:
    """Every check, and every VAT number without one, in order of account and day: account_id,
    country, vat_number, `checked_on`, reference, who, and a state: current, former (of a number
    that the account has no more) or unchecked.
    """
    return books.records(SQL["vat_checks"], {"account": account_id})


def _under(books: Store, account_id: str, reference: str) -> list[dict[str, Any]]:
    """What an account has under a reference: one row or none."""
    found = list_vat_checks(books, account_id)
    return [row for row in found if row["reference"] == reference]


def _is_same(told: Answer, row: dict[str, Any]) -> bool:
    return bool(row["checked_on"] == told.checked_on and row["state"] == "current")


def _differs(told: Answer, row: dict[str, Any]) -> Fault:
    message = (
        f"{told.account_id} has this answer already, of {row['checked_on']} and for "
        f"{row['vat_number']}: `account vat-check-remove` takes out one that was mistyped"
    )
    return Fault("CHECK_DIFFERS", told.reference, message)


def _keep(books: Store, told: Answer, number: str, act: Act) -> None:
    details = _details(number, told.reference, told.checked_on)
    row = [told.account_id, number, told.checked_on, told.reference, act.who, act.at_us]
    with books.transaction():
        books.execute("INSERT INTO vat_checks VALUES (?, ?, ?, ?, ?, ?)", row)
        record(books, [replace(act, details=details)])


def _details(number: str, reference: str, checked_on: date) -> dict[str, str]:
    return {"vat_number": number, "reference": reference, "checked_on": checked_on.isoformat()}
