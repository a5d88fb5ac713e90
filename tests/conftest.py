"""What tests share: the run's seed and world, its broker, its browser, and what was missing."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.broker_fixtures import (
    cluster,
    guarded,
    kafka,
    kafka_bootstrap,
    own_broker,
    three_brokers,
)
from tests.browser.chromium import Browser, NoBrowser, chromium
from tests.every_line import make_home
from tests.lent import NO_BROWSER, give_up, missing
from tests.side_by_side import (
    SEED,
    draw_seed,
    pytest_collection_modifyitems,
    pytest_configure_node,
    pytest_generate_tests,
    pytest_sessionfinish,
    pytest_testnodedown,
    pytest_xdist_make_scheduler,
)
from tests.world import World, make_world

__all__ = [
    "cluster", "guarded", "kafka", "kafka_bootstrap", "own_broker", "three_brokers",
    "pytest_collection_modifyitems", "pytest_configure_node", "pytest_generate_tests",
    "pytest_sessionfinish", "pytest_testnodedown", "pytest_xdist_make_scheduler",
]  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    # Where it is set, each of hundreds of commands compiled us anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # A machine that has much else to do is no fault of a test.
    settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")
    draw_seed(config)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.stash[SEED]} (HOMEMEETING_SEED={config.stash[SEED]} repeats it)"


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the run: new each time, or HOMEMEETING_SEED."""
    return request.config.stash[SEED]


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Chance of a test's own: the same with one seed, whichever other tests run."""
    print(f"HOMEMEETING_SEED={seed} repeats this")
    return random.Random(f"{seed}/{request.node.name}")


@pytest.fixture(scope="session")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Drawn once, read by many: no test writes into its journal."""
    return make_world(seed, tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def every_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tests.every_line`, made once and read by many: what changes something takes a copy."""
    return make_home(tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A real Chromium. Skips where none can be had, fails there when CI=true."""
    running = chromium()
    try:
        found = running.__enter__()
    except NoBrowser as error:
        give_up(request.config, NO_BROWSER, "browser", error)
    try:
        yield found
    finally:
        running.__exit__(None, None, None)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for tests, why in missing(config).items():
        terminalreporter.write_line(f"{tests} did not run: {why}")
