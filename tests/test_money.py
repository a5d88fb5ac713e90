"""Money is rounded half up, away from zero, in the currency's own precision."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import (
    decimal_text,
    round_half_up,
    round_money,
    round_together,
)
from edge.currencies import is_known_currency, is_used_currency


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.0049999999999999", "EUR", "0.00"),
        ("1/3", "EUR", "0.33"),
        ("0.5", "JPY", "1"),
        ("-1.5", "JPY", "-2"),
        ("1.0005", "KWD", "1.001"),
        ("5", "EUR", "5.00"),
        ("1234567890123456789012345678901234567.895", "EUR", None),
    ],
)
def test_round_money(amount: str, currency: str, rounded: str | None) -> None:
    expected = rounded or "1234567890123456789012345678901234567.90"
    assert str(round_money(Fraction(amount), currency)) == expected


@given(st.fractions())
def test_rounding_is_nearest_and_symmetric(value: Fraction) -> None:
    whole = round_half_up(value)
    assert abs(value - whole) <= Fraction(1, 2)
    assert round_half_up(-value) == -whole
    if abs(value - whole) == Fraction(1, 2):
        assert abs(whole) > abs(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.333333333333"),
        (Fraction(2, 3), "0.666666666667"),
        (Fraction(-2, 3), "-0.666666666667"),
        (Fraction(1, 2**16), "0.0000152587890625"),
        (Fraction(1200), "1200"),
        (Decimal("1E+3"), "1000"),
        (Decimal("2.50"), "2.5"),
        (0, "0"),
    ],
)
def test_decimal_text(value: Fraction | Decimal | int, text: str) -> None:
    assert decimal_text(value) == text


def test_currencies_in_use() -> None:
    """Withdrawn ones, funds and metals are none of them."""
    used = ("EUR", "JPY", "KWD", "USD", "CHF", "XOF", "XPF", "CUP")
    assert all(map(is_used_currency, used))
    assert all(map(is_known_currency, used))
    gone = ("DEM", "FRF", "ITL", "HRK", "ZWL", "CLF", "CHE", "BOV", "XAU", "XXX", "eur", "")
    assert not any(map(is_used_currency, gone))


def test_known_currencies() -> None:
    assert [is_known_currency(code) for code in ("EUR", "eur", "XQZ", "EURO", "")] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_the_largest_remainders_are_rounded_up() -> None:
    assert round_together([Fraction("80.3"), Fraction("46.4"), Fraction("1.35")]) == [80, 47, 1]
    assert round_together([Fraction("0.5"), Fraction("0.5")]) == [1, 0]
    assert round_together([Fraction("-0.5")]) == [-1]
    assert round_together([]) == []


@given(st.lists(st.fractions(-5000, 5000, max_denominator=1000), max_size=6))
def test_amounts_that_are_rounded_together_add_up(amounts: list[Fraction]) -> None:
    rounded = round_together(amounts)
    assert sum(rounded) == round_half_up(sum(amounts, Fraction(0)))
    assert all(abs(one - part) < 1 for one, part in zip(amounts, rounded, strict=True))
