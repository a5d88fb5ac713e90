"""What a charge's model says: its keys, and no other model's.

Owns tiers, prices by variant, packages and the limits of prices. Where a value is faulty, a zero
stands in for it: the fault has been noted, and no book with one is given out.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal

from billing.pricebook import (
    REST,
    Flat,
    Package,
    Percentage,
    PerUnit,
    PerVariant,
    Pricing,
    Tier,
    Tiered,
)
from billing.toml_table import Table, is_code

PRICE_DIGITS: Final = 9
QUANTITY_DIGITS: Final = 15  # bytes are counted one by one where a book sets no unit_size
_RATE_MAX: Final = 1000  # percent: what is passed on at ten times its cost is a slip of the point
_ZERO: Final = Decimal(0)

_KEYS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "per_unit": ("unit_price", "prices"),
    "graduated": ("tiers", "flat_at_zero"),
    "volume": ("tiers", "flat_at_zero"),
    "package": ("package_size", "package_price", "package_rounding"),
    "flat": ("amount",),
    "percentage": ("rate_percent", "fixed"),
}
MODELS: Final = tuple(_KEYS_OF)
MODEL_KEYS: Final = tuple(dict.fromkeys(key for keys in _KEYS_OF.values() for key in keys))
_NOT_WITH_PRICES: Final = (
    *("variant", "included", "included_per", "minimum", "maximum", "unit_price"),
)
_TIER_KEYS: Final = ("up_to", "unit_price", "flat")


def read_pricing(table: Table, model: str) -> Pricing:
    for key in MODEL_KEYS:
        if key not in _KEYS_OF[model]:
            owners = " or ".join(one for one, keys in _KEYS_OF.items() if key in keys)
            table.refuse_present([key], f'model = "{model}", but with {owners}')
    return _READERS[model](table)


def price(table: Table, key: str, default: Decimal | None = None) -> Decimal:
    return table.number(key, digits=PRICE_DIGITS, default=default) or _ZERO


def _per_unit(table: Table) -> PerUnit | PerVariant:
    if "prices" not in table:
        return PerUnit(price(table, "unit_price"))
    table.refuse_present(_NOT_WITH_PRICES, "prices")
    prices = table.table("prices")
    if prices is None:
        return PerVariant(())
    if not prices.data:
        table.fault("EMPTY", "prices", 'needs at least one price, such as { "*" = 0.05 }')
    for variant in prices.data:
        if variant != REST and not is_code(variant):
            message = f'{variant!r} is neither a code of [A-Za-z0-9_.:@+-]{{1,128}} nor "*"'
            prices.fault("BAD_VALUE", variant, message)
    return PerVariant(tuple((variant, price(prices, variant)) for variant in prices.data))


def _graduated(table: Table) -> Tiered:
    return _tiered(table, "graduated")


def _volume(table: Table) -> Tiered:
    return _tiered(table, "volume")


def _tiered(table: Table, model: Literal["graduated", "volume"]) -> Tiered:
    return Tiered(model, _tiers(table), table.flag("flat_at_zero", default=False))


def _tiers(table: Table) -> tuple[Tier, ...]:
    told = table.data.get("tiers")
    if "tiers" not in table:
        table.fault("KEY_MISSING", "tiers", "is missing; a charge by tiers needs at least one")
    elif told == []:
        table.fault("EMPTY", "tiers", "needs at least one tier, such as { unit_price = 0.004 }")
    last = len(told) - 1 if isinstance(told, list) else 0
    tiers: list[Tier] = []
    edge = _ZERO
    for index, tier in enumerate(table.tables("tiers", named=False)):
        tier.refuse_unknown(_TIER_KEYS)
        up_to = _up_to(tier, is_last=index == last, edge=edge)
        edge = edge if up_to is None else max(edge, up_to)
        tiers.append(Tier(up_to, price(tier, "unit_price"), price(tier, "flat", _ZERO)))
    return tuple(tiers)


def _up_to(tier: Table, *, is_last: bool, edge: Decimal) -> Decimal | None:
    if "up_to" not in tier:
        if not is_last:
            tier.fault("TIERS_OPEN", "up_to", "is missing; only the last tier is without end")
        return None
    up_to = tier.number("up_to", digits=QUANTITY_DIGITS)
    if is_last:
        tier.fault("TIERS_OPEN", "up_to", "the last tier must be without end; remove up_to")
    elif up_to is not None and up_to <= edge:
        tier.fault("TIERS_ORDER", "up_to", f"must be more than {edge:f}, where the tier begins")
    return up_to


def _package(table: Table) -> Package:
    size = table.number("package_size", digits=QUANTITY_DIGITS, positive=True) or Decimal(1)
    rounding = table.choice("package_rounding", ("up", "down"), default="up")
    return Package(size, price(table, "package_price"), "down" if rounding == "down" else "up")


def _flat(table: Table) -> Flat:
    return Flat(price(table, "amount"))


def _percentage(table: Table) -> Percentage:
    rate = table.number("rate_percent", digits=PRICE_DIGITS, most=_RATE_MAX) or _ZERO
    return Percentage(rate, price(table, "fixed", _ZERO))


_READERS: Final[Mapping[str, Callable[[Table], Pricing]]] = {
    "per_unit": _per_unit,
    "graduated": _graduated,
    "volume": _volume,
    "package": _package,
    "flat": _flat,
    "percentage": _percentage,
}
