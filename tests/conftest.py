"""What tests share: the one broker of a run, and the line that says if there was none."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

NO_BROKER = pytest.StashKey[str]()


def _broker_module() -> ModuleType:
    """tests/kafka/broker.py by its path: `kafka` is also the name of the client library."""
    name = "homemeeting_test_broker"
    if name not in sys.modules:
        path = Path(__file__).parent / "kafka" / "broker.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """`host:port` of a real broker. Skips where none can be had, fails there when CI=true."""
    module = _broker_module()
    running = module.broker()
    try:
        address = running.__enter__()
    except module.NoBroker as error:
        request.config.stash[NO_BROKER] = str(error)
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Kafka broker can be had: {error}", pytrace=False)
        pytest.skip(f"no Kafka broker can be had: {error}")
    try:
        yield address
    finally:
        running.__exit__(None, None, None)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reason = config.stash.get(NO_BROKER, None)
    if reason:
        terminalreporter.write_line(f"KAFKA: the tests on a real broker did not run: {reason}")
