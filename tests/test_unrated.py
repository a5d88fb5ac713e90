"""Which records are of a month, and why nothing rates some of them, to the microsecond."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing import Month, open_books
from billing.books import load_catalogue
from billing.layout import lay_out
from billing.queries import SQL
from billing.rating import month_usage, reach
from edge import Settings
from tests.billed import bill, fill_books, record, store_usage
from tests.homes import HEADER
from tests.test_rated_lines import DAY_US, NOVEMBER_US, OCTOBER_US
from tests.test_rating import BOOK, CHARGE, COUNT, PLAN, an_account


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, "clerk")


def test_what_may_belong_to_periods_began_at_most_two_days_before_them() -> None:
    september, october = (Month(2026, month).period("UTC") for month in (9, 10))
    assert reach([october, september]) == (september.start_us - 2 * DAY_US, october.end_us)
    assert reach([]) == (0, 0)


def unrated() -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Records of October and beside it: the account, the record, and why nothing rates it; none
    for what is rated or free.
    """
    yield "p", {"variant": "DE"}, None
    yield "p", {"variant": "FR"}, "no_price"
    yield "p", {"meter": "recording", "variant": "DE"}, "no_charge"
    yield "p", {"meter": "recording"}, "no_charge"
    yield "p", {"meter": "chat"}, None
    yield "p", {"meter": "chat", "variant": "DE"}, None
    for start in (OCTOBER_US, NOVEMBER_US - 1):
        yield "nobody", {"start": start}, "no_account"
        yield "east", {"start": start - 14 * 3600 * 10**6, "variant": "DE"}, None
        yield "east", {"start": start - 14 * 3600 * 10**6}, "no_price"
    begun_us = OCTOBER_US + 9 * DAY_US
    yield "late", {"start": begun_us - 1, "variant": "DE"}, "no_subscription"
    yield "late", {"start": begun_us, "variant": "DE"}, None
    yield "late", {"start": begun_us + DAY_US, "variant": "DE"}, "no_charge"
    yield "late", {"start": begun_us + DAY_US - 1, "variant": "DE"}, None
    yield "unpriced", {"variant": "DE"}, "no_price"


def test_what_nothing_rates_is_told_with_why_to_the_microsecond(home: Settings) -> None:
    book = BOOK.format("EUR") + PLAN.format("p") + 'free=["chat"]\n' + CHARGE.format("c") + COUNT
    book += 'variant="DE"\n' + CHARGE.format("d") + COUNT.replace("participant", "dial_in")
    book += PLAN.format("q")
    accounts = an_account("p") + an_account("late", since="2026-10-10").replace(",late,2", ",p,2")
    accounts += an_account("late", since="2026-10-11").replace(",late,2", ",q,2")
    accounts += an_account("east").replace("UTC", "Pacific/Kiritimati").replace(",east,2", ",p,2")
    # Where the month ends last: what began up to then is looked at for all.
    accounts += an_account("west").replace("UTC", "Pacific/Pago_Pago").replace(",west,2", ",p,2")
    accounts += an_account("unpriced").replace(",unpriced,2", ",nowhere,2")
    fill_books(home, [book], HEADER + accounts)
    told = list(unrated())
    records = [record(number, id, **one) for number, (id, one, _) in enumerate(told)]
    for id, shift_us in (("nobody", 0), ("east", 14 * 3600 * 10**6)):
        for start in (OCTOBER_US - 1, NOVEMBER_US):  # of other months
            records.append(record(len(records), id, start=start - shift_us, variant="DE"))
    # In conflict: both are of October, or one of them.
    for start in (OCTOBER_US, NOVEMBER_US - 1):
        number = len(records)
        for at in (start, OCTOBER_US - 1 if start == OCTOBER_US else NOVEMBER_US):
            records.append(record(number, "p", start=at, variant="DE"))
    store_usage(home, records)
    with open_books(home) as books:
        layout = lay_out(books, load_catalogue(books), Month(2026, 10))
        with month_usage(books, home, layout):
            unbilled = books.records(SQL["unbilled"], {"account": None})
            usage = books.records(SQL["usage"], {"account": None})
    wanted: dict[tuple[str, str, str | None, str], int] = {
        ("p", "participant", "DE", "conflict"): 2
    }
    for id, one, reason in told:
        if reason:
            kind = (id, one.get("meter", "participant"), one.get("variant"), reason)
            wanted[kind] = wanted.get(kind, 0) + 1
    names = ("account_id", "meter", "variant", "reason")
    assert {tuple(one[name] for name in names): one["records"] for one in unbilled} == wanted
    assert sum(one["records"] for one in usage) == len(told) + 2
    (conflict,) = [one for one in bill(home).faults if one.code == "USAGE_CONFLICT"]
    assert (conflict.place, conflict.message.split(" in ")[0]) == ("p", "2 records")
