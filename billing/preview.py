"""A preview: the document that a run would draft for one account now, made and kept nowhere.

Owns which month is running and how far usage is known. What a draft holds is `billing.drafts`.
"""

from dataclasses import dataclass
from typing import Any

from billing.books import load_catalogue
from billing.closed import refuse_closed
from billing.document import documents
from billing.drafts import drafted, lay_out_work
from billing.layout import lay_out
from billing.month import Month, running_month
from billing.numbering import issue_day
from edge import Refused, Settings
from edge.instants import micros
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Preview:
    """The draft, behind it the one apart, if there is any; and up to when usage is known: when the
    last batch was read, and when any record of the account near the month was last seen. UTC
    microseconds; None where there is none.
    """

    documents: list[dict[str, Any]]
    read_us: int | None
    seen_us: int | None


def preview_invoice(
    books: Store, home: Settings, account: str, month: Month | None, now_us: int
) -> Preview:
    """Of the account's local month at `now_us`, unless another is named. Writes nothing.

    Refuses with ACCOUNT_UNKNOWN, MONTH_CLOSED, NO_PERIOD, INVOICES_LEFT, or as `lend_tables`.
    """
    catalogue = load_catalogue(books, account)
    ((_, zone, _),) = catalogue.accounts
    month = month or running_month(zone, now_us)
    refuse_closed(books, account, month)
    work = lay_out_work(books, home, catalogue, lay_out(books, catalogue, month))
    with drafted(books, home, work, issue_day(home, now_us, None)) as faults:
        if faults:
            raise Refused("INVOICES_LEFT", f"{account} has no document for {month}", faults)
        ids = [id for (id,) in books.rows("SELECT id FROM drafts ORDER BY id")]
        if not ids:
            message = f"{account} has nothing to bill in {month}: see `homemeeting account list`"
            raise Refused("NO_PERIOD", message)
        found = list(documents(books, ids, drafted=True))
        read_us = books.value("FROM usage_batch")
        seen = books.value(
            "SELECT max(last_seen) FROM near_records WHERE account_id = ?", [account]
        )
    return Preview(found, read_us, None if seen is None else micros(seen))
