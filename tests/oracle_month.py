"""The oracle of a month: usage, what is unbilled and why, and every document, from events.

Slow and obvious on purpose: plain loops, fractions, a calendar walked minute by minute. It reads
the accounts' CSV and the books' TOML itself and imports nothing that is tested. Months are closed
in order: what is charged in advance follows from what was charged before.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from tests.oracle_accounts import Accounts, Stretch
from tests.oracle_book import Charge
from tests.oracle_calendar import Period, month_after, month_before, month_period
from tests.oracle_lines import (
    AdvanceKey,
    Line,
    Part,
    adjustment_line,
    advance_fees,
    commitment_lines,
    fee_lines,
    of_stretch,
    turned,
    usage_line,
)
from tests.oracle_measure import UsageRecord, chargeable_alone
from tests.oracle_rating import rate
from tests.oracle_text import money, negated
from tests.recount import Identity

Row = tuple[str, str, str | None]  # account, meter, variant


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


@dataclass(frozen=True)
class Charged:
    """What a document charges for a fee in advance, for the month that begins on `first`."""

    first: date
    key: AdvanceKey
    description: str
    amount: Fraction


@dataclass
class MonthRecount:
    """`documents` by account, without number and status; those of `conflicts` and those that come
    `too_soon` stay drafts. `billed` is record ids by line id, for usage lines, and `alone` what
    those come to where each is rounded by itself. `rated` are the records started in the month
    that some line holds, `idle` counts those that a charge takes and that were never open at any
    instant, where it measures a peak.
    """

    usage: dict[Row, Sums] = field(default_factory=dict)
    unbilled: dict[tuple[Row, str], Sums] = field(default_factory=dict)
    free: Counter[str] = field(default_factory=Counter)
    rated: dict[str, set[str]] = field(default_factory=dict)
    idle: Counter[str] = field(default_factory=Counter)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    billed: dict[str, list[str]] = field(default_factory=dict)
    alone: dict[str, dict[str, Fraction | None]] = field(default_factory=dict)
    faults: set[tuple[str, str]] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)
    too_soon: set[str] = field(default_factory=set)
    charged: dict[str, list[Charged]] = field(default_factory=dict)
    periods: dict[str, Period] = field(default_factory=dict)

    @property
    def left_open(self) -> set[tuple[str, str]]:
        """Code and account of all that a closing run tells of documents that stay drafts."""
        conflicts = {("USAGE_CONFLICT", account) for account in self.conflicts}
        return conflicts | {("MONTH_ORDER", account) for account in self.too_soon}


def used(records: dict[Identity, dict[str, Any]]) -> list[Used]:
    """What counts, of the states that `recount.records` found."""
    standing = {key: state for key, state in records.items() if not state["cancelled"]}
    identities = Counter(key[0] for key in standing)
    found = []
    for key, state in standing.items():
        record_id, start, account, meeting, participant, meter, variant = key
        continues = state["continues"]
        record = UsageRecord(
            record_id.hex(), meeting, participant, meter, variant, state["seen"] - start,
            state["quantity"], start_us=start, continues=continues and continues.hex(),
        )  # fmt: skip
        found.append(Used(account, start, record, identities[record_id] > 1))
    return found


def starts_in(period: Period, stretch: Stretch, one: Used) -> bool:
    start, end = period.instant(stretch.since), period.instant(stretch.until)
    return start <= one.start_us < end


def taken(usage: Iterable[Used], part: Part, charge: Charge) -> list[UsageRecord]:
    """What the charge takes of the stretch: what started in it; for a peak, what was open."""
    stretch, period = part.stretch, part.period
    plan = stretch.priced[1]
    mine = [
        one
        for one in usage
        if not one.conflict and plan.takes(charge, one.record.meter, one.record.variant)
    ]
    if charge.measure != "peak":
        return [one.record for one in mine if starts_in(period, stretch, one)]
    start, end = period.instant(stretch.since), period.instant(stretch.until)
    cut = []
    for one in mine:
        since = max(one.start_us, start)
        until = min(one.start_us + one.record.duration_us, end)
        if since < until:
            cut.append(replace(one.record, start_us=since, duration_us=until - since))
    return cut


class Oracle:
    """The accounts and books as text, and every month that follows from them and from usage."""

    def __init__(self, accounts: str, books: Iterable[str], usage: Sequence[Used]) -> None:
        self.accounts = Accounts(books)
        self.accounts.import_csv(accounts)
        self._usage = usage
        self._charged: dict[str, list[Charged]] = {}
        self._closed: dict[tuple[str, date], Period] = {}
        self._left_open: dict[str, set[date]] = {}

    def close(self, first: date, spared: Container[str] = ()) -> MonthRecount:
        """The month, its documents made final, but for accounts in conflict, those that a month
        before was left open of, and those `spared`.
        """
        found = self.month(first)
        for account in found.documents:
            if account not in found.conflicts | found.too_soon and account not in spared:
                self._charged.setdefault(account, []).extend(found.charged[account])
                self._closed[account, first] = found.periods[account]
        disputed = found.conflicts - found.too_soon  # which nobody could close yet anyway
        for account in disputed | {account for _, account in found.faults}:
            if (account, first) not in self._closed:
                self._left_open.setdefault(account, set()).add(first)
        return found

    def waits(self, account: str, first: date) -> bool:
        """Whether a month before was to be closed, was left open, and has something to bill."""
        zone = self.accounts.known[account]["time_zone"]
        return any(
            before < first and self.accounts.stretches(account, month_period(before, zone))
            for before in self._left_open.get(account, ())
        )

    def month(self, first: date) -> MonthRecount:
        """The month that begins on `first`, as it would be closed now."""
        found = MonthRecount()
        ours = self.accounts.known.keys()
        for account in sorted({one.account_id for one in self._usage} | ours):
            known = account in ours
            zone = self.accounts.known[account]["time_zone"] if known else "UTC"
            before = self._closed.get((account, month_before(first)))
            period = month_period(first, zone, before and before.end_us)
            found.periods[account] = period
            _Account(found, account, period, self).recount()
        return found

    def usage_of(self, account: str) -> list[Used]:
        return [one for one in self._usage if one.account_id == account]

    def charged(self, account: str, first: date) -> list[Charged]:
        """What final documents charged in advance for a month."""
        return [one for one in self._charged.get(account, []) if one.first == first]


class _Account:
    """One account's month on its way into `found`."""

    def __init__(self, found: MonthRecount, account: str, period: Period, oracle: Oracle) -> None:
        self._found, self._account, self._period, self._oracle = found, account, period, oracle
        self._known = oracle.accounts.known.get(account)
        self._usage = oracle.usage_of(account)
        self._inside = [
            one for one in self._usage if period.start_us <= one.start_us < period.end_us
        ]
        self._stretches = oracle.accounts.stretches(account, period) if self._known else []

    def recount(self) -> None:
        found, account = self._found, self._account
        for one in self._inside:
            row = (account, one.record.meter, one.record.variant)
            found.usage.setdefault(row, Sums()).add(one.record)
            reason = self._reason(one)
            if reason == "free":
                found.free[account] += 1
            elif reason:
                found.unbilled.setdefault((row, reason), Sums()).add(one.record)
        faults = {(part.fault, account) for part in self._stretches if part.fault}
        found.faults |= faults
        paid = self._oracle.charged(account, self._period.since)
        if self._known and not faults and (self._stretches or any(one.amount for one in paid)):
            found.documents[account] = self._document(self._known["currency"])
            if self._oracle.waits(account, self._period.since):
                found.too_soon.add(account)
            if any(one.conflict for one in self._inside):
                found.conflicts.add(account)

    def _reason(self, one: Used) -> str | None:
        """Why no charge rates it; `free` where it is meant to cost nothing; None: it is rated."""
        if not self._known:
            return "no_account"
        if one.conflict:
            return "conflict"
        stretch = next(
            (part for part in self._stretches if starts_in(self._period, part, one)), None
        )
        return "no_subscription" if stretch is None else self._reason_within(stretch, one.record)

    def _reason_within(self, stretch: Stretch, record: UsageRecord) -> str | None:
        if stretch.plan is None:
            return "no_price"
        takers = stretch.plan.takers(record.meter, record.variant)
        if not takers:
            if record.meter in stretch.plan.free:
                return "free"
            known = {charge.meter for charge in stretch.plan.charges}
            return "no_price" if record.meter in known else "no_charge"
        if record.duration_us or any(charge.measure != "peak" for charge in takers):
            self._found.rated.setdefault(self._account, set()).add(record.record_id)
        else:
            self._found.idle[self._account] += 1
        return None

    def _document(self, currency: str) -> dict[str, Any]:
        first = self._period.since
        id = f"{first:%Y-%m}.{self._account}"
        lines: list[Line] = []
        for number, stretch in enumerate(self._stretches, start=1):
            part = Part(stretch, self._period, currency)
            begun = len(lines)
            for fee in stretch.priced[1].fees:
                lines += fee_lines(part, fee) if fee.timing == "arrears" else []
            self._usage_lines(part, id, lines, is_last=number == len(self._stretches))
            lines += commitment_lines(part, lines[begun:])
        lines += self._advance_lines(currency)
        total = money(sum((Fraction(line["amount"]) for line in lines), Fraction(0)), currency)
        is_credit = Fraction(total) < 0
        if is_credit:
            lines, total = [turned(line) for line in lines], negated(total)
        paid = self._oracle.charged(self._account, first)
        plan = self._stretches[-1].code.rpartition("/")[2] if self._stretches else paid[-1].key[1]
        return {
            "id": id,
            "kind": "credit_note" if is_credit else "invoice",
            "account_id": self._account,
            "currency": currency,
            "plan": plan,
            "period": self._period.span(first, self._period.until),
            "lines": [{"id": f"{id}.{n:04}", **line} for n, line in enumerate(lines, start=1)],
            "subtotal": total,
            "taxes": [],
            "total": total,
            "due": total,
        }

    def _usage_lines(self, part: Part, id: str, lines: list[Line], is_last: bool) -> None:
        for charge in part.stretch.priced[1].charges:
            if charge.meter is None and not is_last:
                continue  # owed on the last stretch, and there is no usage to show here
            records = taken(self._usage, part, charge)
            for rated in rate(of_stretch(part, charge), records, part.currency, owed=is_last):
                held = [one for one in records if not charge.prices or one.variant == rated.variant]
                line_id = f"{id}.{len(lines) + 1:04}"
                self._found.billed[line_id] = sorted(one.record_id for one in held)
                self._found.alone[line_id] = {
                    one.record_id: chargeable_alone(charge, one) for one in held
                }
                lines.append(usage_line(part, charge, rated))

    def _advance_lines(self, currency: str) -> list[Line]:
        """This month's fees in advance against what was charged for them, then the next one's."""
        period = self._period
        lines: list[Line] = []
        charged = self._found.charged.setdefault(self._account, [])
        paid: dict[AdvanceKey, Fraction] = {}
        words: dict[AdvanceKey, str] = {}
        for one in self._oracle.charged(self._account, period.since):
            paid[one.key] = paid.get(one.key, Fraction(0)) + one.amount
            words[one.key] = one.description
        here = advance_fees([Part(one, period, currency) for one in self._stretches])
        owed = {one.key: one for one in here}
        for key in (*owed, *(key for key in paid if key not in owed)):
            amount = (owed[key].amount if key in owed else Fraction(0)) - paid.get(key, Fraction(0))
            words[key] = owed[key].description if key in owed else words[key]
            if key not in paid:
                lines += owed[key].lines
            elif amount:
                lines.append(
                    adjustment_line(period, key, words[key], (amount, paid[key]), currency)
                )
            charged.append(Charged(period.since, key, words[key], amount))
        following = month_period(month_after(period.since), period.zone, period.end_us)
        known = self._oracle.accounts.stretches(self._account, following)
        ahead = [Part(one, following, currency) for one in known if one.plan]
        for one in advance_fees(ahead):
            lines += one.lines
            charged.append(Charged(following.since, one.key, one.description, one.amount))
        return lines
