"""The values of a line that differs, as they are told: money and quantities, never numerators."""

from typing import Any

import pytest

from billing.line_values import terms_told, value_text

TERMS: dict[str, Any] = {
    "unit": "minute",
    "tiers": [["60", "0.1"], [None, "0.05"]],
    "scales": {"unit": "60000000", "tier": "6000000000", "amount": "600000000", "flat": "100"},
    "basis": {"model": "graduated", "discount_percent": "10"},
    "period": [1_790_812_800_000_000, 1_793_491_200_000_000],
    "included": "0",
}
FIRST = {"quantity": 3_600_000_000, "flat": 250, "amount": 51_000_000_000}
SECOND = {"quantity": 30_000_000, "flat": 0, "amount": 150_000_000}
ROW: dict[str, Any] = {
    "amount": 1234,
    "owed": None,
    "quantity": 3_630_000_000,
    "tiers": [FIRST, SECOND],
    "discount": -60_000_000,
    "bound": 1,
    "packages": 7,
    "currency": "EUR",
    "terms": TERMS,
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("amount", "12.34 EUR"),
        ("owed", "none"),
        ("quantity", "60.5 minutes"),
        ("discount", "-0.10 EUR"),
        ("bound", "0.00 EUR"),
        ("packages", "7"),
        ("tiers", "the first 60: 60 minutes at 0.10 and 2.50 once make 8.50 EUR, "
         "above 60: 0.5 minutes at 0.05 make 0.025 EUR"),
    ],
)  # fmt: skip
def test_a_value_is_money_or_a_quantity(name: str, text: str) -> None:
    assert value_text(ROW, name) == text


def test_what_spoilt_terms_do_not_explain_is_told_as_it_is_stored() -> None:
    for terms in ({}, {"scales": {"amount": "0", "unit": "x"}}, {"scales": None}):
        assert value_text(ROW | {"terms": terms}, "discount") == "-60000000"
        assert value_text(ROW | {"terms": terms}, "quantity") == "3630000000"
    assert terms_told({"tiers": [5], "period": ["x"]}, "EUR") == {"tiers": "[5]", "period": '["x"]'}


def test_more_tiers_than_their_terms_have_are_told_without_a_price() -> None:
    told = value_text(ROW | {"terms": TERMS | {"tiers": TERMS["tiers"][:1]}}, "tiers")
    assert told.endswith("above 60: 0.5 minutes make 0.025 EUR")


def test_terms_are_told_by_name_and_without_scales() -> None:
    assert terms_told(TERMS, "EUR") == {
        "unit": '"minute"',
        "tiers": "the first 60 at 0.10, above 60 at 0.05 EUR",
        "basis model": '"graduated"',
        "basis discount_percent": '"10"',
        "period": "2026-10-01T00:00:00Z to 2026-11-01T00:00:00Z",
        "included": '"0"',
    }
