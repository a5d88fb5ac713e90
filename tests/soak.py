"""Many seeds of meetings and trouble, one after the other on every core: `make soak SEEDS=1000`.

A seed that fails is shrunk, and its plan is printed as one line of JSON; `--replay` runs such a
line again from a file. Exit code 1 where any fails.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.trouble_plan import ACTS, BILLED_STEPS, STEPS, Plan, draw_plan
from tests.trouble_run import failure, shrunk


def soak(seed: int, steps: int) -> dict[str, Any]:
    """What became of one seed. One in five goes on to invoices."""
    plan = draw_plan(seed, BILLED_STEPS, ACTS) if seed % 5 == 0 else draw_plan(seed, steps)
    begun = time.process_time()
    tally: Counter[str] = Counter()
    found = report(plan, tally)
    return {
        "bills": seed % 5 == 0, "seconds": time.process_time() - begun, "steps": len(plan["steps"]),
        "story": found, "tally": tally,
    }  # fmt: skip


def outcomes(seeds: Iterable[int], steps: int) -> Iterator[dict[str, Any]]:
    """Of every seed. One that takes its process with it takes others along, which begin again."""
    left = list(seeds)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        futures = {seed: pool.submit(soak, seed, steps) for seed in left}
        for seed, future in futures.items():
            try:
                yield future.result()
            except BrokenExecutor:
                break
            left.remove(seed)
    for seed in left:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                yield pool.submit(soak, seed, steps).result()
            except BrokenExecutor:
                story = f"seed {seed}: the process died of it; --first {seed} repeats it"
                yield {"bills": False, "seconds": 0.0, "steps": 0, "story": story, "tally": {}}


def report(plan: Plan, tally: Counter[str] | None = None) -> str | None:
    """The story of a plan that fails, with the shortest that still does; None where none does."""
    found = failure(plan, tally)
    if found is None:
        return None
    name, _ = found
    least = shrunk(plan, name)
    again = failure(least)
    story = again[1] if again else "it does not fail again: something is not told by the plan"
    return f"seed {plan['seed']}: {name}\n{story}\n{json.dumps(least)}"


def main(words: list[str]) -> int:
    told = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    told.add_argument("seeds", type=int, nargs="?", default=100, help="how many [100]")
    told.add_argument("--first", type=int, help="the first seed [by chance]")
    told.add_argument("--steps", type=int, default=STEPS, help=f"of each [{STEPS}]")
    told.add_argument("--replay", type=Path, metavar="FILE", help="a plan as it was printed")
    asked = told.parse_args(words)
    if asked.replay:
        story = report(json.loads(asked.replay.read_text("utf-8")))
        print(story or "nothing fails")
        return int(story is not None)
    first = random.SystemRandom().randrange(10**9) if asked.first is None else asked.first
    seeds = range(first, first + asked.seeds)
    print(f"seeds {first} to {seeds[-1]}: --first {first} repeats them", flush=True)
    failed, steps, seconds = 0, [0, 0], [0.0, 0.0]
    tally: Counter[str] = Counter()
    for one in outcomes(seeds, asked.steps):
        steps[one["bills"]] += one["steps"]
        seconds[one["bills"]] += one["seconds"]
        tally.update(one["tally"])
        if one["story"]:
            failed += 1
            print(one["story"], flush=True)
    print(", ".join(f"{count} {name}" for name, count in sorted(tally.items())))
    speeds = [round(some / max(spent, 0.001)) for some, spent in zip(steps, seconds, strict=True)]
    print(
        f"{len(seeds)} seeds, {sum(steps)} steps, {speeds[0]} steps/s and {speeds[1]} with invoices"
        f" on each core, {failed} failures"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
