"""The whole numbers a line is rated with, by hand: scales, limits, and what nothing used costs."""

import hashlib
from dataclasses import replace
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from billing import parse_price_book
from billing.pricebook import Charge
from billing.proration import Share
from billing.terms import Numbers, Terms, usage_numbers
from tests.test_rating import BOOK, CHARGE, COUNT, EACH, PERCENT, PLAN, SIZED, is_refused

WHOLE = Share(31, 31)
FLAT = 'model="flat"\namount={}\n'
TIERS = COUNT.replace("per_unit", "graduated").replace("unit_price=1\n", "") + "tiers=[{}]\n"
TIME = 'meter="participant"\nmeasure="duration"\nunit="{}"\nmodel="per_unit"\nunit_price=1\n'
PACKAGE = SIZED + 'model="package"\npackage_size={}\npackage_price={}\n'
RECORDS = 2**40
# Of a charge that counts, at a price of 1 in EUR; others are told by what is other about them.
PLAIN = Numbers(
    grains=1,
    quantum=1,
    minimum=0,
    unit=1,
    included=0,
    tiers=((0, None, 1, 0),),
    scale=1,
    price=0,
    package=0,
    fixed=0,
    keep=1,
    keep_of=1,
    floor=None,
    ceiling=None,
    minor=100,
    cap=2**63 - 1,
    most=2**127 // 400 // 2,
    most_records=RECORDS,
)


def charge_of(toml: str, currency: str = "EUR") -> Charge:
    text = BOOK.format(currency) + PLAN.format("p") + CHARGE.format("c") + toml
    return parse_price_book(text, stored=True).plans[0].charges[0]


def numbers_of(
    toml: str, currency: str = "EUR", variant: str | None = None, share: Share = WHOLE
) -> Numbers:
    charge = charge_of(toml, currency)
    return usage_numbers(charge, variant, Fraction(charge.included), share, currency)


def by_unit(microseconds: int) -> dict[str, Any]:
    return {"unit": microseconds, "quantum": 10**6}


