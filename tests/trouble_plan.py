"""A plan of meetings and of trouble from one seed: a list of steps, plain data. Draws and does
nothing; what a step does is told in `trouble_line` and, of billing, in `trouble_till`.
"""

import random
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from tests.ledger_world import LENGTHS, METERS, OFFSETS, QUANTITIES
from tests.oracle_calendar import day_start
from tests.trouble_disk import HOW
from tests.trouble_line import OTHER, Step
from tests.trouble_servers import SERVERS

Plan = dict[str, Any]
SECOND, HOUR, DAY = 10**6, 3600 * 10**6, 86_400 * 10**6
ACCOUNTS: Final = ("a0", "a1", "a2")
STEPS: Final = 20_000
SHORT: Final = 1500  # in a longer plan what is rare does not come more often
BILLED_STEPS: Final = 300  # a recount of invoices is slow
ACTS: Final = 8
_DAYS: Final = [date(2026, 10, 1), date(2026, 10, 25), date(2026, 11, 1), date(2026, 12, 1)]


def draw_plan(seed: int, steps: int = STEPS, acts: int = 0) -> Plan:
    """As many steps; then so many acts of billing, each with some trouble before it."""
    rng = random.Random(f"trouble/{seed}")
    rarity = min(1, SHORT / steps)
    rare = [(weight * rarity, kind) for weight, kind in RARE_KINDS]
    weights, kinds = zip(*STEP_KINDS, *rare, strict=True)
    drawn = [kind(rng) for kind in rng.choices(kinds, weights, k=steps)]
    shares, names = zip(*BILLING, strict=True)
    for name in ["next_month", *rng.choices(names, shares, k=acts)][:acts]:
        drawn += [kind(rng) for kind in rng.choices(kinds, weights, k=rng.randrange(30))]
        death = [rng.randrange(160), rng.choice(HOW), rng.randrange(1001)]
        drawn.append(["bill", name, rng.randrange(10**9), rng.choice([None, death])])
    return {
        "seed": seed,
        "route": rng.choice(["journal", "wire"]),
        "steps": drawn,
    }


def _server(rng: random.Random) -> str:
    return rng.choice(SERVERS)


def _variant(rng: random.Random, meter: str) -> str | None:
    return rng.choice([None, *METERS[meter]])


def _quantity(rng: random.Random) -> int | None:
    return rng.choice(QUANTITIES)


def _wait(rng: random.Random) -> Step:
    return [
        "wait",
        rng.choice([1, SECOND, 30 * SECOND, 61 * SECOND, HOUR, rng.randrange(3 * HOUR)]),
    ]


def _wait_days(rng: random.Random) -> Step:
    return ["wait", rng.randrange(3 * DAY)]


def _skew(rng: random.Random) -> Step:
    us = rng.choice([0, 0, 1, -1, HOUR, -HOUR, rng.randrange(-3 * DAY, 3 * DAY)])
    return ["skew", rng.choice([None, *SERVERS]), us]


def _begin(rng: random.Random) -> Step:
    meter = rng.choice(list(METERS))
    told = {
        "meeting_id": rng.choice(["m1", "m2"]),
        "participant_id": rng.choice([None, "p1", "p2"]),
        "variant": _variant(rng, meter),
        "quantity": _quantity(rng),
        "kind": rng.choice(["counter", "level"]),
    }
    return ["begin", _server(rng), meter, rng.choice(ACCOUNTS), told]


def _update(rng: random.Random) -> Step:
    return ["update", _server(rng), rng.randrange(100), _quantity(rng)]


def _stop(rng: random.Random) -> Step:
    return ["stop", _server(rng), rng.randrange(100), _quantity(rng)]


