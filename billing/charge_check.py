"""From a `[[plan.charge]]` to a Charge: what it takes, how it measures that, its bounds.

Owns the keys that every model shares. Where a value is faulty another stands in for it, so that
the plan's charges can still be compared: the fault has been noted, and no book with one is given
out.
"""

from decimal import Decimal
from typing import Final, cast

from billing.model_check import (
    MODEL_KEYS,
    MODELS,
    PRICE_DIGITS,
    QUANTITY_DIGITS,
    read_pricing,
)
from billing.pricebook import (
    REST,
    STANDARD,
    Charge,
    Flat,
    Measure,
    Mode,
    Per,
    PerVariant,
    Rounding,
    Scope,
)
from billing.toml_table import Table

_UNIT_SIZE_DIGITS: Final = 18  # within a signed 64-bit integer
_ZERO: Final = Decimal(0)

_ABOUT: Final = ("code", "description", "meter", "variant", "also", "measure", "unit", "unit_size")
_USE: Final = ("rounding", "included", "included_per", "model")
_BOUNDS: Final = ("discount_percent", "minimum", "maximum", "prorate")
_BOOKED: Final = ("tax_category", "ledger_account")
_KEYS: Final = (*_ABOUT, *_USE, *MODEL_KEYS, *_BOUNDS, *_BOOKED)
_ROUNDING_KEYS: Final = ("scope", "quantum", "mode", "minimum")
_OF_METER: Final = ("variant", "also", "unit_size", "rounding", "included", "included_per")

_MEASURES: Final = ("duration", "count", "quantity", "maximum", "unique", "peak")
_TIME_UNITS: Final = ("second", "minute", "hour")
_COUNTED_UNIT: Final = {"count": "record", "unique": "participant", "peak": "participant"}


def read_charge(table: Table) -> Charge | None:
    """None where it cannot be told which records it takes."""
    table.refuse_unknown(_KEYS)
    code, description = table.code("code"), table.text("description")
    model = table.choice("model", MODELS)
    needs_meter = model != "flat" or "meter" in table or "measure" in table
    meter, measure = _metered(table, model) if needs_meter else (None, None)
    if not needs_meter:
        table.refuse_present(_OF_METER, 'a flat amount without "meter" and "measure"')
    variants = _variants(table)
    pricing = read_pricing(table, model) if model else Flat(_ZERO)
    if isinstance(pricing, PerVariant):
        variants = tuple(variant for variant, _ in pricing.prices) or None
    minimum, maximum = _bounds(table)
    charge = Charge(
        code=code or "",
        description=description or "",
        meter=meter,
        variants=variants or (),
        also=table.flag("also", default=False),
        measure=cast(Measure | None, measure),
        unit=_unit(table, model, measure) or "",
        unit_size=_unit_size(table, measure),
        rounding=_rounding(table, measure),
        included=table.number("included", digits=QUANTITY_DIGITS, default=_ZERO) or _ZERO,
        included_per=_included_per(table),
        pricing=pricing,
        discount_percent=_discount(table),
        minimum=minimum,
        maximum=maximum,
        prorate=table.flag("prorate", default=True),
        tax_category=table.code("tax_category", default=STANDARD) or STANDARD,
        ledger_account=ledger_account(table),
    )
    is_told = variants is not None and (None not in (meter, measure) or not needs_meter)
    return charge if is_told else None


def ledger_account(table: Table) -> str | None:
    """Where a book says so, the account of the general ledger that lines are booked on."""
    return table.code("ledger_account") if "ledger_account" in table else None


def _metered(table: Table, model: str | None) -> tuple[str | None, str | None]:
    if model == "flat":
        for key, other in (("meter", "measure"), ("measure", "meter")):
            if key not in table:
                table.fault("KEY_MISSING", key, f"is missing; {other} goes together with it alone")
                return None, None
    is_share = model == "percentage"
    meter = table.code("meter")
    measure = table.choice("measure", _MEASURES, default="quantity" if is_share else None)
    if is_share and measure not in (None, "quantity"):
        why = 'model = "percentage", whose measure is "quantity"'
        table.refuse_present(["measure"], why)
    return meter, measure


def _variants(table: Table) -> tuple[str, ...] | None:
    """None where none of those told can be read; of no `variant`, the empty tuple: every one."""
    told = table.data.get("variant", [REST])
    if "variant" not in table:
        return ()
    if told == REST:
        return (REST,)
    if not isinstance(told, list):
        code = table.code("variant")
        return None if code is None else (code,)
    if not told:
        table.fault("EMPTY", "variant", "needs at least one; without the key it is every variant")
    return table.codes("variant", also=(REST,)) or None


def _unit(table: Table, model: str | None, measure: str | None) -> str | None:
    if model == "percentage":  # whatever its measure is told to be
        return table.text("unit", default="minor unit")
    if measure == "duration":
        return table.choice("unit", _TIME_UNITS)
    return table.text("unit", default=_COUNTED_UNIT.get(measure) if measure else "month")


def _unit_size(table: Table, measure: str | None) -> int:
    size = table.number(
        "unit_size", digits=_UNIT_SIZE_DIGITS, default=Decimal(1), whole=True, positive=True
    )
    if size not in (None, 1) and measure not in (None, "quantity", "maximum"):
        table.refuse_present(["unit_size"], f'measure = "{measure}"')
    return int(size or 1)


def _rounding(table: Table, measure: str | None) -> Rounding | None:
    rounding = table.table("rounding")
    if rounding is None:
        return None
    if measure in _COUNTED_UNIT:
        table.refuse_present(["rounding"], f'measure = "{measure}"')
    rounding.refuse_unknown(_ROUNDING_KEYS)
    scope = rounding.choice("scope", ("record", "participant", "period"))
    mode = rounding.choice("mode", ("up", "nearest", "down", "none"))
    whole = measure == "duration"  # seconds
    quantum = rounding.number(
        "quantum",
        digits=QUANTITY_DIGITS,
        default=Decimal(1) if mode == "none" else None,
        whole=whole,
        positive=mode != "none",
    )
    minimum = rounding.number("minimum", digits=QUANTITY_DIGITS, default=_ZERO, whole=whole)
    if scope is None or mode is None or quantum is None or minimum is None:
        return None
    return Rounding(cast(Scope, scope), cast(Mode, mode), quantum, minimum)


def _included_per(table: Table) -> Per:
    per = table.choice("included_per", ("plan", "seat"), default="plan")
    if "included_per" in table and not {"included", "prices"} & table.data.keys():
        table.fault("KEY_MISSING", "included", "is missing; included_per says for what it is")
    return "seat" if per == "seat" else "plan"


def _discount(table: Table) -> Decimal:
    told = table.number("discount_percent", digits=PRICE_DIGITS, default=_ZERO, most=100)
    return told or _ZERO


def _bounds(table: Table) -> tuple[Decimal | None, Decimal | None]:
    minimum, maximum = (
        table.number(key, digits=PRICE_DIGITS) if key in table else None
        for key in ("minimum", "maximum")
    )
    if minimum is not None and maximum is not None and minimum > maximum:
        table.fault("BOUNDS_ORDER", "minimum", f"must not be more than maximum, {maximum:f}")
    return minimum, maximum
