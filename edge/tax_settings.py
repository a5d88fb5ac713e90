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
_EXCHANGE_KEYS: Final = ("rate", "on", "source")
_SOURCE_MAX: Final = 100
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
class Exchange:
    """What one unit of a currency is in the seller's tax currency: on which day and by whose word,
    where that is told.
    """

    rate: Decimal
    on: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class TaxSettings:
    """`oss`: whether consumers in other countries of the EU are charged at the rate of theirs, by
    the One Stop Shop; `by_issue`: whether the day of issue decides on the rate, instead of the last
    day of what is billed; `rates` are beside those we ship; `exchange` is by currency.
    """

    oss: bool = True
    by_issue: bool = False
    rates: tuple[TaxRate, ...] = ()
    exchange: tuple[tuple[str, Exchange], ...] = ()


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
        wrong = list(_wrong_exchange(currency, text))
        at = f"{place}.exchange.{currency}"
        faults += [Fault("SETTINGS_VALUE", f"{at}{key}", message) for key, message in wrong]
        if not wrong:
            exchange[currency] = _exchange(text)
    settings = TaxSettings(
        told.get("oss", True), by_issue == "issue", tuple(rates), tuple(exchange.items())
    )
    return settings, faults


def _exchange(told: Any) -> Exchange:
    table = told if isinstance(told, dict) else {"rate": told}
    rate = exchange_rate(str(table["rate"]))
    assert rate is not None
    return Exchange(rate, table.get("on"), table.get("source"))


def _wrong_exchange(currency: str, told: Any) -> Iterator[tuple[str, str]]:
    """A rate alone, or a table of it with its day and whose word it is."""
    is_table = isinstance(told, dict)
    table = told if is_table else {"rate": told}
    if not re.fullmatch("[A-Z]{3}", currency) or exchange_rate(str(table.get("rate"))) is None:
        message = f'must be as USD = "0.92", more than zero, up to {_DIGITS} decimals, in quotes'
        yield ".rate" if is_table else "", message
    for key in table:
        if key not in _EXCHANGE_KEYS:
            yield f".{key}", f"known: {', '.join(_EXCHANGE_KEYS)}"
    if "on" in table and (not isinstance(table["on"], date) or isinstance(table["on"], datetime)):
        yield ".on", "must be a date without quotes, such as 2026-10-30"
    if "source" in table and not is_source(table["source"]):
        yield ".source", f"must be 1 to {_SOURCE_MAX} printable characters on one line"


def is_source(told: Any) -> bool:
    """Whether a rate may be said to be of it."""
    return (
        isinstance(told, str)
        and told.isprintable()
        and bool(told.strip())
        and len(told) <= _SOURCE_MAX
    )


def told_exchange(text: str) -> tuple[str, Exchange] | None:
    """`USD=0.9213`, or `USD=0.9213@2026-10-30 ECB`; None where it is neither."""
    found = re.fullmatch(r"([A-Z]{3})=([^@]*)(?:@(\d{4}-\d{2}-\d{2})(?: (.+))?)?", text, re.ASCII)
    if found is None:
        return None
    currency, rate, day, source = found.groups()
    exchanged = exchange_rate(rate)
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        return None
    if exchanged is None or (source is not None and not is_source(source)):
        return None
    return currency, Exchange(exchanged, on, source)


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
