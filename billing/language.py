"""A customer's language: the fixed texts of documents, and its dates, numbers, units and countries.

Owns the catalogue, `languages/*.toml`, one file a language, all with the same keys. What a clerk
or a price book wrote is not in it and is printed as it is. A language without a file is English.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol

from billing import wording

LANGUAGES: Final = ("en", "de", "fr", "es", "ja")
_FIRST: Final = {"fr": "1er"}  # of a month, which babel has as a number alone


@dataclass(frozen=True, slots=True)
class Language:
    """`texts` are templates by key. `units` are the forms of the units that every price book knows
    and `said` what statements say, both by their English, `meters` the names of the usual meters by
    their code; a unit or a meter that is not among them is as the book has it. `locale` may be of a
    region: `de-AT` has German texts and Austrian numbers.
    """

    code: str
    locale: Locale
    texts: Mapping[str, str]
    units: Mapping[str, Mapping[str, str]]
    meters: Mapping[str, str]
    said: Mapping[str, str]
    separators: Mapping[int, str]

    def text(self, key: str, **values: str) -> str:
        """The text with its values in their places, which are never read as templates."""
        return self.texts[key].format_map(values)

    def number(self, value: Decimal) -> str:
        """Exact at any length, without trailing zeros."""
        return wording.number(value).translate(self.separators)

    def money(self, amount: Decimal, currency: str) -> str:
        """With the places of the currency, or as many more as there are; without its name."""
        return wording.money(amount, currency).translate(self.separators)

    def sum(self, amount: Decimal, currency: str) -> str:
        """With the currency beside it."""
        symbol = get_currency_symbol(currency, self.locale)
        symbol += "\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else ""
        told = self.money(amount, currency)
        return self.text("sum", amount=told, currency=currency, symbol=symbol)

    def percent(self, value: Decimal) -> str:
        return self.text("percent", number=self.number(value))

    def unit(self, unit: str, count: Decimal | None = None) -> str:
        """In the form that the count asks for; without one, that of many."""
        forms = self.units.get(unit)
        if forms is None:
            return wording.plural(unit, count) if self.code == "en" else unit
        which = "other" if count is None else self.locale.plural_form(abs(count))
        return forms.get(which, forms["other"])

    def meter(self, code: str) -> str:
        return self.meters.get(code, code)

    def say(self, english: str) -> str:
        """What a statement says, by its English."""
        return self.said.get(english, english)

    def day(self, day: date) -> str:
        text = str(format_date(day, "long", self.locale))
        return f"{self._in_month(day)}{text[1:]}" if text.startswith("1 ") else text

    def day_of(self, text: str) -> str:
        """Of a day or a moment in ISO 8601."""
        return self.day(moment(text).date())

    def span(self, period: Mapping[str, str]) -> str:
        """From the first day to the last one that is meant; periods are half-open."""
        first = moment(period["start"]).date()
        last = moment(period["end"]).date() - timedelta(days=1)
        if first >= last:
            return self.day(first)
        days = {"first_day": self._in_month(first), "last_day": self._in_month(last)}
        is_one_month = (first.year, first.month) == (last.year, last.month)
        # A region may put its month before its day, where the short form would be nonsense.
        is_usual = self._long_date == _home_locale(self.code).date_formats["long"].pattern
        key = "span_in_month" if is_one_month and is_usual else "span"
        return self.text(key, first=self.day(first), last=self.day(last), **days)

    def country(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))

    def _in_month(self, day: date) -> str:
        return _FIRST.get(self.code, "1") if day.day == 1 else str(day.day)

    @property
    def decimal_sign(self) -> str:
        return self.separators[ord(".")]

    @property
    def _long_date(self) -> str:
        return str(self.locale.date_formats["long"].pattern)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@lru_cache(256)
def language_of(tag: str | None) -> Language:
    """The language of an account's tag, such as `de`, `de-AT` or `pt-BR`."""
    code = (tag or "").partition("-")[0]
    if code not in LANGUAGES:
        code = tag = "en"
    home = _home_locale(code)
    locale = home if tag == code else _locale(str(tag)) or home
    data = _catalogue(code)
    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    separators = {ord(","): group, ord("."): point}
    units, meters, said = (data.get(name, {}) for name in ("units", "meters", "said"))
    return Language(code, locale, data["texts"], units, meters, said, separators)


def _home_locale(code: str) -> Locale:
    """English without a region is that of the world, where the day comes before the month."""
    return Locale.parse("en_GB" if code == "en" else code)


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


@cache
def _catalogue(code: str) -> dict[str, Any]:
    text = (files("billing") / "languages" / f"{code}.toml").read_text("utf-8")
    return tomllib.loads(text)


ENGLISH: Final = language_of("en")
