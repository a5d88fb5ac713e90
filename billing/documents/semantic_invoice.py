"""The semantic model of EN 16931: an electronic invoice by its business terms, free of any syntax.

Owns the terms (BT) and groups (BG) that we fill. Amounts and prices are decimals with the places
that they are to be written with; what is None does not stand in the invoice.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

EN16931: Final = "urn:cen.eu:en16931:2017"  # the specification that both syntaxes name


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value and the code of the scheme it is of, None where that is not known."""

    value: str
    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """BG-4 the seller, BG-7 the buyer; the numbers are those of seller and buyer."""

    name: str  # BT-27, BT-44
    country: str  # BT-40, BT-55
    trading_name: str | None = None  # BT-28, BT-45
    identifier: str | None = None  # BT-29, BT-46
    registration: Identifier | None = None  # BT-30, BT-47
    vat_number: str | None = None  # BT-31, BT-48
    endpoint: Identifier | None = None  # BT-34, BT-49
    street: str | None = None  # BT-35, BT-50
    city: str | None = None  # BT-37, BT-52
    postal_code: str | None = None  # BT-38, BT-53
    region: str | None = None  # BT-39, BT-54
    email: str | None = None  # BT-43, BT-58


@dataclass(frozen=True, slots=True)
class Preceding:
    """BG-3: an invoice that is corrected, as a whole or by a line."""

    number: str  # BT-25
    issued_on: date | None  # BT-26


@dataclass(frozen=True, slots=True)
class Days:
    """BG-14, BG-26: from the first day to the last."""

    first: date  # BT-73, BT-134
    last: date  # BT-74, BT-135


@dataclass(frozen=True, slots=True)
class Payment:
    """BG-16, BG-17: a credit transfer."""

    means: str  # BT-81
    reference: str  # BT-83
    account: str  # BT-84
    bank: str | None  # BT-86


@dataclass(frozen=True, slots=True)
class TaxCategory:
    """A category of UNTDID 5305 and its rate in percent, which O alone has none of."""

    code: str  # BT-118, BT-151
    rate: Decimal | None  # BT-119, BT-152


@dataclass(frozen=True, slots=True)
class TaxBreakdown:
    """BG-23."""

    category: TaxCategory
    taxable: Decimal  # BT-116
    tax: Decimal  # BT-117
    reason: str | None  # BT-120
    reason_code: str | None  # BT-121


@dataclass(frozen=True, slots=True)
class Price:
    """BG-29: of one unit, never negative. `net` is `gross` less `discount`, where there is one."""

    net: Decimal  # BT-146
    discount: Decimal | None = None  # BT-147
    gross: Decimal | None = None  # BT-148


@dataclass(frozen=True, slots=True)
class Line:
    """BG-25."""

    id: str  # BT-126
    note: str | None  # BT-127
    quantity: Decimal  # BT-129
    unit: str  # BT-130
    amount: Decimal  # BT-131
    days: Days  # BG-26
    price: Price
    category: TaxCategory
    name: str  # BT-153
    item: str | None  # BT-155


@dataclass(frozen=True, slots=True)
class SemanticInvoice:
    """The whole of it."""

    number: str  # BT-1
    issued_on: date  # BT-2
    type_code: str  # BT-3
    currency: str  # BT-5
    tax_currency: str | None  # BT-6
    due_on: date | None  # BT-9
    buyer_reference: str | None  # BT-10
    purchase_order: str | None  # BT-13
    terms: str | None  # BT-20
    note: str | None  # BT-22
    preceding: tuple[Preceding, ...]
    seller: Party
    buyer: Party
    delivered_to: str  # BT-70
    days: Days
    payment: Payment | None
    line_total: Decimal  # BT-106, and BT-109: nothing is added or taken off beyond the lines
    tax: Decimal  # BT-110
    tax_in_tax_currency: Decimal | None  # BT-111
    total: Decimal  # BT-112
    paid: Decimal | None  # BT-113
    due: Decimal  # BT-115
    breakdown: tuple[TaxBreakdown, ...]
    lines: tuple[Line, ...]

    @property
    def is_credit_note(self) -> bool:
        """Whether it is a document of its own in UBL."""
        return self.type_code == "381"
