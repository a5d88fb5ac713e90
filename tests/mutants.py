"""Do the tests find what could be wrong with the merge and the rating? By hand, as it takes long:

    python -m tests.mutants                      every fault of every file below
    python -m tests.mutants 'consumers/sql/*'    of these files alone, or of a line: 'FILE:12'
    python -m tests.mutants --some 50            so many of them, drawn by the seed
    python -m tests.mutants --list billing/terms.py

Each fault of `tests.mutations` is put into a copy of the tree, never into this one, and the tests
that own the file run until the first fails. Prints the faults that none finds, as rows of a table;
exit code 1 where there are any. Every process of a run works in a copy of its own, where it has
collected the tests and forks for each fault, which saves the second that a start takes.
"""

import argparse
import fnmatch
import importlib
import os
import queue
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pytest

from tests.mutations import Mutant, python_mutants, sql_mutants

ROOT: Final = Path(__file__).parent.parent
# Loaded before a process forks: ours, with what they need, and what the tests need.
LIBRARIES: Final = ("cli", "hypothesis", "pandas", "pyarrow.parquet", "xdist")
PACKAGES: Final = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"cli"}
OPTIONS: Final = ("-x", "-q", "-s", "-W", "ignore", "-p", "no:cacheprovider")
_CPU_S: Final = 120  # of one trial: who needs more goes round in a circle
_ODD: Final = 70  # exit code where it is the trial that failed, not a test


@dataclass(frozen=True)
class Owned:
    """Files, and the tests that own them: the quickest to find a fault come first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


_PROJECTOR: Final = "tests/test_projector.py::test_"
_ORDER: Final = _PROJECTOR + "any_order_repetition_and_split_equals_the_recount"
_PLACES: Final = "tests/test_places.py::test_"
_PLACED: Final = _PLACES + "any_order_and_split_gives_the_places_of_the_recount"
_RATING: Final = "tests/test_rating.py::test_"
_EDGES: Final = "tests/test_rating_edges.py::test_"
_LINES: Final = "tests/test_rated_lines.py"
_DRAWN: Final = "tests/test_rating_hypothesis.py"
_OF_RATING: Final = (
    f"{_RATING}what_is_not_too_large_is_exact[EUR]", f"{_LINES}::test_lines_by_variant",
    f"{_EDGES}what_64_bits", _LINES, _EDGES, f"{_RATING}a_line", f"{_RATING}what_can",
    "tests/test_advance_fees.py::test_a_new_price", _DRAWN,
)  # fmt: skip
OWNED: Final = (
    Owned(
        (
            "consumers/sql/touched_records.sql", "consumers/sql/merge_records.sql",
            "consumers/sql/merge_daily.sql", "consumers/sql/count_records.sql",
            "consumers/sql/fresh.sql", "consumers/sql/*_sequences.sql",
        ),
        (
            f"{_PROJECTOR}a_day_moves", f"{_ORDER}[0]", f"{_PROJECTOR}a_quality",
            f"{_PROJECTOR}sequences", f"{_PROJECTOR}numbers", f"{_PROJECTOR}what_two",
            f"{_PLACES}what_lies", f"{_PLACED}[0]",
        ),
    ),
    Owned(
        ("consumers/sql/*_places.sql", "consumers/sql/is_scattered.sql"),
        (
            f"{_PLACED}[0]", f"{_PLACES}what_lies", f"{_PLACES}a_retried",
        ),
    ),
    Owned(
        (
            "billing/sql/chargeable/*.sql", "billing/sql/draft_lines.sql",
            "billing/sql/line_records.sql", "billing/sql/lines_beyond.sql",
            "billing/sql/placed_records.sql", "billing/sql/places.sql", "billing/sql/rate*.sql",
            "billing/sql/round_*.sql", "billing/sql/take*.sql", "billing/sql/value_of.sql",
        ),
        _OF_RATING,
    ),
    Owned(("billing/rating.py",), ("tests/test_unrated.py", *_OF_RATING)),
    Owned(
        ("billing/terms.py", "billing/proration.py"),
        ("tests/test_terms.py", "tests/test_proration.py", *_OF_RATING),
    ),
    Owned(
        (
            "billing/sql/month_records.sql", "billing/sql/conflict*.sql", "billing/sql/kinds.sql",
        ),
        (
            "tests/test_unrated.py", _DRAWN,
            "tests/test_oracle.py::test_through_the_journal_equals_the_recount",
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One fault of a file, or none, and the tests to find it."""

    file: str
    mutant: Mutant | None
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """`said` is the end of what the tests printed."""

    trial: Trial
    found: bool
    cpu_s: float
    said: str


