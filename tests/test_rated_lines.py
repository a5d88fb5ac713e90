"""What a line has of its records: which they are, how many, and what of them is too large.

Every document is held against the oracle by `tests.test_rating.hold`; what the oracle does not
tell is written out here.
"""

import uuid
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from billing import Closing, Month, list_invoices, open_books, run_invoices
from edge import Settings
from tests.billed import CLOSED_AT_US, MIDDLE_US, record, tell_late
from tests.test_rating import (
    BOOK,
    CHARGE,
    COUNT,
    EACH,
    FULL,
    MOST,
    PERCENT,
    PLAN,
    SIZED,
    an_account,
    hold,
    limits,
)

DAY_US = 24 * 3600 * 10**6
OCTOBER_US = MIDDLE_US - 19 * DAY_US
NOVEMBER_US = OCTOBER_US + 31 * DAY_US
PEAK = COUNT.replace("count", "peak")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, "clerk")


def records_of_lines(home: Settings) -> dict[str, list[tuple[int, int]]]:
    """By account, of each line how many records it has, and how many continue no other."""
    found: dict[str, list[tuple[int, int]]] = {}
    with open_books(home) as books:
        for account, *counts in books.rows(
            "SELECT account_id, records, own FROM invoice_lines AS lines "
            "INNER JOIN invoices ON lines.invoice = invoices.id ORDER BY account_id, line"
        ):
            found.setdefault(account, []).append(tuple(counts))
    return found


def close_november(home: Settings) -> dict[str, Any]:
    """Its only document."""
    november = Month(2026, 11)
    with open_books(home) as books:
        run_invoices(books, home, november, None, Closing(CLOSED_AT_US + 30 * DAY_US, "clerk"))
        (document,) = list_invoices(books, november)
    return document


def test_a_line_counts_its_records_however_they_are_put_together(home: Settings) -> None:
    fixed = PERCENT + "rate_percent=0\nfixed=0.25\n"
    rounded = 'rounding={{scope="{}",mode="up",quantum=1}}\n'
    charges = {scope: fixed + rounded.format(scope) for scope in ("period", "record")}
    charges |= {"participant": fixed + rounded.format("participant"), "peak": PEAK}
    charges |= {"count": COUNT, "unique": COUNT.replace("count", "unique"), "unused": fixed}
    book, accounts, records = BOOK.format("EUR"), "", []
    for number, (id, charge) in enumerate(charges.items()):
        book += PLAN.format(id) + CHARGE.format("c") + charge
        accounts += an_account(id)
        one, two, *rest = (10 * number + n for n in range(5))
        used: list[tuple[int, dict[str, Any]]] = [
            (one, {"participant_id": "p1"}),
            (two, {"participant_id": "p1", "continues": uuid.UUID(int=one)}),
            (rest[0], {"participant_id": "p2", "variant": "DE"}),
            (rest[1], {"variant": "DE", "continues": uuid.UUID(int=rest[0])}),
            (rest[2], {}),
        ]
        records += [record(n, id, **told) for n, told in used if id != "unused"]
    found = hold(home, book, accounts, records)
    whole = dict.fromkeys(charges, (5, 3))
    assert records_of_lines(home) == {
        id: [counts] for id, counts in {**whole, "peak": (5, 5), "unused": (0, 0)}.items()
    }
    totals = {id: one["total"] for id, one in found.documents.items()}
    assert {totals[id] for id in ("period", "record", "participant")} == {"0.75"}
    assert (totals["count"], totals["unique"], totals["peak"]) == ("3.00", "3.00", "5.00")


