"""The truth of an account over all its months: what each closed period costs as known now, beside
what the documents say was charged for it.

Slow and obvious, as the oracle of a month, whose calendar, rating and fees it uses. Documents are
read as the program prints them. Owns what is frozen when a period is closed (bounds, zone, books)
and what counts as charged. Shares no code with billing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from tests.oracle_accounts import Accounts
from tests.oracle_book import Book
from tests.oracle_calendar import EPOCH, Period, month_after, month_before, month_period
from tests.oracle_lines import (
    Line,
    Part,
    advance_fees,
    commitment_lines,
    fee_lines,
    of_stretch,
    usage_line,
)
from tests.oracle_month import Used, taken
from tests.oracle_rating import rate

Document = Mapping[str, Any]
ZERO = Fraction(0)


class Key(NamedTuple):
    """An original line: `first` begins the month that it is for, `start_us` is the first instant of
    its days. A fee in advance is one whatever its days, and has none.
    """

    first: date
    code: str
    variant: str | None
    start_us: int | None


Amounts = dict[Key, Fraction]  # in the main unit; what is charged is positive


@dataclass(frozen=True)
class Closed:
    """What stays as it was when the period was closed: its bounds and zone, and all versions of
    the books it is on, used or not.
    """

    period: Period
    books: tuple[Book, ...] = ()


class Ledger:
    """The accounts as known now, and every period that was closed. `usage` gives an account's
    records as known now. In `books` no code is of a fee in advance here and of anything else there.
    """

    def __init__(self, accounts: Accounts, usage: Callable[[str], list[Used]]) -> None:
        self.accounts = accounts
        self.usage = usage
        self._closed: dict[str, dict[date, Period]] = {}
        self._frozen: dict[str, dict[date, tuple[Book, ...]]] = {}

    def copy(self) -> "Ledger":
        """Of the same accounts and usage, to be closed further by itself."""
        found = Ledger(self.accounts, self.usage)
        found._closed = {account: dict(closed) for account, closed in self._closed.items()}
        found._frozen = {account: dict(books) for account, books in self._frozen.items()}
        return found

    def close(self, account: str, first: date) -> Period:
        """Closes the month, or closes it again after it was void: then the books in force now
        count, and the bounds are those it had. Other months whose plans were told late since the
        last time are adjusted, and are frozen then.
        """
        closed = self._closed.setdefault(account, {})
        known = closed.get(first)
        closed[first] = known or self.coming(account, first)
        frozen = self._frozen.setdefault(account, {})
        frozen.pop(first, None)
        for one in self.periods(account).values():
            self._freeze(account, one)
        return closed[first]

    def _freeze(self, account: str, closed: Closed) -> None:
        """All versions from before its end of the books that it is on, unless they are frozen."""
        known = {book.code for book in closed.books}
        stretches = self.accounts.stretches(account, closed.period)
        fresh = {one.book.code for one in stretches if one.book} - known
        until = closed.period.until
        self._frozen[account][closed.period.since] = closed.books + tuple(
            book
            for book in self.accounts.books
            if book.code in fresh and book.effective_from < until
        )

    def coming(self, account: str, first: date) -> Period:
        """A month that is not closed: from where the one before ended, if that is."""
        before = self._closed.get(account, {}).get(month_before(first))
        zone = self.accounts.known[account]["time_zone"]
        return month_period(first, zone, before and before.end_us)

    def last(self, account: str) -> date | None:
        return max(self._closed.get(account, {}), default=None)

    def periods(self, account: str) -> dict[date, Closed]:
        """From the first to the last that were closed, with those that were skipped."""
        closed = self._closed.get(account, {})
        found: dict[date, Closed] = {}
        at = min(closed, default=None)
        while at is not None and at <= max(closed):
            period = closed.get(at) or self._skipped(account, found[month_before(at)].period)
            found[at] = Closed(period, self._frozen[account].get(at, ()))
            at = month_after(at)
        return found

    def _skipped(self, account: str, before: Period) -> Period:
        """The month after `before`, which no document is for, between its neighbours."""
        found = self._after(before)
        after = self._closed[account].get(found.until)
        return replace(found, end_us=after.start_us) if after else found

    def skipped(self, account: str) -> set[date]:
        """The months between closed ones that no document is for."""
        return self.periods(account).keys() - self._closed.get(account, {}).keys()

    def comes_first(self, account: str, first: date, documents: list[Document]) -> set[date]:
        """The months since the last closed one that may not be skipped for this one, because there
        is something to bill: it costs something by itself, or is to settle what was paid for it,
        or something was used in it.
        """
        last = self.last(account)
        if last is None or first <= last:
            return set()
        trial, unused = self.copy(), Ledger(self.accounts, lambda _: [])
        trial.close(account, first)
        paid = {key.first for key, amount in self.charged(account, documents).items() if amount}
        return {
            at
            for at, closed in trial.periods(account).items()
            if last < at < first
            and (
                at in paid
                or any(unused.cost(account, Closed(closed.period)).values())
                or (
                    self.accounts.stretches(account, closed.period)
                    and (
                        any(self.ahead(account, closed.period).values())
                        or self.used(account, closed.period)
                    )
                )
            )
        }

    def used(self, account: str, period: Period) -> bool:
        """Whether a record began in the period, or was open into it."""
        return any(
            one.start_us < period.end_us
            and max(one.start_us + 1, one.start_us + one.record.duration_us) > period.start_us
            for one in self.usage(account)
        )

    def disputed(self, account: str, period: Period) -> bool:
        """Whether a record that began in the period is in conflict."""
        return any(
            one.conflict and period.start_us <= one.start_us < period.end_us
            for one in self.usage(account)
        )

    def owed(self, account: str) -> Amounts:
        """All that the closed periods cost, each with its own fees in advance."""
        found: Amounts = {}
        for closed in self.periods(account).values():
            found |= self.cost(account, closed)
        return found

    def cost(self, account: str, closed: Closed) -> Amounts:
        found: Amounts = defaultdict(Fraction)
        for line, is_advance in self._lines(account, closed):
            key = self._key(line, closed.period.since, is_advance)
            found[key] += Fraction(line["amount"])
        return found

    def _lines(self, account: str, closed: Closed) -> Iterator[tuple[Line, bool]]:
        """What a document of this period alone would have, and whether it is a fee in advance."""
        known = self.accounts.under(closed.books)
        stretches = known.stretches(account, closed.period)
        currency = known.known[account]["currency"]
        parts = [Part(one, closed.period, currency) for one in stretches]
        for part in parts:
            usage = list(self._usage_lines(account, part, is_last=part is parts[-1]))
            fees = [fee for fee in part.stretch.priced[1].fees if fee.timing == "arrears"]
            rest = [line for fee in fees for line in fee_lines(part, fee)]
            for line in (*rest, *usage, *commitment_lines(part, usage)):
                yield line, False
        for one in advance_fees(parts):
            for line in one.lines:
                yield line, True

    def _usage_lines(self, account: str, part: Part, *, is_last: bool) -> Iterator[Line]:
        for charge in part.stretch.priced[1].charges:
            if charge.meter is None and not is_last:
                continue
            records = taken(self.usage(account), part, charge)
            for rated in rate(of_stretch(part, charge), records, part.currency, owed=is_last):
                yield usage_line(part, charge, rated)

    def ahead(self, account: str, closed: Period) -> Amounts:
        """What the fees in advance of the month after a closed one cost as known now."""
        after = self._after(closed)
        currency = self.accounts.known[account]["currency"]
        known = self.accounts.stretches(account, after)
        found: Amounts = {}
        for one in advance_fees([Part(one, after, currency) for one in known if one.plan]):
            found[Key(after.since, one.key[2], None, None)] = one.amount
        return found

    @staticmethod
    def _after(closed: Period) -> Period:
        return month_period(month_after(closed.since), closed.zone, closed.end_us)

    def _key(self, line: Mapping[str, Any], first: date, is_advance: bool) -> Key:
        start_us = None if is_advance else instant_us(line["period"]["start"])
        return Key(first, line["code"], line["variant"], start_us)

    def charged(self, account: str, documents: Iterable[Document]) -> Amounts:
        """What documents have charged by original line, for whatever month: all that a run
        finalised and that is not void, and corrections of such. Never concessions, nor items.
        """
        found: Amounts = defaultdict(Fraction)
        for line, amount in charging(mine(account, documents)):
            if self.is_rated(line):
                found[self.key_of(account, line)] += amount
        return found

    def is_rated(self, line: Mapping[str, Any]) -> bool:
        """Whether it is for something that a period costs, or credits that; no item is."""
        return line["code"] in self._codes(("arrears", "advance"))

    def key_of(self, account: str, line: Mapping[str, Any]) -> Key:
        """The original line that a document's line is for."""
        is_advance = line["code"] in self._codes(("advance",))
        return self._key(line, self.month_of(account, line), is_advance)

    def _codes(self, timings: tuple[str, ...]) -> set[str]:
        """Of fees of these timings, and, owed in arrears as well, of all else that is rated."""
        plans = [plan for book in self.accounts.books for plan in book.plans.values()]
        found = {fee.code for plan in plans for fee in plan.fees if fee.timing in timings}
        if "arrears" in timings:
            found |= {charge.code for plan in plans for charge in plan.charges} | {"commitment"}
        return found

    def month_of(self, account: str, line: Mapping[str, Any]) -> date:
        """The month whose bounds a line's days are in: those of the calendar may be others, after
        a move.
        """
        start_us = instant_us(line["period"]["start"])
        for first, closed in self.periods(account).items():
            if closed.period.start_us <= start_us < closed.period.end_us:
                return first
        last = self.last(account)
        assert last is not None
        return month_after(last)

    def settled(self, account: str, documents: list[Document]) -> set[date]:
        """The months that adjustments may be for: between closed ones, but for those that are void
        and open again, and for those with a record in conflict.
        """
        standing = {
            self.month_of(account, {"period": one["period"]})
            for one in mine(account, documents)
            if one["credit"] is None and not one["apart"] and one["status"] in ("final", "nil")
        }
        return {
            first
            for first, closed in self.periods(account).items()
            if (first in standing or first not in self._closed[account])
            and not self.disputed(account, closed.period)
        }

    def differences(self, account: str, documents: list[Document]) -> Amounts:
        """Owed less charged, for every month, where it is not zero."""
        owed, charged = self.owed(account), self.charged(account, documents)
        rest = {key: owed.get(key, ZERO) - charged.get(key, ZERO) for key in owed | charged}
        return {key: amount for key, amount in rest.items() if amount}

    def adjustments(self, account: str, documents: list[Document]) -> Amounts:
        """One line each on the account's next document."""
        settled = self.settled(account, documents)
        rest = self.differences(account, documents)
        return {key: amount for key, amount in rest.items() if key.first in settled}

    def document(self, account: str, first: date, documents: list[Document]) -> Amounts:
        """What the month's document must come to by original line, items aside, were it made now:
        the month, the adjustments of others, and, where none is after it and the month is served
        or was paid in advance, what is charged in advance for the next.
        """
        trial = self.copy()
        period = trial.close(account, first)
        rest = trial.differences(account, documents)
        found = {key: amount for key, amount in rest.items() if key.first == first}
        adjusted = self.adjustments(account, documents)
        found |= {key: amount for key, amount in adjusted.items() if key.first != first}
        charged = trial.charged(account, documents)
        own = self.accounts.stretches(account, period)
        paid = any(key.first == first and key.start_us is None for key in charged)
        if first == trial.last(account) and (own or paid):
            ahead = trial.ahead(account, period)
            of_both = ahead | {key: ZERO for key in charged if key.first == month_after(first)}
            found |= {key: ahead.get(key, ZERO) - charged.get(key, ZERO) for key in of_both}
        return {key: amount for key, amount in found.items() if amount}


def mine(account: str, documents: Iterable[Document]) -> list[Document]:
    return [one for one in documents if one["account_id"] == account]


def charging(documents: list[Document]) -> Iterator[tuple[Mapping[str, Any], Fraction]]:
    """The lines that count as charged, each with its amount as it is charged."""
    void = {one["number"] for one in documents if one["status"] == "void"}
    for one in documents:
        if one["status"] not in ("final", "nil"):
            continue
        if one["credit"] is None or (one["credit"] == "correction" and one["corrects"] not in void):
            for line in one["lines"]:
                yield line, sign(one) * Fraction(line["amount"])


def sign(document: Document) -> int:
    """On a credit note every amount has its sign turned."""
    return -1 if document["kind"] == "credit_note" else 1


def total(documents: Iterable[Document]) -> Fraction:
    """Of all that was issued, void or not, before tax."""
    issued = (one for one in documents if one["status"] != "draft")
    return sum((sign(one) * Fraction(one["subtotal"]) for one in issued), ZERO)


def instant_us(text: str) -> int:
    moment = datetime.fromisoformat(text) - EPOCH
    return (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds
