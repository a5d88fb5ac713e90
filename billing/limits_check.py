"""Whether a charge can ever be billed exactly, judged as its book is loaded.

Owns the question alone; the limits are `billing.terms`'. What an account then uses may still be
beyond them: that is its own fault, LINE_TOO_LARGE.
"""

from fractions import Fraction
from typing import Final

from billing.pricebook import Charge, PerVariant
from billing.proration import Share
from billing.terms import usage_numbers

# A whole month, and of each length the most days there may be, and the most that have no factor in
# common with the digits after a point: no other part has larger numbers.
_PARTS: Final = ((27, 28), (28, 29), (27, 29), (29, 30), (30, 31), (29, 31))
_SHARES: Final = (Share(1, 1), *(Share(days, of) for days, of in _PARTS))


def is_beyond(charge: Charge, currency: str) -> bool:
    """Whether its own numbers leave no room for any usage at its whole allowance."""
    variants: list[str | None] = [None]
    if isinstance(charge.pricing, PerVariant):
        variants = [variant for variant, _ in charge.pricing.prices]
    shares = _SHARES if charge.prorate else _SHARES[:1]
    included = Fraction(charge.included)
    return any(
        usage_numbers(charge, variant, included, share, currency).most < 0
        for variant in variants
        for share in shares
    )
