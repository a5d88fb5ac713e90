"""One-off items: what is charged or given once, with the month that its day lies in.

Owns the table and which items are still to be billed. An item is billed by the line of a closed
document that a run made; where that is void, the item is to be billed again. What its line comes
to is the run's to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from billing.audit_trail import Act, record
from billing.closed import refuse_passed, require_account
from billing.counting import count_up
from billing.month import Month
from billing.queries import SQL
from edge import Refused
from warehouse import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """`amount` is an exact decimal in the account's currency, negative for what is given. `item` is
    its id, empty until it is in the books. `concession` is the credit note that gave it first, of
    what is carried over from a void document.
    """

    account_id: str
    on_day: date
    description: str
    amount: str
    tax_category: str | None
    ledger_account: str | None = None
    item: str = ""
    concession: str | None = None


def add_item(books: Store, wanted: Item, act: Act) -> Item:
    """With the id it got. Refuses with ACCOUNT_UNKNOWN, or MONTH_CLOSED where no run would bill
    it any more.
    """
    require_account(books, wanted.account_id)
    refuse_passed(books, wanted.account_id, Month(wanted.on_day.year, wanted.on_day.month))
    with books.transaction():
        added = keep_item(books, wanted, act.at_us)
        record(books, [replace(act, details=dict(_told(added)))])
    return added


def keep_item(books: Store, wanted: Item, added_us: int) -> Item:
    """With the id it got; within the caller's transaction, who knows that it is to be billed."""
    added = replace(wanted, item=f"i{count_up(books, 'item'):06}")
    row = [added.item, added.account_id, added.on_day, added.description, added.amount]
    row += [added.tax_category, added_us, added.concession, added.ledger_account]
    books.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return added


def same_items(books: Store, wanted: Item) -> list[str]:
    """The ids of items that say the same: one of them may have been typed twice."""
    sql = """SELECT item FROM items
    WHERE account_id = ? AND on_day = ? AND description = ? AND amount = ? AND concession IS NULL
    ORDER BY item"""
    told = [wanted.account_id, wanted.on_day, wanted.description, wanted.amount]
    return [item for (item,) in books.rows(sql, told)]


def remove_item(books: Store, item: str, act: Act) -> Row:
    """Takes out one that is on no closed document: as it was. Refuses with ITEM_UNKNOWN or
    ITEM_BILLED. A draft keeps it until the next run.
    """
    found = [row for row in list_items(books, None) if row["item"] == item]
    if not found:
        raise Refused("ITEM_UNKNOWN", f"there is no item {item}: see `homemeeting invoice items`")
    (row,) = found
    if row["billed"]:
        message = (
            f"{item} is billed on {row['billed']}: give it back with "
            f"`homemeeting credit-note {row['billed']}`"
        )
        raise Refused("ITEM_BILLED", message)
    told = Item(*(row[name] for name in Item.__slots__))
    with books.transaction():
        books.execute("DELETE FROM items WHERE item = ?", [item])
        record(books, [replace(act, subject=row["account_id"], details=dict(_told(told)))])
    return row


def list_items(books: Store, account_id: str | None) -> list[Row]:
    """Every item, or those of one account, with `currency` and where it is `billed`: a number, an
    id of a nil invoice, or None.
    """
    return books.records(SQL["listed_items"], {"account": account_id})


def _told(one: Item) -> Iterator[tuple[str, Any]]:
    for name in Item.__slots__:
        value = getattr(one, name)
        yield name, value.isoformat() if isinstance(value, date) else value
