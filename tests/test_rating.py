"""Set-based rating against the oracle in fractions: random charges and records, printed seeds."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from billing.money import round_money
from billing.pricebook import Charge, Rounding, Tier
from billing.rating import ChargeLine, load_lines, rate
from billing.rows import load_rows
from tests.oracle_rating import UsageRecord
from tests.oracle_rating import rate as oracle_rate
from warehouse import Store, open_store

_COLUMNS = {
    **dict.fromkeys(("record_id", "account_id", "meeting_id", "participant_id"), pa.string()),
    **dict.fromkeys(("meter", "variant"), pa.string()),
    **dict.fromkeys(("stretch", "start_us", "duration_us", "quantity"), pa.int64()),
    "conflict": pa.bool_(),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "books.duckdb", "books").closing() as opened:
        yield opened


def some_decimal(rng: random.Random, most: int, places: int) -> Decimal:
    return Decimal(rng.randrange(1, most * 10**places)).scaleb(-rng.randrange(places + 1))


def some_charge(rng: random.Random) -> Charge:
    measure: Any = rng.choice(["duration", "count", "quantity", "maximum", "unique"])
    rounding = None
    if measure not in ("count", "unique") and rng.random() < 0.8:
        quantum = Decimal(rng.choice([1, 7, 60])) if measure == "duration" else Decimal("0.3")
        rounding = Rounding(
            scope=rng.choice(["record", "participant", "period"]),
            mode=rng.choice(["up", "nearest", "down", "none"]),
            quantum=quantum,
            minimum=rng.choice([Decimal(0), quantum * 3]),
        )
    edges = sorted({some_decimal(rng, 30, 2) for _ in range(rng.randrange(4))})
    tiers = tuple(
        Tier(edge, some_decimal(rng, 3, 6), rng.choice([Decimal(0), some_decimal(rng, 9, 2)]))
        for edge in (*edges, None)
    )
    return Charge(
        code="c",
        description="c",
        meter=rng.choice("ab"),
        variant=rng.choice([None, None, "DE"]),
        measure=measure,
        unit=rng.choice(["second", "minute", "hour"]) if measure == "duration" else "unit",
        unit_size=rng.choice([1, 3, 1000]) if measure in ("quantity", "maximum") else 1,
        rounding=rounding,
        included=rng.choice([Decimal(0), some_decimal(rng, 20, 1)]),
        model="graduated",
        tiers=tiers,
    )


def some_record(rng: random.Random) -> UsageRecord:
    return UsageRecord(
        record_id=str(uuid.UUID(int=rng.getrandbits(128))),
        meeting_id=rng.choice(["m1", "m2"]),
        participant_id=rng.choice([None, "p1", "p2"]),
        meter=rng.choice("ab"),
        variant=rng.choice([None, "DE", "US"]),
        duration_us=rng.choice([0, 30_000_000, 90_500_000, rng.randrange(4 * 10**9)]),
        quantity=rng.choice([None, 0, 1, 500, rng.randrange(5000)]),
    )


def load_records(store: Store, stretch: int, records: list[UsageRecord]) -> list[dict[str, Any]]:
    return [
        {
            "record_id": one.record_id, "account_id": "a", "meeting_id": one.meeting_id,
            "participant_id": one.participant_id, "meter": one.meter, "variant": one.variant,
            "stretch": stretch, "start_us": 0, "duration_us": one.duration_us,
            "quantity": one.quantity, "conflict": False,
        }
        for one in records
    ]  # fmt: skip


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_sql_equals_the_oracle(store: Store, currency: str, rng: random.Random) -> None:
    lines, used, rows = [], {}, []
    for number in range(150):
        used[number] = [some_record(rng) for _ in range(rng.randrange(8))]
        rows += load_records(store, number, used[number])
        charge = some_charge(rng)
        share = rng.choice([Fraction(1), Fraction(rng.randrange(1, 31), 31)])
        included = Fraction(charge.included) * share
        lines.append(ChargeLine(number, number, charge, included, currency))
    load_rows(store, "month_records", rows, _COLUMNS)
    load_lines(store, lines)
    rated, beyond = rate(store, lines)
    assert beyond == []
    for line in lines:
        # Only `included` may be a fraction without a finite decimal: the oracle takes it as such.
        charge = replace(line.charge, included=line.included)  # type: ignore[arg-type]
        (wanted,) = oracle_rate(charge, used[line.line])
        found = rated[line.line]
        assert found.quantity == wanted.quantity, line
        assert [tier.amount for tier in found.tiers] == [tier.amount for tier in wanted.tiers], line
        assert [t.quantity for t in found.tiers] == [t.quantity for t in wanted.tiers], line
        places = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
        money = Fraction(found.amount_minor, 10**places)
        assert money == Fraction(round_money(wanted.exact, currency)), line


def test_a_line_beyond_the_limits_is_named_and_the_others_are_rated(store: Store) -> None:
    charge = some_charge(random.Random(1))
    small = Tier(None, Decimal(1), Decimal(0))
    huge = Tier(None, Decimal("999999999.999999999999"), Decimal(0))
    shape = {"measure": "quantity", "unit_size": 1, "rounding": None, "variant": None}
    plain = replace(charge, **shape, meter="a", included=Decimal(0))  # type: ignore[arg-type]
    lines = [
        ChargeLine(n, 0, replace(plain, tiers=(tier,)), Fraction(0), "EUR")
        for n, tier in enumerate((small, huge))
    ]
    record = replace(some_record(random.Random(1)), meter="a", quantity=2**62)
    load_rows(store, "month_records", load_records(store, 0, [record]), _COLUMNS)
    load_lines(store, lines)
    rated, beyond = rate(store, lines)
    assert beyond == [1]
    assert rated[0].amount_minor == 2**62 * 100
