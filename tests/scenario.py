"""A random world from one seed: price books, accounts, and what the simulator and chance emit.

The kinds of accounts are fixed, so that every case occurs with every seed; all else is drawn.
Owns no expectation: `oracle_month` says what must come of it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from producers.simulator import Workload, simulate
from tests import recount
from tests.drawn_books import draw_book, quoted
from tests.oracle_calendar import EPOCH, day_start
from tests.oracle_log import read_event

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
USAGE, QUALITY = "meetings.usage", "meetings.quality"
SECOND = 1_000_000
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Tokyo",
    "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago",
)  # fmt: skip
METERS = ("participant", "meeting", "recording", "dial_in", "screen_share", "whiteboard", "relay")
VARIANTS = {"dial_in": ("DE", "FR", "GB", "AT", "US", "CA", "SG", "IN", "JP"), "relay": ("eu",)}
HEADER = (
    "account_id", "name", "email", "country", "language", "time_zone", "currency", "plan", "since",
    "until", "quantity",
)  # fmt: skip
Event = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """`events` are usage and quality without source and sequence, each with its topic."""

    accounts: str
    books: tuple[str, ...]
    events: tuple[tuple[str, Event], ...]

    def usage(self) -> list[Event]:
        return [event for topic, event in self.events if topic == USAGE]


def make_scenario(seed: int, folder: Path) -> Scenario:
    rng = random.Random(seed)
    rows = list(_accounts(rng))
    events = [*_simulated(rng, folder), *((USAGE, event) for event in _drawn(rng, rows))]
    books = [_book(rng, code, since) for code in ("EUR", "JPY", "KWD") for since in _versions(rng)]
    return Scenario(
        "\n".join([",".join(HEADER), *(",".join(row) for row in rows)]) + "\n",
        tuple(books),
        tuple(events),
    )


def _accounts(rng: random.Random) -> Iterator[list[str]]:
    """Accounts of the simulator, all but a0011: each kind of history, at drawn dates."""
    first, second = sorted(rng.sample(range(2, 31), 2))
    early, late = f"2026-10-{first:02}", f"2026-10-{second:02}"
    seats = [str(rng.randrange(1, 40)) for _ in range(3)]
    kinds: list[tuple[str, list[tuple[str, str, str, str]]]] = [
        ("EUR", [("eur-basic", "2026-01-01", "", "1")]),
        ("EUR", [("eur-basic", "2026-01-01", "", seats[0]), ("eur-team", early, "", seats[1])]),
        ("EUR", [("eur-team", since, "", n) for since, n in zip(("2026-01-01", early, late), seats,
                                                                 strict=True)]),
        ("EUR", [("eur-team", early, "", seats[2])]),
        ("KWD", [("kwd-team", "2026-01-01", early, "7"), ("KWD-book/common", late, "", seats[0])]),
        ("JPY", [("JPY-book/common", "2026-01-01", "", seats[1])]),
        ("JPY", [("jpy-team", "2026-01-01", "", "2"), ("jpy-basic", late, "2026-11-16", "3")]),
        ("EUR", [("eur-team", "2026-01-01", "", "1"), ("nowhere", early, "", "1")]),
        ("JPY", [("eur-basic", "2026-01-01", "", "1")]),
        ("EUR", [("common", "2026-01-01", "", "1")]),
        ("", []),  # a0011 is known to nobody
        ("KWD", [("kwd-basic", "2026-01-01", "", "1")]),  # its records are in conflict
        ("EUR", [("eur-none", "2026-01-01", "", "1")]),
    ]  # fmt: skip
    for number, (currency, history) in enumerate(kinds, start=1):
        id, zone = f"a{number:04}", rng.choice(ZONES)
        for plan, since, until, count in history:
            yield [id, id, f"{id}@{id}.example", "DE", "en", zone, currency, plan, since, until,
                   count]  # fmt: skip


def _versions(rng: random.Random) -> tuple[str, ...]:
    """A book's versions: the second is in force for plans that begin within October."""
    return "2026-01-01", f"2026-10-{rng.randrange(2, 20):02}"


def _book(rng: random.Random, currency: str, since: str) -> str:
    low = currency.lower()
    plans = [f"{low}-basic", f"{low}-team", "common"]
    head = {"book": f"{currency}-book", "currency": currency, "effective_from": since}
    # Nobody charges or gives away `relay`: that is `no_charge`.
    meters = {meter: VARIANTS.get(meter, ()) for meter in METERS[:-1]}
    text = draw_book(rng, head, plans, meters)
    return text + f'[[plan]]\ncode = "{low}-none"\nname = "N"\nfree = [{quoted(METERS[:-1])}]\n'