def test_a_record_is_of_the_stretch_it_began_in_to_the_microsecond(home: Settings) -> None:
    change_us = OCTOBER_US + 14 * DAY_US
    book, accounts = BOOK.format("EUR"), ""
    for plan, since in (("a", "2026-01-01"), ("b", "2026-10-15")):
        book += PLAN.format(plan) + CHARGE.format("count") + COUNT
        book += CHARGE.format("peak") + PEAK + "also=true\n"
        accounts += an_account("a").replace(",a,2026-01-01,", f",{plan},{since},")
    used = [
        *((OCTOBER_US - 1, 1), (OCTOBER_US - 1, 2), (OCTOBER_US, 0)),
        *((change_us - 1, 1), (change_us, 0), (change_us + 5, 3)),
        *((NOVEMBER_US - 1, 9), (NOVEMBER_US, 9)),
    ]
    records = [
        record(number, "a", start=start, length=length)
        for number, (start, length) in enumerate(used)
    ]
    lines = hold(home, book, accounts, records).documents["a"]["lines"]
    assert [(one["code"], one["quantity"]) for one in lines] == [
        ("count", "2"), ("peak", "1"), ("count", "3"), ("peak", "1"),
    ]  # fmt: skip
    # What was never open, or only before, is no record of a peak.
    assert records_of_lines(home)["a"] == [(2, 2), (2, 2), (3, 3), (2, 2)]


def test_a_record_is_too_large_just_beyond_its_cap(home: Settings) -> None:
    """Whatever it is put together with, smaller or later."""
    finest = 'unit_price=0.01\nrounding={{scope="{}",mode="up",quantum=0.000000000001}}\n'
    cap = limits(EACH + finest.format("record")).cap
    assert cap == (2**85 - 1) // 10**12
    cases = {
        "at": [("p1", None, cap), ("p1", "DE", 1)],
        "over": [("p1", None, cap + 1)],
        "first": [("p1", None, cap + 1), ("p1", None, 1)],
        "later": [("p1", None, 1), ("p2", "DE", cap + 1)],
    }
    book, accounts, records = BOOK.format("EUR"), "", []
    for scope in ("period", "record", "participant"):
        for measure in ("quantity", "maximum"):
            for case, used in cases.items():
                id = f"{scope}-{measure}-{case}"
                charge = EACH.replace("quantity", measure) + finest.format(scope)
                book += PLAN.format(id) + CHARGE.format("c") + charge
                accounts += an_account(id)
                for participant, variant, quantity in used:
                    told = {"variant": variant, "quantity": quantity}
                    number = len(records)
                    records.append(record(number, id, participant_id=participant, **told))
    # What is only counted has whatever quantity.
    book += PLAN.format("count") + CHARGE.format("c") + COUNT + "included=0.000000000001\n"
    accounts += an_account("count")
    records.append(record(len(records), "count", quantity=MOST))
    found = hold(home, book, accounts, records)
    assert sorted(found.documents) == sorted(
        ["count", *(line for line in found.documents if line.endswith("-at"))]
    )
    assert len(found.faults) == 3 * 2 * 3


def test_what_is_too_large_is_told_in_the_order_of_accounts_and_lines(home: Settings) -> None:
    book, accounts, records = BOOK.format("EUR") + PLAN.format("p"), "", []
    for code in ("z", "y"):
        book += CHARGE.format(code) + EACH + f"unit_price={FULL}\nalso=true\n"
    for number, id in enumerate(("b", "a")):
        accounts += an_account(id).replace(f",{id},2026", ",p,2026")
        records.append(record(number, id, quantity=MOST))
    faults = hold(home, book, accounts, records).faults
    assert [(one.place, one.message[0]) for one in faults] == [
        ("a", "z"), ("a", "y"), ("b", "z"), ("b", "y"),
    ]  # fmt: skip


