"""A cohort: the accounts whose month is alike in all but their usage.

Owns which plan and which version of a book each stretch has, and the terms of every line, in the
order of the document. One in a hundred accounts is unlike the others, so what takes thought is
done once for each cohort and not for each account. The version is the one in force on the
stretch's first day.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from billing.accounts import Subscription
from billing.basis import charge_basis, ledger_basis
from billing.books import Catalogue
from billing.fees import Charged, FeeKey, Priced, advance_terms, arrears_terms, owed_terms
from billing.measured import measured_content
from billing.money import currency_precision, decimal_text
from billing.month import Month, month_of
from billing.period import Period, Stretch, is_zone, stretches
from billing.pricebook import Charge, PerVariant, PriceBook
from billing.proration import allowance, share_of
from billing.terms import Terms, priced_tiers, usage_numbers


@dataclass(frozen=True, slots=True)
class CohortKey:
    """All that decides an account's document besides its usage. `history` is in force within
    the month and the one after; `charged` in advance for this month; `bounds` are frozen ones, and
    so are the versions of books in `frozen`, by hash.
    """

    zone: str
    currency: str
    bounds: tuple[int | None, int | None]
    history: tuple[Subscription, ...]
    charged: tuple[tuple[FeeKey, Charged], ...] = ()
    out_of_order: str | None = None
    frozen: tuple[str, ...] = ()

    @property
    def history_text(self) -> str:
        """The history as JSON: rows of since, until, book, plan, quantity."""
        rows = (
            [f"{row.since}", row.until and f"{row.until}", row.book, row.plan, row.quantity]
            for row in self.history
        )
        return json.dumps(list(rows))


@dataclass(frozen=True, slots=True)
class PlanStretch:
    """A stretch and the plan it is billed by; without a price book, none."""

    stretch: Stretch
    priced: Priced | None
    terms: tuple[Terms, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """`faults` (code and message) keep its accounts, and them alone, from being invoiced; with
    `out_of_order` they have drafts, and cannot be closed. `more` are the terms of no stretch;
    `coming` the plans that charge for the month after already; `versions` the books that may have
    priced the month.
    """

    key: CohortKey
    period: Period
    stretches: tuple[PlanStretch, ...]
    more: tuple[Terms, ...]
    coming: tuple[Priced, ...]
    versions: tuple[PriceBook, ...]
    faults: tuple[tuple[str, str], ...]

    @property
    def precision(self) -> int:
        """Decimal places of its currency."""
        return currency_precision(self.key.currency)

    @property
    def month(self) -> Month:
        return month_of(self.period.since)

    @property
    def has_document(self) -> bool:
        return not self.faults and bool(self.stretches or self.key.charged)

    @property
    def costs_unused(self) -> bool:
        """Whether its documents would charge or settle something where nothing was used."""
        terms = (*(one for part in self.stretches for one in part.terms), *self.more)
        return bool(self.faults) or any(one.costs_unused for one in terms)

    @property
    def books(self) -> set[str]:
        """The versions that its documents are made from, by hash: of the month and of what is
        charged for the next.
        """
        priced = (*(part.priced for part in self.stretches), *self.coming)
        return {found[0].sha256 for found in priced if found}

    @property
    def known_books(self) -> list[str]:
        """The versions that may price its days: of the books it is on, those of before its end,
        and what was frozen already, whatever plan it is on now.
        """
        codes = {part.priced[0].book for part in self.stretches if part.priced}
        found = {one.sha256 for one in self.versions if one.book in codes}
        return sorted(found.union(self.key.frozen))

    @property
    def plan(self) -> str | None:
        """The plan of its document: the last one of the month."""
        if self.stretches:
            return self.stretches[-1].stretch.plan
        return self.key.charged[-1][0].plan if self.key.charged else None


def make_cohort(catalogue: Catalogue, month: Month, key: CohortKey) -> Cohort:
    if not is_zone(key.zone):
        # As after a move to a machine whose list of zones is older. Of no month is UTC's billed.
        unknown = ("ZONE_UNKNOWN", f"this machine knows no time zone {key.zone}: update its tzdata")
        return Cohort(key, month.period("UTC"), (), (), (), (), (unknown,))
    period = month.period(key.zone, *key.bounds)
    catalogue = catalogue.under(key.frozen)
    faults = []
    parts = []
    known: list[tuple[Stretch, Priced]] = []
    found = stretches(catalogue.named(key.history, period.since), period)
    for stretch in found:
        priced, fault = price(catalogue, stretch, key.currency)
        terms: tuple[Terms, ...] = ()
        if fault:
            faults.append(fault)
        if priced:
            known.append((stretch, priced))
            terms = tuple(_stretch_terms(stretch, priced, period, is_last=stretch is found[-1]))
        parts.append(PlanStretch(stretch, priced, terms))
    more: list[Terms] = []
    ahead: list[tuple[Stretch, Priced]] = []
    if parts or key.charged:
        more += owed_terms(known, period, dict(key.charged))
        coming = month.after.period(key.zone, period.end_us)
        ahead += _priced(catalogue, coming, key)
        more += advance_terms(ahead, coming)
    charging = (one for _, one in ahead if any(fee.timing == "advance" for fee in one[1].fees))
    versions = catalogue.versions(period.until)
    return Cohort(key, period, tuple(parts), tuple(more), tuple(charging), versions, tuple(faults))


def _priced(
    catalogue: Catalogue, period: Period, key: CohortKey
) -> Iterator[tuple[Stretch, Priced]]:
    """A coming period's stretches that have a price; the others are for that month to judge."""
    for stretch in stretches(catalogue.named(key.history, period.since), period):
        priced, _ = price(catalogue, stretch, key.currency)
        if priced:
            yield stretch, priced