def room(owed: int = 0, minor: int = 100, keep_of: int = 1) -> int:
    """Of a sum over `below`, for what is used or for how many records: half of what is left."""
    return (2**127 // (4 * minor * keep_of) - owed) // 2


SCALES = {
    "counted": (COUNT, {}),
    "of no price": (
        COUNT.replace("=1\n", "=0\n"), {"tiers": ((0, None, 0, 0),)},
    ),
    "seconds": (TIME.format("second"), by_unit(10**6)),
    "minutes": (TIME.format("minute"), by_unit(60 * 10**6)),
    "hours": (TIME.format("hour"), by_unit(3600 * 10**6)),
    "rounded": (
        SIZED + 'model="per_unit"\nunit_price=1\nunit_size=7\nincluded=0.2\n'
        'rounding={scope="record",mode="up",quantum=1.5,minimum=0.3}\n',
        # 10.5, 2.1 and 1.4 of the meter's own units are whole numbers of tenths
        {"grains": 10, "quantum": 105, "minimum": 21, "unit": 70, "included": 14},
    ),
    "not rounded, but for a minimum": (
        TIME.format("minute") + 'rounding={scope="record",mode="none",minimum=90}\n',
        {**by_unit(60 * 10**6), "minimum": 90 * 10**6},
    ),
    "rounded whatever the sum": (
        TIME.format("minute") + 'rounding={scope="period",mode="down",quantum=60}\n',
        {"unit": 60 * 10**6, "quantum": 60 * 10**6},
    ),
    "tiers": (
        SIZED.replace("GB", "GB\"\nunit_size=1000\nmodel=\"volume") + "tiers=[{up_to=0.0005,"
        "unit_price=0.25,flat=0.5},{up_to=2,unit_price=3},{up_to=5,unit_price=2},{unit_price=1}]\n",
        {"grains": 2, "quantum": 2000, "unit": 2000, "scale": 4}
        | {"tiers": ((0, 1, 1, 2), (1, 4000, 12, 0), (4000, 10000, 8, 0), (10000, None, 4, 0))}
        | {"most": room(2 * 2000) // (1 + 12 + 8 + 4)},
    ),
    "a package": (
        PACKAGE.format("0.5", "2.675") + "unit_size=7\n",
        # 107 of 40ths for each half of a unit of 14 grains: three packages are 1.5 units
        {"grains": 2, "quantum": 14, "unit": 14, "package": 7, "scale": 40}
        | {"tiers": ((0, None, 107, 0),)}
        | {"most": room(14 * 107) // (107 * 3)},
    ),
    "a percentage": (
        PERCENT + "rate_percent=2.9\nfixed=0.25\nunit_size=10\n",
        # 29 ten-thousandths of a unit, which is ten cents; a quarter for each record
        {"quantum": 10, "unit": 10, "scale": 10**4, "tiers": (), "price": 29, "fixed": 25000}
        | {"most": room(25000) // 29},
    ),
    "a flat amount": (
        FLAT.format("9.99"), {"scale": 100, "tiers": (), "fixed": 999},
    ),
    "a discount": (
        COUNT + "discount_percent=12.5\n", {"keep": 7, "keep_of": 8},
    ),
    "bounds": (
        COUNT + "minimum=0.5\nmaximum=0.75\ndiscount_percent=12.5\n",
        {"scale": 4, "tiers": ((0, None, 4, 0),), "keep": 7, "keep_of": 8}
        | {"floor": 2 * 8, "ceiling": 3 * 8},
    ),
    "a record that costs much": (
        PERCENT + "rate_percent=0\nfixed=999999999\nunit_size=100000000000000000\n",
        {"quantum": 10**17, "unit": 10**17, "tiers": (), "fixed": 999999999 * 10**17}
        | {"most_records": room(999999999 * 10**17) // (999999999 * 10**17)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SCALES)
def test_scales_are_as_small_as_they_can_be(what: str) -> None:
    toml, other = SCALES[what]
    wanted = replace(PLAIN, **other)
    if "most" not in other:
        half = room(wanted.fixed, keep_of=wanted.keep_of)
        price = wanted.price + sum(one[2] for one in wanted.tiers)
        wanted = replace(wanted, most=half // (price or 1))
    found = numbers_of(toml)
    assert found == wanted
    assert found.below == wanted.unit * wanted.scale * wanted.keep_of


def test_of_part_of_a_month_bounds_are_a_part() -> None:
    found = numbers_of(COUNT + "minimum=5\nmaximum=20\n", share=Share(17, 31))
    assert (found.scale, found.below, found.floor, found.ceiling) == (31, 31, 5 * 17, 20 * 17)


def test_the_smallest_units_are_the_currencys() -> None:
    minors = {"JPY": 1, "EUR": 100, "KWD": 1000}
    found = {currency: numbers_of(COUNT, currency) for currency in minors}
    assert {currency: one.minor for currency, one in found.items()} == minors
    assert {currency: one.most for currency, one in found.items()} == {
        currency: room(minor=minor) for currency, minor in minors.items()
    }
    rate = "rate_percent=50\n"
    assert {currency: numbers_of(PERCENT + rate, currency).scale for currency in minors} == {
        currency: 2 * minor for currency, minor in minors.items()
    }


def test_a_variant_has_its_own_price_and_others_that_of_the_rest() -> None:
    charge = COUNT.replace("unit_price=1", 'prices={"DE"=0.5,"*"=0.02}')
    found = {variant: numbers_of(charge, variant=variant) for variant in ("DE", "*", None)}
    assert {one.tiers[0][3] for one in found.values()} == {0}
    assert {variant: Fraction(one.tiers[0][2], one.scale) for variant, one in found.items()} == {
        "DE": Fraction(1, 2), "*": Fraction(1, 50), None: Fraction(1, 50),
    }  # fmt: skip


NARROW = {
    # Twice the value with twice the quantum and the minimum is below 2^62.
    (1, "1000", "0"): 2**61 - 1000,
    (1, "0.3", "0.7"): (2**62 - 2 * 3 - 7) // 20,
    (2**31, f"{2**30}", "0"): -1,
    (1, "1152921.504606846976", "2305843.009213693951"): 0,
    (1, "1152921.504606846976", "2305843.009213693953"): -1,
}


@pytest.mark.parametrize("number", range(len(NARROW)))
def test_up_to_which_value_64_bits_are_enough(number: int) -> None:
    (size, quantum, minimum), cap = list(NARROW.items())[number]
    rounding = f'{{scope="record",mode="up",quantum={quantum},minimum={minimum}}}'
    found = numbers_of(EACH + f"unit_price=1\nunit_size={size}\nrounding={rounding}\n")
    assert found.cap64 == cap < found.cap
    steps = found.quantum + found.minimum
    assert found.cap == min((2**85 - steps) // found.grains, 2**63 - 1)


FINE = ".000000000001"
# What makes each a size, and the largest size of its unit at which it is below its limit. Where it
# has to be prime to ten, so that no digit after the point is lost, so is the next.
SIZES = {
    "a quantum": (
        'unit_price=1\nrounding={scope="record",mode="up",quantum=1' + "0" * 14 + "}\n",
        *("JPY", (2**85 - 1) // 10**14, 1),
    ),
    "a minimum": (
        'unit_price=1\nrounding={scope="record",mode="up",quantum=1,minimum=1' + "0" * 14 + "}\n",
        *("JPY", (2**85 - 1) // 10**14, 1),
    ),
    "a denominator": (
        f"unit_price=0{FINE}\ndiscount_percent=0.000001\n", "JPY", (2**125 - 1) // 10**20, 1,
    ),
    "an allowance": (
        f"unit_price=0\nincluded=1{'0' * 14}{FINE}\nprorate=false\n",
        *("JPY", 2**125 // (10**26 + 1), 10),
    ),
    "a package": (
        f"model\npackage_price=0\npackage_size=1{'0' * 14}{FINE}\n",
        *("JPY", 2**125 // (10**26 + 1), 10),
    ),
    "the edge of a tier": (
        f"model\ntiers=[{{up_to=1{'0' * 14}{FINE},unit_price=0}},{{unit_price=0}}]\n",
        *("JPY", 2**127 // (10**26 + 1), 10),
    ),
    "a least amount": (
        f"unit_price=0\nminimum=100000000{FINE}\nprorate=false\n",
        *("EUR", 2**125 // 100 // (10**20 + 1), 1),
    ),
    "a most amount": (
        f"unit_price=0\nmaximum=100000000{FINE}\nprorate=false\n",
        *("JPY", 2**125 // (10**20 + 1), 1),
    ),
    "the flats of tiers": (
        f"model\ntiers=[{{up_to=1,unit_price=0,flat=100000000{FINE}}},{{unit_price=0,flat=1}}]\n"
        "discount_percent=50\n",
        *("EUR", 2**125 // 200 // (10**20 + 1 + 10**12), 1),
    ),
    "a package that was begun": (
        f"model\npackage_size=1\npackage_price=100000000{FINE}\n",
        *("EUR", 2**125 // 100 // (10**20 + 1), 1),
    ),
    "what a record costs": (
        f"model\nrate_percent=0\nfixed=100000000{FINE}\n",
        *("EUR", 2**125 // 100 // (10**20 + 1), 1),
    ),
}  # fmt: skip
MODELS = {"package_size": "package", "tiers": "graduated", "rate_percent": "percentage"}


@pytest.mark.parametrize("what", SIZES)
def test_a_charge_is_too_large_just_beyond_what_its_numbers_can_be(what: str) -> None:
    toml, currency, largest, step = SIZES[what]
    model = next((name for key, name in MODELS.items() if key in toml), "per_unit")
    charge = SIZED + f'model="{model}"\n' + toml.replace("model\n", "")
    largest -= (largest - 1) % 10 if step == 10 else 0
    assert not is_refused(charge + f"unit_size={largest}\n", currency)
    assert is_refused(charge + f"unit_size={largest + step}\n", currency)


def test_a_quantum_is_too_large_at_its_very_limit() -> None:
    quantum = f'unit_price=1\nrounding={{scope="record",mode="up",quantum={2**49}}}\n'
    assert is_refused(EACH + quantum + f"unit_size={2**36}\n")
    assert not is_refused(EACH + quantum + f"unit_size={2**36 - 1}\n")


def test_of_terms_too_large_for_any_line_no_number_is_kept() -> None:
    tier = "unit_price=999999999,flat=999999999"
    charge = SIZED + f'unit_size={10**17}\nmodel="graduated"\ndiscount_percent=0.000000000001\n'
    found = numbers_of(charge + f"tiers=[{{up_to=1,{tier}}},{{{tier}}}]\n")
    assert found == replace(
        PLAIN, tiers=((0, None, 0, 0),) * 2, package=1, minor=1, cap=-1, most=-1, most_records=-1,
    )  # fmt: skip
    assert found.cap64 == -1


ZERO = "flat_at_zero=true\n"
# What a charge comes to where nothing was used is something, but for what is not owed.
UNUSED = {
    "a price": (COUNT, False),
    "what each record costs": (PERCENT + "rate_percent=1\nfixed=1\n", False),
    "a flat amount": (FLAT.format("0.01"), True),
    "a flat amount of nothing": (FLAT.format("0"), False),
    "less than half a cent": (FLAT.format("0.004"), False),
    "half a cent": (FLAT.format("0.005"), True),
    "a flat amount given away": (FLAT.format("5") + "discount_percent=100\n", False),
    "a flat amount given away in part": (FLAT.format("5") + "discount_percent=99.9\n", True),
    "the first flat": (TIERS.format("{unit_price=1,flat=0.5}") + ZERO, True),
    "the first flat, of many grains": (
        SIZED + 'unit_size=1_000_000\nmodel="volume"\ntiers=[{unit_price=1,flat=0.5}]\n' + ZERO,
        True,
    ),
    "the first flat, of usage alone": (TIERS.format("{unit_price=1,flat=0.5}"), False),
    "another flat": (TIERS.format("{up_to=7,unit_price=1},{unit_price=1,flat=5}") + ZERO, False),
    "a least amount": (COUNT + "minimum=5\n", True),
    "more than the least": (FLAT.format("5") + "minimum=0\n", True),
    "a most of nothing": (FLAT.format("5") + "maximum=0\n", False),
    "less than the most": (FLAT.format("5") + "maximum=7\n", True),
    "numbers that leave room for nothing": (
        COUNT.replace("=1\n", "=999999999.999999999999\n") + "discount_percent=0.000000000001\n",
        False,
    ),
    "numbers that are too large": (
        EACH + f"unit_size={10**17}\nunit_price=1.000000000001\ndiscount_percent=0.000000000001\n",
        True,
    ),
}


@pytest.mark.parametrize("what", UNUSED)
def test_what_comes_to_something_where_nothing_was_used(what: str) -> None:
    toml, costs = UNUSED[what]
    charge, numbers = charge_of(toml, "KWD"), numbers_of(toml, "KWD")
    if "room" in what:
        assert numbers.most == 0
    if "cent" in what:  # of a currency that has them
        charge, numbers = charge_of(toml), numbers_of(toml)
    assert Terms({}, charge, numbers=numbers).costs_unused == costs
    assert not Terms({}, charge, "DE", numbers).costs_unused  # only what was used has lines


def test_what_is_owed_once_and_halves_to_the_even_of_nothing_used() -> None:
    flat, zero, half = FLAT.format("5"), TIERS.format("{unit_price=1,flat=5}") + ZERO, "0.005"
    told = {toml: (charge_of(toml), numbers_of(toml)) for toml in (flat, zero, FLAT.format(half))}
    owed = {
        toml: Terms({}, charge, numbers=numbers, owed=False).costs_unused
        for toml, (charge, numbers) in told.items()
    }
    assert owed == {flat: False, zero: True, FLAT.format(half): False}
    charge, numbers = told[FLAT.format(half)]
    assert not Terms({}, charge, numbers=numbers, even=True).costs_unused


def test_a_line_that_is_not_usage_comes_to_something_unless_it_is_nothing() -> None:
    assert Terms({}, amount=1).costs_unused
    assert not Terms({}, amount=0).costs_unused
    assert Terms({}, amount=0, charged=0).costs_unused  # an adjustment is a line of its own
    assert Terms({}, commitment=Fraction(1, 10**6)).costs_unused
    assert not Terms({}, commitment=Fraction(0)).costs_unused


CONTENT = {
    **{"kind": "fee", "book": "b", "plan": "p", "code": "Gebühr", "advance": False},
    "period": [10, 20],
}


def test_terms_are_known_by_what_is_frozen_of_them() -> None:
    terms = Terms(CONTENT)
    text = (
        '{"advance": false, "book": "b", "code": "Gebühr", "kind": "fee", "period": [10, 20], '
        '"plan": "p"}'
    )
    assert terms.text == text
    assert terms.id == UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
    assert (terms.kind, Terms(CONTENT, charged=0).kind) == ("fee", "adjustment")


def test_terms_of_one_thing_have_one_key() -> None:
    key = Terms(CONTENT).key
    assert key == Terms({**CONTENT, "period": [10, 15], "quantity": "3"}).key
    others = [{"period": [11, 20]}, {"kind": "usage"}, {"book": "c"}, {"plan": "q"}, {"code": "f"}]
    assert all(key != Terms({**CONTENT, **other}).key for other in others)
    advance = {**CONTENT, "advance": True}
    assert Terms(advance).key == Terms({**advance, "period": [15, 20]}).key != key
