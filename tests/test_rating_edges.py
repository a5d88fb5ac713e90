"""Rating where the oracle's draws seldom land: halves, edges of tiers and of 64 bits, nothing used.

Every document is held against the oracle by `tests.test_rating.hold`.
"""

import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from billing import rating
from edge import Settings
from tests.billed import MIDDLE_US, record
from tests.test_rating import (
    BOOK,
    CHARGE,
    COUNT,
    EACH,
    MOST,
    PERCENT,
    PLAN,
    SIZED,
    an_account,
    hold,
)

HOUR_US = 3600 * 10**6
OCTOBER_US = MIDDLE_US - 19 * 24 * HOUR_US


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, "clerk")


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
    book += PLAN.format("bare") + "commitment={amount=3}\n"
    accounts += an_account("less") + an_account("bare")
    found = hold(home, book, accounts, [])
    totals = {id: one["total"] for id, one in found.documents.items()}
    assert totals == {
        "none": "0.00",
        "least": "2.00",
        "most": "0.00",
        "less": "0.00",
        "bare": "3.00",
    }
    assert [line["code"] for line in found.documents["less"]["lines"]] == ["c"]


def test_what_continues_another_of_its_line_counts_once(home: Settings) -> None:
    book, accounts, records = BOOK.format("EUR"), "", []
    for number, measure in enumerate(("count", "unique")):
        book += PLAN.format(measure) + CHARGE.format("c") + COUNT.replace("count", measure)
        accounts += an_account(measure)
        first, itself, elsewhere = (uuid.UUID(int=10 * number + n) for n in (0, 2, 9))
        for n, continues in enumerate((None, first, itself, elsewhere)):
            records.append(record(10 * number + n, measure, continues=continues))
    found = hold(home, book, accounts, records)
    quantities = {id: one["lines"][0]["quantity"] for id, one in found.documents.items()}
    assert quantities == {"count": "2", "unique": "3"}


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
    (file,) = home.evidence.glob("*.parquet")
    column = pq.read_table(file)["chargeable"].to_pylist()  # of each record a list, by its lines
    told = [one for some in column for one in some or () if one is not None]
    assert sorted(map(int, told)) == sorted(sum(rounded, []) if scope == "record" else [])


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
