"""Every model and measure of the rating oracle at its edges: usage in, amount out, by hand."""

from fractions import Fraction

import pytest

from tests.oracle_book import read_book
from tests.oracle_measure import UsageRecord
from tests.oracle_rating import rate
from tests.oracle_text import money, text
from tests.test_oracle_rating import charge_of, counted, used

COUNT = 'measure="count"\n'
BYTES = 'measure="quantity"\nunit="GB"\nunit_size=1_000\n'
TIERS = "tiers=[{up_to=3,unit_price=2,flat=5},{unit_price=1,flat=0.5}]\n"
VOLUME = COUNT + 'model="volume"\n' + TIERS
PART_VOLUME = BYTES + 'model="volume"\ntiers=[{up_to=0.5,unit_price=2},{unit_price=1,flat=7}]\n'
PACKAGE = BYTES + 'model="package"\npackage_size=10\npackage_price=3\n'
DOWN = PACKAGE + 'package_rounding="down"\n'
PERCENT = 'model="percentage"\nrate_percent=2.9\nfixed=0.25\n'
EACH = COUNT + 'model="per_unit"\nunit_price=0.5\n'
PEAK = EACH.replace("count", "peak")
FLAT = 'model="flat"\namount=9.99\n'


def linked(*continues: str | None, participant: str | None = None) -> list[UsageRecord]:
    """Records r0, r1, …, each a second long, that continue what is said."""
    return [
        UsageRecord(f"r{n}", "m", participant, "participant", None, 1_000_000, 1, continues=before)
        for n, before in enumerate(continues)
    ]


def opened(*spans: tuple[int, int]) -> list[UsageRecord]:
    return [
        UsageRecord(f"r{n}", "m", None, "participant", None, end - start, start_us=start)
        for n, (start, end) in enumerate(spans)
    ]


