"""Rating at the limits of its whole numbers, and where the oracle's draws seldom land.

Models, measures and plans over time are held against the oracle by `test_rating_hypothesis` and
`test_oracle`, and are shown by the worked examples.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from billing import parse_price_book, rating
from billing.proration import Share
from billing.terms import Numbers, usage_numbers
from edge import Refused, Settings
from tests.billed import (
    MIDDLE_US,
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
HOUR_US = 3600 * 10**6
OCTOBER_US = MIDDLE_US - 19 * 24 * HOUR_US


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


def test_nearest_goes_up_at_the_exact_half(home: Settings) -> None:
    charge = (
        'meter="participant"\nmeasure="duration"\nunit="minute"\nmodel="per_unit"\nunit_price=1\n'
        'rounding={{scope="{}",mode="nearest",quantum=60}}\n'
    )
    book, accounts, records = BOOK.format("EUR"), "", []
    scopes = ("record", "participant", "period")
    halves = {"under": 29_999_999, "at": 30_000_000, "over": 89_999_999, "again": 90_000_000}
    for scope in scopes:
        for name, length in halves.items():
            id = f"{scope}-{name}"
            book += PLAN.format(id) + CHARGE.format("c") + charge.format(scope)
            accounts += an_account(id)
            # What is put together first may come in two.
            parts = [length] if scope == "record" else [length // 3, length - length // 3]
            for part in parts:
                records.append(record(len(records), id, length=part, participant_id="p"))
    found = hold(home, book, accounts, records)
    totals = {id: document["total"] for id, document in found.documents.items()}
    assert totals == {
        f"{scope}-{name}": total
        for scope in scopes
        for name, total in zip(halves, ("0.00", "1.00", "1.00", "2.00"), strict=True)
    }


@pytest.mark.parametrize(
    ("rounding", "totals"),
    [
        ("half_up", ["0.01", "0.02", "0.03", "0.02", "0.03"]),
        ("half_even", ["0.00", "0.02", "0.02", "0.02", "0.03"]),
    ],
)
def test_a_line_is_rounded_at_the_exact_half(
    home: Settings, rounding: str, totals: list[str]
) -> None:
    prices = ["0.005", "0.015", "0.025", "0.024999999999", "0.025000000001"]
    book, accounts = BOOK.format("EUR") + f'line_rounding="{rounding}"\n', ""
    records = []
    for number, price in enumerate(prices):
        id = f"a{number}"
        charge = COUNT.replace("unit_price=1", f"unit_price={price}")
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id)
        records.append(record(number, id))
    found = hold(home, book, accounts, records)
    assert [document["total"] for document in found.documents.values()] == totals


@pytest.mark.parametrize("bits", [1, 2])
def test_peaks_are_the_same_however_many_lines_are_swept_together(
    home: Settings, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a month has more than a million of them. A record counts where it is open, though
    it began before.
    """
    monkeypatch.setattr(rating, "_PART_BITS", bits)
    peak = 'meter="participant"\nmeasure="peak"\nmodel="per_unit"\nunit_price=1\n'
    book, accounts, records = BOOK.format("EUR"), "", []
    for number in range(5):
        id = f"a{number}"
        book += PLAN.format(id) + CHARGE.format("all") + peak
        book += CHARGE.format("near") + peak + 'variant="DE"\nalso=true\n'
        accounts += an_account(id)
        records += [
            record(10 * number + n, id, variant="DE" if n % 2 else None) for n in range(2 * number)
        ]
        records.append(record(100 + number, id, start=OCTOBER_US - HOUR_US, length=2 * HOUR_US))
    found = hold(home, book, accounts, records)
    quantities = [[line["quantity"] for line in one["lines"]] for one in found.documents.values()]
    assert quantities == [[str(max(2 * number, 1)), str(number)] for number in range(5)]


def test_of_a_percentage_nothing_used_comes_to_its_minimum_alone(home: Settings) -> None:
    charge = PERCENT + "rate_percent=1\nfixed=0.25\n"
    book, accounts = BOOK.format("EUR"), ""
    bounds = {"none": "", "least": "minimum=2\n", "most": "maximum=5\n"}
    for id, bound in bounds.items():
        book += PLAN.format(id) + CHARGE.format("c") + charge + bound
        accounts += an_account(id)
    # Nor is there a line of a commitment that comes to less than half a cent.
    book += PLAN.format("less") + "commitment={amount=0.004}\n" + CHARGE.format("c") + charge
    accounts += an_account("less")
    found = hold(home, book, accounts, [])
    totals = {id: one["total"] for id, one in found.documents.items()}
    assert totals == {"none": "0.00", "least": "2.00", "most": "0.00", "less": "0.00"}
    assert [line["code"] for line in found.documents["less"]["lines"]] == ["c"]


def test_of_a_maximum_the_largest_counts_whatever_is_rounded(home: Settings) -> None:
    largest = SIZED.replace("quantity", "maximum") + 'model="per_unit"\nunit_price=1\n'
    rounded = 'rounding={{scope="{}",mode="up",quantum=1000}}\n'
    book, accounts, records = BOOK.format("EUR"), "", []
    for scope in ("none", "period", "record", "participant"):
        how = "" if scope == "none" else rounded.format(scope)
        book += PLAN.format(scope) + CHARGE.format("c") + largest + how
        accounts += an_account(scope)
        for participant, quantity in (("p1", 700), ("p1", 2600), ("p2", 1500), ("p3", None)):
            told = {"participant_id": participant, "quantity": quantity}
            records.append(record(len(records), scope, **told))
    found = hold(home, book, accounts, records)
    quantities = {id: one["lines"][0]["quantity"] for id, one in found.documents.items()}
    assert quantities == {"none": "2600", "period": "3000", "record": "3000", "participant": "3000"}


@pytest.mark.parametrize("scope", ["record", "participant"])
def test_what_64_bits_do_not_hold_is_rounded_beside_what_they_hold(
    home: Settings, scope: str
) -> None:
    """`Numbers.cap64` of this charge is 2**61 - 1000: at it, beside it, and as much as there is."""
    charge = EACH + f'unit_price=0.01\nrounding={{scope="{scope}",mode="up",quantum=1000}}\n'
    cases = [[2**61 - 1000], [2**61 - 999], [MOST], [5, 2**61 - 1000, 2**61 - 999, MOST]]
    book, accounts, records = BOOK.format("EUR"), "", []
    for number, quantities in enumerate(cases):
        id = f"a{number}"
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id)
        records += [
            record(10 * number + n, id, quantity=quantity, meeting_id=f"m{n}", participant_id="p")
            for n, quantity in enumerate(quantities)
        ]
    found = hold(home, book, accounts, records)
    quantities = [document["lines"][0]["quantity"] for document in found.documents.values()]
    rounded = [[-(-one // 1000) * 1000 for one in quantities] for quantities in cases]
    assert quantities == [str(sum(ones)) for ones in rounded]


def test_all_of_a_volume_have_the_price_of_its_last_up_to_the_edge(home: Settings) -> None:
    charge = (
        'meter="participant"\nmeasure="duration"\nunit="minute"\nmodel="volume"\n'
        "tiers=[{up_to=3,unit_price=2,flat=5},{unit_price=1,flat=0.5}]\n"
    )
    book, accounts, records = BOOK.format("EUR"), "", []
    for number, length in enumerate((180_000_000, 180_000_001, 181_000_000)):
        id = f"a{number}"
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id)
        records.append(record(number, id, length=length))
    found = hold(home, book, accounts, records)
    lines = [document["lines"][0] for document in found.documents.values()]
    assert [line["amount"] for line in lines] == ["11.00", "3.50", "3.52"]
    inside = [[tier["quantity"] for tier in line["tiers"]] for line in lines]
    assert inside == [["3", "0"], ["0", "3.000000016667"], ["0", "3.016666666667"]]


def test_the_rest_is_what_no_charge_of_the_meter_and_measure_names(home: Settings) -> None:
    charges = {
        "rest": 'measure="count"\nvariant="*"\n',
        "near": 'measure="count"\nvariant=["US","DE"]\n',
        "peak": 'measure="peak"\nvariant="FR"\nalso=true\n',
    }
    tail = 'meter="participant"\nmodel="per_unit"\nunit_price=1\n'
    book = BOOK.format("EUR") + PLAN.format("a")
    book += "".join(CHARGE.format(code) + tail + keys for code, keys in charges.items())
    used = [None, "US", "DE", "FR", "FR", "GB"]
    records = [record(number, "a", variant=variant) for number, variant in enumerate(used)]
    lines = hold(home, book, an_account("a"), records).documents["a"]["lines"]
    # What a charge of another measure names is not taken out of the rest.
    assert {line["code"]: line["quantity"] for line in lines} == {
        "rest": "4", "near": "2", "peak": "2",
    }  # fmt: skip
