"""Plans over time: what a change and an end make of a history, against a model of single days."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import Subscription, merge_history, parse_accounts
from billing.history import in_force, rows_of_change, rows_of_end
from edge import Refused
from tests.histories import days_held

History = tuple[Subscription, ...]
DAY = timedelta(1)
FIRST = date(2026, 1, 1)
DAYS = [FIRST + n * DAY for n in range(24)]


def history(text: str) -> History:
    """Rows such as `pro x5 01-01..03-01`, of 2026, the last day exclusive; `…` where it is open."""
    return tuple(_row(line) for line in text.split(";") if line.strip())


def _row(line: str) -> Subscription:
    plan, seats, days = line.split()
    since, _, until = days.partition("..")
    book, _, code = plan.rpartition("/")
    end = None if until == "…" else date.fromisoformat(f"2026-{until}")
    begin = date.fromisoformat(f"2026-{since}")
    return Subscription("acme", begin, end, book or None, code, int(seats[1:]))


def joining(before: History, command: str) -> History:
    """The rows that join by a command: `plan pro 03-01`, `plan pro 03-01 x5`, `end 03-31`."""
    what, *words = command.split()
    if what == "end":
        return rows_of_end(before, date.fromisoformat(f"2026-{words[0]}"))
    book, _, plan = words[0].rpartition("/")
    seats = int(words[2][1:]) if len(words) > 2 else None
    day = date.fromisoformat(f"2026-{words[1]}")
    return rows_of_change(before, "acme", day, book or None, plan, seats)


@pytest.mark.parametrize(
    ("before", "command", "after"),
    [
        # The first plan of an account, which has one seat.
        ("", "plan pro 03-01", "pro x1 03-01..…"),
        ("", "plan eu/pro 03-01 x3", "eu/pro x3 03-01..…"),
        # The day of a change belongs to the new plan; the seats stay.
        ("pro x5 01-01..…", "plan max 03-15", "pro x5 01-01..…; max x5 03-15..…"),
        ("pro x5 01-01..…", "plan max 03-15 x2", "pro x5 01-01..…; max x2 03-15..…"),
        # The same plan: the seats alone.
        ("pro x5 01-01..…", "plan pro 03-15 x6", "pro x5 01-01..…; pro x6 03-15..…"),
        # Naming the book of a plan is a change of the history, though not of the bill.
        ("pro x5 01-01..…", "plan eu/pro 03-15", "pro x5 01-01..…; eu/pro x5 03-15..…"),
        # What is so already stays as it is.
        ("pro x5 01-01..…", "plan pro 03-15", "pro x5 01-01..…"),
        ("pro x5 01-01..…", "plan pro 03-15 x5", "pro x5 01-01..…"),
        # An agreed end stays the end.
        ("pro x5 01-01..06-01", "plan max 03-15", "pro x5 01-01..03-15; max x5 03-15..06-01"),
        # A row that begins on the day is replaced; its seats were never those of the day before.
        ("pro x5 01-01..…; max x9 03-15..…", "plan top 03-15", "pro x5 01-01..…; top x5 03-15..…"),
        ("max x9 03-15..06-01", "plan top 03-15", "top x1 03-15..06-01"),
        # What is planned later stays.
        (
            "pro x5 01-01..…; max x9 05-01..…",
            "plan top 03-15",
            "pro x5 01-01..…; top x5 03-15..…; max x9 05-01..…",
        ),
        # In a gap, and before the first day: up to where the next one begins.
        (
            "pro x5 01-01..02-01; max x9 05-01..…",
            "plan top 03-15",
            "pro x5 01-01..02-01; top x1 03-15..…; max x9 05-01..…",
        ),
        ("max x9 05-01..…", "plan top 03-15 x2", "top x2 03-15..…; max x9 05-01..…"),
        # The day after the last one is in no row: seats of the day before, without an end.
        ("pro x5 01-01..03-15", "plan pro 03-15", "pro x5 01-01..03-15; pro x5 03-15..…"),
        # The last day served.
        ("pro x5 01-01..…", "end 03-31", "pro x5 01-01..04-01"),
        ("pro x5 01-01..06-01", "end 03-31", "pro x5 01-01..04-01"),
        ("pro x5 01-01..…", "end 01-01", "pro x5 01-01..01-02"),
        # What begins later is taken out, on the very next day too.
        ("pro x5 01-01..…; max x9 04-01..…", "end 03-31", "pro x5 01-01..04-01"),
        ("pro x5 01-01..04-01; max x9 05-01..…", "end 03-31", "pro x5 01-01..04-01"),
        # In a gap: what ended before is not drawn out.
        ("pro x5 01-01..02-01; max x9 05-01..…", "end 03-31", "pro x5 01-01..02-01"),
        ("pro x5 01-01..02-01", "end 03-31", "pro x5 01-01..02-01"),
    ],
)
def test_a_command_makes_this_of_that(before: str, command: str, after: str) -> None:
    rows = joining(history(before), command)
    assert merge_history(history(before), rows) == history(after)
    assert (rows == ()) == (history(before) == history(after))
    assert joining(history(after), command) == ()


def test_two_histories_that_say_the_same_hold_the_same_days() -> None:
    one = history("pro x5 01-01..…; pro x5 03-15..…; max x5 04-01..…")
    other = history("pro x5 02-01..04-01; max x5 04-01..05-01; max x5 05-01..…")
    march, may = date(2026, 3, 1), date(2026, 5, 1)
    assert days_held(one, march, may) == history("pro x5 03-01..04-01; max x5 04-01..05-01")
    assert days_held(one, march, may) == days_held(other, march, may)
    assert days_held(one, FIRST, may) != days_held(other, FIRST, may)


# A naive model: what each single day of the window holds, with the day its row began.
Held = dict[date, tuple[date, str, int]]


def held(rows: History) -> Held:
    found: Held = {}
    for day in DAYS:
        for row in sorted(rows, key=lambda row: row.since):
            if row.since <= day:
                found.pop(day, None)
                if row.until is None or day < row.until:
                    found[day] = (row.since, row.plan, row.quantity)
    return found


def _change(days: Held, since: date, plan: str, seats: int | None) -> Held:
    before = days.get(since - DAY)
    new = (plan, seats or (before[2] if before else 1))
    now = days.get(since)
    if now and now[1:] == new:
        return days
    found = dict(days)
    for day in DAYS[DAYS.index(since) :]:
        there = days.get(day)
        if (there and there[0]) != (now and now[0]):  # another row, or where the gap ends
            break
        found[day] = (since, *new)
    return found


PLANS = st.sampled_from(["pro", "max", "top"])
SEATS = st.integers(1, 3)
ANY_DAY = st.sampled_from(DAYS)
IMPORTS = st.dictionaries(
    ANY_DAY, st.tuples(st.none() | st.integers(0, 9), PLANS, SEATS), min_size=1, max_size=3
)
STEPS = st.lists(
    st.tuples(st.just("plan"), ANY_DAY, PLANS, st.none() | SEATS)
    | st.tuples(st.just("end"), ANY_DAY)
    | st.tuples(st.just("import"), IMPORTS),
    max_size=8,
)


def _step(rows: History, step: tuple[object, ...]) -> tuple[History, Held | None]:
    """The rows after a step, and what the days hold then by the naive model; None of an import:
    the rows themselves are asked there.
    """
    match step:
        case ("plan", date() as since, str() as plan, int() | None as seats):
            new = rows_of_change(rows, "acme", since, None, plan, seats)
            return merge_history(rows, new), _change(held(rows), since, plan, seats)
        case ("end", date() as last):
            days = {day: there for day, there in held(rows).items() if day <= last}
            return merge_history(rows, rows_of_end(rows, last)), days
        case ("import", dict() as told):
            return _import(rows, told), None
    raise AssertionError(step)


def _import(rows: History, told: dict[date, tuple[int | None, str, int]]) -> History:
    """By the file and its checks, as the command does; one that is refused changes nothing."""
    lines = ["account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity"]
    for since, (length, plan, seats) in told.items():
        until = "" if length is None else since + length * DAY
        lines.append(f"acme,Acme,a@acme.example,DE,de,UTC,EUR,{plan},{since},{until},{seats}")
    try:
        return merge_history(rows, parse_accounts("\n".join(lines), rows).subscriptions)
    except Refused as refused:
        assert {fault.code for fault in refused.faults} == {"OVERLAP"}
        return rows


@given(STEPS)
def test_any_sequence_of_commands_covers_the_days_of_the_naive_model(
    steps: list[tuple[object, ...]],
) -> None:
    rows: History = ()
    for step in steps:
        rows, expected = _step(rows, step)
        assert expected is None or held(rows) == expected
        assert _step(rows, step)[0] == rows, "twice is once"
        for one, following in pairwise(rows):
            assert one.since < following.since
            assert one.until is None or one.since < one.until <= following.since
        for day in DAYS:
            at = in_force(rows, day)
            assert (at and (at.since, at.plan, at.quantity)) == held(rows).get(day)
        days = [
            first
            for row in days_held(rows, FIRST, DAYS[-1] + DAY)
            for first in DAYS
            if row.since <= first and row.until and first < row.until
        ]
        assert days == list(held(rows)), "each day once"
