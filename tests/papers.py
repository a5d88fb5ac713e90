"""Documents as the books have them, made up: what a page is drawn from.

Owns their shape, that of `billing.document`; amounts are such that they can be told apart.
"""

from decimal import Decimal
from typing import Any

SELLER = {
    "name": "HomeMeeting GmbH",
    "street": "Lindenallee 4",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "vat_number": "DE123456789",
    "email": "billing@homemeeting.example",
}
BUYER = {
    "account_id": "acme",
    "name": "Acme Ltd",
    "legal_name": "Acme Trading Limited",
    "street": "1 High Street",
    "postal_code": "SW1A 1AA",
    "city": "London",
    "country": "GB",
    "email": "ap@acme.example",
    "purchase_order": "PO-4711",
}
PERIOD = {"start": "2026-10-01T00:00:00+02:00", "end": "2026-11-01T00:00:00+01:00"}


def usage_line(index: int) -> dict[str, Any]:
    tiers = [
        {"up_to": "10000", "quantity": "10000", "unit_price": "0.004", "flat": "0", "amount": "40"},
        {"up_to": None, "quantity": "2345", "unit_price": "0.003", "flat": "0", "amount": "7.035"},
    ]
    return {
        "id": f"u{index}",
        "kind": "usage",
        "code": "participant_minutes",
        "description": "Participant minutes",
        "variant": None,
        "period": PERIOD,
        "quantity": "13345",
        "unit": "minute",
        "included": "1000",
        "tiers": tiers,
        "packages": None,
        "discount": None,
        "bound": None,
        "amount": "47.04",
        "tax": None,
        "origin": None,
        "concession": None,
        "proration": None,
        "basis": {"model": "graduated", "included": "1000", "included_per": "plan"},
    }


def fee_line(index: int) -> dict[str, Any]:
    line = {**usage_line(index), "id": f"f{index}", "kind": "fee", "code": "base", "tiers": []}
    return {
        **line,
        "description": f"Business plan {index}",
        "quantity": "1",
        "unit": None,
        "included": None,
        "amount": "49.00",
        "basis": {"amount": "49"},
    }


def invoice(lines: int = 2, **changes: Any) -> dict[str, Any]:
    makers = (fee_line, usage_line)
    document = {
        "id": "d1",
        "kind": "invoice",
        "status": "final",
        "number": "2026-000042",
        "issued_on": "2026-11-02",
        "due_on": "2026-11-16",
        "corrects": None,
        "corrects_issued_on": None,
        "credit": None,
        "reason": None,
        "apart": False,
        "account_id": "acme",
        "currency": "EUR",
        "plan": "business",
        "period": PERIOD,
        "seller": SELLER,
        "buyer": BUYER,
        "lines": [makers[index % 2](index) for index in range(lines)],
        "subtotal": "1096.04",
        "taxes": [],
        "tax": None,
        "tax_in": None,
        "total": "1096.04",
        "prepaid": None,
        "due": "1096.04",
    }
    return {**document, **changes}


def tax(category: str = "S", rate: str | None = "19", **changes: Any) -> dict[str, Any]:
    """One row of `taxes`."""
    row = {"category": category, "rate_percent": rate, "country": "DE", "taxable": "1096.04"}
    return {
        **row,
        "tax": "208.25" if rate not in ("0", None) else "0.00",
        "reason": None,
        **changes,
    }


def taxed(*taxes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An invoice under these taxes, its lines by turns under each."""
    charged = sum((Decimal(one["tax"]) for one in taxes), Decimal(0))
    total = f"{Decimal('1096.04') + charged}"
    sums = {"taxes": list(taxes), "tax": f"{charged}", "total": total, "due": total}
    document = invoice(**{**sums, **changes})
    for at, line in enumerate(document["lines"]):
        one = taxes[at % len(taxes)]
        line["tax"] = {name: one[name] for name in ("category", "rate_percent")}
    return document
