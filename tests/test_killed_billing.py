"""Billing commands killed at each step, as processes, and typed again: the books are, to the last
row, those of a clerk whom nothing befell, and so is every file of evidence and every document.

What that clerk has made is held to the oracle of `tests.oracle_ledger` as it is made.
"""

import hashlib
import os
import random
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from tests import fire
from tests.command_line import run_here, shown_here
from tests.deaths import Death, deaths, run, synced, watch_syncs
from tests.ledger_clerk import Clerk, open_accounts
from tests.ledger_credits import credit, to_credit, void
from tests.ledger_known import OCTOBER
from tests.ledger_world import draw_records
from warehouse import open_store

NOVEMBER: Final = date(2026, 11, 1)
MAKING: Final = ("invoice", "credit-note", "void")
KEPT: Final = ("books.duckdb", "usage.duckdb", "evidence", "documents")
State = tuple[dict[str, list[Any]], dict[str, str]]


@dataclass(frozen=True)
class Typed:
    """A command, the day it was typed, and a copy of the home before it and behind it."""

    words: tuple[str, ...]
    now: str
    before: Path
    after: Path


class Observed(Clerk):
    """A clerk whose every command that makes documents can be typed again elsewhere."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        super().__init__(folder / "home", rng, rng.choice(["EUR", "JPY", "KWD"]))
        self.typed: list[Typed] = []

    def type(self, *arguments: str, failing: bool = False) -> str:
        if arguments[0] not in MAKING:
            return super().type(*arguments, failing=failing)
        place = self.home.parent / f"act{len(self.typed)}"
        before, after = place / "before", place / "after"
        copy(self.home, before)
        said = super().type(*arguments, failing=failing)
        copy(self.home, after)
        self.typed.append(Typed(arguments, f"{self._day}T12:00:00Z", before, after))
        return said


def copy(home: Path, to: Path) -> Path:
    to.mkdir(parents=True)
    for name in KEPT:
        if (home / name).is_dir():
            shutil.copytree(home / name, to / name)
        elif (home / name).exists():
            shutil.copy(home / name, to / name)
    return to


def worked(folder: Path, rng: random.Random) -> list[Typed]:
    """Drafts, runs, adjustments, credit notes and void documents of one clerk."""
    clerk = Observed(folder, rng)
    open_accounts(clerk)
    clerk.type("invoice", "run", "--month", "2026-10", failing=True)
    clerk.run(OCTOBER)
    name, known = next(iter(clerk.accounts.known.items()))
    late = draw_records(rng, name, known["time_zone"], [date(2026, 10, 9)], 4)
    clerk.use([*late])
    clerk.run(NOVEMBER)
    for kind in ("concession", "correction"):
        if found := to_credit(clerk):
            credit(clerk, rng.choice(found), kind, {})
    final = [one for one in clerk.documents.values() if one["status"] == "final"]
    if found := [one for one in final if one["credit"] is None and one["number"]]:
        void(clerk, rng.choice(found))
    clerk.run(OCTOBER)
    return clerk.typed


def worked_of_each(folder: Path, rng: random.Random) -> list[Typed]:
    """By the first clerk who had something to make void, as hardly one has not."""
    for number in range(20):
        place = folder / f"clerk{number}"
        place.mkdir()
        every = worked(place, rng)
        if {"invoice", "void"} <= {typed.words[0] for typed in every}:
            return every
    raise AssertionError("no document is final")


def state(home: Path) -> State:
    """Every row of the books, and every file that they speak of."""
    with open_store(home / "books.duckdb", "books").closing() as books:
        names = books.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")
        rows = {name: sorted(books.rows(f'FROM "{name}"'), key=repr) for (name,) in names}
    files = [*home.glob("evidence/*.parquet"), *home.glob("documents/*.pdf")]
    return rows, {
        str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }  # fmt: skip


def documents(of: State) -> dict[str, list[Any]]:
    """All but which closed periods have changed since, which a run notes before all else."""
    return {name: rows for name, rows in of[0].items() if name not in ("looked", "revisits")}


def type_once(home: Path, typed: Typed) -> None:
    done = run_here(home, *typed.words, now=typed.now)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


def type_noted(home: Path, typed: Typed, log: Path) -> None:
    """The same; what it writes through is noted."""
    watch_syncs(log)
    type_once(home, typed)


def cut(home: Path, log: Path, before: State) -> None:
    """The power fails: of what is new is left what was written through, under its first name."""
    through = synced(log)
    for name in state(home)[1].keys() - before[1].keys():
        path = (home / name).resolve()
        first = path.with_name(f"{path.name}.part")
        os.truncate(path, max(through.get(path, 0), through.get(first, 0)))


def go_on(home: Path, typed: Typed, files: set[str]) -> tuple[State, State, State]:
    """What death has left, what is there when the command was typed again where its documents are
    missing, and what is there when, where files are still missing, both months were drafted anew.
    """
    left = state(home)
    was = shown_here(typed.before, "invoice", "list")
    now = shown_here(home, "invoice", "list")
    if typed.words[0] == "invoice" or now == was:
        type_once(home, typed)
    again = state(home)
    for month in (OCTOBER, NOVEMBER) if files - again[1].keys() else ():
        asked = ("invoice", "run", "--month", f"{month:%Y-%m}")
        run_here(home, *asked, now=typed.now)
    return left, again, state(home)


def check(typed: Typed, folder: Path, death: Death, *, power: bool) -> None:
    """Killed, and where `power` fails too, cut."""
    home = copy(typed.before, folder / "home")
    assert run(type_noted, home, typed, folder / "synced", death=death).was_killed
    before, after = state(typed.before), state(typed.after)
    if power:
        cut(home, folder / "synced", before)
    left, again, later = run(go_on, home, typed, {*after[1]}).value
    # A file is whole or not there; the evidence of a run that was not kept is written anew.
    papers = {name: told for name, told in left[1].items() if name.startswith("documents/")}
    assert papers.items() <= after[1].items(), death
    halves = [documents(one) for one in (before, after)]
    assert documents(left) in halves, "a half of it was kept"
    assert again[0] == after[0]
    assert again[1].items() <= after[1].items()
    assert later[1] == after[1]
    shutil.rmtree(folder)


@pytest.mark.fire
@pytest.mark.long
def test_what_is_billed_is_billed_once_wherever_it_was_killed(
    tmp_path: Path, rng: random.Random
) -> None:
    every = worked_of_each(tmp_path, rng)
    for number, typed in enumerate(fire.some(rng, every, 1)):
        dry = tmp_path / f"dry{number}"
        steps = run(type_noted, copy(typed.before, dry / "home"), typed, dry / "synced").steps
        assert any(step.name == "COMMIT" for step in steps), typed.words
        last = Death(len(steps) - 1, "after")
        check(typed, tmp_path / f"{number}.power", last, power=True)
        for death in fire.some(rng, deaths(steps, rng.randrange), 1):
            check(typed, tmp_path / f"{number}.{death}", death, power=rng.random() < 0.5)