def test_the_minimum_is_owed_once_in_any_width_and_by_nothing_that_continues(
    home: Settings,
) -> None:
    minutes = (
        'meter="participant"\nmeasure="duration"\nunit="minute"\nmodel="per_unit"\nunit_price=1\n'
        'rounding={{scope="{}",mode="up",quantum=60,minimum=120}}\n'
    )
    wide = (
        "unit_price=1\nunit_size=1_000_000\n"
        'rounding={{scope="{}",mode="up",quantum=1,minimum=999999999999999}}\n'
    )
    book, accounts, records = BOOK.format("EUR"), "", []
    for scope in ("record", "participant", "period"):
        for name, charge in (("minutes", minutes), ("wide", EACH + wide)):
            id = f"{scope}-{name}"
            book += PLAN.format(id) + CHARGE.format("c") + charge.format(scope)
            accounts += an_account(id)
            number = len(records)
            for told in ({}, {"continues": uuid.UUID(int=number)}):
                told |= {"quantity": 5, "length": 10 * 10**6, "participant_id": "p"}
                records.append(record(len(records), id, **told))
    found = hold(home, book, accounts, records)
    quantities = {id: one["lines"][0]["quantity"] for id, one in found.documents.items()}
    assert quantities == {
        "record-minutes": "3", "participant-minutes": "2", "period-minutes": "2",
        "record-wide": f"{10**15}", "participant-wide": "9" * 15, "period-wide": "9" * 15,
    }  # fmt: skip


def test_of_a_maximum_the_largest_counts_in_any_width(home: Settings) -> None:
    charge = EACH.replace("quantity", "maximum") + "unit_price=0.01\n"
    book, accounts, records = BOOK.format("EUR"), "", []
    for scope in ("record", "participant"):
        book += PLAN.format(scope) + CHARGE.format("c") + charge
        book += f'rounding={{scope="{scope}",mode="up",quantum=1000}}\n'
        accounts += an_account(scope)
        for n, quantity in enumerate((5, 2**61 - 999, MOST)):
            records.append(record(len(records), scope, quantity=quantity, meeting_id=f"m{n}"))
    found = hold(home, book, accounts, records)
    quantities = [one["lines"][0]["quantity"] for one in found.documents.values()]
    assert quantities == [f"{-(-MOST // 1000) * 1000}"] * 2


def test_a_package_is_begun_by_the_first_unit_beyond_the_last(home: Settings) -> None:
    book, accounts, records = BOOK.format("EUR"), "", []
    packages = {}
    for rounding, counts in {"up": [0, 1, 1, 2], "down": [0, 0, 1, 1]}.items():
        charge = (
            f'model="package"\npackage_size=10\npackage_price=1\npackage_rounding="{rounding}"\n'
        )
        for quantity, count in zip((0, 1, 10, 11), counts, strict=True):
            id = f"{rounding}-{quantity}"
            book += PLAN.format(id) + CHARGE.format("c") + SIZED + charge
            accounts += an_account(id)
            records.append(record(len(records), id, quantity=quantity))
            packages[id] = str(count)
    found = hold(home, book, accounts, records)
    assert {id: one["lines"][0]["packages"] for id, one in found.documents.items()} == packages


def test_the_flat_of_a_first_tier_is_owed_of_nothing_where_the_book_says_so(
    home: Settings,
) -> None:
    book, accounts, records = BOOK.format("EUR"), "", []
    wanted = {}
    for model, four in (("graduated", "12.50"), ("volume", "4.50")):
        for at_zero, nothing in (("true", "5.00"), ("false", "0.00")):
            for count, total in ((0, nothing), (1, "7.00"), (4, four)):
                id = f"{model}-{at_zero}-{count}"
                charge = COUNT.replace("per_unit", model).replace("unit_price=1\n", "")
                book += PLAN.format(id) + CHARGE.format("c") + charge
                book += "tiers=[{up_to=3,unit_price=2,flat=5},{unit_price=1,flat=0.5}]\n"
                book += f"flat_at_zero={at_zero}\n"
                accounts += an_account(id)
                records += [record(len(records) + n, id) for n in range(count)]
                wanted[id] = total
    found = hold(home, book, accounts, records)
    assert {id: one["total"] for id, one in found.documents.items()} == wanted


def test_what_is_included_may_be_part_of_one_whatever_is_counted(home: Settings) -> None:
    book, accounts, records = BOOK.format("EUR"), "", []
    for measure in ("count", "unique", "peak"):
        charge = COUNT.replace("count", measure) + "included=0.5\n"
        book += PLAN.format(measure) + CHARGE.format("c") + charge
        accounts += an_account(measure)
        records += [record(len(records) + n, measure) for n in range(3)]
    found = hold(home, book, accounts, records)
    assert {one["total"] for one in found.documents.values()} == {"2.50"}


