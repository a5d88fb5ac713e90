"""What a history says of days: the model that changes of plans are held against."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from billing.accounts import Subscription, effective_history


def days_held(
    history: Iterable[Subscription], since: date, until: date
) -> tuple[Subscription, ...]:
    """The rows as they hold on the days `[since, until)`, cut to them and joined where nothing
    changes: two histories have the same if they say the same of each of those days.
    """
    held: list[Subscription] = []
    for row in effective_history(history):
        first, end = max(row.since, since), min(row.until or until, until)
        if first >= end:
            continue
        cut = replace(row, since=first, until=end)
        if held and replace(held[-1], since=first, until=end) == cut and held[-1].until == first:
            held[-1] = replace(cut, since=held[-1].since)
        else:
            held.append(cut)
    return tuple(held)
