"""Price books: what a good one becomes. What is wrong with one: `test_pricebook_faults.py`."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from billing import Charge, Plan, Rounding, Tier, parse_price_book
from billing.pricebook import (
    Commitment,
    Fee,
    Flat,
    Package,
    Percentage,
    PerUnit,
    PerVariant,
    Pricing,
    Tiered,
)
from billing.toml_source import find_lines
from tests.book_cases import HEAD

GOOD = """\
book = "standard-2026"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "business"
name = "Business"
free = ["whiteboard"]
[[plan.fee]]
code = "base"
description = "Business plan"
amount = 49.00
interval = "month"
timing = "advance"
per = "seat"
[[plan.charge]]
code = "participant_minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
unit_size = 1
rounding = { scope = "record", quantum = 60, mode = "up", minimum = 60 }
included = 1000
model = "graduated"
tiers = [ { up_to = 10000, unit_price = 0.004 }, { unit_price = 0.003, flat = 1 } ]
[[plan.charge]]
code = "storage"
description = "Recordings kept"
meter = "recording"
measure = "quantity"
unit = "GB"
unit_size = 1_000_000_000
model = "per_unit"
unit_price = 0.1
[[plan]]
code = "free"
name = "Free"
"""

ZERO, ONE = Decimal(0), Decimal(1)


def test_a_good_book() -> None:
    book = parse_price_book(GOOD)
    assert (book.book, book.currency, book.effective_from, book.line_rounding) == (
        "standard-2026",
        "EUR",
        date(2026, 1, 1),
        "half_up",
    )
    assert book.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    business = book.plan("business")
    assert business is not None and business.free == ("whiteboard",)
    fee = Fee("base", "Business plan", Decimal("49.00"), "advance", "seat", True)
    assert business.fees == (fee,)
    assert business.commitment is None
    minutes, storage = business.charges
    assert minutes.rounding == Rounding("record", "up", Decimal(60), Decimal(60))
    assert minutes.pricing == Tiered(
        "graduated",
        (
            Tier(Decimal(10000), Decimal("0.004"), ZERO),
            Tier(None, Decimal("0.003"), ONE),
        ),
        flat_at_zero=False,
    )
    assert (minutes.included, minutes.included_per, minutes.variants) == (1000, "plan", ())
    assert (minutes.also, minutes.prorate, minutes.discount_percent) == (False, True, 0)
    assert (minutes.minimum, minutes.maximum) == (None, None)
    assert (storage.unit_size, storage.pricing) == (1_000_000_000, PerUnit(Decimal("0.1")))
    assert book.plan("none") is None


def charge_of(says: str) -> Charge:
    (charge,) = plan_of(f'[[plan.charge]]\ncode = "c"\ndescription = "C"\n{says}').charges
    return charge


def plan_of(says: str) -> Plan:
    (plan,) = parse_price_book(HEAD + says).plans
    return plan


COUNT = 'meter = "m"\nmeasure = "count"\n'
TIERS = (Tier(Decimal("0.5"), ONE, Decimal(2)), Tier(None, ZERO, ZERO))


@pytest.mark.parametrize(
    ("says", "model", "pricing"),
    [
        ('model = "per_unit"\nunit_price = 1', "per_unit", PerUnit(ONE)),
        (
            'model = "per_unit"\nprices = { US = 1, "*" = 0 }',
            "per_unit",
            PerVariant((("US", ONE), ("*", ZERO))),
        ),
        (
            'model = "volume"\nflat_at_zero = true\n[[plan.charge.tiers]]\nup_to = 0.5\n'
            "unit_price = 1\nflat = 2\n[[plan.charge.tiers]]\nunit_price = 0",
            "volume",
            Tiered("volume", TIERS, flat_at_zero=True),
        ),
        (
            'model = "package"\npackage_size = 0.5\npackage_price = 1',
            "package",
            Package(Decimal("0.5"), ONE, "up"),
        ),
        (
            'model = "package"\npackage_size = 1\npackage_price = 0\npackage_rounding = "down"',
            "package",
            Package(ONE, ZERO, "down"),
        ),
        ('model = "flat"\namount = 1', "flat", Flat(ONE)),
    ],
)
def test_each_model(says: str, model: str, pricing: Pricing) -> None:
    charge = charge_of(COUNT + says)
    assert (charge.model, charge.pricing) == (model, pricing)


def test_what_a_model_leaves_out() -> None:
    flat = charge_of('model = "flat"\namount = 1')
    assert (flat.meter, flat.measure, flat.unit, flat.variants) == (None, None, "month", ())
    share = charge_of('model = "percentage"\nmeter = "m"\nrate_percent = 2.9\nfixed = 0.25')
    assert share.pricing == Percentage(Decimal("2.9"), Decimal("0.25"))
    assert (share.measure, share.unit, share.unit_size) == ("quantity", "minor unit", 1)


@pytest.mark.parametrize(
    ("measure", "unit"), [("count", "record"), ("unique", "participant"), ("peak", "participant")]
)
def test_what_is_counted_needs_no_unit(measure: str, unit: str) -> None:
    charge = charge_of(f'meter = "m"\nmeasure = "{measure}"\nmodel = "per_unit"\nunit_price = 1')
    assert (charge.measure, charge.unit, charge.unit_size) == (measure, unit, 1)


@pytest.mark.parametrize(
    ("says", "variants", "variant"),
    [
        ("", (), None),
        ('variant = "US"', ("US",), "US"),
        ('variant = ["US", "DE"]', ("US", "DE"), None),
        ('variant = "*"', ("*",), None),
        ('variant = ["US", "*"]', ("US", "*"), None),
    ],
)
def test_variants(says: str, variants: tuple[str, ...], variant: str | None) -> None:
    charge = charge_of(COUNT + f'model = "per_unit"\nunit_price = 1\n{says}')
    assert (charge.variants, charge.variant) == (variants, variant)


def test_prices_say_which_variants_are_taken() -> None:
    charge = charge_of(COUNT + 'model = "per_unit"\nprices = { US = 1, DE = 2 }')
    assert charge.variants == ("US", "DE")


def test_bounds_commitment_and_what_is_not_prorated() -> None:
    plan = plan_of(
        '[plan.commitment]\namount = 500.00\n[[plan.charge]]\ncode = "c"\ndescription = "C"\n'
        f'{COUNT}model = "per_unit"\nunit_price = -0.0\ndiscount_percent = 12.5\nminimum = 1\n'
        'maximum = 1\nprorate = false\nincluded = 5\nincluded_per = "seat"\nalso = true\n'
    )
    assert plan.commitment == Commitment(Decimal("500.00"), "Minimum commitment")
    (charge,) = plan.charges
    assert (charge.discount_percent, charge.minimum, charge.maximum) == (Decimal("12.5"), 1, 1)
    assert (charge.prorate, charge.included_per, charge.also) == (False, "seat", True)
    assert str(charge.pricing) == "PerUnit(unit_price=Decimal('0'))"


def test_prices_keep_their_digits() -> None:
    book = parse_price_book(GOOD.replace("0.003", "123456789.123456789012"))
    pricing = book.plans[0].charges[0].pricing
    assert isinstance(pricing, Tiered)
    assert str(pricing.tiers[1].unit_price) == "123456789.123456789012"


def test_the_line_of_every_key_however_it_is_written() -> None:
    text = """\
a = [  # [[plan]]
  "x", { b = 1,
  c.d = '''
e = 1
''', "q k" = [[1], [
  2]] } ]
[[t]]
k = "a # = [ b\\""
[[t]]  # second
k = 2026-01-01 10:00:00
[t.u]
v = { w = 1 }
"""
    assert find_lines(text) == {
        ("a",): 1,
        ("a", 0): 2,
        ("a", 1): 2,
        ("a", 1, "b"): 2,
        ("a", 1, "c", "d"): 3,
        ("a", 1, "q k"): 5,
        ("a", 1, "q k", 0): 5,
        ("a", 1, "q k", 0, 0): 5,
        ("a", 1, "q k", 1): 5,
        ("a", 1, "q k", 1, 0): 6,
        ("t", 0): 7,
        ("t", 0, "k"): 8,
        ("t", 1): 9,
        ("t", 1, "k"): 10,
        ("t", 1, "u"): 11,
        ("t", 1, "u", "v"): 12,
        ("t", 1, "u", "v", "w"): 12,
    }