def test_lines_by_variant_are_those_used_in_order_of_variant(home: Settings) -> None:
    charge = COUNT.replace("unit_price=1", 'prices={"DE"=2,"*"=1}')
    book = BOOK.format("EUR") + PLAN.format("p") + CHARGE.format("c") + charge
    book += CHARGE.format("d") + COUNT + 'also=true\nvariant="DE"\n'
    used = {"a": ["US", "DE", None, "FR", "US"], "b": ["FR"], "none": []}
    accounts, records = "", []
    for id, variants in used.items():
        accounts += an_account(id).replace(f",{id},2026", ",p,2026")
        records += [record(len(records) + n, id, variant=one) for n, one in enumerate(variants)]
    documents = hold(home, book, accounts, records).documents
    shown = {
        id: [(line["code"], line["variant"], line["amount"]) for line in one["lines"]]
        for id, one in documents.items()
    }
    assert shown == {
        "a": [
            ("c", None, "1.00"), ("c", "DE", "2.00"), ("c", "FR", "1.00"), ("c", "US", "2.00"),
            ("d", "DE", "1.00"),
        ],
        "b": [("c", "FR", "1.00"), ("d", "DE", "0.00")],
        "none": [("d", "DE", "0.00")],
    }  # fmt: skip
    (file,) = home.evidence.glob("*.parquet")
    told = pq.read_table(file).to_pylist()
    mine = [one for one in told if one["account_id"] == "a"]
    assert {one["variant"]: one["lines"] for one in mine} == {
        "US": [4], "DE": [2, 5], None: [1], "FR": [3],
    }  # fmt: skip


def test_a_commitment_is_compared_with_what_lines_come_to_exactly(home: Settings) -> None:
    """Half a cent that is missing is owed as one."""
    cases = {"0.015": ["0.02", "0.01", None], "0.014": ["0.01", None, None], "0.01": ["0.01", None]}
    book, accounts, records = BOOK.format("EUR"), "", []
    wanted = {}
    for amount, owed in cases.items():
        for count, told in enumerate(owed):
            id = f"c{amount}-{count}"
            book += PLAN.format(id) + f"commitment={{amount={amount}}}\n"
            book += CHARGE.format("c") + COUNT.replace("unit_price=1", "unit_price=0.01")
            accounts += an_account(id)
            records += [record(len(records) + n, id) for n in range(count)]
            wanted[id] = [] if told is None else [told]
    found = hold(home, book, accounts, records)
    assert {
        id: [line["amount"] for line in one["lines"] if line["kind"] == "commitment"]
        for id, one in found.documents.items()
    } == wanted


def test_each_way_of_rounding_of_each_scope(home: Settings) -> None:
    wanted = {"up": (7, 6, 5), "nearest": (4, 4, 5), "down": (3, 4, 4), "none": (4.5, 4.5, 4.5)}
    charge = (
        'meter="participant"\nmeasure="duration"\nunit="minute"\nmodel="per_unit"\nunit_price=1\n'
        'rounding={{scope="{}",mode="{}",quantum=60}}\n'
    )
    book, accounts, records = BOOK.format("EUR"), "", []
    quantities = {}
    for mode, counts in wanted.items():
        for scope, count in zip(("record", "participant", "period"), counts, strict=True):
            id = f"{mode}-{scope}"
            book += PLAN.format(id) + CHARGE.format("c") + charge.format(scope, mode)
            accounts += an_account(id)
            quantities[id] = f"{count}"
            for n, length in enumerate((1, 59_999_999, 60_000_000, 60_000_001, 89_999_999)):
                told = {"length": length, "participant_id": f"p{n // 2}"}
                told |= {"variant": "DE" if n % 2 else None}
                records.append(record(len(records), id, **told))
    # Two halves are a whole number: 3 and 1 of a participant are two steps.
    halves = 'unit_price=1\nrounding={scope="participant",mode="up",quantum=2.5}\n'
    book += PLAN.format("halves") + CHARGE.format("c") + EACH + halves
    accounts += an_account("halves")
    for quantity in (3, 1):
        records.append(record(len(records), "halves", quantity=quantity, participant_id="p"))
    quantities["halves"] = "5"
    found = hold(home, book, accounts, records)
    assert {id: one["lines"][0]["quantity"] for id, one in found.documents.items()} == quantities