def trials(patterns: Sequence[str]) -> Iterator[Trial]:
    for owned in OWNED:
        for path in sorted({path for glob in owned.files for path in ROOT.glob(glob)}):
            name = path.relative_to(ROOT).as_posix()
            mutants = sql_mutants if path.suffix == ".sql" else python_mutants
            for mutant in mutants(path.read_text("utf-8")):
                asked = (fnmatch.fnmatch(f"{name}:{mutant.line}", one) for one in patterns)
                if not patterns or name in patterns or any(asked):
                    yield Trial(name, mutant, owned.tests)


def copy_tree(folder: Path) -> None:
    """What is in this tree, and not ignored, into `folder`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


class Bench:
    """A plugin that, instead of running what was collected once, runs it for each trial. Takes
    trials from one queue until None, and puts verdicts on the other.
    """

    def __init__(self, folder: Path, waiting: Any, judged: Any) -> None:
        self._folder, self._tree = folder, folder / "tree"
        self._waiting, self._judged = waiting, judged
        self._said = folder / "said"
        self._number = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.dont_write_bytecode = True
        for trial in iter(self._waiting.get, None):
            self._judged.put(self._judge(trial, session))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            print(report.nodeid, report.longreprtext, flush=True)

    def _judge(self, trial: Trial, session: pytest.Session) -> Verdict:
        if trial.mutant is None:
            return self._run(trial, session)
        path, self._number = self._tree / trial.file, self._number + 1
        whole, stamp = path.read_bytes(), path.stat().st_mtime_ns
        path.write_text(trial.mutant.text, "utf-8")
        # What was compiled is known by its time and size: no such time was seen before.
        os.utime(path, (self._number, self._number))
        try:
            return self._run(trial, session)
        finally:
            path.write_bytes(whole)
            os.utime(path, ns=(stamp, stamp))

    def _run(self, trial: Trial, session: pytest.Session) -> Verdict:
        child = os.fork()
        if child == 0:
            code = _ODD
            try:
                code = self._try(trial, session)
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status, used = os.wait4(child, 0)
        code, said = os.waitstatus_to_exitcode(status), self._said.read_text("utf-8", "replace")
        assert code != _ODD, said
        return Verdict(trial, code != 0, used.ru_utime + used.ru_stime, said[-3000:])

    def _try(self, trial: Trial, session: pytest.Session) -> int:
        """In the forked process: 0 where no test fails."""
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        send_output(self._said)
        items = in_order(session.items, trial.tests)
        assert items
        if trial.file.endswith(".py"):  # it may be imported anywhere: all begins anew
            for name in [one for one in sys.modules if one.split(".")[0] in {"tests", *PACKAGES}]:
                del sys.modules[name]
            # A module that no longer loads is a fault that was found; else it is ours.
            failed = pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED
            names = [item.nodeid for item in items]
            for _, some in groupby(names, lambda name: name.partition("::")[0]):
                ended = pytest.main([*OPTIONS, f"--basetemp={self._folder / 'temp'}", *some])
                if ended:
                    return 1 if ended in failed else _ODD
            return 0
        for item, after in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                return 1
        return 0


def in_order(items: Iterable[pytest.Item], tests: Sequence[str]) -> list[pytest.Item]:
    """Those that `tests` name by how they begin, each once."""
    known = {item.nodeid: item for item in items}
    told = [name for test in tests for name in known if name.startswith(test)]
    return [known[name] for name in dict.fromkeys(told)]


def send_output(file: Path) -> None:
    told = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(told, 1)
    os.dup2(told, 2)


def work(tests: Sequence[str], seed: int, waiting: Any, judged: Any) -> None:
    """A process of the run, from its copy of the tree to its last verdict."""
    with tempfile.TemporaryDirectory(prefix="homemeeting-mutants-") as name:
        folder = Path(name)
        tree = folder / "tree"
        copy_tree(tree)
        send_output(folder / "said")
        os.chdir(tree)
        sys.path[:] = [str(tree), *(one for one in sys.path if one and Path(one) != ROOT)]
        os.environ |= {"PYTHONPATH": str(tree), "HOMEMEETING_SEED": str(seed)}
        for library in LIBRARIES:
            importlib.import_module(library)
        kept = {one: module for one, module in sys.modules.items() if one.split(".")[0] == "tests"}
        for one in kept:
            del sys.modules[one]
        bench = Bench(folder, waiting, judged)
        pytest.main([*OPTIONS, f"--basetemp={folder / 'temp'}", *tests], [bench])


def verdicts(wanted: Sequence[Trial], seed: int, processes: int) -> Iterator[Verdict]:
    """Of all of `wanted`, as they come."""
    context = get_context("spawn")
    waiting, judged = context.Queue(), context.Queue()
    for trial in [*wanted, *([None] * processes)]:
        waiting.put(trial)
    files = sorted({test.partition("::")[0] for trial in wanted for test in trial.tests})
    workers = [
        context.Process(target=work, args=(files, seed, waiting, judged)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    left = len(wanted)
    while left:
        try:
            yield judged.get(timeout=5)
            left -= 1
        except queue.Empty:
            assert any(worker.is_alive() for worker in workers), "the processes ended before"
    for worker in workers:
        worker.join()


def main(words: list[str]) -> int:
    told = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    told.add_argument(
        "files", nargs="*", help="globs from the root of the tree [all that is owned]"
    )
    told.add_argument("--processes", type=int, default=os.cpu_count(), help="side by side [cores]")
    told.add_argument("--seed", type=int, help="of the tests [by chance]")
    told.add_argument("--some", type=int, help="so many faults, drawn by the seed [all]")
    told.add_argument("--list", action="store_true", help="the faults, without trying them")
    asked = told.parse_args(words)
    seed = random.SystemRandom().randrange(2**32) if asked.seed is None else asked.seed
    wanted = list(trials(asked.files))
    if asked.list:
        for trial in wanted:
            print(row(trial))
        return 0
    random.Random(seed).shuffle(wanted)  # so that what is done of a run that is stopped is a sample
    return run(wanted[: asked.some], seed, asked.processes)


def run(wanted: Sequence[Trial], seed: int, processes: int) -> int:
    print(f"{len(wanted)} faults, --seed {seed}", flush=True)
    begun = time.monotonic()
    done, left, cpu_s = 0, 0, 0.0
    ways = {(Path(one.file).suffix, one.tests) for one in wanted}
    whole = [Trial(f"*{suffix}", None, tests) for suffix, tests in sorted(ways)]
    try:
        for verdict in verdicts([*whole, *wanted], seed, processes):
            cpu_s += verdict.cpu_s
            if verdict.trial.mutant is None:
                assert not verdict.found, verdict.said
                what = f"the tests of {verdict.trial.file} without a fault"
                print(f"{what}: {verdict.cpu_s:.0f} s", flush=True)
                continue
            done += 1
            print(f"{done} {verdict.cpu_s:.1f} s {row(verdict.trial)}", file=sys.stderr)
            if not verdict.found:
                left += 1
                print(row(verdict.trial), flush=True)
    except KeyboardInterrupt:
        print(f"stopped, {len(wanted) - done} not tried")
    minutes = (time.monotonic() - begun) / 60
    found = f"{done - left} found, {left} not"
    print(f"{done} faults, {found}; {minutes:.0f} minutes, {cpu_s / 60:.0f} of the processor")
    return int(left > 0)


def row(trial: Trial) -> str:
    """Of a Markdown table: where it is, and what."""
    assert trial.mutant is not None
    told = " ".join(trial.mutant.change.split()).replace("|", "\\|")
    return f"| `{trial.file}:{trial.mutant.line}` | `{told}` |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
