"""Each record's row of the evidence against a recount in plain loops: which lines it is on and
what it comes to on each. Drawn books, changes of plan within the month, records about every edge.
"""

import json
import random
import uuid
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from billing import open_books
from billing.verification import Verification, verify_documents
from edge import Settings
from tests.billed import OCTOBER, State, bill, fill_books, record, states, store_usage
from tests.drawn_books import draw_book
from tests.homes import HEADER
from tests.oracle_calendar import EPOCH
from tests.oracle_month import MonthRecount, Oracle, used

SECOND, DAY = 1_000_000, 86_400 * 1_000_000
PLANS = [f"p{n}" for n in range(8)]
METERS = {"participant": (), "dial_in": ("DE", "FR", "US", "JP"), "money": ()}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati")
LENGTHS = (0, 1, 30 * SECOND, 60 * SECOND, 60 * SECOND - 1, 60 * SECOND + 1)
QUANTITIES = (None, 0, 1, 5, 999, 1000, 10**6, 10**15, 2**62, 2**63 - 1)  # beyond 64 bits too
Counted = dict[tuple[str, int, str], str | None]  # document, line, record: chargeable


@pytest.mark.seeds(3)
def test_rows_of_the_evidence_are_those_of_a_recount(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    currency = rng.choice(["EUR", "JPY", "KWD"])
    head = {"book": "b", "currency": currency, "effective_from": "2026-01-01"}
    book = draw_book(rng, head, PLANS, METERS)
    rows: list[str] = []
    records: list[State] = []
    for number in range(12):
        told = f"a{number},A,a@a.example,DE,de,{rng.choice(ZONES)},{currency}"
        change = date(2026, 10, rng.randint(2, 31))
        rows.append(f"{told},{rng.choice(PLANS)},2026-01-01,{change},1")
        rows.append(f"{told},{rng.choice(PLANS)},{change},,2")
        records += [drawn(rng, f"a{number}", change, len(records) + n) for n in range(1, 31)]
    home = Settings(tmp_path / "home", None, "clerk")
    accounts = HEADER + "\n".join(rows) + "\n"
    fill_books(home, [book], accounts)
    store_usage(home, records)
    closed = [one["id"] for one in bill(home).documents.values() if one["status"] != "draft"]
    wanted = Oracle(accounts, [book], used(states(records))).close(OCTOBER)
    assert len(closed) > 6
    assert evidence(home, closed) == recount(home, closed, wanted)
    with open_books(home) as books:
        assert verify_documents(books, home, closed, Verification(papers=False)) == []


def drawn(rng: random.Random, account: str, change: date, number: int) -> State:
    """A record about the edges of the month, or of its stretches, or anywhere near."""
    edge = rng.choice([OCTOBER, change, date(2026, 11, 1), date(2026, 10, rng.randint(1, 31))])
    edge_us = (datetime.combine(edge, time(), UTC) - EPOCH).days * DAY
    continues = uuid.UUID(int=max(1, number - rng.choice([0, 1]))) if rng.random() < 0.3 else None
    return record(
        number,
        account,
        start=edge_us + rng.randrange(-DAY, DAY // 2),
        length=rng.choice([*LENGTHS, rng.randrange(2 * DAY)]),
        meter=rng.choice(list(METERS)),
        variant=rng.choice([None, "DE", "FR", "US", "JP", "elsewhere"]),
        quantity=rng.choice(QUANTITIES),
        participant_id=rng.choice([None, "p1", "p2"]),
        continues=continues,
        cancelled=rng.random() < 0.05,
    )


def evidence(home: Settings, closed: list[str]) -> Counted:
    (file,) = home.evidence.iterdir()
    found: Counted = {}
    for row in pq.read_table(file).to_pylist():
        for line, chargeable in zip(row["lines"], row["chargeable"], strict=True):
            key = (row["invoice"], line, row["record_id"].replace("-", ""))
            assert row["invoice"] in closed and key not in found, "twice on one line"
            found[key] = chargeable
    return found


def recount(home: Settings, closed: list[str], wanted: MonthRecount) -> Counted:
    """Over the unit that the terms of each line tell."""
    sql = "SELECT invoice, line, content FROM invoice_lines INNER JOIN terms USING (term)"
    with open_books(home) as books:
        terms = {(id, line): json.loads(told) for id, line, told in books.rows(sql)}
    return {
        (id, number, name): _over(terms[id, number], alone)
        for line_id, counted in wanted.alone.items()
        for id, number in [(line_id.rpartition(".")[0], int(line_id.rpartition(".")[2]))]
        for name, alone in counted.items()
        if id in closed
    }


def _over(terms: State, alone: Fraction | None) -> str | None:
    return None if alone is None else str(alone * int(terms["scales"]["unit"]))
