"""How much of each matrix of faults a run goes through: HOMEMEETING_FIRE=n, by default 1.

Owns the scale alone. Every matrix has a size for everyday's run, of which n = 10 makes ten times as
many and n = 1000 all there is.
"""

import os
import random
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")
SCALE: Final = int(os.environ.get("HOMEMEETING_FIRE", "1"))


def times(everyday: int) -> int:
    """So many cases that are drawn."""
    return everyday * SCALE


def some(rng: random.Random, cases: Sequence[T], everyday: int) -> list[T]:
    """So many of `cases`, drawn and in their order; all where the scale reaches that far."""
    if times(everyday) >= len(cases):
        return list(cases)
    return [cases[n] for n in sorted(rng.sample(range(len(cases)), times(everyday)))]
