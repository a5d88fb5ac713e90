"""What is missing for a period: to the microsecond, against a slow oracle, and in words."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from billing import open_books
from billing.completeness import accept_gaps, allowances, find_gaps
from billing.queries import COPIES
from edge import Fault, Settings
from tests.billed import NO_USAGE
from tests.oracle_completeness import (
    BEATS,
    DAY,
    HOUR,
    REPLAYS,
    Row,
    Source,
    Told,
    day_of,
    missing,
    store_told,
    together,
)
from warehouse import Store, lend_tables, open_store

START: Final = 20_727 * DAY  # 2026-10-01 in UTC
END: Final = START + 31 * DAY
OVER: Final = END + 48 * HOUR
FRA: Final = Source("fra-1/a", since=START - 9 * DAY, beat=END, watermark=END)
Found = set[tuple[str | None, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, "clerk")


@pytest.fixture
def books(home: Settings) -> Iterator[Store]:
    with open_books(home) as opened:
        yield opened


def ask(
    books: Store, home: Settings, told: Told, periods: Sequence[tuple[int, int]], now: int
) -> tuple[list[Fault], list[Found]]:
    """The faults, and what `gaps_found` has for each period."""
    store_told(home, told)
    for table in ("retired_servers", "expected_servers", "accepted_holes"):
        books.execute(f"DELETE FROM {table}")
    for server, since in told.retired.items():
        row = [server, day_of(since), "gone", "ops", since]
        books.execute("INSERT INTO retired_servers VALUES (?, ?, ?, ?, ?)", row)
    for hole in told.accepted:
        books.execute(
            "INSERT INTO accepted_holes VALUES ('meetings.usage', ?, ?, ?, ?)", list(hole)
        )
    for server in told.listed[::2]:
        books.execute("INSERT INTO expected_servers VALUES (?, 'ops', 0)", [server])
    home = replace(home, expected_servers=told.listed[1::2], grace_hours=told.grace_hours)
    with lend_tables(books, home.usage, "usage", COPIES.all(), NO_USAGE):
        faults = find_gaps(books, home, periods, now)
    sql = "SELECT account_id, code, place FROM gaps_found WHERE start_us = ? AND end_us = ?"
    return faults, [
        {(who, code, "" if code == "GRACE_TIME" else at) for who, code, at in books.rows(sql, one)}
        for one in periods
    ]


def hole(source: Source, **told: Any) -> Source:
    return replace(source, lost=frozenset({3, 4}), **told)


CLOSED: Final = replace(FRA, phase="CLOSE")
LATER: Final = Source("fra-1/b", since=END, beat=OVER, watermark=OVER)
AHEAD: Final = OVER + HOUR + 1
REPLAY: Final = Source("fra-1/c", since=REPLAYS, beat=OVER, watermark=END - 1, phase="CLOSE")
NEW: Final = Source("fra-9/a", since=END, beat=OVER, watermark=OVER)
REFUSED: Final = replace(FRA, refusals=((0, START - DAY, END - 1), (2, END + 5, END + 9)))
GAP, FLIGHT = ("USAGE_MISSING", "source fra-1/a"), ("USAGE_IN_FLIGHT", "source fra-1/a")
BEHIND, LATE = ("SERVER_BEHIND", "source fra-1/a"), ("USAGE_REFUSED", "source fra-1/a")
SILENT: Final = ("SERVER_SILENT", "server fra-1")
CASES: Final[list[tuple[str, Told, list[tuple[str, str]]]]] = [
    ("nobody was heard of", Told(), []),
    ("all is there", Told((FRA,)), []),
    # How far a source's word reaches.
    ("behind by a microsecond", Told((replace(FRA, watermark=END - 1),)), [BEHIND]),
    ("its clock runs ahead", Told((replace(FRA, beat=AHEAD, watermark=AHEAD),)), [BEHIND]),
    ("its clock runs ahead by an hour", Told((replace(FRA, beat=AHEAD - 1, watermark=AHEAD - 1),)),
     []),
    ("its clock ran ahead until it was started again", Told(
        (replace(FRA, beat=AHEAD, watermark=AHEAD, settled=END), LATER), listed=("fra-1",)), []),
    ("its clock runs ahead, and it is gone", Told((replace(FRA, beat=AHEAD, watermark=AHEAD),),
                                                  retired={"fra-1": START + DAY}), []),
    ("listed, and its clock ran ahead when it closed", Told(
        (replace(CLOSED, beat=AHEAD, watermark=AHEAD),), listed=("fra-1",)), [SILENT]),
    ("closed in good order", Told((replace(CLOSED, watermark=START, beat=START),)), []),
    ("settled by a later opening", Told((replace(FRA, watermark=START, settled=START + 5),)), []),
    ("no heartbeat was read", Told((replace(FRA, beat=None),)), [BEHIND]),
    ("replays until it is closed", Told((replace(FRA, since=REPLAYS, watermark=REPLAYS),)),
     [BEHIND]),
    # Holes, and where they can lie.
    ("lost", Told((hole(FRA),)), [GAP]),
    ("in flight", Told((replace(FRA, in_flight=frozenset({9})),)), [FLIGHT]),
    ("both", Told((hole(FRA, in_flight=frozenset({9})),)), [GAP, FLIGHT]),
    ("explained by a dismissed row", Told((replace(FRA, explained=frozenset({9})),)), []),
    ("closed before the period", Told((hole(CLOSED, watermark=START - 1),)), []),
    ("closed as it began", Told((hole(CLOSED, watermark=START),)), [GAP]),
    ("settled before the period", Told((hole(FRA, watermark=1, beat=1, settled=START - 1),)), []),
    ("settled as it began", Told((hole(FRA, watermark=1, beat=1, settled=START),)), [GAP]),
    ("open, however old its word", Told((hole(FRA, watermark=1),)), [GAP, BEHIND]),
    ("another server's, first heard of at the end", Told((FRA, hole(NEW))), []),
    ("another server's, heard of just before", Told((FRA, hole(NEW, since=END - 1))),
     [("USAGE_MISSING", "source fra-9/a")]),
    ("another server's, first beat unread", Told((FRA, hole(NEW, opened=False))),
     [("USAGE_MISSING", "source fra-9/a")]),
    ("after a restart", Told((FRA, hole(LATER, since=OVER - 1))),
     [("USAGE_MISSING", "source fra-1/b")]),
    ("48 hours later no record of the period runs", Told((FRA, hole(LATER, since=OVER))), []),
    ("accepted before the period", Told((hole(FRA),), accepted=(("fra-1/a", 2, 4, START - 1),)),
     []),
    ("accepted as it began", Told((hole(FRA),), accepted=(("fra-1/a", 2, 4, START),)), [GAP]),
    ("accepted twice, the first time in time",
     Told((hole(FRA),), accepted=(("fra-1/a", 1, 4, START - 1), ("fra-1/a", 1, 9, END))), []),
    ("accepted in part", Told((hole(FRA),), accepted=(("fra-1/a", 4, 9, 0),)), [GAP]),
    ("accepted elsewhere", Told((hole(FRA),), accepted=(("fra-1/b", 1, 9, 0),)), [GAP]),
    # Heartbeats that nobody tells again.
    ("its last heartbeats are lost", Told((replace(FRA, untold=2),)), []),
    ("lost, and it was settled", Told((replace(FRA, untold=2, settled=END),)), [GAP]),
    ("lost and settled before", Told((replace(FRA, untold=2, beat=1, watermark=1,
                                              settled=START - 1),)), []),
    ("the first is missing, and it was settled", Told((replace(FRA, opened=False, settled=END),)),
     [FLIGHT]),
    # Refused by the first beat after the end too, for it tells of what was before.
    ("refused", Told((REFUSED,)), [LATE]),
    ("refused after the end", Told((replace(REFUSED, refusals=((0, 1, END), (2, OVER, OVER))),)),
     []),
    ("refused by its first beat", Told((replace(FRA, refusals=((1, START, START),)),)), [LATE]),
    ("refused before the period", Told((replace(FRA, refusals=((1, START - 1, OVER),)),)), []),
    ("refused by a replay at any time", Told((replace(
        CLOSED, since=REPLAYS, refusals=((0, END, END + 1), (1, END + 2, END + 2))),)), [LATE]),
    # Servers that are listed, and that are gone.
    ("listed and silent", Told((replace(CLOSED, beat=END - 1),), listed=("fra-1",)), [SILENT]),
    ("listed and heard at the end", Told((CLOSED,), listed=("fra-1",)), []),
    ("listed and heard from another source", Told((replace(CLOSED, beat=1), LATER),
                                                  listed=("fra-1",)), []),
    ("listed, silent, and files emitted in its name", Told((replace(CLOSED, beat=1), REPLAY),
                                                           listed=("fra-1",)), [SILENT]),
    ("listed, and files are all that it ever told", Told((REPLAY,), listed=("fra-1",)), []),
    ("listed, gone, and files emitted in its name", Told(
        (replace(CLOSED, beat=1), REPLAY), listed=("fra-1",), retired={"fra-1": START}), []),
    ("listed, heard, its first beat unread", Told((replace(CLOSED, beat=1), replace(
        LATER, opened=False)), listed=("fra-1",)), []),
    ("listed, a file in its name, its first beat unread", Told((replace(CLOSED, beat=1), replace(
        REPLAY, opened=False)), listed=("fra-1",)), [SILENT]),
    ("listed, its clock ran ahead when it closed, its first beat unread", Told(
        (replace(CLOSED, beat=1), replace(LATER, phase="CLOSE", beat=AHEAD, opened=False)),
        listed=("fra-1",)), [SILENT]),
    ("listed and never heard", Told((), listed=("fra-1",)), [SILENT]),
    ("listed in the settings", Told((FRA,), listed=("fra-1", "fra-2")),
     [("SERVER_SILENT", "server fra-2")]),
    ("listed and gone", Told((), listed=("fra-1",), retired={"fra-1": START}), []),
    ("gone", Told((hole(REFUSED, beat=START + DAY, watermark=START),),
                  retired={"fra-1": START + DAY}), []),
    ("gone on the last day", Told((replace(FRA, beat=1, watermark=1),),
                                  retired={"fra-1": END - DAY}), []),
    ("gone after the period", Told((replace(FRA, beat=1, watermark=1),), retired={"fra-1": END}),
     [BEHIND]),
    ("heard on the day it went", Told((replace(FRA, beat=START + DAY - 1, watermark=1),),
                                      retired={"fra-1": START}), []),
    ("heard again", Told((replace(FRA, beat=START + DAY, watermark=1),), listed=("fra-1",),
                         retired={"fra-1": START}), [BEHIND, SILENT]),
    ("its disk was heard again", Told((hole(FRA, beat=1, watermark=1, settled=START + DAY),),
                                      retired={"fra-1": START}), [GAP]),
    ("its disk was heard again and it is listed",
     Told((replace(FRA, beat=1, watermark=1, settled=START + DAY),), listed=("fra-1",),
          retired={"fra-1": START}), [SILENT]),
    ("heard again from a new disk", Told((hole(FRA, beat=1, watermark=1), hole(LATER)),
                                         retired={"fra-1": START}),
     [("USAGE_MISSING", "source fra-1/b")]),
    ("nobody tells when it spoke", Told((replace(FRA, beat=None), LATER),
                                        retired={"fra-1": START}), [BEHIND]),
    ("nobody tells, and another was settled", Told(
        (replace(FRA, beat=None), replace(LATER, beat=1, watermark=END, settled=START + DAY)),
        retired={"fra-1": START}), [BEHIND]),
]  # fmt: skip


def ask_each(
    books: Store, home: Settings, many: Sequence[Told], periods: Sequence[tuple[int, int]]
) -> list[list[Found]]:
    """What each of them lacks for each period, by one question about all."""
    apart: list[list[Found]] = [[set() for _ in periods] for _ in many]
    _, found = ask(books, home, together(many), periods, OVER)
    for period, gaps in enumerate(found):
        for account, code, place in gaps:
            kind, _, name = place.partition(" ")
            if kind == "quarantine":
                at, own = divmod(int(name), 100)
                apart[at][period].add((account, code, f"quarantine {own}"))
            else:
                number, _, own_name = name.partition("-")
                apart[int(number)][period].add((account, code, f"{kind} {own_name}"))
    return apart


def test_each_case(books: Store, home: Settings) -> None:
    found = ask_each(books, home, [told for _, told, _ in CASES], [(START, END)])
    for (name, told, wanted), (gaps,) in zip(CASES, found, strict=True):
        assert gaps == {(None, *one) for one in wanted}, name
        assert missing(told, START, END, OVER) == gaps, f"{name}: the oracle errs"


def test_grace_time_ends_to_the_microsecond(books: Store, home: Settings) -> None:
    kiribati = (START - 14 * HOUR, END - 14 * HOUR)
    faults, found = ask(books, home, Told(), [(START, END), kiribati], OVER - 1)
    assert found == [{(None, "GRACE_TIME", "")}, set()]
    assert [str(one) for one in faults] == [
        "GRACE_TIME: period to 2026-11-01 00:00:00 UTC: what is late is waited for until 2026-11-03"
        " 00:00:00 UTC: close it then, or lower [billing] grace_hours"
    ]
    assert ask(books, home, Told(grace_hours=0), [(START, END)], END) == ([], [set()])


ROWS: Final[list[tuple[Row, str | None, bool]]] = [
    (Row(1, arrived=START), None, False),
    (Row(1, arrived=START + 1), None, True),
    (Row(1, arrived=START, account="acme"), "acme", False),
    (Row(1, arrived=OVER, account="acme"), "acme", True),
    (Row(1, arrived=OVER, account="acme", started=START - 1), "acme", False),
    (Row(1, arrived=OVER, account="acme", started=START), "acme", True),
    (Row(1, arrived=1, account="acme", started=END - 1), "acme", True),
    (Row(1, arrived=OVER, started=END - 1), None, True),
    (Row(1, arrived=OVER, started=END), None, False),
    (Row(1, arrived=OVER, topic=BEATS), None, True),
    (Row(1, arrived=OVER, topic="meetings.quality"), None, False),
    (Row(1, arrived=OVER, topic="servers.load"), None, False),
    (Row(1, arrived=OVER, state="retried"), None, False),
    (Row(1, arrived=OVER, state="dismissed"), None, False),
]


def test_a_row_of_the_quarantine_touches_what_it_may_hold(books: Store, home: Settings) -> None:
    many = [Told(rows=(row,)) for row, _, _ in ROWS]
    found = ask_each(books, home, many, [(START, END)])
    for (row, account, is_open), told, (gaps,) in zip(ROWS, many, found, strict=True):
        wanted = {(account, "QUARANTINE_OPEN", "quarantine 1")} if is_open else set()
        assert gaps == wanted == missing(told, START, END, OVER), row


def test_a_refusal_says_what_is_missing_and_what_settles_it(books: Store, home: Settings) -> None:
    lost = frozenset({3, 4, 6, 8, 11})
    told = Told(
        (
            replace(FRA, watermark=END - 1, total=12, lost=lost, in_flight=frozenset({12})),
            replace(REFUSED, name="nyc-1/a"),
            replace(FRA, name="sin-1/a", beat=None),
            replace(CLOSED, name="fra-2/a", beat=END - DAY, watermark=END - DAY),
            replace(REPLAY, name="fra-2/b"),
        ),
        (Row(7, arrived=OVER), Row(8, arrived=OVER, topic=BEATS)),
        listed=("fra-2", "par-1"),
    )
    faults, _ = ask(books, home, told, [(START, END), (START - 31 * DAY, START)], OVER)
    bring = ": bring its journal in by `forward` and `consume`, "
    restart = "start the server again where it was killed, or "
    assert [str(one) for one in faults] == [
        "QUARANTINE_OPEN: quarantine 7: BAD_FRAME, came at 2026-11-03 00:00:00 UTC, may be of this"
        " period: `homemeeting quarantine show 7`, then `quarantine retry 7` or"
        " `quarantine dismiss 7 --reason R`",
        "QUARANTINE_OPEN: quarantine 8: BAD_FRAME of a heartbeat, came at 2026-11-03 00:00:00 UTC,"
        " may be of this period: `homemeeting quarantine show 8`, then `quarantine retry 8` or"
        " `quarantine dismiss 8 --reason R`",
        "SERVER_BEHIND: source fra-1/a: has told all only up to 2026-10-31 23:59:59.999999 UTC,"
        f" not up to 2026-11-01 00:00:00 UTC{bring}{restart}"
        "`homemeeting server retire fra-1 --on DATE --reason R`",
        f"SERVER_BEHIND: source sin-1/a: has told no heartbeat yet{bring}{restart}"
        "`homemeeting server retire sin-1 --on DATE --reason R`",
        "SERVER_SILENT: server fra-2: is expected and was last heard at 2026-10-31 00:00:00 UTC,"
        " not at 2026-11-01 00:00:00 UTC or later (what `emit` tells in its name is not its word)"
        f"{bring}or `homemeeting server retire fra-2 --on DATE --reason R`",
        f"SERVER_SILENT: server par-1: is expected and was never heard{bring}or"
        " `homemeeting server retire par-1 --on DATE --reason R`",
        "USAGE_IN_FLIGHT: source fra-1/a: usage 12 is promised and was not read yet:"
        " `homemeeting consume --once`",
        "USAGE_MISSING: source fra-1/a: usage 3 to 4, 6, 8 and 1 more stretches is not in the log:"
        " look in the journal of fra-1 and `homemeeting forward` it again, or close with"
        ' `--accept-incomplete "reason"`',
        "USAGE_REFUSED: source nyc-1/a: 2 events of usage found no room, told at 2026-11-01"
        ' 00:00:00.000005 UTC: nothing brings them back; close with `--accept-incomplete "reason"`',
    ]


def test_what_somebody_settled_is_named_where_it_matters(books: Store, home: Settings) -> None:
    told = Told(
        (
            replace(FRA, beat=START, watermark=START),
            replace(FRA, name="nyc-1/a", phase="CLOSE"),
            replace(FRA, name="sin-1/a", watermark=START, settled=START + HOUR),
            replace(FRA, name="sin-1/b", watermark=1, beat=1, settled=START - 1),
        ),
        (
            Row(1, arrived=START, state="dismissed"),
            Row(2, arrived=START + 1, account="acme", state="dismissed"),
        ),
        retired={"fra-1": START, "nyc-1": START},
    )
    assert ask(books, home, told, [(START, END)], OVER) == ([], [set()])
    with lend_tables(books, home.usage, "usage", COPIES.all(), NO_USAGE):
        said = allowances(books)
    assert said == json.loads(json.dumps(said)) == {
        "retired": [
            {
                "server_id": "fra-1", "retired_on": "2026-10-01", "reason": "gone", "who": "ops",
                "at": "2026-10-01T00:00:00Z",
            }
        ],
        "dismissed": [
            {
                "id": 2, "topic": "meetings.usage", "source": None, "code": "BAD_FRAME",
                "account_id": "acme", "reason": "a test", "who": "ops",
                "at": "2026-10-01T00:00:00.000002Z",
            }
        ],
        "unclean": [
            {"source": "sin-1/a", "server_id": "sin-1", "until": "2026-11-01T00:00:00Z"}
        ],
    }  # fmt: skip


def test_a_running_projector_is_asked_the_same(books: Store, home: Settings) -> None:
    many = together([told for _, told, _ in CASES])
    in_place = ask(books, home, many, [(START, END)], OVER)
    store_told(home, many)
    asked = replace(home, expected_servers=many.listed)
    with open_store(home.usage, "usage").closing() as writer:
        writer.serve()
        with lend_tables(books, home.usage, "usage", COPIES.all(), NO_USAGE):
            assert find_gaps(books, asked, [(START, END)], OVER) == in_place[0]
            assert allowances(books)["unclean"] != []
    assert len(in_place[0]) > 20


def test_what_is_lost_and_accepted_holds_up_no_period_that_begins_later(
    books: Store, home: Settings
) -> None:
    told = Told((hole(FRA, beat=OVER, watermark=OVER + 5),))
    store_told(home, told)
    after = [(OVER + 5, OVER + 6), (OVER + 6, OVER + 7)]
    with lend_tables(books, home.usage, "usage", COPIES.all(), NO_USAGE):
        assert [one.code for one in find_gaps(books, home, [(START, END)], OVER)] == [GAP[0]]
        assert [one["place"] for one in accept_gaps(books, OVER)] == [GAP[1]]
        find_gaps(books, home, [(START, END), *after], OVER + DAY * 9)
        held = "SELECT start_us FROM gaps_found WHERE code = 'USAGE_MISSING' ORDER BY ALL"
        assert books.rows(held) == [(START,), (OVER + 5,)]
    assert books.rows("FROM accepted_holes") == [("meetings.usage", "fra-1/a", 3, 4, OVER + 5)]


@pytest.mark.seeds(1)
def test_whatever_was_told_is_judged_as_the_oracle_does(
    books: Store, home: Settings, seed: int
) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    many = [draw(rng) for _ in range(200)]
    seen: set[str] = set()
    periods = [(START, END), (START - 30 * DAY, START), (START - 2 * HOUR, END - HOUR)]
    for told, found in zip(many, ask_each(books, home, many, periods), strict=True):
        for (start, end), gaps in zip(periods, found, strict=True):
            assert gaps == missing(told, start, end, OVER), (told, start)
            seen |= {code for _, code, _ in gaps} | ({"COMPLETE"} if not gaps else set())
    assert len(seen) == 7, seen


def draw(rng: random.Random) -> Told:
    """Few servers, and every time within a little of an edge of a period, or far from all."""
    edges = [START - 30 * DAY, START, END, START - 2 * HOUR, END - HOUR, END + 48 * HOUR]

    def moment() -> int:
        return rng.choice(edges) + rng.choice([-1, 0, 0, 1, DAY, -DAY, HOUR])

    servers = [f"s-{n}" for n in range(rng.randrange(1, 4))]
    sources = tuple(
        _draw_source(rng, f"{rng.choice(servers)}/{n}", moment) for n in range(rng.randrange(4))
    )
    rows = tuple(
        Row(
            number, moment(), rng.choice([None, "acme", "umbrella"]),
            rng.choice([None, moment()]), rng.choice([BEATS, "meetings.usage", "servers.load"]),
            rng.choice(["open", "dismissed", "retried"]),
        )
        for number in range(1, rng.randrange(1, 3))
    )  # fmt: skip
    retired = {one: moment() // DAY * DAY for one in servers if rng.random() < 0.25}
    accepted = tuple(
        (one.name, rng.randrange(1, 4), rng.randrange(4, 9), moment())
        for one in sources
        if rng.random() < 0.4
    )
    listed = tuple(one for one in (*servers, "s-9") if rng.random() < 0.15)
    return Told(sources, rows, listed, retired, accepted)


def _draw_source(rng: random.Random, name: str, moment: Any) -> Source:
    since, beat = sorted((moment(), moment()))
    watermark = rng.randrange(since, beat + 1) if rng.random() < 0.3 else beat
    if rng.random() < 0.15:
        since, watermark = REPLAYS, rng.choice([REPLAYS, watermark])
    numbers = list(range(1, 10))
    rng.shuffle(numbers)
    lost = rng.choice([0, 0, 1, 3])
    # What is lost lies before all that is in flight.
    gone = sorted(numbers[: lost + rng.choice([0, 0, 1])])
    told = sorted((moment(), moment(), moment()))
    refusals = ((0, told[0], told[1]), (rng.randrange(1, 5), told[2], told[2]))
    return Source(
        name, since,
        None if rng.random() < 0.1 else beat,
        watermark,
        rng.choice(["CLOSE", "BEAT", "BEAT"]),
        rng.choice([None, None, moment()]),
        rng.random() < 0.8,
        rng.choice([0, 0, 1]),
        lost=frozenset(gone[:lost]),
        in_flight=frozenset(gone[lost:]),
        refusals=rng.choice([(), (), refusals, refusals[1:]]),
    )  # fmt: skip