ONES = ["1"] * 9
EXAMPLES = [
    # name, charge, records, chargeable quantity, exact amount
    ("volume: nothing", VOLUME, [], "0", "0"),
    ("volume: the edge is inclusive", VOLUME, used(*ONES[:3]), "3", "11"),
    ("volume: one beyond, all at the next price", VOLUME, used(*ONES[:4]), "4", "4.5"),
    ("volume: exactly a part of a unit", PART_VOLUME, counted(500), "0.5", "1"),
    ("volume: a thousandth beyond", PART_VOLUME, counted(501), "0.501", "7.501"),
    ("volume: the allowance first", VOLUME + "included=1\n", used(*ONES[:4]), "4", "11"),
    ("volume: the allowance just used up", VOLUME + "included=4\n", used(*ONES[:4]), "4", "0"),
    ("flat_at_zero, volume", VOLUME + "flat_at_zero=true\n", [], "0", "5"),
    (
        "flat_at_zero, all within the allowance",
        VOLUME + "included=4\nflat_at_zero=true\n",
        used(*ONES[:4]),
        "4",
        "5",
    ),
    (
        "flat_at_zero, graduated: the first tier's alone",
        COUNT + 'model="graduated"\nflat_at_zero=true\n' + TIERS,
        [],
        "0",
        "5",
    ),
    ("package: nothing", PACKAGE, counted(0), "0", "0"),
    ("package: a thousandth of a unit is one", PACKAGE, counted(1), "0.001", "3"),
    ("package: exactly full", PACKAGE, counted(10_000), "10", "3"),
    ("package: a thousandth over", PACKAGE, counted(10_001), "10.001", "6"),
    ("package: the allowance first", PACKAGE + "included=0.001\n", counted(10_001), "10.001", "3"),
    ("package: within the allowance", PACKAGE + "included=11\n", counted(10_001), "10.001", "0"),
    ("package down: not yet full", DOWN, counted(9_999), "9.999", "0"),
    ("package down: full", DOWN, counted(10_000), "10", "3"),
    ("flat: owed without meter", FLAT, used("1"), "1", "9.99"),
    (
        "flat with a meter: the quantity is told",
        COUNT + FLAT,
        used("1", "1"),
        "2",
        "9.99",
    ),
    ("flat: discount", FLAT + "discount_percent=50\n", [], "1", "4.995"),
    ("percentage: 2.9 % of 100.00 and 0.25", PERCENT, counted(10_000), "10000", "3.15"),
    ("percentage: fixed for a record of nothing", PERCENT, counted(None), "0", "0.25"),
    ("percentage: none", PERCENT, [], "0", "0"),
    (
        "percentage: the allowance leaves fixed",
        PERCENT + "included=10000\n",
        counted(10_000, 50),
        "10050",
        "0.5145",
    ),
    ("percentage: fixed once for what goes on", PERCENT, linked(None, "r0"), "2", "0.25058"),
    ("percentage: a unit of 100 cents", PERCENT + "unit_size=100\n", counted(250), "2.5", "0.3225"),
    ("count: what continues another is none", EACH, linked(None, "r0", "elsewhere"), "1", "0.5"),
    ("count: a record cannot continue itself", EACH, linked("r0"), "1", "0.5"),
    (
        "minimum of a record: not of what continues another",
        'measure="duration"\nunit="second"\nmodel="per_unit"\nunit_price=1\n'
        'rounding={scope="record",quantum=1,mode="up",minimum=30}\n',
        linked(None, "r0"),
        "31",
        "31",
    ),
    (
        "minimum of a participant: as of any",
        'measure="duration"\nunit="second"\nmodel="per_unit"\nunit_price=1\n'
        'rounding={scope="participant",quantum=1,mode="up",minimum=30}\n',
        linked(None, "r0"),
        "60",
        "60",
    ),
    (
        "unique: a null one that continues one of the line is none",
        EACH.replace("count", "unique"),
        linked(None, "r0", "r1", "elsewhere"),
        "2",
        "1",
    ),
    (
        "unique: a known participant counts once",
        EACH.replace("count", "unique"),
        linked(None, "r0", participant="p"),
        "1",
        "0.5",
    ),
    (
        "peak: ends are exclusive",
        PEAK,
        opened((0, 5), (5, 9), (4, 5)),
        "2",
        "1",
    ),
    ("peak: a microsecond over", PEAK, opened((0, 6), (5, 9)), "2", "1"),
    ("peak: zero length never", PEAK, opened((3, 3), (3, 3)), "0", "0"),
    ("discount", EACH + "discount_percent=10\n", used("1"), "1", "0.45"),
    ("discount before minimum", EACH + "discount_percent=50\nminimum=0.3\n", used("1"), "1", "0.3"),
    ("minimum without usage", EACH + "minimum=5\n", [], "0", "5"),
    ("minimum just reached", EACH + "minimum=1\n", used("1", "1"), "2", "1"),
    ("maximum", EACH + "maximum=1\n", used("1", "1", "1"), "3", "1"),
    ("discount before maximum", EACH + "discount_percent=50\nmaximum=1\n", used(*ONES), "9", "1"),
    (
        "no discount is needed to stay below",
        EACH + "discount_percent=50\nmaximum=1\n",
        used("1", "1"),
        "2",
        "0.5",
    ),
    ("all discounted", EACH + "discount_percent=100\n", used("1"), "1", "0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "records", "quantity", "exact"),
    [pytest.param(*example[1:], id=example[0]) for example in EXAMPLES],
)
def test_worked_example(toml: str, records: list[UsageRecord], quantity: str, exact: str) -> None:
    (line,) = rate(charge_of(toml), records)
    assert (line.quantity, line.exact) == (Fraction(quantity), Fraction(exact))
    if line.tiers:
        assert sum(tier.quantity for tier in line.tiers) == max(line.quantity - line.included, 0)
        parts = [*(tier.amount for tier in line.tiers), line.discount or 0, line.bound or 0]
        assert sum(parts) == line.exact


def test_a_volume_line_lists_all_tiers_and_fills_the_one_hit() -> None:
    (line,) = rate(charge_of(VOLUME), used(*ONES[:4]))
    shown = [(tier.up_to, tier.quantity, tier.flat, tier.amount) for tier in line.tiers]
    assert shown == [(3, 0, 0, 0), (None, 4, Fraction(1, 2), Fraction(9, 2))]


def test_a_package_line_says_how_many() -> None:
    (line,) = rate(charge_of(PACKAGE + "included=1\n"), counted(21_001))
    assert line.packages == 3
    assert [(tier.quantity, tier.unit_price) for tier in line.tiers] == [(Fraction("20.001"), 3)]


def test_a_flat_amount_is_owed_on_the_last_stretch() -> None:
    assert [line.exact for line in rate(charge_of(FLAT), [], owed=False)] == [0]


def test_prices_make_a_line_for_each_variant_used() -> None:
    toml = COUNT + 'model="per_unit"\nprices={US=0.1,DE=0.2,"*"=0.5}\n'
    names = ["US", None, "ZZ", "US"]
    records = [
        UsageRecord(f"r{n}", "m", None, "participant", name, 1) for n, name in enumerate(names)
    ]
    lines = rate(charge_of(toml), records)
    assert [(line.variant, line.quantity, line.exact) for line in lines] == [
        (None, 1, Fraction("0.5")),
        ("US", 2, Fraction("0.2")),
        ("ZZ", 1, Fraction("0.5")),
    ]
    assert rate(charge_of(toml), []) == []
    named = toml.replace(',"*"=0.5', "")
    assert [line.variant for line in rate(charge_of(named), records)] == ["US"]


def test_the_rest_is_what_no_charge_of_the_meter_and_measure_names() -> None:
    head = 'book="b"\ncurrency="EUR"\neffective_from=2026-01-01\n[[plan]]\ncode="p"\nname="P"\n'
    body = (
        '[[plan.charge]]\ncode="{}"\ndescription="C"\nmeter="m"\nmodel="per_unit"\nunit_price=1\n'
    )
    charges = [
        'measure="count"\nvariant="*"\n',
        'measure="count"\nvariant=["US","DE"]\n',
        'measure="peak"\nvariant="FR"\nalso=true\n',
    ]
    text_ = head + "".join(body.format(n) + charge for n, charge in enumerate(charges))
    plan = read_book(text_).plans["p"]
    taken = {
        name: [charge.code for charge in plan.takers("m", name)]
        for name in (None, "US", "DE", "FR", "GB")
    }
    # Another measure's name takes nothing out of the rest.
    assert taken == {None: ["0"], "US": ["1"], "DE": ["1"], "FR": ["0", "2"], "GB": ["0"]}
    assert plan.takers("other", None) == []


@pytest.mark.parametrize(
    ("value", "currency", "half_up", "half_even"),
    [
        ("0.005", "EUR", "0.01", "0.00"),
        ("0.015", "EUR", "0.02", "0.02"),
        ("0.025", "EUR", "0.03", "0.02"),
        ("0.0249999", "EUR", "0.02", "0.02"),
        ("0.0250001", "EUR", "0.03", "0.03"),
        ("-0.005", "EUR", "-0.01", "0.00"),
        ("-1.235", "EUR", "-1.24", "-1.24"),
        ("-1.245", "EUR", "-1.25", "-1.24"),
        ("0.5", "JPY", "1", "0"),
        ("1.5", "JPY", "2", "2"),
        ("0.0005", "KWD", "0.001", "0.000"),
    ],
)
def test_money_is_rounded_once_both_ways(
    value: str, currency: str, half_up: str, half_even: str
) -> None:
    assert money(Fraction(value), currency) == half_up
    assert money(Fraction(value), currency, half_even=True) == half_even


def test_a_quantity_is_exact_or_half_up_to_12_places() -> None:
    told = [Fraction(1, 3), Fraction(2, 3), Fraction(-2, 3), Fraction(5, 4), Fraction(0)]
    assert [text(value) for value in told] == [
        "0.333333333333", "0.666666666667", "-0.666666666667", "1.25", "0",
    ]  # fmt: skip
