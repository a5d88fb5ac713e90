"""What a machine may or may not lend to the tests: a Kafka broker, a browser, jars.

Where it cannot be had the tests skip and the run says so at its end; with CI=true they fail.
"""

import os
from typing import NoReturn

import pytest

NO_BROKER = "KAFKA: the tests on a real broker"
NO_BROWSER = "BROWSER: the tests of HTML in a real browser"
NO_JARS = "MAVEN: the tests by Peppol's rules and by veraPDF"
_MISSING = pytest.StashKey[dict[str, str]]()


def give_up(config: pytest.Config, tests: str, what: str, why: Exception) -> NoReturn:
    note(config, tests, str(why))
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {what} can be had: {why}", pytrace=False)
    pytest.skip(f"no {what} can be had: {why}")


def note(config: pytest.Config, tests: str, why: str) -> None:
    config.stash.setdefault(_MISSING, {})[tests] = why


def missing(config: pytest.Config) -> dict[str, str]:
    """Why the run could not have what some of its tests need."""
    return config.stash.get(_MISSING, {})
