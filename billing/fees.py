"""Recurring fees as terms of lines: in arrears, in advance, and what was charged too much or too
little in advance.

Owns which fees a month's document carries. What was charged is told by the caller, who knows
the final documents.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from billing.basis import booked_basis
from billing.money import decimal_text, round_line
from billing.period import Period, SeatRun, Stretch, day_start_us
from billing.pricebook import Fee, Plan, PriceBook
from billing.proration import Share, fee_runs
from billing.terms import Terms


class FeeKey(NamedTuple):
    """What tells one fee from another, in whatever version of the book it stands."""

    book: str
    plan: str
    code: str


@dataclass(frozen=True, slots=True)
class Charged:
    """What final documents charged in advance for a fee, in the currency's smallest units, and the
    keys and values by which it was taxed and booked, as JSON.
    """

    description: str
    amount: int
    booked: str = "{}"


@dataclass(frozen=True, slots=True)
class _FeeLine:
    """A fee on some days."""

    key: FeeKey
    fee: Fee
    amount: int
    content: dict[str, Any]


Priced = tuple[PriceBook, Plan]
Parts = Iterable[tuple[Stretch, Priced]]


def arrears_terms(stretch: Stretch, priced: Priced, period: Period) -> Iterator[Terms]:
    for line in _lines(stretch, priced, period, "arrears"):
        yield Terms(line.content, amount=line.amount)


def advance_terms(parts: Parts, period: Period) -> Iterator[Terms]:
    """What the subscriptions known to run into a coming period pay for it now."""
    for stretch, priced in parts:
        for line in _lines(stretch, priced, period, "advance"):
            yield Terms(line.content, amount=line.amount)


def owed_terms(parts: Parts, period: Period, charged: Mapping[FeeKey, Charged]) -> Iterator[Terms]:
    """What the period's advance fees cost as known now, less what was charged for them: a fee
    where nothing was, an adjustment where it was another amount, nothing where it was right.
    """
    known: dict[FeeKey, list[_FeeLine]] = {}
    for stretch, priced in parts:
        for line in _lines(stretch, priced, period, "advance"):
            known.setdefault(line.key, []).append(line)
    gone: dict[FeeKey, list[_FeeLine]] = {key: [] for key in charged if key not in known}
    for key, lines in (known | gone).items():
        if key not in charged:
            yield from (Terms(line.content, amount=line.amount) for line in lines)
            continue
        owed = sum(line.amount for line in lines)
        if owed != charged[key].amount:
            content = _whole_period(key, charged[key], period, lines)
            yield Terms(content, amount=owed, charged=charged[key].amount)


def _whole_period(
    key: FeeKey, charged: Charged, period: Period, lines: Sequence[_FeeLine]
) -> dict[str, Any]:
    """What an adjustment of a fee in advance is for, whatever days the fee was for. One that is
    owed no more is booked as it was.
    """
    return {
        "kind": "fee",
        **key._asdict(),
        "description": charged.description,
        "period": [period.start_us, period.end_us],
        "month": _month(period),
        "advance": True,
        "quantity": None,
        "unit": None,
        "included": None,
        "proration": None,
        "basis": booked_basis(lines[0].fee) if lines else json.loads(charged.booked),
    }


def _lines(stretch: Stretch, priced: Priced, period: Period, timing: str) -> Iterator[_FeeLine]:
    book, plan = priced
    for fee in plan.fees:
        if fee.timing == timing:
            key = FeeKey(book.book, plan.code, fee.code)
            for run, share in fee_runs(fee, stretch):
                yield _line(book, key, fee, (stretch, run, share), period)


def _line(
    book: PriceBook,
    key: FeeKey,
    fee: Fee,
    days: tuple[Stretch, SeatRun, Share],
    period: Period,
) -> _FeeLine:
    stretch, run, share = days
    zone = ZoneInfo(period.zone)
    start = stretch.start_us if run.since == stretch.since else day_start_us(run.since, zone)
    end = stretch.end_us if run.until == stretch.until else day_start_us(run.until, zone)
    amount = Fraction(fee.amount) * run.quantity * share.fraction
    content = {
        "kind": "fee",
        **key._asdict(),
        "description": fee.description,
        "period": [start, end],
        "month": _month(period),
        "advance": fee.timing == "advance",
        "quantity": decimal_text(run.quantity),
        "unit": "seat" if fee.per == "seat" else "month",
        "included": "0",
        "proration": share.text,
        "basis": {"amount": decimal_text(fee.amount), **booked_basis(fee)},
    }
    return _FeeLine(key, fee, round_line(amount, book.currency, book.line_rounding), content)


def _month(period: Period) -> str:
    return f"{period.since:%Y-%m}"
