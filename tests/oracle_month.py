"""The oracle of a month: usage, what is unbilled and why, and every document, from events.

Slow and obvious on purpose: plain loops, fractions, a calendar walked minute by minute. It reads
the accounts' CSV and the books' TOML itself and imports nothing that is tested.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle_book import Book, Fee, Plan, read_book
from tests.oracle_rating import RatedLine, UsageRecord, is_rated_by, rate
from tests.recount import Identity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACES = {"EUR": 2, "JPY": 0, "KWD": 3}
Row = tuple[str, str, str | None]  # account, meter, variant


@dataclass(frozen=True)
class Subscription:
    since: date
    until: date | None
    plan: str
    seats: int


@dataclass(frozen=True)
class Used:
    """An uncancelled usage record, its account and its start."""

    account_id: str
    start_us: int
    record: UsageRecord
    conflict: bool


@dataclass
class Sums:
    records: int = 0
    duration_us: int = 0
    quantity: int = 0

    def add(self, record: UsageRecord) -> None:
        self.records += 1
        self.duration_us += record.duration_us
        self.quantity += record.quantity or 0


@dataclass
class Stretch:
    """Days of one plan. `plan` is None where `fault` says why it has no price."""

    code: str
    since: date
    until: date
    seats: list[tuple[date, date, int]]
    plan: Plan | None = None
    fault: str | None = None


@dataclass
class MonthRecount:
    """`documents` by account, without number and status; `billed` is record ids by line id."""

    usage: dict[Row, Sums] = field(default_factory=dict)
    unbilled: dict[tuple[Row, str], Sums] = field(default_factory=dict)
    free: Counter[str] = field(default_factory=Counter)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    billed: dict[str, list[str]] = field(default_factory=dict)
    faults: set[tuple[str, str]] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)


def used(records: dict[Identity, dict[str, Any]]) -> list[Used]:
    """What counts, of the states that `recount.records` found."""
    standing = {key: state for key, state in records.items() if not state["cancelled"]}
    identities = Counter(key[0] for key in standing)
    found = []
    for (
        record_id,
        start,
        account,
        meeting,
        participant,
        meter,
        variant,
    ), state in standing.items():
        record = UsageRecord(
            record_id.hex(), meeting, participant, meter, variant, state["seen"] - start,
            state["quantity"],
        )  # fmt: skip
        found.append(Used(account, start, record, identities[record_id] > 1))
    return found


class Oracle:
    """The accounts and books as text, and every month that follows from them and from usage."""

    def __init__(self, accounts: str, books: Iterable[str], usage: Sequence[Used]) -> None:
        self.accounts: dict[str, dict[str, str]] = {}
        self._history: dict[str, list[Subscription]] = {}
        for row in csv.DictReader(io.StringIO(accounts)):
            self.accounts[row["account_id"]] = row
            until = date.fromisoformat(row["until"]) if row["until"] else None
            one = Subscription(
                date.fromisoformat(row["since"]), until, row["plan"], int(row["quantity"])
            )
            self._history.setdefault(row["account_id"], []).append(one)
        for rows in self._history.values():
            rows.sort(key=lambda one: one.since)
            for at, (one, following) in enumerate(pairwise(rows)):
                rows[at] = replace(one, until=one.until or following.since)
        self._books = [read_book(text) for text in books]
        self._usage = usage

    def month(self, first: date) -> MonthRecount:
        """The month that begins on `first`."""
        found = MonthRecount()
        for account_id in sorted({one.account_id for one in self._usage} | self.accounts.keys()):
            zone = self.accounts.get(account_id, {"time_zone": "UTC"})["time_zone"]
            start, end = day_start(first, zone), day_start(month_after(first), zone)
            inside = [
                one
                for one in self._usage
                if one.account_id == account_id and start <= one.start_us < end
            ]
            self._account(found, account_id, first, inside)
        return found

    def _account(self, found: MonthRecount, account: str, first: date, inside: list[Used]) -> None:
        for one in inside:
            row = (account, one.record.meter, one.record.variant)
            found.usage.setdefault(row, Sums()).add(one.record)
        known = self.accounts.get(account)
        stretches = self._stretches(account, first) if known else []
        parts: list[tuple[Stretch, list[Used]]] = [(part, []) for part in stretches]
        for one in inside:
            here = [part for part in parts if known and _within(part[0], known["time_zone"], one)]
            for _, records in here:
                records.append(one)
            reason = _reason(known is not None, one, here[0][0] if here else None)
            if reason == "free":
                found.free[account] += 1
            elif reason:
                row = (account, one.record.meter, one.record.variant)
                found.unbilled.setdefault((row, reason), Sums()).add(one.record)
        if known and any(one.conflict for one in inside):
            found.conflicts.add(account)
        faults = {(part.fault, account) for part in stretches if part.fault}
        found.faults |= faults
        if known and stretches and not faults:
            found.documents[account] = self._document(found, known, first, parts)

    def _stretches(self, account: str, first: date) -> list[Stretch]:
        end = month_after(first)
        found: list[Stretch] = []
        for one in self._history[account]:
            since, until = max(one.since, first), min(one.until or end, end)
            if since >= until:
                continue
            last = found[-1] if found else None
            if last and last.until == since and last.code == one.plan:
                last.until = until
                if last.seats[-1][2] == one.seats:
                    last.seats[-1] = (last.seats[-1][0], until, one.seats)
                else:
                    last.seats.append((since, until, one.seats))
            else:
                found.append(Stretch(one.plan, since, until, [(since, until, one.seats)]))
        for stretch in found:
            self._price(stretch, self.accounts[account]["currency"])
        return found

    def _price(self, stretch: Stretch, currency: str) -> None:
        """The plan by the version of its book in force on the stretch's first day."""
        book_code, _, plan = stretch.code.rpartition("/")
        in_force: dict[str, Book] = {}
        for book in sorted(self._books, key=lambda one: one.effective_from):
            if book.effective_from <= stretch.since and book_code in ("", book.code):
                in_force[book.code] = book
        having = [book for book in in_force.values() if plan in book.plans]
        if len(having) != 1:
            stretch.fault = "PLAN_AMBIGUOUS" if having else "PLAN_UNKNOWN"
        elif having[0].currency != currency:
            stretch.fault = "CURRENCY_DIFFERS"
        else:
            stretch.plan = having[0].plans[plan]

    def _document(
        self,
        found: MonthRecount,
        account: dict[str, str],
        first: date,
        parts: list[tuple[Stretch, list[Used]]],
    ) -> dict[str, Any]:
        id = f"{first:%Y-%m}.{account['account_id']}"
        currency, zone = account["currency"], account["time_zone"]
        days = (month_after(first) - first).days
        lines: list[dict[str, Any]] = []
        for part, records in parts:
            assert part.plan
            for fee in part.plan.fees:
                lines += _fee_lines(part, fee, days, currency, zone)
            for charge in part.plan.charges:
                share = Fraction((part.until - part.since).days, days)
                rated = [
                    one.record
                    for one in records
                    if not one.conflict and is_rated_by(charge, one.record)
                ]
                (line,) = rate(replace(charge, included=charge.included * share), rated)
                found.billed[f"{id}.{len(lines) + 1:04}"] = sorted(one.record_id for one in rated)
                lines.append(_usage_line(part, line, days, currency, zone))
        total = money(sum((Fraction(line["amount"]) for line in lines), Fraction(0)), currency)
        return {
            "id": id,
            "kind": "invoice",
            "account_id": account["account_id"],
            "currency": currency,
            "plan": parts[-1][0].code.rpartition("/")[2],
            "period": span(first, month_after(first), zone),
            "lines": [{"id": f"{id}.{n:04}", **line} for n, line in enumerate(lines, start=1)],
            "subtotal": total,
            "taxes": [],
            "total": total,
            "due": total,
        }


