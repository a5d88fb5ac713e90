"""An account's month as a document: the shape that `invoice show` prints, before it has a number.

Owns the document's fields and its fees. What charges cost comes from `billing.rating`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.money import decimal_text, minor_to_money, round_money
from billing.month import AccountMonth, Month, PlanStretch
from billing.period import SeatRun, day_start_us
from billing.pricebook import Fee
from billing.rating import ChargeLine, RatedLine
from edge.instants import instant

_LATER: Final = {"discount": None, "bound": None, "origin": None}


def draft(
    month: Month, one: AccountMonth, rated: Mapping[int, RatedLine], seller: Mapping[str, str]
) -> tuple[dict[str, Any], dict[int, str]]:
    """The document, and the id in it of each rated line."""
    id = f"{month}.{one.account.account_id}"
    zone = ZoneInfo(one.period.zone)
    lines: list[dict[str, Any]] = []
    rated_ids: dict[int, str] = {}
    for part in one.stretches:
        for line in _fee_lines(part, one.account.currency, zone):
            lines.append({"id": f"{id}.{len(lines) + 1:04}", **line})
        for charge in part.lines:
            rated_ids[charge.line] = f"{id}.{len(lines) + 1:04}"
            usage = _usage_line(part, charge, rated[charge.line], zone)
            lines.append({"id": rated_ids[charge.line], **usage})
    # Fractions: a sum of Decimals is rounded to the context's 28 digits.
    exact = sum((Fraction(line["amount"]) for line in lines), Fraction(0))
    subtotal = round_money(exact, one.account.currency)
    document = {
        "id": id,
        "kind": "invoice",
        "status": "draft",
        **dict.fromkeys(("number", "issued_on", "due_on", "corrects")),
        "account_id": one.account.account_id,
        "currency": one.account.currency,
        "plan": one.stretches[-1].stretch.plan,
        "period": _span(one.period.start_us, one.period.end_us, zone),
        "seller": dict(seller),
        "buyer": asdict(one.account),
        "lines": lines,
        "subtotal": f"{subtotal:f}",
        "taxes": [],
        "tax": None,
        "total": f"{subtotal:f}",
        "prepaid": None,
        "due": f"{subtotal:f}",
    }
    return document, rated_ids


def is_nil(document: Mapping[str, Any]) -> bool:
    return all(Decimal(line["amount"]) == 0 for line in document["lines"])


def _fee_lines(part: PlanStretch, currency: str, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    assert part.priced is not None, "an account whose plan has no price has a fault"
    stretch = part.stretch
    for fee in part.priced[1].fees:
        whole = (SeatRun(stretch.since, stretch.until, 1),)
        for run in stretch.seats if fee.per == "seat" else whole:
            yield _fee_line(part, fee, run, currency, zone)


def _fee_line(
    part: PlanStretch, fee: Fee, run: SeatRun, currency: str, zone: ZoneInfo
) -> dict[str, Any]:
    stretch = part.stretch
    start = stretch.start_us if run.since == stretch.since else day_start_us(run.since, zone)
    end = stretch.end_us if run.until == stretch.until else day_start_us(run.until, zone)
    share = Fraction(run.days, stretch.days_in_period)
    return {
        "kind": "fee",
        "code": fee.code,
        "description": fee.description,
        "variant": None,
        "period": _span(start, end, zone),
        "quantity": decimal_text(run.quantity),
        "unit": "seat" if fee.per == "seat" else "month",
        "included": "0",
        "tiers": [],
        "amount": f"{round_money(Fraction(fee.amount) * run.quantity * share, currency):f}",
        "proration": _proration(run.days, stretch.days_in_period),
        **_LATER,
    }


def _usage_line(
    part: PlanStretch, line: ChargeLine, rated: RatedLine, zone: ZoneInfo
) -> dict[str, Any]:
    stretch = part.stretch
    tiers = [
        {
            "up_to": None if tier.up_to is None else decimal_text(tier.up_to),
            "quantity": decimal_text(tier.quantity),
            "unit_price": decimal_text(tier.unit_price),
            "flat": decimal_text(tier.flat),
            "amount": decimal_text(tier.amount),
        }
        for tier in rated.tiers
    ]
    return {
        "kind": "usage",
        "code": line.charge.code,
        "description": line.charge.description,
        "variant": line.charge.variant,
        "period": _span(stretch.start_us, stretch.end_us, zone),
        "quantity": decimal_text(rated.quantity),
        "unit": line.charge.unit,
        "included": decimal_text(line.included),
        "tiers": tiers,
        "amount": f"{minor_to_money(rated.amount_minor, line.currency):f}",
        "proration": _proration(stretch.days, stretch.days_in_period),
        **_LATER,
    }


def _proration(days: int, days_in_period: int) -> str | None:
    """Days covered of the period's, not reduced: `17/31`; None when whole."""
    return f"{days}/{days_in_period}" if days < days_in_period else None


def _span(start_us: int, end_us: int, zone: ZoneInfo) -> dict[str, str]:
    return {"start": _local(start_us, zone), "end": _local(end_us, zone)}


def _local(moment_us: int, zone: ZoneInfo) -> str:
    return instant(moment_us).astimezone(zone).isoformat()
