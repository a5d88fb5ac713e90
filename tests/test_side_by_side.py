"""A run of many processes is one run: a seed, what must not part, what it could not have."""

import os
import subprocess
import sys
from pathlib import Path

from tests.command_line import ROOT

CONFTEST = """
import pytest
from tests.conftest import *
from tests.conftest import pytest_configure, pytest_report_header, pytest_terminal_summary, seed
from tests.lent import NO_BROKER, give_up

@pytest.fixture(scope="session")
def kafka_bootstrap(request):
    give_up(request.config, NO_BROKER, "Kafka broker", RuntimeError("nobody lends one"))

@pytest.fixture(scope="session")
def world():
    return 1

@pytest.fixture(autouse=True)
def told(request, seed, worker_id):
    with open("told", "a") as file:
        print(request.node.name, worker_id, seed, file=file)
"""
TESTS = """
import time
import pytest

@pytest.mark.parametrize("number", range(20))
def test_alone(number):
    # The other process takes those behind this one.
    deadline = time.monotonic() + 60
    while len({line.split()[1] for line in open("told") if "test_alone" in line}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)

@pytest.mark.long
def test_long():
    time.sleep(0.02)

@pytest.mark.parametrize("number", range(10))
def test_together(number, world):
    time.sleep(0.02)

@pytest.mark.seeds(3, 4)
def test_seeds(seed):
    pass

def test_broker(kafka_bootstrap):
    pass

@pytest.mark.drawn(2)
@pytest.mark.parametrize("number", range(5))
def test_some(number):
    pass

@pytest.mark.soak
def test_soak():
    pass
"""

ORDER = ("test_together", "test_long", "test_alone")  # in which each process has them


def test_a_run_of_two_processes(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(TESTS)
    shown = run(tmp_path)
    assert "72 passed" in shown and "2 errors" in shown, shown
    assert shown.count("KAFKA: the tests on a real broker did not run: nobody lends one") == 1
    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    assert len({worker for test, worker, _ in told if test.startswith("test_together")}) == 1
    assert len({worker for test, worker, _ in told if test.startswith("test_alone")}) == 2
    for worker in {worker for _, worker, _ in told}:
        kinds = [test.partition("[")[0] for test, one, _ in told if one == worker]
        order = [ORDER.index(kind) for kind in kinds if kind in ORDER]
        assert order == sorted(order), kinds
    assert len([test for test, *_ in told if test.startswith("test_some")]) == 4
    assert "test_soak" not in [test for test, *_ in told]
    (seed,) = {seed for test, _, seed in told if not test.startswith("test_seeds")}
    drawn = {test: seed for test, _, seed in told if test.startswith("test_seeds")}
    assert drawn == {"test_seeds[3]": "3", "test_seeds[4]": "4", "test_seeds[drawn]": seed}
    assert shown.count(f"HOMEMEETING_SEED={seed} repeats it") == 1

    assert "80 passed" in run(tmp_path, HOMEMEETING_FIRE="50")


def run(folder: Path, **settings: str) -> str:
    """What the tests in `folder` print, where what is missing fails."""
    not_ours = ("HOMEMEETING_SEED", "HOMEMEETING_FIRE")
    ours = {name: value for name, value in os.environ.items() if name not in not_ours}
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "."]
    done = subprocess.run(
        command, cwd=folder, env=ours | {"PYTHONPATH": str(ROOT), "CI": "true"} | settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr
