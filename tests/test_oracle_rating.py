"""Worked examples for the rating oracle, by hand: what goes in, what must come out."""

from fractions import Fraction

import pytest

from tests.oracle_book import Charge, read_book
from tests.oracle_rating import UsageRecord, rate


def charge_of(toml: str) -> Charge:
    """A charge from the keys that a worked example is about."""
    head = 'book="b"\ncurrency="EUR"\neffective_from=2026-01-01\n[[plan]]\ncode="p"\nname="P"\n'
    body = '[[plan.charge]]\ncode="c"\ndescription="C"\n'
    body += "" if 'model="flat"' in toml and "measure" not in toml else 'meter="participant"\n'
    return read_book(head + body + toml).plans["p"].charges[0]


def used(*seconds: str, participant: str | None = None, meeting: str = "m") -> list[UsageRecord]:
    return [
        UsageRecord(
            f"{meeting}-{participant}-{index}",
            meeting,
            participant,
            "participant",
            None,
            int(Fraction(value) * 1_000_000),
        )
        for index, value in enumerate(seconds)
    ]


def counted(*quantities: int | None) -> list[UsageRecord]:
    return [
        UsageRecord(f"r{index}", "m", None, "participant", None, 1_000_000, quantity)
        for index, quantity in enumerate(quantities)
    ]


MINUTES = 'measure="duration"\nunit="minute"\nmodel="per_unit"\nunit_price=0.01\n'
UP = 'rounding={scope="%s",quantum=60,mode="up",minimum=%d}\n'
GRADUATED = 'measure="count"\nmodel="graduated"\n'
TWO_TIERS = GRADUATED + "tiers=[{up_to=3,unit_price=2},{unit_price=1}]\n"
FLATS = GRADUATED + "tiers=[{up_to=3,unit_price=2,flat=5},{unit_price=1,flat=0.5}]\n"
PART_UNITS = (
    'measure="quantity"\nunit="GB"\nunit_size=1_000\nmodel="graduated"\n'
    "tiers=[{up_to=0.5,unit_price=2},{unit_price=1,flat=7}]\n"
)

EXAMPLES = [
    # name, charge, records, chargeable quantity, exact amount
    ("no usage still has its line", MINUTES, [], "0", "0"),
    ("exact: 30 s is half a minute", MINUTES, used("30"), "1/2", "1/200"),
    (
        "each record up: 10 s → 1, 70 s → 2",
        MINUTES + UP % ("record", 0),
        used("10", "70"),
        "3",
        "0.03",
    ),
    ("a microsecond over", MINUTES + UP % ("record", 0), used("60.000001"), "2", "0.02"),
    ("exactly a minute", MINUTES + UP % ("record", 0), used("60"), "1", "0.01"),
    ("period: summed, then up once", MINUTES + UP % ("period", 0), used("10", "70"), "2", "0.02"),
    (
        "participant: two connections added, others apart",
        MINUTES + UP % ("participant", 0),
        used("10", "20", participant="p") + used("10", participant="q"),
        "2",
        "0.02",
    ),
    (
        "participant: another meeting is another sum",
        MINUTES + UP % ("participant", 0),
        used("10", participant="p") + used("10", participant="p", meeting="n"),
        "2",
        "0.02",
    ),
    (
        "participant: null is its own",
        MINUTES + UP % ("participant", 0),
        used("1", "1"),
        "2",
        "0.02",
    ),
    ("minimum", MINUTES + UP % ("record", 180), used("61"), "3", "0.03"),
    (
        "zero length whatever the minimum",
        MINUTES + UP % ("record", 180),
        used("0", "1"),
        "3",
        "0.03",
    ),
    (
        "nearest: halves up",
        MINUTES + 'rounding={scope="record",quantum=60,mode="nearest"}\n',
        used("29", "30", "90"),
        "3",
        "0.03",
    ),
    (
        "down, then the minimum",
        MINUTES + 'rounding={scope="record",quantum=60,mode="down",minimum=30}\n',
        used("59", "119"),
        "3/2",
        "0.015",
    ),
    (
        "none: the quantum is ignored, the minimum is not",
        MINUTES + 'rounding={scope="record",quantum=60,mode="none",minimum=30}\n',
        used("10", "45"),
        "5/4",
        "0.0125",
    ),
    ("allowance not used up", MINUTES + "included=10\n", used("60"), "1", "0"),
    ("allowance taken off", MINUTES + "included=1.5\n", used("120"), "2", "0.005"),
    ("tiers: edge inclusive", TWO_TIERS, used("1", "1", "1"), "3", "6"),
    ("tiers: over the edge", TWO_TIERS, used("1", "1", "1", "1"), "4", "7"),
    ("tiers begin after the allowance", TWO_TIERS + "included=2\n", used(*"11111"), "5", "6"),
    ("flat: nothing used, nothing owed", FLATS, [], "0", "0"),
    ("flat: on the edge only the first", FLATS, used("1", "1", "1"), "3", "11"),
    ("flat: over the edge both", FLATS, used(*"1111"), "4", "12.5"),
    ("flat: within the allowance none", FLATS + "included=4\n", used(*"1111"), "4", "0"),
    ("flat: however little above the edge", PART_UNITS, counted(501), "0.501", "8.001"),
    ("quantity: null counts nothing", PART_UNITS, counted(100, None, 200), "0.3", "0.6"),
    (
        "quantity: quantum in units",
        'measure="quantity"\nunit="GB"\nunit_size=1_000\nmodel="per_unit"\nunit_price=1\n'
        'rounding={scope="record",quantum=0.25,mode="up"}\n',
        counted(1, 251),
        "0.75",
        "0.75",
    ),
    (
        "maximum",
        'measure="maximum"\nunit="present"\nmodel="per_unit"\nunit_price=2\n',
        counted(3, 9, 4, None),
        "9",
        "18",
    ),
    (
        "unique: over meetings, null each its own",
        'measure="unique"\nmodel="per_unit"\nunit_price=1\n',
        used("1", "1", participant="p") + used("1", participant="p", meeting="n") + used("1", "1"),
        "3",
        "3",
    ),
]


@pytest.mark.parametrize(
    ("toml", "records", "quantity", "exact"),
    [pytest.param(*example[1:], id=example[0]) for example in EXAMPLES],
)
def test_worked_example(toml: str, records: list[UsageRecord], quantity: str, exact: str) -> None:
    (line,) = rate(charge_of(toml), records)
    assert (line.quantity, line.exact) == (Fraction(quantity), Fraction(exact))
    assert sum(tier.quantity for tier in line.tiers) == max(line.quantity - line.included, 0)
    assert sum(tier.amount for tier in line.tiers) == line.exact


def test_a_charge_takes_its_own_meter_and_variant_and_nothing_cancelled() -> None:
    records = [
        UsageRecord("a", "m", None, "participant", "de", 60_000_000),
        UsageRecord("b", "m", None, "participant", None, 60_000_000),
        UsageRecord("c", "m", None, "recording", "de", 60_000_000),
        UsageRecord("d", "m", None, "participant", "de", 60_000_000, cancelled=True),
    ]
    assert rate(charge_of(MINUTES), records)[0].quantity == 2
    assert rate(charge_of(MINUTES + 'variant="de"\n'), records)[0].quantity == 1
