"""A month laid out for rating: each account's period, its stretches with their plans, its lines,
and the usage that falls into them, as temporary tables of the books.

Owns which plan and which version of a book a stretch has. Prices nothing. The version is the
one in force on the stretch's first day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from billing.accounts import Account, Subscription
from billing.books import Catalogue, load_catalogue
from billing.period import Period, Stretch, month_period, stretches
from billing.pricebook import Plan, PriceBook
from billing.rating import SQL, ChargeLine, load_lines
from billing.rows import load_rows
from edge import Fault, Refused, Settings
from warehouse import Queries, Store, copy_tables

_COPIES: Final = Queries(Path(__file__).parent / "sql" / "copies")
_BOUNDS: Final = {"account_id": pa.string(), "start_us": pa.int64(), "end_us": pa.int64()}


@dataclass(frozen=True, slots=True)
class PlanStretch:
    """A stretch and the plan it is billed by; without a price book, none."""

    number: int
    stretch: Stretch
    priced: tuple[PriceBook, Plan] | None
    lines: tuple[ChargeLine, ...]


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """One account's month. Its faults keep it, and it alone, from being invoiced; with
    `out_of_order` it has a draft, and cannot be closed.
    """

    account: Account
    period: Period
    stretches: tuple[PlanStretch, ...]
    faults: tuple[Fault, ...]
    out_of_order: Fault | None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month such as 2026-10."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def before(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @property
    def after(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def lay_out(books: Store, month: Month) -> tuple[AccountMonth, ...]:
    """Every account's month, in order of account_id."""
    catalogue = load_catalogue(books)
    closed = _closed_months(books)
    numbering = _Numbering()
    return tuple(
        _account_month(catalogue, account, month, closed.get(account.account_id, {}), numbering)
        for account in catalogue.accounts
    )


class _Numbering:
    """Numbers for stretches and lines, dense over all accounts."""

    def __init__(self) -> None:
        self.stretch = 0
        self.line = 0


def _closed_months(books: Store) -> dict[str, dict[Month, Period]]:
    """The periods that were frozen, of each account."""
    sql = """SELECT account_id, month, zone, start_us, end_us FROM invoices
    WHERE status IN ('final', 'nil')"""
    found: dict[str, dict[Month, Period]] = {}
    for account_id, name, zone, start_us, end_us in books.rows(sql):
        month = parse_month(name)
        period = month_period(month.year, month.number, zone, start_us, end_us)
        found.setdefault(account_id, {})[month] = period
    return found


def _period(account: Account, month: Month, closed: Mapping[Month, Period]) -> Period:
    if month in closed:
        return closed[month]
    before, after = closed.get(month.before), closed.get(month.after)
    return month_period(
        month.year,
        month.number,
        account.time_zone,
        before.end_us if before else None,
        after.start_us if after else None,
    )


def _account_month(
    catalogue: Catalogue,
    account: Account,
    month: Month,
    closed: Mapping[Month, Period],
    at: _Numbering,
) -> AccountMonth:
    period = _period(account, month, closed)
    history = catalogue.named_history(account.account_id, period.since)
    parts = []
    faults = []
    for stretch in stretches(history, period):
        priced, fault = _price(catalogue, account, stretch)
        faults += [fault] if fault else []
        lines = []
        for charge in priced[1].charges if priced else ():
            included = Fraction(charge.included) * stretch.share
            lines.append(ChargeLine(at.line, at.stretch, charge, included, account.currency))
            at.line += 1
        parts.append(PlanStretch(at.stretch, stretch, priced, tuple(lines)))
        at.stretch += 1
    out_of_order = _out_of_order(account, month, closed, history)
    return AccountMonth(account, period, tuple(parts), tuple(faults), out_of_order)


def _out_of_order(
    account: Account,
    month: Month,
    closed: Mapping[Month, Period],
    history: Sequence[Subscription],
) -> Fault | None:
    """The first month to be closed may be any; from then on they are closed in order, but for
    months in which there is nothing to bill.
    """
    if not closed or month in closed:
        return None
    at = max(closed)
    if month < at:
        message = f"{at} is closed already, and months are closed in order"
        return Fault("MONTH_ORDER", account.account_id, message)
    while (at := at.after) < month:
        if stretches(history, _period(account, at, closed)):
            message = f"{at} comes first: months are closed in order"
            return Fault("MONTH_ORDER", account.account_id, message)
    return None


def _price(
    catalogue: Catalogue, account: Account, stretch: Stretch
) -> tuple[tuple[PriceBook, Plan] | None, Fault | None]:
    named = f"{stretch.book}/{stretch.plan}" if stretch.book else stretch.plan
    found = catalogue.find_plans(stretch.book, stretch.plan, stretch.since)
    if not found:
        message = f"no loaded price book has the plan {named} on {stretch.since}"
        return None, Fault("PLAN_UNKNOWN", account.account_id, message)
    if len(found) > 1:
        books = " and ".join(book.book for book, _ in found)
        message = f"the plan {named} is in {books}: name it as book/plan"
        return None, Fault("PLAN_AMBIGUOUS", account.account_id, message)
    book = found[0][0]
    if book.currency != account.currency:
        message = f"is billed in {account.currency}, but {book.book} is in {book.currency}"
        return None, Fault("CURRENCY_DIFFERS", account.account_id, message)
    return found[0], None


def load_month(books: Store, home: Settings, month: Month, laid: tuple[AccountMonth, ...]) -> None:
    """Copies the month's usage beside its layout: the tables `windows`, `stretches`,
    `free_meters`, `lines` and `month_records`, and what a snapshot says. Refuses as `copy_tables`.
    """
    utc = month_period(month.year, month.number, "UTC")
    windows: list[dict[str, Any]] = [
        {"account_id": None, "start_us": utc.start_us, "end_us": utc.end_us}
    ]
    parts = []
    free = []
    for one in laid:
        bounds = {"start_us": one.period.start_us, "end_us": one.period.end_us}
        windows.append({"account_id": one.account.account_id, **bounds})
        for part in one.stretches:
            inside = {"start_us": part.stretch.start_us, "end_us": part.stretch.end_us}
            key = {"account_id": one.account.account_id, "stretch": part.number}
            parts.append({**key, **inside, "priced": part.priced is not None})
            meters = part.priced[1].free if part.priced else ()
            free += [{"stretch": part.number, "meter": meter} for meter in meters]
    start_us = min(window["start_us"] for window in windows)
    end_us = max(window["end_us"] for window in windows)
    bounds = {"start_us": start_us, "end_us": end_us}
    copy_tables(books, home.usage, "usage", _COPIES.all(), bounds)
    load_rows(books, "windows", windows, _BOUNDS)
    number = {"stretch": pa.int64()}
    load_rows(books, "stretches", parts, _BOUNDS | number | {"priced": pa.bool_()})
    load_rows(books, "free_meters", free, number | {"meter": pa.string()})
    load_lines(books, all_lines(laid))
    books.execute(SQL["month_records"])


def all_lines(laid: tuple[AccountMonth, ...]) -> list[ChargeLine]:
    return [line for one in laid for part in one.stretches for line in part.lines]


def parse_month(text: str) -> Month:
    year, _, number = text.partition("-")
    is_month = len(text) == 7 and year.isdecimal() and number.isdecimal() and text.isascii()
    if not is_month or not (1970 < int(year) < 2200 and 1 <= int(number) <= 12):
        raise Refused("BAD_MONTH", f"{text!r} is not a month such as 2026-10")
    return Month(int(year), int(number))
