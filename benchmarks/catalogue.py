"""Who is billed in the benchmarks, and what for: the accounts' CSV and price books as TOML.

The records of these accounts are `usage_store`'s; both know the time zone of an account's number.
"""

from pathlib import Path
from typing import Final

_ZONES: Final = (
    *("Europe/Berlin", "America/New_York", "Asia/Kolkata"),
    *("America/Los_Angeles", "Asia/Tokyo"),
)
_PLANS: Final = ("basic", "business", "enterprise")
_HEAD: Final = "account_id,name,email,country,language,time_zone,currency,plan,since,quantity"
_ROW: Final = "acc-{0:06},Acme {0},a{0}@acme.example,DE,de,{1},EUR,{2},{3},{4}"

_BOOK: Final = 'book = "bench"\ncurrency = "EUR"\neffective_from = 2026-01-01\n'
_PLAN: Final = """
[[plan]]
code = "{0}"
name = "{0}"
[[plan.fee]]
code = "base"
description = "Base"
amount = 49.00
[[plan.fee]]
code = "seats"
description = "Seats"
amount = 3.00
per = "seat"
timing = "advance"
"""
_COMMITMENT: Final = "[plan.commitment]\namount = 500.00\n"

_ONE: Final = '[[plan.charge]]\ncode = "one"\ndescription = "One"\n'
_PEOPLE: Final = _ONE + 'meter = "participant"\n'
_MINUTES: Final = _PEOPLE + 'measure = "duration"\nunit = "minute"\n'
_ROUNDED: Final = 'rounding = {{ scope = "{}", mode = "up", quantum = 60 }}\n'.format
_BY_RECORD: Final = _MINUTES + _ROUNDED("record")
_PER_UNIT: Final = 'model = "per_unit"\nunit_price = 0.004\n'
_TIERS: Final = "tiers = [{ up_to = 100, unit_price = 0.004 }, { unit_price = 0.0025 }]\n"

# One charge alone, on the seven tenths of the records that are a participant's.
ALONE: Final = {
    "per_unit": _BY_RECORD + _PER_UNIT,
    "prices": _BY_RECORD
    + 'model = "per_unit"\nprices = { web = 0.004, room = 0.01, "*" = 0.005 }\n',
    "graduated": _BY_RECORD + 'model = "graduated"\n' + _TIERS,
    "volume": _BY_RECORD + 'model = "volume"\n' + _TIERS,
    "package": _BY_RECORD + 'model = "package"\npackage_size = 500\npackage_price = 1.20\n',
    "percentage": _PEOPLE + 'model = "percentage"\nrate_percent = 2.5\nfixed = 0.10\n',
    "flat": _ONE + 'model = "flat"\namount = 20.00\n',
    "scope participant": _MINUTES + _ROUNDED("participant") + _PER_UNIT,
    "scope period": _MINUTES + _ROUNDED("period") + _PER_UNIT,
    **{
        measure: _PEOPLE + f'measure = "{measure}"\nunit = "one"\n' + _PER_UNIT
        for measure in ("count", "quantity", "maximum", "unique", "peak")
    },
}


def accounts_csv(count: int) -> bytes:
    """Three plans, five zones, up to 41 seats; every twentieth changes its plan in October."""
    rows = [_HEAD]
    for number in range(count):
        zone = _ZONES[number % 5]
        plan, later = _PLANS[number % 3], _PLANS[(number + 1) % 3]
        seats = 1 + number % 40
        rows.append(_ROW.format(number, zone, plan, "2026-01-01", seats))
        if number % 20 == 0:
            day = f"2026-10-{2 + number // 20 % 29:02}"
            rows.append(_ROW.format(number, zone, later, day, seats + 1))
    return "\n".join(rows).encode()


def whole_book() -> bytes:
    """The nineteen charges of `charges.toml` in each plan."""
    return _book((Path(__file__).parent / "charges.toml").read_text("utf-8"))


def book_of_one(name: str) -> bytes:
    """A single charge in each plan, that of `ALONE[name]`."""
    return _book(ALONE[name])


def _book(charges: str) -> bytes:
    plans = (
        _PLAN.format(plan) + (_COMMITMENT if plan == "enterprise" else "") + charges
        for plan in _PLANS
    )
    return (_BOOK + "".join(plans)).encode()
