"""How much of each matrix of faults a run goes through: HOMEMEETING_FIRE=n, 25 every day, all there
is from 1000 on. `make soak SEEDS=n` sets it.

Owns the scale alone. Tests that go by it have the mark `fire`, those that run in a soak alone
`soak`, and those of whose cases everyday's run draws n `drawn(n)`; with `drawn(n, of="name")` it
draws n of all tests of the file that have the name.
"""

import os
import random
from collections.abc import Sequence
from typing import Final, TypeVar

import pytest

T = TypeVar("T")
_EVERYDAY: Final = 25
_SEEDS: Final = int(os.environ.get("HOMEMEETING_FIRE", _EVERYDAY))
SOAKING: Final = _SEEDS > _EVERYDAY
WHOLE: Final = _SEEDS >= 1000


def times(everyday: int) -> int:
    """So many cases that are drawn."""
    return everyday * max(1, _SEEDS // _EVERYDAY)


def some(rng: random.Random, cases: Sequence[T], everyday: int) -> list[T]:
    """So many of `cases`, drawn and in their order; all of them in a whole run."""
    if WHOLE or times(everyday) >= len(cases):
        return list(cases)
    return [cases[n] for n in sorted(rng.sample(range(len(cases)), times(everyday)))]


def hold_back(config: pytest.Config, items: list[pytest.Item], seed: int) -> None:
    """Takes what is for a soak alone out of everyday's run, and of tests with the mark `drawn(n)`
    all but n of their cases, or of those of one name. What alone is asked for is there.
    """
    if SOAKING:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if mark := item.get_closest_marker("drawn"):
            file, _, test = item.nodeid.partition("[")[0].rpartition("::")
            cases.setdefault(f"{file}::{mark.kwargs.get('of', test)}", []).append(item)
    held = {one for one in items if one.get_closest_marker("soak")}
    for name, every in cases.items():
        mark = every[0].get_closest_marker("drawn")
        assert mark is not None
        spare = max(0, len(every) - mark.args[0])
        held.update(random.Random(f"{seed}/{name}").sample(every, spare))
    if len(held) < len(items):
        config.hook.pytest_deselected(items=[one for one in items if one in held])
        items[:] = [one for one in items if one not in held]
