"""Rates of tax by country, category and day: those we ship, for the EU, and those of the settings.

Owns which rate holds on a day. Who is charged which is `billing.tax`'s.
"""

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from edge.tax_settings import TaxRate, TaxSettings, read_tax


def rate_rows(settings: TaxSettings) -> Iterator[dict[str, Any]]:
    """Each rate with its days: country, tax_category, ppm, since, and until, the day on which the
    next begins, or None.
    """
    known = {(one.country, one.category, one.since): one for one in (*_shipped(), *settings.rates)}
    rows = [known[key] for key in sorted(known)]
    for one, following in pairwise([*rows, None]):
        assert one is not None
        is_same = following and (one.country, one.category) == (
            following.country,
            following.category,
        )
        yield {
            "country": one.country,
            "tax_category": one.category,
            "ppm": one.ppm,
            "since": one.since,
            "until": following.since if following and is_same else date.max,
        }


@cache
def _shipped() -> tuple[TaxRate, ...]:
    text = (files("billing") / "tax-rates-eu.toml").read_text("utf-8")
    settings, faults = read_tax(tomllib.loads(text))
    assert not faults
    return settings.rates
