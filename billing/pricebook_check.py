"""From TOML text to a PriceBook: the grammar's keys, and which of them go together.

Owns every rule that a book is checked by; all faults are collected and raised as one refusal.
Models, measures and timings of later releases are refused by name, so that a book using them
is told apart from one that is mistaken.
"""

import hashlib
import tomllib
from decimal import Decimal
from typing import Any, Final, cast

from billing.money import is_known_currency
from billing.pricebook import (
    Charge,
    Fee,
    Measure,
    Mode,
    Model,
    Plan,
    PriceBook,
    Rounding,
    Scope,
    Tier,
)
from billing.toml_table import Findings, Table, find_lines
from edge import Fault, Refused

_PRICE_DIGITS: Final = 9
_QUANTITY_DIGITS: Final = 15  # bytes are counted one by one where a book sets no unit_size
_UNIT_SIZE_DIGITS: Final = 18  # within a signed 64-bit integer
_ZERO: Final = Decimal(0)

_BOOK_KEYS: Final = ("book", "currency", "effective_from", "plan")
_PLAN_KEYS: Final = ("code", "name", "free", "fee", "charge")
_FEE_KEYS: Final = ("code", "description", "amount", "interval", "timing", "per")
_CHARGE_KEYS: Final = (
    "code",
    "description",
    "meter",
    "variant",
    "measure",
    "unit",
    "unit_size",
    "rounding",
    "included",
    "model",
    "unit_price",
    "tiers",
)
_ROUNDING_KEYS: Final = ("scope", "quantum", "mode", "minimum")
_TIER_KEYS: Final = ("up_to", "unit_price", "flat")

_MODELS: Final = ("per_unit", "graduated")
_LATER_MODELS: Final = ("volume", "package", "flat", "percentage")
_MEASURES: Final = ("duration", "count", "quantity", "maximum", "unique")
_LATER_MEASURES: Final = ("peak",)
_TIME_UNITS: Final = ("second", "minute", "hour")
_COUNTED_UNIT: Final = {"count": "record", "unique": "participant", "peak": "participant"}


def parse_price_book(content: str | bytes) -> PriceBook:
    """The book that a TOML file holds; raises Refused with every fault found."""
    raw = content.encode() if isinstance(content, str) else content
    data, text = _load(raw)
    findings = Findings(find_lines(text))
    book = _book(Table(findings, "", (), data), hashlib.sha256(raw).hexdigest())
    if book is None or findings.faults:
        raise _refusal(findings.faults)
    return book


def _refusal(faults: list[Fault]) -> Refused:
    assert faults, "a book that could not be built must have a fault"
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Refused("PRICE_BOOK_INVALID", f"the price book has {count}; nothing was loaded", faults)


def _load(raw: bytes) -> tuple[dict[str, Any], str]:
    try:
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal), text
    except UnicodeDecodeError as error:
        fault = Fault("NOT_UTF8", f"byte {error.start}", "the file must be UTF-8 text")
    except (ValueError, ArithmeticError, RecursionError) as error:
        # TOMLDecodeError is a ValueError; so is an integer of more digits than Python reads.
        fault = Fault("TOML_INVALID", "file", str(error) or "cannot be read as a number")
    raise _refusal([fault])


def _book(table: Table, sha256: str) -> PriceBook | None:
    table.refuse_unknown(_BOOK_KEYS)
    book = table.code("book")
    currency = table.text("currency")
    if currency is not None and not is_known_currency(currency):
        table.fault("BAD_VALUE", "currency", f"{currency!r} is not an ISO 4217 code such as EUR")
    effective_from = table.date("effective_from")
    plans: list[Plan] = []
    codes: set[object] = set()
    for plan_table in table.tables("plan", named=True):
        _refuse_second(plan_table, codes)
        plan = _plan(plan_table)
        if plan is not None:
            plans.append(plan)
    if not table.data.get("plan"):
        table.fault("KEY_MISSING", "plan", "a book needs at least one [[plan]]")
    if book is None or currency is None or effective_from is None:
        return None
    return PriceBook(book, currency, effective_from, tuple(plans), sha256)


def _plan(table: Table) -> Plan | None:
    table.refuse_unknown(_PLAN_KEYS)
    code, name = table.code("code"), table.text("name")
    free = table.codes("free")
    fees: list[Fee] = []
    codes: set[object] = set()
    for fee_table in table.tables("fee", named=True):
        _refuse_second(fee_table, codes)
        fee = _fee(fee_table)
        if fee is not None:
            fees.append(fee)
    charges: list[Charge] = []
    codes = set()
    for charge_table in table.tables("charge", named=True):
        _refuse_second(charge_table, codes)
        if (meter := charge_table.data.get("meter")) in free:
            charge_table.fault(
                "KEYS_CONFLICT", "meter", f"{meter!r} is in the plan's list of free meters"
            )
        charge = _charge(charge_table)
        if charge is not None:
            charges.append(charge)
    if code is None or name is None:
        return None
    return Plan(code, name, free, tuple(fees), tuple(charges))


def _refuse_second(table: Table, codes: set[object]) -> None:
    """`codes` are those of the tables before, be they faulty or not."""
    code = table.data.get("code")
    if not isinstance(code, str):
        return
    if code in codes:
        table.fault("DUPLICATE", "code", f"{code!r} is used by an earlier one")
    codes.add(code)


def _fee(table: Table) -> Fee | None:
    table.refuse_unknown(_FEE_KEYS)
    code, description = table.code("code"), table.text("description")
    amount = table.number("amount", digits=_PRICE_DIGITS)
    interval = table.choice("interval", ("month",), default="month")
    timing = table.choice("timing", ("arrears", "advance"), default="arrears")
    if timing == "advance":
        table.fault(
            "TIMING_NOT_AVAILABLE",
            "timing",
            'fees in advance come with a later release; use "arrears"',
        )
    per = table.choice("per", ("plan", "seat"), default="plan")
    if code is None or amount is None or description is None or interval is None or per is None:
        return None
    return Fee(code, description, amount, "month", "arrears", "seat" if per == "seat" else "plan")


