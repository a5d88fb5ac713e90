"""What a charge says, as data to be frozen with an invoice, so that its lines can be explained.

Owns the keys, which are the book's own; what a book may leave out and did is left out.
"""

from billing.money import decimal_text
from billing.period import Stretch
from billing.pricebook import (
    STANDARD,
    Charge,
    Commitment,
    Fee,
    Flat,
    Package,
    Percentage,
    PerUnit,
    PerVariant,
    Tiered,
)
from billing.proration import share_of


def charge_basis(charge: Charge, stretch: Stretch, *, owed: bool) -> dict[str, str]:
    """Keys and values of a price book; numbers are decimals as text. Tiers and prices per unit
    stand in the line's tiers. A flat amount is told where it is `owed`. `bound_days` is the part of
    the month that minimum and maximum are for, where that is not all of it. `seats` are told where
    they were the same all along, else `seat_days`: `60/31`, the seats of each day, summed.
    """
    share = share_of(stretch, prorate=charge.prorate)
    told = {"model": charge.model, **_pricing(charge, owed=owed)}
    if charge.included:
        told |= {"included": decimal_text(charge.included), "included_per": charge.included_per}
        if charge.included_per == "seat" and len(stretch.seats) == 1:
            told["seats"] = str(stretch.seats[0].quantity)
        elif charge.included_per == "seat":
            told["seat_days"] = f"{stretch.seat_days}/{share.of}"
    if charge.discount_percent:
        told["discount_percent"] = decimal_text(charge.discount_percent)
    for key, bound in (("minimum", charge.minimum), ("maximum", charge.maximum)):
        if bound is not None:
            told[key] = decimal_text(bound)
            if share.text:
                told["bound_days"] = share.text
    return told | booked_basis(charge)


def booked_basis(one: Charge | Fee) -> dict[str, str]:
    """How it is taxed and booked, where the book says so."""
    told = {} if one.tax_category == STANDARD else {"tax_category": one.tax_category}
    return told | ledger_basis(one)


def ledger_basis(one: Charge | Fee | Commitment) -> dict[str, str]:
    return {} if one.ledger_account is None else {"ledger_account": one.ledger_account}


def _pricing(charge: Charge, *, owed: bool) -> dict[str, str]:
    match charge.pricing:
        case Package(size, price, rounding):
            return {
                "package_size": decimal_text(size),
                "package_price": decimal_text(price),
                "package_rounding": rounding,
            }
        case Flat(amount):
            return {"amount": decimal_text(amount)} if owed else {}
        case Percentage(rate, fixed):
            return {
                "rate_percent": decimal_text(rate),
                "fixed": decimal_text(fixed),
                "unit_size": str(charge.unit_size),
            }
        case PerUnit() | PerVariant() | Tiered():
            return {}