def test_a_flat_amount_is_owed_in_the_last_stretch_and_a_minimum_in_each(home: Settings) -> None:
    book, accounts = BOOK.format("EUR"), ""
    for plan, since in (("a", "2026-01-01"), ("b", "2026-10-15")):
        charge = COUNT.replace("per_unit", "flat").replace("unit_price=1", "amount=5\nminimum=7")
        book += PLAN.format(plan) + CHARGE.format("c") + charge
        book += CHARGE.format("d") + COUNT + "also=true\nminimum=31\n"
        accounts += an_account("a").replace(",a,2026-01-01,", f",{plan},{since},")
    lines = hold(home, book, accounts, []).documents["a"]["lines"]
    assert [line["amount"] for line in lines] == ["0.00", "14.00", "5.00", "17.00"]


def test_nothing_is_rounded_to_nothing_where_64_bits_hold_nothing_else(home: Settings) -> None:
    """`Numbers.cap64` of this charge is zero."""
    charge = (
        'unit_price=1\nrounding={scope="record",mode="up",'
        "quantum=1152921.504606846976,minimum=2305843.009213693951}\n"
    )
    book = BOOK.format("EUR") + PLAN.format("a") + CHARGE.format("c") + EACH + charge
    hold(home, book, an_account("a"), [record(1, "a", quantity=0)])
    (file,) = home.evidence.glob("*.parquet")
    assert pq.read_table(file)["chargeable"].to_pylist() == [["0"]]
    tell_late(home, [record(2, "a", quantity=1)])
    close_november(home)
    (file,) = (one for one in home.evidence.glob("*.parquet") if one != file)
    assert pq.read_table(file)["chargeable"].to_pylist() == [["0"], [f"{2**61 - 1}"]]


def test_a_commitment_is_compared_with_all_lines_of_its_own_stretch(home: Settings) -> None:
    book = BOOK.format("EUR")
    for plan in ("p", "q"):
        book += PLAN.format(plan) + "commitment={amount=31}\n" + CHARGE.format("c") + COUNT
        book += CHARGE.format("d") + COUNT + 'also=true\nvariant="DE"\n'
    accounts = "".join(an_account(id).replace(f",{id},2", ",p,2") for id in ("a", "b"))
    accounts += an_account("a", since="2026-10-15").replace(",a,2", ",q,2")
    told = [(OCTOBER_US, "DE"), (OCTOBER_US, None), (NOVEMBER_US - 1, None)]
    records = [
        record(number, "a", start=start, variant=variant)
        for number, (start, variant) in enumerate(told)
    ]
    documents = hold(home, book, accounts, records).documents
    assert {id: [line["amount"] for line in one["lines"]] for id, one in documents.items()} == {
        "a": ["2.00", "1.00", "11.00", "1.00", "0.00", "16.00"],
        "b": ["0.00", "0.00", "31.00"],
    }


def test_an_adjustment_follows_the_lines_of_the_month_where_there_is_no_fee(
    home: Settings,
) -> None:
    book = BOOK.format("EUR") + PLAN.format("a") + CHARGE.format("c") + COUNT
    hold(home, book, an_account("a"), [record(1, "a")])
    tell_late(home, [record(2, "a")])
    lines = close_november(home)["lines"]
    assert [(line["id"], line["kind"], line["amount"]) for line in lines] == [
        ("2026-11.a.0001", "usage", "0.00"), ("2026-11.a.0002", "adjustment", "1.00"),
    ]  # fmt: skip