def _charge(table: Table) -> Charge | None:
    code, description = table.code("code"), table.text("description")
    meter = table.code("meter")
    variant = table.code("variant") if "variant" in table else None
    measure = _available(table, "measure", _MEASURES, _LATER_MEASURES, "MEASURE_NOT_AVAILABLE")
    model = _available(table, "model", _MODELS, _LATER_MODELS, "MODEL_NOT_AVAILABLE")
    if model is not None or table.data.get("model") not in _LATER_MODELS:
        table.refuse_unknown(_CHARGE_KEYS)  # later models bring keys that are not known yet
    unit = _unit(table)
    unit_size = _unit_size(table)
    rounding = _rounding(table)
    included = table.number("included", digits=_QUANTITY_DIGITS, default=_ZERO)
    tiers = _tiers_of_model(table, model)
    if code is None or description is None or meter is None or measure is None:
        return None
    if model is None or unit is None or unit_size is None or included is None:
        return None
    return Charge(
        code=code,
        description=description,
        meter=meter,
        variant=variant,
        measure=cast(Measure, measure),
        unit=unit,
        unit_size=unit_size,
        rounding=rounding,
        included=included,
        model=cast(Model, model),
        tiers=tiers,
    )


def _available(
    table: Table, key: str, now: tuple[str, ...], later: tuple[str, ...], code: str
) -> str | None:
    value = table.choice(key, now + later)
    if value in later:
        table.fault(
            code, key, f"{value!r} comes with a later release; available are {', '.join(now)}"
        )
        return None
    return value


def _unit(table: Table) -> str | None:
    measure = table.data.get("measure")
    if measure == "duration":
        return table.choice("unit", _TIME_UNITS)
    default = _COUNTED_UNIT.get(measure) if isinstance(measure, str) else None
    return table.text("unit", default=default)


def _unit_size(table: Table) -> int | None:
    size = table.number("unit_size", digits=_UNIT_SIZE_DIGITS, default=Decimal(1), whole=True)
    if size is None:
        return None
    if size == 0:
        table.fault("BAD_VALUE", "unit_size", "must be at least 1")
        return None
    measure = table.data.get("measure")
    if size != 1 and measure not in ("quantity", "maximum"):
        table.refuse_present(["unit_size"], f'measure = "{measure}"')
    return int(size)


def _rounding(table: Table) -> Rounding | None:
    rounding = table.table("rounding")
    if rounding is None:
        return None
    measure = table.data.get("measure")
    if measure in tuple(_COUNTED_UNIT):
        table.refuse_present(["rounding"], f'measure = "{measure}"')
    rounding.refuse_unknown(_ROUNDING_KEYS)
    scope = rounding.choice("scope", ("record", "participant", "period"))
    mode = rounding.choice("mode", ("up", "nearest", "down", "none"))
    whole = measure == "duration"  # seconds
    quantum = rounding.number(
        "quantum",
        digits=_QUANTITY_DIGITS,
        default=Decimal(1) if mode == "none" else None,
        whole=whole,
    )
    if quantum == 0 and mode != "none":
        rounding.fault("BAD_VALUE", "quantum", "must be more than 0")
    minimum = rounding.number("minimum", digits=_QUANTITY_DIGITS, default=_ZERO, whole=whole)
    if scope is None or mode is None or quantum is None or minimum is None:
        return None
    return Rounding(cast(Scope, scope), cast(Mode, mode), quantum, minimum)


def _tiers_of_model(table: Table, model: str | None) -> tuple[Tier, ...]:
    if model == "per_unit":
        table.refuse_present(["tiers"], 'model = "per_unit"')
        price = table.number("unit_price", digits=_PRICE_DIGITS)
        return () if price is None else (Tier(None, price, _ZERO),)
    if model == "graduated":
        table.refuse_present(["unit_price"], 'model = "graduated", whose prices are in its tiers')
        return _tiers(table)
    return ()


def _tiers(table: Table) -> tuple[Tier, ...]:
    count = len(value) if isinstance(value := table.data.get("tiers"), list) else 0
    if "tiers" not in table or value == []:
        table.fault("KEY_MISSING", "tiers", "a graduated charge needs at least one tier")
    tiers: list[Tier] = []
    edge = _ZERO
    for index, tier in enumerate(table.tables("tiers", named=False)):
        tier.refuse_unknown(_TIER_KEYS)
        price = tier.number("unit_price", digits=_PRICE_DIGITS)
        flat = tier.number("flat", digits=_PRICE_DIGITS, default=_ZERO)
        up_to = _up_to(tier, is_last=index == count - 1, edge=edge)
        edge = edge if up_to is None else max(edge, up_to)
        if price is not None and flat is not None:
            tiers.append(Tier(up_to, price, flat))
    return tuple(tiers)


def _up_to(tier: Table, *, is_last: bool, edge: Decimal) -> Decimal | None:
    if "up_to" not in tier:
        if not is_last:
            tier.fault("TIERS_OPEN", "up_to", "is missing; only the last tier is without end")
        return None
    up_to = tier.number("up_to", digits=_QUANTITY_DIGITS)
    if is_last:
        tier.fault("TIERS_OPEN", "up_to", "the last tier must be without end; remove up_to")
    elif up_to is not None and up_to <= edge:
        tier.fault("TIERS_ORDER", "up_to", f"must be more than {edge:f}, where the tier begins")
    return up_to
