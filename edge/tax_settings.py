"""Tax settings: the table `[tax]` of `homemeeting.toml`. Owns its keys and their checks; whose tax
is due on what is `billing.tax`'s.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from edge.faults import Fault

TAX_KEYS: Final[Mapping[str, type]] = {
    "oss": bool, "rate_date": str, "rate": list, "exchange": dict,
}  # fmt: skip
_RATE_KEYS: Final = ("country", "category", "percent", "from")
_CATEGORY: Final = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}", re.ASCII)
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class TaxRate:
    """What a country takes of a category from a day on. `ppm` is millionths: 19 % is 190,000."""

    country: str
    category: str
    ppm: int
    since: date


@dataclass(frozen=True, slots=True)
class TaxSettings:
    """`oss`: whether consumers in other countries of the EU are charged at the rate of theirs, by
    the One Stop Shop; `by_issue`: whether the day of issue decides on the rate, instead of the last
    day of what is billed; `rates` are beside those we ship; `exchange` is what one unit of a
    currency is in the seller's tax currency.
    """

    oss: bool = True
    by_issue: bool = False
    rates: tuple[TaxRate, ...] = ()
    exchange: tuple[tuple[str, Decimal], ...] = ()


def read_tax(told: Mapping[str, Any], place: str = "tax") -> tuple[TaxSettings, list[Fault]]:
    """The table as it was parsed, whose types are known to be right; and what is wrong with it."""
    faults: list[Fault] = []
    rates = []
    for number, row in enumerate(told.get("rate", ()), start=1):
        found = list(_wrong_rate(row))
        faults += [
            Fault("SETTINGS_VALUE", f"{place}.rate[{number}].{key}", text) for key, text in found
        ]
        if not found:
            rates.append(_rate(row))
    by_issue = told.get("rate_date", "supply")
    if by_issue not in ("supply", "issue"):
        faults.append(Fault("SETTINGS_VALUE", f"{place}.rate_date", "must be supply or issue"))
    exchange = {}
    for currency, text in told.get("exchange", {}).items():
        rate = exchange_rate(str(text)) if re.fullmatch("[A-Z]{3}", currency) else None
        if rate is None:
            message = (
                f'must be as USD = "0.92", more than zero, up to {_DIGITS} decimals, in quotes'
            )
            faults.append(Fault("SETTINGS_VALUE", f"{place}.exchange.{currency}", message))
        else:
            exchange[currency] = rate
    settings = TaxSettings(
        told.get("oss", True), by_issue == "issue", tuple(rates), tuple(exchange.items())
    )
    return settings, faults


def exchange_rate(text: str) -> Decimal | None:
    """None where it is none."""
    if not re.fullmatch(rf"\d{{1,9}}(\.\d{{1,{_DIGITS}}})?", text, re.ASCII):
        return None
    rate = Decimal(text)
    return rate if rate > 0 else None


def percent_ppm(percent: Any) -> int | None:
    """None where it is no percentage from 0 to 100 with at most 4 decimals. A float is read as it
    is written in the file.
    """
    if isinstance(percent, bool):
        return None
    try:
        ppm = Decimal(str(percent)) * 10_000
    except InvalidOperation:
        return None
    return int(ppm) if ppm.is_finite() and ppm == int(ppm) and 0 <= ppm <= 1_000_000 else None


def _rate(row: Mapping[str, Any]) -> TaxRate:
    ppm = percent_ppm(row["percent"])
    assert ppm is not None
    return TaxRate(row["country"], row["category"], ppm, row["from"])


def _wrong_rate(row: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(row, dict):
        yield "", "must be a table [[tax.rate]]"
        return
    for key in row:
        if key not in _RATE_KEYS:
            yield key, f"known: {', '.join(_RATE_KEYS)}"
    country, category, since = row.get("country"), row.get("category"), row.get("from")
    if not (isinstance(country, str) and re.fullmatch("[A-Z]{2}", country, re.ASCII)):
        yield "country", "must be a two-letter ISO 3166 code such as CH"
    if not (isinstance(category, str) and _CATEGORY.fullmatch(category)):
        yield "category", "must be a code such as standard"
    if percent_ppm(row.get("percent")) is None:
        yield "percent", "must be from 0 to 100, with at most 4 decimals"
    if not isinstance(since, date) or isinstance(since, datetime):
        yield "from", "must be a date without quotes, such as 2026-01-01"
