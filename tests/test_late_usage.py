"""Usage that comes, goes on or is withdrawn late: after its month was closed, and before and after
several later invoices, of accounts whose plan is the same since, another, or gone. The documents of
each come to what they come to for a twin of whom all was known in time, and to the recount.
"""

import itertools
import math
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.instants import micros
from tests import recount
from tests.clerk import HEADER, Clerk
from tests.command_line import usage_event
from tests.fire import SOAKING, some

BOOK = """\
book = "late"
currency = "EUR"
effective_from = 2025-01-01
[[plan]]
code = "before"
name = "Before"
[[plan.charge]]
code = "calls"
description = "Calls"
meter = "participant"
measure = "count"
model = "graduated"
tiers = [{ up_to = 2, unit_price = 1 }, { unit_price = 10 }]
[[plan.charge]]
code = "minutes"
description = "Minutes"
meter = "participant"
measure = "duration"
unit = "minute"
also = true
model = "per_unit"
unit_price = 0.02
[[plan]]
code = "after"
name = "After"
[[plan.charge]]
code = "calls"
description = "Calls"
meter = "participant"
measure = "count"
model = "per_unit"
unit_price = 3
"""
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Kiritimati")
CLOSED = ("2026-10", "2026-11", "2026-12", "2027-01")
# The plan from November, December on: that of October goes on, is another, or none.
HISTORIES = {
    "same": ["before,2026-10-01,"],
    "other": ["before,2026-10-01,2026-11-01", "after,2026-11-01,"],
    "within": ["before,2026-10-01,2026-10-20", "after,2026-10-20,"],
    "later": ["before,2026-10-01,2026-12-01", "after,2026-12-01,"],
    "gone": ["before,2026-10-01,2026-11-01"],
    "back": ["before,2026-10-01,2026-11-01", "after,2026-12-01,"],
}
WHATS = ("new", "longer", "withdrawn", "moved")
Event = dict[str, Any]
CASES = list(itertools.product(HISTORIES, WHATS, range(len(CLOSED))))


@dataclass(frozen=True)
class Case:
    """An account, what is told of it in time, and what is told `after` so many closed months more.
    Its twin has another name, and is told of it all in time.
    """

    name: str
    number: int  # of the first record
    zone: str
    drawn: float
    history: str
    what: str
    after: int

    def twin(self) -> "Case":
        return replace(self, name=f"{self.name}-twin", number=self.number + 50)

    def rows(self) -> list[str]:
        told = f"{self.name},{self.name},a@a.example,DE,de,{self.zone},EUR"
        return [f"{told},{row}" for row in HISTORIES[self.history]]

    def events(self) -> tuple[list[Event], list[Event]]:
        """In time, and late."""
        rng = random.Random(self.drawn)
        numbers = itertools.count(self.number)
        first = [self._record(rng, next(numbers)) for _ in range(rng.randrange(2, 5))]
        one = rng.choice(first)
        if self.what == "new":
            return first, [self._record(rng, next(numbers)) for _ in range(rng.randrange(1, 4))]
        if self.what == "longer":
            start = datetime.fromisoformat(one["started_at"])
            seen = (start + timedelta(hours=47)).isoformat()
            return first, [one | {"observed_at": seen, "phase": "STOP"}]
        withdrawn = one | {"phase": "CANCEL"}
        if self.what == "withdrawn":
            return first, [withdrawn]
        return first, [withdrawn, self._record(rng, next(numbers))]  # it was of another time

    def _record(self, rng: random.Random, number: int) -> Event:
        """Mostly at the edges of October and of its stretches."""
        days = [1, 19, 20, 25, 31, rng.randrange(1, 32)]
        zone = ZoneInfo(self.zone)
        start = datetime(2026, 10, rng.choice(days), tzinfo=zone).astimezone(UTC)
        start += timedelta(seconds=rng.choice([0, 1, 3600 * 20, rng.randrange(80_000)]))
        seen = start + timedelta(seconds=rng.choice([0, 30, 3600, 40 * 3600]))
        phase = rng.choice(["STOP", "INTERIM"])
        return usage_event(number, self.name, start.isoformat(), seen.isoformat(), phase=phase)

    def owed(self) -> Fraction:
        """By the book, stretch by stretch, of events alone."""
        absent = dict.fromkeys(("variant", "quantity", "continues"))
        told = [one for some_ in self.events() for one in some_]
        found = recount.records(
            absent | one | {"observed_at": _us(one["observed_at"])} for one in told
        )
        lengths: dict[str, list[Fraction]] = defaultdict(list)
        for key, state in found.items():
            if not state["cancelled"]:
                local = datetime.fromisoformat(key[1]).astimezone(ZoneInfo(self.zone))
                assert f"{local:%Y-%m}" == "2026-10"
                plan = "after" if self.history == "within" and local.day >= 20 else "before"
                lengths[plan].append(Fraction(state["seen"] - _us(key[1]), 60_000_000))
        calls = len(lengths["before"])
        tiers = min(calls, 2) + 10 * max(calls - 2, 0)
        minutes = _cents(sum(lengths["before"]) * Fraction("0.02"))
        return tiers + minutes + 3 * len(lengths["after"])


def _cents(amount: Fraction) -> Fraction:
    return Fraction(math.floor(amount * 100 + Fraction(1, 2)), 100)


def _us(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def _billed(clerk: Clerk) -> dict[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for one in clerk.sees("invoice", "list"):
        if one["status"] == "final":
            sign = -1 if one["kind"] == "credit_note" else 1
            found[one["account_id"]] += sign * Fraction(one["total"])
    return found


@pytest.mark.fire
@pytest.mark.long
def test_the_sum_of_documents_is_what_it_were_in_time(tmp_path: Path, rng: random.Random) -> None:
    cases = [
        Case(f"a{number}", number * 100 + 1, rng.choice(ZONES), rng.random(), *one)
        for number, one in enumerate(some(rng, CASES, 6))
    ]
    clerk = Clerk(tmp_path, "2027-06-01T09:00:00Z")
    clerk.must("price-book", "load", clerk.file("late.toml", BOOK))
    everyone = [one for case in cases for one in (case, case.twin())]
    rows = [row for one in everyone for row in one.rows()]
    clerk.must("account", "import", clerk.file("all.csv", "\n".join([HEADER, *rows])))
    in_time = [event for case in cases for event in case.events()[0]]
    in_time += [event for case in cases for told in case.twin().events() for event in told]
    rng.shuffle(in_time)
    clerk.told(in_time)
    for number, month in enumerate(CLOSED):
        clerk.must("invoice", "run", "--month", month, "--finalize")
        late = [event for case in cases if case.after == number for event in case.events()[1]]
        if late:
            clerk.told(late, server=rng.choice(["fra-1", "nyc-1"]))
    clerk.must("invoice", "run", "--month", "2027-02", "--finalize")
    billed = _billed(clerk)
    for one in everyone:
        assert billed[one.name] == one.owed(), one
    if SOAKING:
        clerk.must("invoice", "verify", "--all", "--from-log", "--no-documents")