def _simulated(rng: random.Random, folder: Path) -> Iterator[tuple[str, Event]]:
    """A few days over each edge of October, and some within it, from the simulator."""
    first = (OCTOBER - EPOCH.date()).days
    for number, (start, days) in enumerate(((-2, 5), (rng.randrange(5, 22), 3), (29, 4))):
        workload = Workload(
            13, first + start, first + start + days, rng.randrange(2**32), quality_s=3600,
            load_s=6 * 3600,
        )  # fmt: skip
        simulate(folder / str(number), workload)
        for topic, _, payload in recount.read_journal(folder / str(number)):
            if topic in (USAGE, QUALITY):
                event = read_event(topic, payload)
                assert event is not None
                del event["source"], event["sequence"]
                yield topic, event


def _drawn(rng: random.Random, rows: list[list[str]]) -> Iterator[Event]:
    """Records about every edge of each account's month and plans, to the microsecond."""
    for row in rows:
        since = date.fromisoformat(row[8])
        edges = {since, OCTOBER, NOVEMBER, since + timedelta(days=1), date(2026, 10, 25)}
        for day in sorted(edges):
            near = (rng.randrange(-20_000, 20_000) * SECOND for _ in range(6))
            before = None
            for off in (-1, 0, 1, *near):
                told = [*_record(rng, row[0], day_start(day, row[5]) + off, before)]
                before = told[0]["record_id"]
                yield from told
    for account in ("a0011", "nobody"):
        for off in (-1, 0):
            yield from _record(rng, account, day_start(NOVEMBER, "UTC") + off)
    yield from _conflicts(rng, rows)


def _record(
    rng: random.Random, account: str, start: int, before: bytes | None = None, **fixed: Any
) -> Iterator[Event]:
    """The events of one record, which may continue the one drawn `before`."""
    meter = rng.choice(METERS)
    identity = {
        "record_id": rng.randbytes(16),
        "account_id": account,
        "meeting_id": rng.choice(["m1", "m2"]),
        "participant_id": rng.choice([None, "p1", "p2"]),
        "meter": meter,
        "variant": rng.choice([None, *VARIANTS[meter]]) if meter in VARIANTS else None,
        "server_id": rng.choice(["fra-1", "nyc-1", "sin-1"]),
        "region": "eu",
        "started_at": start,
        "continues": rng.choice([None, None, rng.randbytes(16), before]),
        **fixed,
    }
    # Halves and edges of what quanta round to, and anything.
    lengths = [0, 1, SECOND // 2, 30 * SECOND, 90 * SECOND, 210 * SECOND]
    lengths += [60 * SECOND - 1, 60 * SECOND, 60 * SECOND + 1, rng.randrange(9 * 10**9)]
    length = rng.choice(lengths)
    quantities = [None, 0, 500_000, 150_000, rng.randrange(10**6), rng.randrange(10**10)]
    quantity = rng.choice(quantities)
    last = rng.choice(["STOP", "STOP", "STOP", "INTERIM", "CANCEL"])
    for share, phase in ((0, "START"), (rng.randrange(1, 10), "INTERIM"), (10, last)):
        part = None if quantity is None else quantity * share // 10
        seen = start + length * share // 10
        yield {**identity, "phase": phase, "observed_at": seen, "quantity": part}


def _conflicts(rng: random.Random, rows: list[list[str]]) -> Iterator[Event]:
    """Records of a0012 under several identities; of one of them all but one are withdrawn."""
    (zone,) = {row[5] for row in rows if row[0] == "a0012"}
    for other in ("a0012", "nobody", "settled"):
        start = day_start(OCTOBER, zone) + rng.randrange(10**12)
        account = "a0012" if other == "settled" else other
        fixed = {"record_id": rng.randbytes(16), "meter": "participant", "variant": None}
        first = [*_record(rng, "a0012", start, **fixed)]
        second = [*_record(rng, account, start - rng.randrange(1, 10**12), **fixed)]
        phase = "CANCEL" if other == "settled" else "STOP"
        yield from [*first[:-1], {**first[-1], "phase": "STOP"}]
        yield from [*second[:-1], {**second[-1], "phase": phase}]
