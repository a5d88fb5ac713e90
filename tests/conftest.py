"""What tests share: the one broker and the one browser of a run, and the lines that say if there
was none.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

NO_BROKER = pytest.StashKey[str]()
NO_BROWSER = pytest.StashKey[str]()


def _module(path: str) -> ModuleType:
    """A file below tests/ by its path: `kafka` is also the name of the client library."""
    name = "homemeeting_test_" + Path(path).stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def _give_up(
    config: pytest.Config, key: pytest.StashKey[str], what: str, why: Exception
) -> NoReturn:
    """Skips, and says so at the end of the run; fails where CI=true."""
    config.stash[key] = str(why)
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {what} can be had: {why}", pytrace=False)
    pytest.skip(f"no {what} can be had: {why}")


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """`host:port` of a real broker. Skips where none can be had, fails there when CI=true."""
    module = _module("kafka/broker.py")
    running = module.broker()
    try:
        address = running.__enter__()
    except module.NoBroker as error:
        _give_up(request.config, NO_BROKER, "Kafka broker", error)
    try:
        yield address
    finally:
        running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A real Chromium. Skips where none can be had, fails there when CI=true."""
    module = _module("browser/chromium.py")
    running = module.chromium()
    try:
        found = running.__enter__()
    except module.NoBrowser as error:
        _give_up(request.config, NO_BROWSER, "browser", error)
    try:
        yield found
    finally:
        running.__exit__(None, None, None)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for key, what in (
        (NO_BROKER, "KAFKA: the tests on a real broker"),
        (NO_BROWSER, "BROWSER: the tests of HTML in a real browser"),
    ):
        reason = config.stash.get(key, None)
        if reason:
            terminalreporter.write_line(f"{what} did not run: {reason}")
