"""Random sequences of what happens to closed months: late usage, cancelled records, changes of
plans told late, new prices, credit notes, void documents and runs. After each, once every void
month is run again and the next month is closed, the sum of all documents is the truth as the
oracle rates it anew, less concessions; and at the end every document is derived again from
evidence, store and log.
"""

import random
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest

from tests.fire import times
from tests.ledger_clerk import Clerk, begin
from tests.ledger_credits import KINDS, credit, draw_lines, to_credit, void, void_month
from tests.ledger_known import OCTOBER
from tests.ledger_world import (
    BOOKS,
    COUNTRIES,
    LENGTHS,
    OFFSETS,
    OUTSIDE,
    SECOND,
    ZONES,
    draw_day,
    draw_prices,
    draw_records,
    draw_row,
)
from tests.oracle_calendar import month_after

NOVEMBER: Final = date(2026, 11, 1)
SEQUENCES: Final = times(1)  # 10 seconds each
STEPS: Final = 4


def months(clerk: Clerk) -> list[date]:
    """From October to the month after the last that was closed."""
    ahead = clerk.ahead()[-1]
    found = [OCTOBER]
    while found[-1] < ahead:
        found.append(month_after(found[-1]))
    return found


def someone(clerk: Clerk) -> tuple[str, str]:
    """An account and its zone."""
    name = clerk.rng.choice(sorted(clerk.accounts.known))
    return name, clerk.accounts.known[name]["time_zone"]


def usage(clerk: Clerk) -> None:
    """In time or late, mostly at the edges of periods."""
    name, zone = someone(clerk)
    day = draw_day(clerk.rng, clerk.rng.choice(months(clerk)))
    clerk.use([*draw_records(clerk.rng, name, zone, [day], clerk.rng.randrange(1, 6))])


def longer(clerk: Clerk) -> None:
    """A record that was known is seen once more."""
    one = clerk.rng.choice(clerk.events)
    seen = max(one["observed_at"], one["started_at"] + clerk.rng.choice(LENGTHS))
    quantity = clerk.rng.choice([None, (one["quantity"] or 0) * 2 + 1])
    clerk.use([{**one, "phase": "STOP", "observed_at": seen, "quantity": quantity}])


def cancel(clerk: Clerk) -> None:
    clerk.use([{**clerk.rng.choice(clerk.events), "phase": "CANCEL"}])


def conflict(clerk: Clerk) -> None:
    """A record is told of another meeting too, from another time: in conflict until one goes."""
    one = clerk.rng.choice(clerk.events)
    moved = clerk.rng.choice(OFFSETS) * clerk.rng.choice([0, 1])
    clerk.use(
        [
            {
                **one,
                "meeting_id": "other",
                "started_at": one["started_at"] + moved,
                "observed_at": one["started_at"] + moved + SECOND,
                "phase": "STOP",
            }
        ]
    )


def settled(clerk: Clerk) -> None:
    """All but one identity of each record in conflict is withdrawn."""
    kept: dict[bytes, str] = {}
    again = []
    for one in clerk.events:
        if kept.setdefault(one["record_id"], one["meeting_id"]) != one["meeting_id"]:
            again.append({**one, "phase": "CANCEL"})
    if again:
        clerk.use(again)


def plan(clerk: Clerk) -> None:
    """Another plan, other seats or an end, from a day that may be long over; at times from
    another zone, which moves no closed period.
    """
    name, zone = someone(clerk)
    zone = clerk.rng.choice([zone] * 9 + [clerk.rng.choice(ZONES)])
    day = draw_day(clerk.rng, clerk.rng.choice(months(clerk)))
    clerk.know(draw_row(clerk.rng, name, zone, clerk.currency, day))


def everyone_moves(clerk: Clerk) -> None:
    """Into the Union or out of it, after something was billed; and that changes too."""
    for name, known in sorted(clerk.accounts.known.items()):
        there = [one for one in COUNTRIES if (one == OUTSIDE) != (known["country"] == OUTSIDE)]
        day, zone = draw_day(clerk.rng, OCTOBER), known["time_zone"]
        clerk.know(draw_row(clerk.rng, name, zone, clerk.currency, day, there))
        clerk.use([*draw_records(clerk.rng, name, zone, [day], 3)])