def _reason(known: bool, one: Used, stretch: Stretch | None) -> str | None:
    """Why no charge rates it; `free` where it is meant to cost nothing; None: it is billed."""
    if not known:
        return "no_account"
    if one.conflict:
        return "conflict"
    if stretch is None:
        return "no_subscription"
    if stretch.plan is None:
        return "no_price"
    if any(is_rated_by(charge, one.record) for charge in stretch.plan.charges):
        return None
    return "free" if one.record.meter in stretch.plan.free else "no_charge"


def _within(part: Stretch, zone: str, one: Used) -> bool:
    return day_start(part.since, zone) <= one.start_us < day_start(part.until, zone)


def _fee_lines(
    part: Stretch, fee: Fee, days: int, currency: str, zone: str
) -> list[dict[str, Any]]:
    seats = part.seats if fee.per == "seat" else [(part.since, part.until, 1)]
    return [
        {
            "kind": "fee",
            "code": fee.code,
            "description": fee.description,
            "variant": None,
            "period": span(since, until, zone),
            "quantity": str(count),
            "unit": "seat" if fee.per == "seat" else "month",
            "included": "0",
            "tiers": [],
            "amount": money(fee.amount * count * (until - since).days / days, currency),
            "proration": _proration((until - since).days, days),
        }
        for since, until, count in seats
    ]


def _usage_line(
    part: Stretch, line: RatedLine, days: int, currency: str, zone: str
) -> dict[str, Any]:
    return {
        "kind": "usage",
        "code": line.code,
        "description": line.description,
        "variant": line.variant,
        "period": span(part.since, part.until, zone),
        "quantity": text(line.quantity),
        "unit": line.unit,
        "included": text(line.included),
        "tiers": [
            {
                "up_to": None if tier.up_to is None else text(tier.up_to),
                "quantity": text(tier.quantity),
                "unit_price": text(tier.unit_price),
                "flat": text(tier.flat),
                "amount": text(tier.amount),
            }
            for tier in line.tiers
        ],
        "amount": money(line.exact, currency),
        "proration": _proration((part.until - part.since).days, days),
    }


def _proration(days: int, of: int) -> str | None:
    return None if days == of else f"{days}/{of}"


@cache
def day_start(day: date, zone: str) -> int:
    """The first minute, in microseconds since 1970, whose local date is not before `day`."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=1)
    return (moment - EPOCH) // timedelta(microseconds=1)


def month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def span(since: date, until: date, zone: str) -> dict[str, str]:
    bounds = [EPOCH + timedelta(microseconds=day_start(day, zone)) for day in (since, until)]
    start, end = (moment.astimezone(ZoneInfo(zone)).isoformat() for moment in bounds)
    return {"start": start, "end": end}


def half_up(value: Fraction, places: int) -> str:
    """`value`, not negative, with so many decimal places, halves up."""
    scaled = int(value * 10**places + Fraction(1, 2))
    digits = str(scaled).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def money(value: Fraction, currency: str) -> str:
    return half_up(value, PLACES[currency])


def text(value: Fraction) -> str:
    """Exact where a decimal can be, else half up to 12 places; no trailing zeros."""
    places = next((n for n in range(64) if (value * 10**n).denominator == 1), 12)
    shown = half_up(value, places)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
