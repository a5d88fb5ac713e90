"""Projectors killed at each step, as processes: the next one goes on to what a recount of the log
says.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from consumers import Projector, broken_invariants
from eventlog import JournalSource, JournalWriter
from schemas import encode
from tests import fire, recount
from tests.command_line import run_here
from tests.deaths import deaths, run
from tests.test_projector import TOPIC, T, _daily, _meetings, _records
from warehouse import Store, open_store

EVENTS_MAX: Final = 60


def filled(folder: Path, rng: random.Random) -> list[dict[str, Any]]:
    """A journal in `folder`, and what was told there: with damage, and repeated."""
    writer = JournalWriter.open(folder / "journal", "fra-1")
    events = _meetings(rng, 50, writer.source)
    told = [encode(TOPIC, event) for event in events]
    for start in range(0, len(told), 20):
        writer.append(TOPIC, told[start : start + 20])
    writer.append(TOPIC, [b"poison", *told[:30]])
    writer.close()
    return events


def project(home: Path) -> None:
    """As `consume --once` does, without what serves readers."""
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, count(T).__next__)
        projector.run_once(JournalSource(home / "journal"), events_max=EVENTS_MAX)


def consume(home: Path) -> None:
    """The command itself, readers and all."""
    done = run_here(home, "consume", "--once")
    assert done.returncode == 0, done.stderr


def go_on(home: Path, act: Callable[[Path], None]) -> tuple[Any, ...]:
    """What the next one finds in order, and what is there when it has come to the end."""
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        broken = broken_invariants(store)
    act(home)
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        return (broken, *said(store))


def said(store: Store) -> tuple[Any, ...]:
    return (
        broken_invariants(store),
        _records(store),
        _daily(store),
        store.rows("SELECT source, first, last FROM sequences"),
        store.rows('SELECT "offset", payload FROM quarantine'),
        store.rows('SELECT topic, next FROM positions'),
    )  # fmt: skip


def wanted(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    (source,) = {event["source"] for event in events}
    end = len(events) + 31
    return (
        [], recount.records(events), recount.daily(events), [(source, 1, len(events))],
        [(len(events) + 1, b"poison")], [(TOPIC, end + 1)],
    )  # fmt: skip


@pytest.mark.fire
@pytest.mark.parametrize(("act", "everyday"), [(project, 2), (consume, 1)])
def test_a_projector_killed_at_any_step_and_started_again_equals_the_recount(
    tmp_path: Path, rng: random.Random, act: Callable[[Path], None], everyday: int
) -> None:
    home = tmp_path / "home"
    events = filled(home, rng)
    shutil.copytree(home, tmp_path / "whole")
    steps = run(act, tmp_path / "whole").steps
    names = Counter(step.name for step in steps)
    assert names["COMMIT"] == names["BEGIN"] > 2
    for number, death in enumerate(fire.some(rng, deaths(steps, rng.randrange), everyday)):
        there = tmp_path / f"{number}"
        shutil.copytree(home, there)
        assert run(act, there, death=death).was_killed, death
        assert run(go_on, there, act).value == ([], *wanted(events)), (death, steps[death.step])
        shutil.rmtree(there)