def price(
    catalogue: Catalogue, stretch: Stretch, currency: str
) -> tuple[Priced | None, tuple[str, str] | None]:
    """The stretch's plan and its version of the book, or the fault: code and message."""
    named = f"{stretch.book}/{stretch.plan}" if stretch.book else stretch.plan
    found = catalogue.find_plans(stretch.book, stretch.plan, stretch.since)
    code = found[0][0].book if found else stretch.book
    if version := catalogue.unreadable_for(code, stretch.since):
        message = f"{version} is not as it was loaded, and may price {named}: restore the books"
        return None, ("PRICE_BOOK_UNREADABLE", message)
    if not found:
        return None, (
            "PLAN_UNKNOWN",
            f"no loaded price book has the plan {named} on {stretch.since}",
        )
    if len(found) > 1:
        books = " and ".join(book.book for book, _ in found)
        return None, ("PLAN_AMBIGUOUS", f"the plan {named} is in {books}: name it as book/plan")
    book = found[0][0]
    if book.currency != currency:
        message = f"is billed in {currency}, but {book.book} is in {book.currency}"
        return None, ("CURRENCY_DIFFERS", message)
    return found[0], None


def _stretch_terms(
    stretch: Stretch, priced: Priced, period: Period, *, is_last: bool
) -> Iterator[Terms]:
    """A stretch's lines in order: fees in arrears, usage as in the book, the commitment."""
    yield from arrears_terms(stretch, priced, period)
    for charge in priced[1].charges:
        if charge.meter is None and not is_last:
            continue  # owed once, and without a meter there is nothing else to say
        if isinstance(charge.pricing, PerVariant):
            for variant, _ in charge.pricing.prices:
                yield _usage_terms(stretch, priced, period, charge, variant)
        else:
            yield _usage_terms(stretch, priced, period, charge, None, owed=is_last)
    if priced[1].commitment:
        yield _commitment_terms(stretch, priced, period)


def _usage_terms(  # noqa: PLR0913, PLR0917
    stretch: Stretch,
    priced: Priced,
    period: Period,
    charge: Charge,
    variant: str | None,
    *,
    owed: bool = True,
) -> Terms:
    book, plan = priced
    share = share_of(stretch, prorate=charge.prorate)
    included = allowance(charge, stretch)
    numbers = usage_numbers(charge, variant, included, share, book.currency)
    content = {
        "kind": "usage",
        **_place(book.book, plan.code, charge.code, stretch, period),
        "description": charge.description,
        "variant": charge.variant,
        "priced_variant": variant,
        "quantity": None if charge.meter else "1",
        "unit": charge.unit,
        "included": str(included),
        "proration": share.text if charge.model != "flat" else None,
        "model": charge.model,
        "tiers": [
            [None if tier.up_to is None else f"{tier.up_to:f}", f"{tier.unit_price:f}"]
            for tier in priced_tiers(charge, variant)
        ],
        "scales": {
            "unit": str(numbers.unit),
            "tier": str(numbers.unit * numbers.scale),
            "amount": str(numbers.below),
            "flat": str(numbers.scale),
        },
        "discounted": charge.discount_percent != 0,
        "measured": measured_content(charge, numbers),
        "basis": charge_basis(charge, stretch, owed=owed),
    }
    even = book.line_rounding == "half_even"
    return Terms(content, charge, variant, numbers, owed=owed, even=even)


def _commitment_terms(stretch: Stretch, priced: Priced, period: Period) -> Terms:
    book, plan = priced
    commitment = plan.commitment
    assert commitment is not None
    share = share_of(stretch, prorate=True)
    content = {
        "kind": "commitment",
        **_place(book.book, plan.code, "commitment", stretch, period),
        "description": commitment.description,
        "quantity": None,
        "unit": None,
        "included": None,
        "proration": share.text,
        "basis": {"amount": decimal_text(commitment.amount), **ledger_basis(commitment)},
    }
    least = Fraction(commitment.amount) * share.fraction
    return Terms(content, commitment=least, even=book.line_rounding == "half_even")


def _place(
    book: str, plan: str, code: str, stretch: Stretch, period: Period
) -> Mapping[str, object]:
    return {
        "book": book,
        "plan": plan,
        "code": code,
        "period": [stretch.start_us, stretch.end_us],
        "month": f"{period.since:%Y-%m}",
        "advance": False,
    }
