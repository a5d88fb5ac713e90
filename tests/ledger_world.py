"""Accounts, prices and usage by chance, for months that are closed, corrected and closed again.

Every code tells its plan, and of a fee when it is owed, so that a line of a document tells which
original line it is for. Owns no expectation.
"""

import random
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

from tests.drawn_books import draw_book
from tests.oracle_calendar import EPOCH, day_start, month_after

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
BOOKS: Final = {"b": ("p0", "p1", "p2"), "c": ("q0",)}  # plans by book
PLANS: Final = (*BOOKS["b"], *BOOKS["c"])
COMMITTED: Final = "p2"
METERS: Final = {"participant": (), "dial_in": ("DE", "FR", "US"), "money": ()}
ZONES: Final = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati",
    "Pacific/Pago_Pago", "Africa/Cairo",
)  # fmt: skip
COUNTRIES: Final = ("DE", "DE", "FR", "FI", "US", "US", "US")
HEADER: Final = (
    "account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity\n"
)
LENGTHS: Final = (60 * SECOND, 0, 1, 90 * SECOND, HOUR, 26 * HOUR, 47 * HOUR)
OFFSETS: Final = (0, -1, 1, 30 * SECOND, -30 * SECOND, -HOUR, -40 * HOUR)
QUANTITIES: Final = (None, 0, 1, 999, 10_000, 2_500_000)
Event = dict[str, Any]


def draw_prices(rng: random.Random, book: str, currency: str, since: date) -> str:
    """A version of one of the books."""
    head = {"book": book, "currency": currency, "effective_from": since.isoformat()}
    return _named_apart(draw_book(rng, head, BOOKS[book], METERS))


def _named_apart(text: str) -> str:
    """No two plans share a code, nor a fee in advance and one in arrears. A commitment's code is
    fixed: one plan alone has one.
    """
    found, plan = [], ""
    for table in re.split(r"(?m)^(?=\[\[)", text):
        told = table
        if table.startswith("[[plan]]"):
            plan = re.findall(r'code = "(\w+)"', table)[0]
            told = told if plan == COMMITTED else told.partition("[plan.commitment]")[0]
        elif table.startswith("[["):
            timing = re.findall(r'timing = "(\w+)"', table)
            code = "-".join([plan, r"\1", *timing])
            told = re.sub(r'(?m)^code = "(\w+)"', f'code = "{code}"', table, count=1)
        found.append(told)
    return "".join(found)


def draw_row(rng: random.Random, account: str, zone: str, currency: str, since: date) -> str:
    """A plan from a day on, at times only for a while."""
    days = rng.choice([None, None, None, rng.randrange(1, 40)])
    until = "" if days is None else (since + timedelta(days)).isoformat()
    plan, seats = rng.choice(PLANS), rng.choice([1, 1, 3, 7])
    who = f"{account},{account},{account}@a.example,{rng.choice(COUNTRIES)},en"
    return f"{who},{zone},{currency},{plan},{since},{until},{seats}\n"


def draw_day(rng: random.Random, first: date) -> date:
    """Of the month: its first day more often than any other, for there are its edges."""
    last = (month_after(first) - first).days
    return first + timedelta(rng.choice([0, 0, rng.randrange(last), last - 1]))


def draw_records(
    rng: random.Random, account: str, zone: str, days: Sequence[date], count: int
) -> Iterator[Event]:
    """As one event each, around the first instants of these days or right on them."""
    meter = rng.choice([None, None, *METERS])
    for _ in range(count):
        kind = meter or rng.choice(list(METERS))
        start = day_start(rng.choice(days), zone) + rng.choice(OFFSETS)
        yield {
            "record_id": rng.randbytes(16),
            "account_id": account,
            "meeting_id": rng.choice(["m1", "m2"]),
            "participant_id": rng.choice([None, "u1", "u2"]),
            "meter": kind,
            "variant": rng.choice([None, *METERS[kind]]) if METERS[kind] else None,
            "started_at": start,
            "phase": rng.choice(["STOP", "STOP", "INTERIM"]),
            "observed_at": start + rng.choice(LENGTHS),
            "quantity": rng.choice(QUANTITIES),
            "continues": None,
        }


def told(event: Event) -> dict[str, Any]:
    """As a line for `emit`."""
    return {
        **event,
        "topic": "meetings.usage", "server_id": "fra-1", "region": "eu",
        "record_id": event["record_id"].hex(),
        "started_at": written(event["started_at"]), "observed_at": written(event["observed_at"]),
    }  # fmt: skip


def written(moment_us: int) -> str:
    return (EPOCH + timedelta(microseconds=moment_us)).isoformat()
