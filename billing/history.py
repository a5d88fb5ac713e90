"""What a change of plan makes of an account's history: rows that join it as those of a file do.

Owns what a change and an end on a day mean. Every function takes the history of one account, in
which a row holds until its `until`, or without one until the next begins. Does not know which
plans there are, nor what was billed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from billing.accounts import Subscription

_DAY: Final = timedelta(1)


def in_force(history: Iterable[Subscription], day: date) -> Subscription | None:
    """The row that holds on this day."""
    begun = (row for row in history if row.since <= day)
    last = max(begun, key=lambda row: row.since, default=None)
    return last if last is not None and (last.until is None or day < last.until) else None


def rows_of_change(
    history: Sequence[Subscription],
    account_id: str,
    since: date,
    book: str | None,
    plan: str,
    quantity: int | None,
) -> tuple[Subscription, ...]:
    """What makes this plan the one in force from `since` on, that day included, up to where the
    one in force ends; none where it is in force with as many seats already. Without `quantity`
    the seats are those of the day before, else 1.
    """
    before, known = in_force(history, since - _DAY), in_force(history, since)
    seats = quantity or (before.quantity if before else 1)
    if known and (known.book, known.plan, known.quantity) == (book, plan, seats):
        return ()
    row = Subscription(account_id, since, known.until if known else None, book, plan, seats)
    if known is None or known.since == since or known.until is None:
        return (row,)
    return (replace(known, until=since), row)


def rows_of_end(history: Sequence[Subscription], last_day: date) -> tuple[Subscription, ...]:
    """What leaves no day after `last_day`; none where there is none already. Rows that begin later
    are taken out. What ended before it is not drawn out.
    """
    until = last_day + _DAY
    known = in_force(history, last_day)
    cut = [replace(known, until=until)] if known and known.until != until else []
    taken_out = (replace(row, until=row.since) for row in history if row.since > last_day)
    return (*cut, *taken_out)
