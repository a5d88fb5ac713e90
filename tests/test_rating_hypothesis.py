"""Price books, accounts and usage by hypothesis, through billing's public path, against the oracle.

Each example is one book in two versions with several plans, some accounts whose plans change, and
records about every edge. October is closed, the accounts change, November is closed: every line
of every document must be the oracle's. A failure is shrunk and printed as TOML, CSV and records.
"""

import os
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from billing import Closing, Month, list_invoices, load_price_book, open_books, run_invoices
from billing.books import import_accounts
from edge import Settings
from tests.billed import State, states, store_usage
from tests.drawn_books import draw_book
from tests.fire import times
from tests.oracle_calendar import EPOCH, day_start
from tests.oracle_month import MonthRecount, Oracle, used
from tests.recount import IDENTITY

T = TypeVar("T")
EXAMPLES = times(10)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
CLOSED_AT_US = (datetime(2027, 1, 5, tzinfo=UTC) - EPOCH).days * 86_400 * 1_000_000
SECOND, HOUR = 1_000_000, 3_600_000_000
PLANS = ("p0", "p1")
METERS = {"participant": (), "dial_in": ("DE", "FR", "US", "JP"), "money": ()}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Africa/Cairo")
HEADER = "account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity"
LENGTHS = (
    60 * SECOND, 0, 1, 30 * SECOND, 60 * SECOND - 1, 60 * SECOND + 1, 90 * SECOND, HOUR, 26 * HOUR,
    47 * HOUR,
)  # fmt: skip
OFFSETS = (0, -1, 30 * SECOND, -30 * SECOND, 60 * SECOND, -40 * HOUR)
QUANTITIES = (1000, None, 0, 1, 999, 1001, 10_000, 2_500_000, 123_456_789)


@dataclass(frozen=True)
class Drawn:
    """`later` is imported after October is closed."""

    books: tuple[str, ...]
    accounts: str
    later: str
    records: tuple[State, ...]


class Chance:
    """Hypothesis as `drawn_books` asks for it: what comes first is the simplest."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def choice(self, options: Sequence[T], /) -> T:
        return self._draw(st.sampled_from(options))

    def randint(self, least: int, most: int, /) -> int:
        return self._draw(st.integers(least, most))


@st.composite
def worlds(draw: st.DrawFn) -> Drawn:
    chance = Chance(draw)
    currency = chance.choice(["EUR", "JPY", "KWD"])
    second = date(2026, 10, chance.randint(2, 31)).isoformat()
    head = {"book": "b", "currency": currency}
    books = tuple(
        draw_book(chance, {**head, "effective_from": since}, PLANS, METERS)
        for since in ("2026-01-01", second)
    )
    accounts, later = [HEADER], [HEADER]
    records: list[State] = []
    for number, one in enumerate(draw(st.lists(_accounts(), min_size=1, max_size=10))):
        id = f"a{number}"
        accounts += [_row(id, one.zone, currency, row) for row in one.rows]
        later += [_row(id, one.moved, currency, row) for row in one.changes]
        records += [{"account_id": id, **record} for record in one.records]
    return Drawn(books, "\n".join(accounts), "\n".join(later), tuple(_finish(records)))


Row = tuple[str, date, str, int]  # plan, since, until, seats


@dataclass(frozen=True)
class _Account:
    zone: str
    rows: list[Row]
    moved: str
    changes: list[Row]
    records: list[State]


@st.composite
def _accounts(draw: st.DrawFn) -> _Account:
    chance = Chance(draw)
    zone = chance.choice(ZONES)
    rows = _history(chance)
    changes, moved = _changes(chance, zone, rows[-1])
    days = {OCTOBER, NOVEMBER, *(row[1] for row in (*rows, *changes))}
    edges = sorted({day_start(day, zone) for day in days})
    # Most accounts use one thing around one time, so that records meet on one line.
    near = chance.choice([edges, *([edge] for edge in edges)])
    metered = [(meter, one) for meter in METERS for one in (None, *METERS[meter])]
    meter = chance.choice([None, *METERS, *METERS])
    mine = [one for one in metered if meter in (None, one[0])]
    records = draw(st.lists(_records(near, mine), max_size=16))
    return _Account(zone, rows, moved, changes, records)


def _history(chance: Chance) -> list[Row]:
    """Up to three plans in a row that begin before or in October."""
    days = [date(2026, 1, 1), *(date(2026, 10, chance.randint(1, 31)) for _ in range(2))]
    known = sorted(set(days[: chance.randint(1, 3)]) or {days[0]})
    if len(known) > 1 and chance.choice([False, True]):
        known = known[1:]  # it began within the month
    return [(chance.choice(PLANS), day, "", chance.choice([1, 3, 7])) for day in known]


def _changes(chance: Chance, zone: str, last: Row) -> tuple[list[Row], str]:
    """What becomes known after October: another plan, other seats, an end, a move."""
    kind = chance.choice(["none", "plan", "end", "gone", "december", "twice"])
    day = date(2026, 11, chance.randint(4, 30))
    plan, seats = chance.choice(PLANS), chance.choice([1, 3, 7])
    told: dict[str, list[Row]] = {
        "none": [],
        "plan": [(plan, day, "", seats)],
        "end": [(plan, date(2026, 11, 3), "2026-11-20", seats)],
        "gone": [(last[0], last[1], NOVEMBER.isoformat(), last[3])],
        "december": [(chance.choice([plan, "nowhere"]), date(2026, 12, 1), "", seats)],
        "twice": [(plan, NOVEMBER, "2026-11-03", seats), (PLANS[0], day, "", 1)],
    }
    moved = chance.choice([zone, zone, *ZONES])
    if moved != zone and kind == "none":
        return [(plan, date(2026, 12, 31), "", seats)], moved
    return told[kind], moved


def _row(id: str, zone: str, currency: str, row: Row) -> str:
    plan, since, until, seats = row
    return f"{id},{id},{id}@a.example,DE,en,{zone},{currency},{plan},{since},{until},{seats}"


def _records(edges: list[int], metered: list[tuple[str, str | None]]) -> st.SearchStrategy[State]:
    """A record's fields; `continues` points to others by their number, from the end."""
    return st.fixed_dictionaries(
        {
            "edge": st.sampled_from(edges),
            "offset": st.sampled_from(OFFSETS),
            "length": st.sampled_from(LENGTHS),
            "metered": st.sampled_from(metered),
            "meeting_id": st.sampled_from(["m1", "m2"]),
            "participant_id": st.sampled_from([None, "p1", "p2"]),
            "quantity": st.sampled_from(QUANTITIES),
            "continues": st.sampled_from([None, None, None, 0, 1, 2, 99]),
            "cancelled": st.sampled_from([False] * 15 + [True]),
            "twin": st.sampled_from([False] * 40 + [True]),
        }
    )


