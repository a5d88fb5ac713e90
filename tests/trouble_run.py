"""Running a plan from its beginning to what must hold at its end, and shrinking one that fails.

Delta debugging (Zeller and Hildebrandt 2002, `ddmin`): parts of the plan are left out, ever smaller
ones, as long as the same thing fails.
"""

import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.trouble_disk import Killed
from tests.trouble_line import Line
from tests.trouble_plan import Plan, Step
from tests.trouble_till import Till, open_till

ROOT: Final = Path(__file__).parent.parent
Fails = Callable[[list[Step]], bool]


def run_plan(plan: Plan, folder: Path) -> Counter[str]:
    """How often it did what. Raises where something does not hold; a note says at which step. The
    first step of billing opens a till, and then everything is settled at the end.
    """
    with Line(folder, plan["route"]) as line:
        return take_plan(plan, line)


def take_plan(plan: Plan, line: Line) -> Counter[str]:
    """The same on a line that is there."""
    till: Till | None = None
    for number, step in enumerate(plan["steps"]):
        try:
            if step[0] != "bill":
                line.take(step)
                continue
            till = till or open_till(line, plan["seed"])
            till.act(*step[1:])
        except BaseException as error:
            error.add_note(f"step {number}: {step}")
            raise
    line.rest()
    line.check()
    if till:
        till.settle_all()
    else:
        line.check_servers()
    line.check_rebuilt()
    return line.tally


def failure(plan: Plan, tally: Counter[str] | None = None) -> tuple[str, str] | None:
    """Where and how it fails, in a place of its own: a short name, and the whole story. What it did
    is added to `tally` where it does not fail.
    """
    with tempfile.TemporaryDirectory(prefix="trouble-") as folder:
        home = Path(folder) / "home"  # the clerk's books lie beside it
        home.mkdir(mode=0o700)
        try:
            done = run_plan(plan, home)
            if tally is not None:
                tally.update(done)
        except (Exception, Killed) as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [one for one in frames if Path(one.filename).is_relative_to(ROOT)]
            return f"{type(error).__name__} in {ours[-1].name}", traceback.format_exc()
    return None


def shrunk(plan: Plan, name: str, seconds_max: float = 300) -> Plan:
    """A smaller plan that fails by the same name; the smallest found in that time."""
    deadline = time.monotonic() + seconds_max

    def fails(steps: list[Step]) -> bool:
        late = time.monotonic() > deadline
        found = None if late else failure({**plan, "steps": steps})
        return found is not None and found[0] == name

    return {**plan, "steps": minimal(plan["steps"], fails)}


def minimal(steps: list[Any], fails: Fails) -> list[Any]:
    """Of which no single one can be left out, if `fails` never tires."""
    parts = 2
    while len(steps) > 1:
        size = -(-len(steps) // parts)
        for begin in range(0, len(steps), size):
            rest = steps[:begin] + steps[begin + size :]
            if rest and fails(rest):
                steps, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(steps))
    return steps
