"""From TOML text to a PriceBook: its plans, their fees and commitments, and what is taken twice.

Owns the rules of a book and a plan as wholes; a charge is `billing.charge_check`'s. All faults
are collected and raised as one refusal.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Final, Literal, TypeVar

from billing.charge_check import ledger_account, read_charge
from billing.limits_check import is_beyond
from billing.model_check import price
from billing.pricebook import (
    MINIMUM_COMMITMENT,
    STANDARD,
    Charge,
    Commitment,
    Fee,
    Plan,
    PriceBook,
)
from billing.toml_source import read_toml
from billing.toml_table import Findings, Table
from edge import Fault, Refused
from edge.currencies import OUT_OF_USE, is_known_currency, is_used_currency

_Read = TypeVar("_Read", Plan, Fee, Charge)

_BOOK_KEYS: Final = ("book", "currency", "effective_from", "line_rounding", "plan")
_PLAN_KEYS: Final = ("code", "name", "free", "fee", "charge", "commitment")
_FEE_KEYS: Final = (
    *("code", "description", "amount", "interval", "timing", "per", "prorate", "tax_category"),
    "ledger_account",
)
_COMMITMENT_KEYS: Final = ("amount", "description", "ledger_account")
_OTHER: Final = "any other variant"  # stands for those that no charge names; is itself no code


def parse_price_book(content: str | bytes, *, stored: bool = False) -> PriceBook:
    """The book that a TOML file holds; raises Refused with every fault found. One that is `stored`
    was loaded once and stays readable: its currency may be gone since, its charges too large.
    """
    raw = content.encode() if isinstance(content, str) else content
    source = read_toml(raw)
    if isinstance(source, list):
        raise _refusal(source)
    findings = Findings(source.lines, list(source.faults))
    table = Table(findings, "", (), source.data)
    book = _book(table, hashlib.sha256(raw).hexdigest(), stored=stored)
    if book is None or findings.faults:
        raise _refusal(findings.faults)
    return book


def _refusal(faults: list[Fault]) -> Refused:
    assert faults, "a book that could not be built must have a fault"
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Refused("PRICE_BOOK_INVALID", f"the price book has {count}; nothing was loaded", faults)


def _book(table: Table, sha256: str, *, stored: bool) -> PriceBook | None:
    table.refuse_unknown(_BOOK_KEYS)
    book = table.code("book")
    currency = _currency(table, stored=stored)
    effective_from = table.date("effective_from")
    told = table.choice("line_rounding", ("half_up", "half_even"), default="half_up")
    line_rounding: Literal["half_up", "half_even"] = (
        "half_even" if told == "half_even" else "half_up"
    )
    judged = partial(_plan, currency=None if stored else currency)
    plans = tuple(plan for _, plan in _each(table, "plan", judged))
    if not table.data.get("plan"):
        table.fault("KEY_MISSING", "plan", "a book needs at least one [[plan]]")
    if book is None or currency is None or effective_from is None:
        return None
    return PriceBook(book, currency, effective_from, line_rounding, plans, sha256)


def _currency(table: Table, *, stored: bool) -> str | None:
    told = table.text("currency")
    if told is None:
        return None
    if not is_known_currency(told):
        table.fault("BAD_VALUE", "currency", f"{told!r} is not an ISO 4217 code such as EUR")
        return None
    if not stored and not is_used_currency(told):
        table.fault("BAD_VALUE", "currency", f"{told!r} {OUT_OF_USE}")
    return told


def _each(
    table: Table, key: str, read: Callable[[Table], _Read | None]
) -> Iterator[tuple[Table, _Read]]:
    """What could be read of an array of tables; a code that an earlier one has is a fault."""
    codes: set[str] = set()
    for one in table.tables(key, named=True):
        code = one.data.get("code")
        if isinstance(code, str):
            if code in codes:
                one.fault("DUPLICATE", "code", f"{code!r} is used by an earlier one")
            codes.add(code)
        found = read(one)
        if found is not None:
            yield one, found


def _plan(table: Table, *, currency: str | None) -> Plan | None:
    """With a currency, charges that could never be billed in it are faults."""
    table.refuse_unknown(_PLAN_KEYS)
    code, name = table.code("code"), table.text("name")
    free = table.codes("free")
    fees = tuple(fee for _, fee in _each(table, "fee", _fee))
    charges = list(_each(table, "charge", partial(_charge, currency=currency)))
    for place, charge in charges:
        if charge.meter in free:
            message = f"{charge.meter!r} is in the plan's list of free meters"
            place.fault("KEYS_CONFLICT", "meter", message)
    _refuse_overlaps(charges)
    commitment = _commitment(table)
    if code is None or name is None:
        return None
    return Plan(code, name, free, fees, tuple(charge for _, charge in charges), commitment)


def _charge(table: Table, *, currency: str | None) -> Charge | None:
    known = len(table.findings.faults)
    charge = read_charge(table)
    is_whole = charge is not None and len(table.findings.faults) == known
    if currency is not None and charge is not None and is_whole and is_beyond(charge, currency):
        message = (
            "has more digits than can be billed exactly: take decimals off its prices, tiers, "
            "rounding, discount or bounds, or make unit_size smaller"
        )
        table.findings.add("CHARGE_TOO_LARGE", table.place, table.path, message)
    return charge


def _fee(table: Table) -> Fee | None:
    table.refuse_unknown(_FEE_KEYS)
    code, description = table.code("code"), table.text("description")
    amount = price(table, "amount")
    table.choice("interval", ("month",), default="month")
    timing = table.choice("timing", ("arrears", "advance"), default="arrears")
    per = table.choice("per", ("plan", "seat"), default="plan")
    return Fee(
        code=code or "",
        description=description or "",
        amount=amount,
        timing="advance" if timing == "advance" else "arrears",
        per="seat" if per == "seat" else "plan",
        prorate=table.flag("prorate", default=True),
        tax_category=table.code("tax_category", default=STANDARD) or STANDARD,
        ledger_account=ledger_account(table),
    )


def _commitment(table: Table) -> Commitment | None:
    told = table.table("commitment")
    if told is None:
        return None
    told.refuse_unknown(_COMMITMENT_KEYS)
    description = told.text("description", default=MINIMUM_COMMITMENT)
    return Commitment(price(told, "amount"), description or "", ledger_account(told))


def _refuse_overlaps(charges: list[tuple[Table, Charge]]) -> None:
    """Every pair of charges that would take the same record, unless one of the two says `also`."""
    by_meter: dict[str, list[tuple[Table, Charge]]] = {}
    for table, charge in charges:
        if charge.meter is not None:
            by_meter.setdefault(charge.meter, []).append((table, charge))
    for meter, group in by_meter.items():
        for (first, second), variants in _shared(meter, group).items():
            table = group[second][0]
            other = group[first][0].place.rpartition(".")[2]
            message = (
                f"{other} takes meter {meter!r}, {_named(variants)}, too: part them by variant, "
                "or say also = true in one of the two"
            )
            table.fault("CHARGES_OVERLAP", "variant" if "variant" in table else "meter", message)


def _shared(
    meter: str, group: list[tuple[Table, Charge]]
) -> dict[tuple[int, int], list[str | None]]:
    """The pairs, by their places in `group`, and the variants of which both take records."""
    plan = Plan("", "", (), (), tuple(charge for _, charge in group), None)
    named = sorted({one for charge in plan.charges for one in charge.variants if one != "*"})
    shared: dict[tuple[int, int], list[str | None]] = {}
    for variant in (*named, None, _OTHER):
        takers = {id(charge) for charge in plan.takers(meter, variant)}
        places = [at for at, charge in enumerate(plan.charges) if id(charge) in takers]
        for first, second in combinations(places, 2):
            if not (plan.charges[first].also or plan.charges[second].also):
                shared.setdefault((first, second), []).append(variant)
    return shared


def _named(variants: list[str | None]) -> str:
    """At most three of them: who mends the first has mended most."""
    words = ["no variant" if one is None else _quoted(one) for one in variants[:3]]
    more = len(variants) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _quoted(variant: str) -> str:
    return variant if variant == _OTHER else f"variant {variant!r}"
