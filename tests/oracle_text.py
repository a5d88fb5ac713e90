"""Numbers as documents print them: money rounded once, quantities exact where they can be."""

from fractions import Fraction

PLACES = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


def money(value: Fraction, currency: str, *, half_even: bool = False) -> str:
    return _digits(value, PLACES[currency], half_even)


def text(value: Fraction | int) -> str:
    """Exact where a decimal can be, else half up to 12 places; no trailing zeros."""
    value = Fraction(value)
    places = next((n for n in range(64) if (value * 10**n).denominator == 1), 12)
    shown = _digits(value, places, half_even=False)
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return "0" if shown == "-0" else shown


def negated(shown: str) -> str:
    """The same number with its sign turned; zero has none."""
    if not any(digit in "123456789" for digit in shown):
        return shown
    return shown[1:] if shown.startswith("-") else f"-{shown}"


def _digits(value: Fraction, places: int, half_even: bool) -> str:
    """So many decimal places; halves away from zero, or to the even neighbour."""
    whole, rest = divmod(abs(value) * 10**places, 1)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and not (half_even and whole % 2 == 0))
    digits = str(int(whole) + up).rjust(places + 1, "0")
    sign = "-" if value < 0 and int(digits) else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
