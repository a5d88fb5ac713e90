"""The whole line under fire: meetings and trouble by chance, and a recount of what was accepted.

`make soak SEEDS=1000` runs more of the same; what a failing seed prints is told in
docs/simulator.md.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from eventlog import KafkaSettings
from tests.soak import report
from tests.trouble_kafka import KafkaLine
from tests.trouble_plan import ACTS, BILLED_STEPS, RARE_KINDS, STEP_KINDS, STEPS, draw_plan
from tests.trouble_run import failure, minimal, shrunk, take_plan
from warehouse import Store


@pytest.mark.parametrize("number", range(2))
def test_usage_is_what_a_recount_of_the_log_says(number: int, rng: random.Random) -> None:
    story = report(draw_plan(rng.randrange(10**9), STEPS // 5))
    assert story is None, story


@pytest.mark.long
def test_invoices_are_what_a_recount_of_the_log_says(rng: random.Random) -> None:
    story = report(draw_plan(rng.randrange(10**9), BILLED_STEPS // 2, ACTS // 2))
    assert story is None, story


@pytest.mark.long
def test_usage_in_a_real_broker_is_what_a_recount_of_it_says(
    rng: random.Random, tmp_path: Path, kafka: KafkaSettings
) -> None:
    """Forwarder and projector are processes, and are killed."""
    plan = draw_plan(rng.randrange(10**9), 400)
    calm = [step for step in plan["steps"] if step[0] not in ("project", "kill_projector")]
    third = len(calm) // 3
    steps = [
        *calm[:third],
        ["kill_forwarder", rng.randrange(1000)],
        *calm[third : 2 * third],
        ["kill_projector", 1000, 0, "before", rng.randrange(1000)],
        *calm[2 * third :],
    ]
    with KafkaLine(tmp_path, kafka) as line:
        take_plan({**plan, "steps": steps}, line)
        assert len(line.log()) > len(line.wire.sent) > 100


def test_a_seed_is_a_plan_and_a_plan_is_plain_data() -> None:
    plan = draw_plan(7)
    assert plan == draw_plan(7) == json.loads(json.dumps(plan))
    assert plan["steps"] != draw_plan(8)["steps"]
    kinds = {step[0] for step in plan["steps"]}
    assert len(kinds) > len(STEP_KINDS + RARE_KINDS) * 3 // 4


def test_what_matters_is_all_that_is_left() -> None:
    tries = 0

    def fails(steps: list[Any]) -> bool:
        nonlocal tries
        tries += 1
        return 17 in steps and 400 in steps and steps.index(17) < steps.index(400)

    assert minimal(list(range(500)), fails) == [17, 400]
    assert tries < 200
    assert minimal([1], lambda steps: True) == [1]


def test_a_store_without_transactions_is_found_out_and_shrunk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault that is planted: each statement by itself, so that a kill leaves half a batch."""

    @contextmanager
    def by_itself(self: Store) -> Iterator[None]:
        yield

    plan = draw_plan(3, 30)
    plan["steps"] += [["begin", "fra-1", "participant", "a0", TOLD], ["flush", "fra-1"],
                      ["forward", 100], ["deliver", 100],
                      ["kill_projector", 1000, 20, "before", 0]]  # fmt: skip
    assert failure(plan) is None
    monkeypatch.setattr(Store, "transaction", by_itself)
    found = failure(plan)
    assert found is not None
    least = shrunk(plan, found[0])
    assert len(least["steps"]) < 8
    again = failure(least)
    assert again is not None
    assert again[0] == found[0]


TOLD: Final = {
    "meeting_id": "m1", "participant_id": "p1", "variant": None, "quantity": 1, "kind": "counter",
}  # fmt: skip