def prices(clerk: Clerk) -> None:
    """A version of a book, in force from a day in any month on: closed ones keep theirs."""
    code = clerk.rng.choice(list(BOOKS))
    since = draw_day(clerk.rng, clerk.rng.choice(months(clerk)))
    if (code, since) not in {(one.code, one.effective_from) for one in clerk.accounts.books}:
        clerk.load(draw_prices(clerk.rng, code, clerk.currency, since))


def next_month(clerk: Clerk) -> None:
    for month in clerk.ahead():
        clerk.run(month)


def alone(clerk: Clerk) -> None:
    """One account's next month."""
    name, _ = someone(clerk)
    clerk.run(clerk.next(name), name)


def skip(clerk: Clerk) -> None:
    """One account's month after the next: closed where there is nothing to bill before it."""
    name, _ = someone(clerk)
    coming = clerk.next(name)
    month = month_after(coming)
    has_items = any(who == name and coming <= day < month for who, day, _ in clerk.items)
    if clerk.ledger.last(name) and not has_items:
        clerk.run(month, name)


def again(clerk: Clerk) -> None:
    """A month that is void, or one that is not, which changes nothing."""
    void = sorted(clerk.void())
    if void and clerk.rng.random() < 0.8:
        clerk.run(*clerk.rng.choice(void))
    elif closed := months(clerk)[:-1]:
        clerk.run(clerk.rng.choice(closed))


def credit_some(clerk: Clerk) -> None:
    if found := to_credit(clerk):
        document = clerk.rng.choice(found)
        # What was conceded on one apart that is void then comes with the account's next document.
        kind = "correction" if document["apart"] else clerk.rng.choice(KINDS)
        credit(clerk, document, kind, draw_lines(clerk, document))


def void_one(clerk: Clerk) -> None:
    found = [
        one
        for one in clerk.documents.values()
        if one["status"] == "final" and one["credit"] is None
    ]
    if found:
        void(clerk, clerk.rng.choice(found))


def void_all(clerk: Clerk) -> None:
    void_month(clerk, clerk.rng.choice(months(clerk)))


def item(clerk: Clerk) -> None:
    """Something to be billed, or given, once: with a month that is open, or open again."""
    name, _ = someone(clerk)
    void = [month for month, account in clerk.void() if account == name]
    month = clerk.rng.choice([*void, clerk.next(name), clerk.ahead()[-1]])
    day = draw_day(clerk.rng, month)
    amount = Fraction(clerk.rng.randrange(-30_000, 90_000), 1000)
    clerk.add_item(name, day, amount)


def draft(clerk: Clerk) -> None:
    clerk.type("invoice", "run", "--month", f"{clerk.ahead()[-1]:%Y-%m}", failing=True)
    clerk.read()


ACTS: Final[list[tuple[int, Callable[[Clerk], None]]]] = [
    (5, usage), (2, longer), (3, cancel), (1, conflict), (2, settled), (4, plan), (2, prices),
    (5, next_month), (1, alone), (2, skip), (3, again), (1, draft),
    (3, credit_some), (3, void_one), (1, void_all), (2, item),
]  # fmt: skip


def act_some(clerk: Clerk) -> None:
    weights, acts = zip(*ACTS, strict=True)
    for act in clerk.rng.choices(acts, weights, k=clerk.rng.choice([1, 1, 2, 3])):
        clerk.said.append(f"--- {act.__name__}")
        act(clerk)


@pytest.mark.long
@pytest.mark.fire
@pytest.mark.parametrize("number", range(SEQUENCES))
def test_all_documents_are_the_truth_less_concessions(
    number: int, rng: random.Random, tmp_path: Path
) -> None:
    clerk = begin(tmp_path / "home", rng)
    try:
        for month in (OCTOBER, NOVEMBER)[: rng.choice([1, 2])]:
            clerk.run(month)
        for count in range(STEPS):
            act_some(clerk)
            clerk.said.append("--- on a copy")
            clerk.copy(tmp_path / f"copy{count}").settle()
        if rng.random() < 0.5:  # else it is verified as it is, with all that is late
            clerk.said.append("--- everyone moves")
            everyone_moves(clerk)
            clerk.settle()
        clerk.said.append("--- verified")
        if clerk.documents:
            clerk.type("invoice", "verify", "--all", "--from-log", "--no-documents")
    finally:
        print("\n".join(clerk.said))
