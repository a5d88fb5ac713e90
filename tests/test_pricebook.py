"""Price books: a good one becomes dataclasses, a bad one lists every fault with its place."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from billing import PriceBook, Rounding, Tier, parse_price_book
from edge import Fault, Refused

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
timing = "arrears"
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


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refusal:
        parse_price_book(text)
    assert refusal.value.code == "PRICE_BOOK_INVALID"
    assert refusal.value.faults
    return refusal.value.faults


def places_of(text: str) -> list[tuple[str, str]]:
    return [(fault.code, fault.place) for fault in faults_of(text)]


def test_a_good_book() -> None:
    book = parse_price_book(GOOD)
    assert (book.book, book.currency, book.effective_from) == (
        "standard-2026",
        "EUR",
        date(2026, 1, 1),
    )
    assert book.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    business = book.plan("business")
    assert business is not None and business.free == ("whiteboard",)
    assert (business.fees[0].amount, business.fees[0].per) == (Decimal("49.00"), "seat")
    minutes, storage = business.charges
    assert minutes.rounding == Rounding("record", "up", Decimal(60), Decimal(60))
    assert minutes.tiers == (
        Tier(Decimal(10000), Decimal("0.004"), Decimal(0)),
        Tier(None, Decimal("0.003"), Decimal(1)),
    )
    assert (minutes.included, minutes.variant) == (Decimal(1000), None)
    assert storage.unit_size == 1_000_000_000
    assert storage.tiers == (Tier(None, Decimal("0.1"), Decimal(0)),)
    assert book.plan("none") is None


MINUTES = "plan[business].charge[participant_minutes]"
STORAGE = "plan[business].charge[storage]"


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("up_to = 10000", "up_to = 0", "TIERS_ORDER", f"{MINUTES}.tiers[0].up_to"),
        ("up_to = 10000, ", "", "TIERS_OPEN", f"{MINUTES}.tiers[0].up_to"),
        ("flat = 1 }", "up_to = 5 }", "TIERS_OPEN", f"{MINUTES}.tiers[1].up_to"),
        ("flat = 1 }", "flatt = 1 }", "UNKNOWN_KEY", f"{MINUTES}.tiers[1].flatt"),
        ("0.004", "-0.004", "NUMBER_NEGATIVE", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "nan", "NUMBER_NOT_FINITE", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "-inf", "NUMBER_NOT_FINITE", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "1e9", "NUMBER_TOO_LONG", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "1e999999", "NUMBER_TOO_LONG", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "0.0000000000001", "NUMBER_TOO_LONG", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", '"0.004"', "WRONG_TYPE", f"{MINUTES}.tiers[0].unit_price"),
        ("0.004", "true", "WRONG_TYPE", f"{MINUTES}.tiers[0].unit_price"),
        ("49.00", "1_000_000_000", "NUMBER_TOO_LONG", "plan[business].fee[base].amount"),
        ('"arrears"', '"advance"', "TIMING_NOT_AVAILABLE", "plan[business].fee[base].timing"),
        ('"month"', '"year"', "BAD_VALUE", "plan[business].fee[base].interval"),
        ('"graduated"', '"volume"', "MODEL_NOT_AVAILABLE", f"{MINUTES}.model"),
        ('"graduated"', '"gradated"', "BAD_VALUE", f"{MINUTES}.model"),
        ('"duration"', '"peak"', "MEASURE_NOT_AVAILABLE", f"{MINUTES}.measure"),
        ('"duration"', '"count"', "KEYS_CONFLICT", f"{MINUTES}.rounding"),
        ('"minute"', '"minutes"', "BAD_VALUE", f"{MINUTES}.unit"),
        ("unit_size = 1\n", "unit_size = 60\n", "KEYS_CONFLICT", f"{MINUTES}.unit_size"),
        ("quantum = 60", "quantum = 0", "BAD_VALUE", f"{MINUTES}.rounding.quantum"),
        ("quantum = 60", "quantum = 0.5", "BAD_VALUE", f"{MINUTES}.rounding.quantum"),
        ("quantum = 60, ", "", "KEY_MISSING", f"{MINUTES}.rounding.quantum"),
        ('"EUR"', '"EURO"', "BAD_VALUE", "currency"),
        ("2026-01-01", '"2026-01-01"', "WRONG_TYPE", "effective_from"),
        ("2026-01-01", "2026-01-01T00:00:00Z", "WRONG_TYPE", "effective_from"),
        ('code = "free"', 'code = "business"', "DUPLICATE", "plan[business].code"),
        ('["whiteboard"]', '["recording"]', "KEYS_CONFLICT", f"{STORAGE}.meter"),
        ('"per_unit"', '"per_unit"\ntiers = []', "KEYS_CONFLICT", f"{STORAGE}.tiers"),
        ('code = "free"', "", "KEY_MISSING", "plan[1].code"),
    ],
)  # fmt: skip
def test_one_fault(old: str, new: str, code: str, place: str) -> None:
    assert old in GOOD
    assert (code, place) in places_of(GOOD.replace(old, new))


def test_every_fault_is_listed_with_its_line() -> None:
    text = GOOD.replace('book = "standard-2026"', "").replace("49.00", "-1").replace("name", "nam")
    faults = [str(fault) for fault in faults_of(text)]
    assert faults == [
        "KEY_MISSING: book: is missing",
        "UNKNOWN_KEY: plan[business].nam: unknown key; did you mean name? (line 6)",
        "KEY_MISSING: plan[business].name: is missing (line 4)",
        "NUMBER_NEGATIVE: plan[business].fee[base].amount: must not be negative (line 11)",
        "UNKNOWN_KEY: plan[free].nam: unknown key; did you mean name? (line 37)",
        "KEY_MISSING: plan[free].name: is missing (line 35)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "book = ",
        b"\xff",
        "plan = 1",
        "plan = [1]",
        "plan = [{fee = 1, charge = [2], code = [1]}]",
        "[[plan]]\ncode = [1]\nfree = 1\n[[plan.charge]]\ncode = {}\nmeasure = []\nmodel = {}",
        "[[plan]]\n[[plan.charge]]\nmeasure = {}\nmeter = []\nrounding = {}\nunit_size = 2",
        'plan = [{code = "a"}, {code = []}]',
        "a = " + "9" * 5000,
        "a = 1e" + "9" * 40,
        "a = " + "[" * 5000,
    ],
)  # fmt: skip
def test_no_input_is_a_crash(text: str | bytes) -> None:
    faults_of(text)


def test_prices_keep_their_digits() -> None:
    book: PriceBook = parse_price_book(GOOD.replace("0.003", "123456789.123456789012"))
    tier = book.plans[0].charges[0].tiers[1]
    assert str(tier.unit_price) == "123456789.123456789012"


def test_a_second_fee_or_charge_of_a_code_is_found_where_the_first_is_faulty() -> None:
    text = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
[[plan.fee]]
code = "f"
description = "F"
amount = -1
interval = "month"
[[plan.fee]]
code = "f"
description = "F"
amount = 1
interval = "month"
"""
    with pytest.raises(Refused) as refused:
        parse_price_book(text)
    assert [fault.code for fault in refused.value.faults] == ["NUMBER_NEGATIVE", "DUPLICATE"]