def _finish(drawn: list[State]) -> list[State]:
    """Rows of `usage_records`, times in microseconds; a twin has the record_id of the one before,
    and so both are in conflict.
    """
    found: list[State] = []
    for number, one in enumerate(drawn):
        back = one["continues"]
        before = None if back is None or back > number else uuid.UUID(int=number + 1 - back)
        meter, variant = one["metered"]
        own = number if one["twin"] and number else number + 1
        start = one["edge"] + one["offset"]
        kept = ("account_id", "meeting_id", "participant_id", "quantity", "cancelled")
        found.append(
            {
                **{name: one[name] for name in kept},
                "record_id": uuid.UUID(int=own),
                "meter": meter,
                "variant": variant,
                "started_at": start,
                "last_seen": start + one["length"],
                "stopped": True,
                "continues": before,
            }
        )
    unique = {tuple(one[name] for name in IDENTITY): one for one in found}
    return list(unique.values())


@pytest.mark.long
@pytest.mark.fire
def test_documents_of_two_months_are_the_oracles(seed: int) -> None:
    print(
        f"HOMEMEETING_SEED={seed} repeats this; HOMEMEETING_SHRINK=1 shrinks it, which takes long"
    )

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if "HOMEMEETING_SHRINK" in os.environ else [])],
    )
    @given(worlds())
    def check(world: Drawn) -> None:
        for book in world.books:
            note(book)
        note(world.accounts)
        note(world.later)
        for record in world.records:
            note(_told(record))
        with tempfile.TemporaryDirectory() as folder:
            _check(world, Settings(Path(folder), None, "clerk"))

    check()


def _check(world: Drawn, home: Settings) -> None:
    store_usage(home, world.records)
    oracle = Oracle(world.accounts, world.books, used(states(world.records)))
    with open_books(home) as books:
        for text in world.books:
            load_price_book(books, text.encode())
        import_accounts(books, world.accounts.encode())
        for first in (OCTOBER, NOVEMBER):
            month = Month(first.year, first.month)
            wanted = oracle.close(first)
            faults = run_invoices(books, home, month, None, Closing(CLOSED_AT_US, "clerk"))
            found = {one["account_id"]: one for one in list_invoices(books, month)}
            assert {(one.code, one.place) for one in faults} == wanted.faults | wanted.left_open
            _compare(wanted, found)
            if first == OCTOBER and world.later != HEADER:
                import_accounts(books, world.later.encode())
                oracle.accounts.import_csv(world.later)


def _compare(wanted: MonthRecount, found: dict[str, dict[str, Any]]) -> None:
    assert sorted(found) == sorted(wanted.documents)
    for account, document in wanted.documents.items():
        shown = found[account]
        mine = [_brief(line) for line in document["lines"]]
        assert [_brief(line) for line in shown["lines"]] == mine, account
        for line, told in zip(shown["lines"], document["lines"], strict=True):
            assert _shown(line, told) == told, account
        rest = {name: value for name, value in document.items() if name != "lines"}
        assert {name: shown[name] for name in rest} == rest, account


def _shown(line: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """All but the number of the document that an adjustment corrects."""
    found = {name: line[name] for name in told}
    if found["origin"]:
        found["origin"] = {"period": found["origin"]["period"]}
    return found


def _brief(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(line[name] for name in ("kind", "code", "variant", "quantity", "amount"))


def _told(record: State) -> str:
    start = EPOCH + timedelta(microseconds=record["started_at"])
    length = timedelta(microseconds=record["last_seen"] - record["started_at"])
    number, before = record["record_id"].int, record["continues"]
    rest = ("account_id", "meter", "variant", "meeting_id", "participant_id", "quantity")
    words = [
        f"r{number}",
        *(str(record[name]) for name in rest),
        start.isoformat(),
        f"for {length}",
    ]
    words += [f"continues r{before.int}"] if before else []
    return " ".join([*words, *(["cancelled"] if record["cancelled"] else [])])
