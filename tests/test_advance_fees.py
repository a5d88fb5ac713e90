"""Fees in advance over several months: charged once, settled once, whatever becomes known later."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing import Closing, Month, list_invoices, load_price_book, open_books, run_invoices
from billing.books import import_accounts
from billing.described import described
from edge import Settings
from tests.billed import store_usage
from tests.homes import HEADER
from tests.oracle_calendar import EPOCH
from warehouse import Store

OCTOBER, NOVEMBER, DECEMBER = (Month(2026, number) for number in (10, 11, 12))
JANUARY, FEBRUARY = Month(2027, 1), Month(2027, 2)
NOW_US = (datetime(2027, 6, 1, tzinfo=UTC) - EPOCH).days * 86_400 * 1_000_000
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "bare"
name = "Bare"
[[plan]]
code = "p"
name = "P"
[[plan.fee]]
code = "base"
description = "Base"
amount = 49
interval = "month"
timing = "advance"
per = "plan"
"""
Closed = tuple[list[str], list[tuple[str, str, str]]]


class Clerk:
    """Who closes months of two accounts, a and b, and tells what became of a's."""

    def __init__(self, books: Store, home: Settings) -> None:
        self._books, self._home = books, home

    def know(self, *rows: str, account: str = "a") -> None:
        told = (f"{account},A,a@a.example,DE,en,UTC,EUR,{row},1\n" for row in rows)
        import_accounts(self._books, (HEADER + "".join(told)).encode())

    def price(self, amount: int, since: str) -> None:
        text = BOOK.replace("amount = 49", f"amount = {amount}").replace("2026-01-01", since)
        load_price_book(self._books, text.encode())

    def run(self, month: Month, account: str | None = None, close: bool = True) -> Closed:
        """The codes of the faults, and the lines: kind, month they are for, amount."""
        closing = Closing(NOW_US, "clerk") if close else None
        faults = run_invoices(self._books, self._home, month, account and [account], closing)
        lines = [
            (line["kind"], line["period"]["start"][:7], line["amount"])
            for document in list_invoices(self._books, month, "a")
            for line in document["lines"]
        ]
        return [one.code for one in faults], lines

    def words(self, month: Month) -> list[str]:
        """Of each line."""
        (document,) = list_invoices(self._books, month, "a")
        return [described(line, "EUR") for line in document["lines"]]


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    home = Settings(tmp_path, None, "clerk")
    store_usage(home, [])
    with open_books(home) as books:
        load_price_book(books, BOOK.encode())
        yield Clerk(books, home)


def test_a_month_is_charged_once_and_drafts_of_it_are_made_anew(clerk: Clerk) -> None:
    clerk.know("p,2026-10-15,")
    early = clerk.run(NOVEMBER, close=False)
    assert early == ([], [("fee", "2026-11", "49.00"), ("fee", "2026-12", "49.00")])
    wanted = ([], [("fee", "2026-10", "26.87"), ("fee", "2026-11", "49.00")])
    assert clerk.run(OCTOBER) == wanted
    assert clerk.run(NOVEMBER) == ([], [("fee", "2026-12", "49.00")])
    assert clerk.run(OCTOBER) == wanted


def test_another_account_closed_alone_changes_nothing(clerk: Clerk) -> None:
    clerk.know("p,2026-10-01,")
    clerk.know("p,2026-10-01,", account="b")
    assert clerk.run(OCTOBER, "b") == ([], [])
    assert clerk.run(NOVEMBER, "b") == ([], [])
    first = ([], [("fee", "2026-10", "49.00"), ("fee", "2026-11", "49.00")])
    assert clerk.run(OCTOBER) == first
    assert clerk.run(NOVEMBER, "a") == ([], [("fee", "2026-12", "49.00")])


def test_a_new_price_is_made_up_for_once(clerk: Clerk) -> None:
    clerk.know("p,2026-10-01,")
    clerk.run(OCTOBER)
    clerk.price(59, "2026-11-01")
    assert clerk.run(NOVEMBER) == ([], [("adjustment", "2026-11", "10.00"),
                                        ("fee", "2026-12", "59.00")])  # fmt: skip
    assert clerk.words(NOVEMBER) == ["Base: 59.00 instead of 49.00 charged in advance", "Base"]
    assert clerk.run(DECEMBER) == ([], [("fee", "2027-01", "59.00")])


def test_months_away_are_skipped_and_cost_nothing(clerk: Clerk) -> None:
    clerk.know("p,2026-10-01,2026-11-01", "p,2027-01-10,")
    assert clerk.run(OCTOBER) == ([], [("fee", "2026-10", "49.00")])
    wanted = ([], [("fee", "2027-01", "34.77"), ("fee", "2027-02", "49.00")])
    assert clerk.run(JANUARY) == wanted
    assert clerk.run(FEBRUARY) == ([], [("fee", "2027-03", "49.00")])


def test_what_was_paid_for_a_month_that_was_not_served_is_settled_before_the_next(
    clerk: Clerk,
) -> None:
    """In November nothing is served, and yet it is not skipped: its 49.00 would be lost."""
    clerk.know("p,2026-10-01,")
    clerk.run(OCTOBER)
    clerk.know("p,2026-10-01,2026-11-01", "p,2026-12-01,")
    codes, _ = clerk.run(DECEMBER)
    assert codes == ["MONTH_ORDER"]
    back = ([], [("adjustment", "2026-11", "-49.00"), ("fee", "2026-12", "49.00")])
    assert clerk.run(NOVEMBER) == back
    assert clerk.run(DECEMBER) == ([], [("fee", "2027-01", "49.00")])


def test_what_is_paid_back_is_a_credit_note(clerk: Clerk) -> None:
    """Its amounts are what is given back; the month after it comes as ever."""
    clerk.know("p,2026-10-01,")
    clerk.run(OCTOBER)
    clerk.know("p,2026-10-01,2026-11-01")
    assert clerk.run(NOVEMBER) == ([], [("adjustment", "2026-11", "49.00")])
    assert clerk.run(DECEMBER) == ([], [])
    clerk.know("bare,2027-01-01,")
    assert clerk.run(JANUARY) == ([], [])
