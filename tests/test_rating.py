"""Rating at the limits of its whole numbers.

Models, measures and plans over time are held against the oracle by `test_rating_hypothesis` and
`test_oracle`, and are shown by the worked examples.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from billing import parse_price_book
from billing.proration import Share
from billing.terms import Numbers, usage_numbers
from edge import Refused, Settings
from tests.billed import (
    Billed,
    State,
    alike,
    bill,
    fill_books,
    record,
    recount,
    store_usage,
)
from tests.homes import HEADER

BOOK = 'book="b"\ncurrency="{}"\neffective_from=2026-01-01\n'
PLAN = '[[plan]]\ncode="{0}"\nname="{0}"\n'
CHARGE = '[[plan.charge]]\ncode="{}"\ndescription="C"\n'
COUNT = 'meter="participant"\nmeasure="count"\nmodel="per_unit"\nunit_price=1\n'
MOST = 2**63 - 1


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, "clerk")


def an_account(id: str, currency: str = "EUR", since: str = "2026-01-01", seats: int = 1) -> str:
    """On the plan of its own name."""
    return f"{id},{id},{id}@a.example,DE,en,UTC,{currency},{id},{since},,{seats}\n"


def hold(home: Settings, book: str, accounts: str, records: list[State]) -> Billed:
    """Bills October, and holds every document against the oracle. Usage may be beyond it: what an
    account then has is no document and a fault.
    """
    fill_books(home, [book], HEADER + accounts, old=True)
    store_usage(home, records)
    found = bill(home)
    wanted = recount([book], HEADER + accounts, records)
    assert {one.code for one in found.faults} <= {"LINE_TOO_LARGE"}
    assert {one.place for one in found.faults} | found.documents.keys() == wanted.keys()
    assert not {one.place for one in found.faults} & found.documents.keys()
    for account, document in found.documents.items():
        assert alike(document["lines"], wanted[account]), (account, book)
    return found


def is_refused(charge: str, currency: str = "EUR") -> bool:
    """Whether loading a book with this charge says that it can never be billed exactly."""
    try:
        parse_price_book(BOOK.format(currency) + PLAN.format("p") + CHARGE.format("c") + charge)
    except Refused as refused:
        (fault,) = refused.faults
        assert (fault.code, fault.place) == ("CHARGE_TOO_LARGE", "plan[p].charge[c]")
        return True
    return False


def widest(rng: random.Random, digits: int, places: int) -> str:
    """A number above zero with as many digits as a book may have, or fewer."""
    whole = rng.choice([0, 1, 10**digits - 1, rng.randrange(10**digits)])
    part = rng.choice([0, 1, 5 * 10**places // 10, 10**places - 1]) if places else 0
    return f"{whole or (0 if part else 1)}.{part:0{places or 1}}"


def a_charge(rng: random.Random) -> str:
    """As a book may have it; half of them with numbers as wide as they can be."""
    places = rng.choice([0, 2, 6, 12, 12, 12])
    model = rng.choice(["per_unit", "graduated", "volume", "package", "percentage"])
    measure = rng.choice(["quantity", "quantity", "maximum", "duration", "count", "peak"])
    measure = "quantity" if model == "percentage" else measure
    lines = ['meter="participant"', f'measure="{measure}"', f'model="{model}"']
    lines += [*_measuring(rng, measure, places), *_pricing(rng, model, places)]
    if rng.random() < 0.5:
        lines.append(f"included={widest(rng, 15, places)}")
        lines.append(f'included_per="{rng.choice(["plan", "seat"])}"')
    if rng.random() < 0.4:
        lines.append(f"discount_percent={rng.choice(['0.000000000001', '99.999999999999', '50'])}")
    if bound := rng.choice([None, None, "minimum", "maximum"]):
        lines.append(f"{bound}={widest(rng, 9, places)}")
    return "\n".join(lines) + "\n"


def _measuring(rng: random.Random, measure: str, places: int) -> Iterator[str]:
    if measure in ("count", "peak"):
        return
    if measure == "duration":
        yield f'unit="{rng.choice(["second", "hour"])}"'
        quantum, least = rng.choice(["1", "86400"]), rng.choice(["0", "1", "90000"])
    else:
        size = rng.choice([1, 10**9, 10**17, rng.randrange(1, 10**17)])
        yield f'unit="GB"\nunit_size={size}'
        quantum, least = widest(rng, 15, places), widest(rng, 15, places)
    if rng.random() < 0.5:
        scope, mode = rng.choice(["record", "participant", "period"]), rng.choice(["up", "nearest"])
        yield f'rounding={{scope="{scope}",mode="{mode}",quantum={quantum},minimum={least}}}'


def _pricing(rng: random.Random, model: str, places: int) -> Iterator[str]:
    match model:
        case "per_unit":
            yield f"unit_price={widest(rng, 9, places)}"
        case "package":
            yield f"package_size={rng.choice(['0.000000000001', '1.0', '9' * 15])}"
            yield f"package_price={widest(rng, 9, places)}"
            yield f'package_rounding="{rng.choice(["up", "down"])}"'
        case "percentage":
            yield f"rate_percent={rng.choice(['1000', '999.999999999999', '0.000000000001'])}"
            yield f"fixed={widest(rng, 9, places)}"
        case _:
            price = "unit_price={},flat={}"
            edges = ["0.000000000001", "1", "9" * 15 + ".999999999999"][: rng.randrange(4)]
            starts = [*(f"up_to={edge}," for edge in edges), ""]
            tiers = [
                start + price.format(widest(rng, 9, places), widest(rng, 9, places))
                for start in starts
            ]
            yield f"flat_at_zero={rng.choice(['true', 'false'])}"
            yield f"tiers=[{','.join(f'{{{tier}}}' for tier in tiers)}]"


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_what_is_not_too_large_is_exact(home: Settings, currency: str, rng: random.Random) -> None:
    """Records as large as they can be, under charges with digits as many as they may have: an
    account is billed as the oracle does it, or it alone is left out.
    """
    book, accounts, records = BOOK.format(currency), "", []
    refused, unused = set(), set()
    for number in range(100):
        id = f"a{number}"
        book += PLAN.format(id)
        if rng.random() < 0.3:
            book += f"commitment={{amount={widest(rng, 9, 12)}}}\n"
        charge = a_charge(rng)
        book += CHARGE.format("c") + charge
        refused |= {id} if is_refused(charge, currency) else set()
        since = rng.choice(["2026-01-01", "2026-10-15"])
        seats = rng.choice([1, 3, 10**6])
        accounts += an_account(id, currency, since, seats)
        count = rng.randrange(4)
        unused |= {id} if count == 0 and seats == 1 else set()
        for _ in range(count):
            told = {
                "quantity": rng.choice([None, 0, 1, 10**12, 2**62, MOST]),
                "length": rng.choice([0, 1, 60_000_001, 48 * 3600 * 10**6]),
                "participant_id": rng.choice([None, "p"]),
            }
            records.append(record(len(records) + 1, id, **told))
    found = hold(home, book, accounts, records)
    assert min(len(found.documents), len(found.faults)) > 10
    # Who used nothing has a line that is too large only where loading the charge is refused.
    assert {one.place for one in found.faults} & unused <= refused
    assert refused & {one.place for one in found.faults}


FULL = "999999999.999999999999"
SIZED = 'meter="participant"\nmeasure="quantity"\nunit="GB"\n'
EACH = SIZED + 'model="per_unit"\n'
PERCENT = SIZED.replace("GB", "cent") + 'model="percentage"\n'
TOO_LARGE = {
    "a record": (EACH + f"unit_price={FULL}\n", [MOST]),
    "the terms alone, nothing used": (
        EACH + f"unit_size={10**17}\nunit_price={FULL}\ndiscount_percent={FULL[-15:]}\n",
        [],
    ),
    "the terms alone, whatever is owed": (
        EACH + f"unit_size={10**17}\nunit_price=1\ndiscount_percent={FULL[-15:]}\nminimum={FULL}\n",
        [0],
    ),
    "a quantum": (
        EACH
        + f"unit_size={10**17}\nunit_price=1\n"
        + f'rounding={{scope="record",mode="up",quantum={FULL}}}\n',
        [1],
    ),
    "a flat at zero": (
        SIZED + f'unit_size={10**17}\nmodel="graduated"\nflat_at_zero=true\n'
        f"tiers=[{{unit_price={FULL},flat={FULL}}}]\ndiscount_percent={FULL[-15:]}\n",
        [],
    ),
    "what each record costs": (
        PERCENT + f"rate_percent=0\nfixed={FULL}\nunit_size={10**8}\ndiscount_percent=0.0001\n",
        [1] * 20,
    ),
}
NOT_TOO_LARGE = {
    "bytes": (
        EACH
        + "unit_size=1_000_000_000\nunit_price=0.012345\ndiscount_percent=12.5\nminimum=99.99\n",
        [MOST],
        "99629711.82",
    ),
    "a price": (EACH + "unit_price=999_999_999\n", [MOST], "9223372027631403770145224193.00"),
    "beyond a commitment of all digits": (
        EACH + f"unit_price=999_999_999\n[plan.commitment]\namount={FULL}\n",
        [MOST],
        "9223372027631403770145224193.00",
    ),
    "beyond a commitment of small fractions": (
        EACH + "unit_price=999_999_999\n[plan.commitment]\namount=0.000000000001\n",
        [MOST],
        "9223372027631403770145224193.00",
    ),
}


def test_a_line_too_large_leaves_its_account_out_and_no_other(home: Settings) -> None:
    book, accounts, records = BOOK.format("EUR"), "", []
    billed = [(charge, quantities) for charge, quantities, _ in NOT_TOO_LARGE.values()]
    for number, (charge, quantities) in enumerate([*TOO_LARGE.values(), *billed]):
        id = f"a{number}"
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id, since="2026-10-15")
        records += [record(100 * number + n, id, quantity=q) for n, q in enumerate(quantities)]
    found = hold(home, book, accounts, records)
    faults = {one.place: one.message.partition(": ")[0] for one in found.faults}
    assert faults == {
        f"a{number}": "c is beyond what can be billed exactly" for number in range(len(TOO_LARGE))
    }
    totals = [document["total"] for document in found.documents.values()]
    assert totals == [total for _, _, total in NOT_TOO_LARGE.values()]


def test_a_line_is_too_large_just_beyond_its_limits(home: Settings) -> None:
    charges = (EACH + f"unit_price={FULL}\n", TOO_LARGE["what each record costs"][0])
    by_price, by_count = map(limits, charges)
    cases = {
        "most": (charges[0], [by_price.most]),
        "over": (charges[0], [by_price.most, 1]),
        "count": (charges[1], [1] * by_count.most_records),
        "many": (charges[1], [1] * (by_count.most_records + 1)),
    }
    book, accounts, records = BOOK.format("EUR"), "", []
    for id, (charge, quantities) in cases.items():
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id)
        records += [record(len(records) + n, id, quantity=q) for n, q in enumerate(quantities)]
    assert {one.place for one in hold(home, book, accounts, records).faults} == {"over", "many"}


def limits(charge: str) -> Numbers:
    """Of a whole month of a charge that includes nothing."""
    book = parse_price_book(BOOK.format("EUR") + PLAN.format("p") + CHARGE.format("c") + charge)
    return usage_numbers(book.plans[0].charges[0], None, Fraction(0), Share(31, 31), "EUR")


def test_what_can_never_be_billed_is_refused_when_it_is_loaded() -> None:
    charges = {name: charge for name, (charge, _) in TOO_LARGE.items()}
    by_usage = {"a record", "what each record costs"}
    assert {name for name, charge in charges.items() if not is_refused(charge)} == by_usage
    loaded = [charge for charge, _, _ in NOT_TOO_LARGE.values()]
    assert not any(map(is_refused, loaded))
    # Small enough for a whole month, but not for a part of one.
    part = f"unit_size={10**9}\nunit_price=1e-12\nminimum=900000000\ndiscount_percent=0.001\n"
    assert is_refused(EACH + part)
    assert not is_refused(EACH + part + "prorate=false\n")