def _late(rng: random.Random) -> Step:
    meter = rng.choice(list(METERS))
    start = day_start(rng.choice(_DAYS), "UTC") + rng.choice(OFFSETS)
    event = {
        "record_id": rng.randbytes(16).hex(),
        "phase": rng.choice(["STOP", "INTERIM"]),
        "account_id": rng.choice(ACCOUNTS),
        "meeting_id": "late",
        "participant_id": rng.choice([None, "p1"]),
        "meter": meter,
        "variant": _variant(rng, meter),
        "started_at": start,
        "observed_at": start + rng.choice(LENGTHS),
        "quantity": _quantity(rng),
        "continues": None,
    }
    return ["late", _server(rng), event]


def _again(rng: random.Random) -> Step:
    """The same as it is, withdrawn, or of another account."""
    changes: list[dict[str, Any]] = [{}, {}, {"phase": "CANCEL"}, {"account_id": OTHER}]
    server = rng.choice([*SERVERS, "corrections"])
    return ["again", server, rng.randrange(10_000), rng.choice(changes)]


def _kill(rng: random.Random) -> Step:
    act = rng.choice(["open", "flush", "tick", "close"])
    return ["kill", _server(rng), act, rng.randrange(12), rng.choice(HOW)]


def _power(rng: random.Random) -> Step:
    return ["power", _server(rng), rng.randrange(8), rng.choice([0, 1000, rng.randrange(1000)])]


def _corrupt(rng: random.Random) -> Step:
    how = rng.choice(["flip", "flip", "cut", "magic", "trail"])
    return ["corrupt", rng.randrange(1000), how, rng.randrange(4096), rng.random() < 0.7]


def _project(rng: random.Random) -> Step:
    """In batches of these sizes, and of all that is there then."""
    return ["project", [rng.choice([1, 10, 100, 1000]) for _ in range(rng.randrange(4))]]


def _kill_projector(rng: random.Random) -> Step:
    calls, permille = rng.randrange(45), rng.randrange(1001)
    return ["kill_projector", rng.choice([100, 1000]), calls, rng.choice(HOW), permille]


def _shuffle(rng: random.Random) -> Step:
    return ["shuffle", [rng.randrange(1000) for _ in range(rng.randrange(2, 40))]]


STEP_KINDS: Final[list[tuple[float, Callable[[random.Random], Step]]]] = [
    (20, _wait), (1, _wait_days), (2, _skew),
    (24, _begin), (24, _update), (22, _stop),
    (10, lambda rng: ["sample", _server(rng), rng.randrange(500)]),
    (10, lambda rng: ["tick", _server(rng)]),
    (8, lambda rng: ["flush", _server(rng)]),
    (4, _late), (1.5, _again),
    (6, lambda rng: ["deliver", rng.randrange(100)]),
    (4, lambda rng: ["duplicate", rng.randrange(1000), rng.randrange(1000)]),
    (2, _shuffle),
    (2, lambda rng: ["delay", rng.randrange(1000), rng.randrange(40 * DAY)]),
    (2, lambda rng: ["drop", rng.randrange(1000)]),
    (2, _corrupt), (0.5, lambda rng: ["mark"]),
]  # fmt: skip
# What takes long: an opening looks at all before it, a reading at all openings, a commit at all.
RARE_KINDS: Final[list[tuple[float, Callable[[random.Random], Step]]]] = [
    (1.2, lambda rng: ["open", _server(rng), rng.random() < 0.5]),
    (1.2, lambda rng: ["close", _server(rng)]),
    (1.2, lambda rng: ["write_through", _server(rng)]),
    (2.4, _kill), (1.2, _power),
    (6, lambda rng: ["forward", rng.choice([10, 100, 1000])]),
    (0.8, _project), (0.3, _kill_projector), (0.15, lambda rng: ["zombie"]),
]  # fmt: skip

# The acts of `test_ledger_drawn`.
BILLING: Final = (
    (3, "usage"), (1, "longer"), (2, "cancel"), (1, "conflict"), (2, "settled"), (3, "plan"),
    (1, "prices"), (8, "next_month"), (1, "alone"), (2, "again"), (3, "credit_some"),
    (3, "void_one"), (1, "void_all"), (1, "item"),
)  # fmt: skip
