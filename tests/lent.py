"""What a machine may or may not lend to the tests: a Kafka broker, a browser.

Where it cannot be had the tests skip and the run says so at its end; with CI=true they fail.
"""

import os
from typing import NoReturn

import pytest

NO_BROKER = pytest.StashKey[str]()
NO_BROWSER = pytest.StashKey[str]()
_NAMES = {
    NO_BROKER: "KAFKA: the tests on a real broker",
    NO_BROWSER: "BROWSER: the tests of HTML in a real browser",
}


def give_up(
    config: pytest.Config, key: pytest.StashKey[str], what: str, why: Exception
) -> NoReturn:
    config.stash[key] = str(why)
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {what} can be had: {why}", pytrace=False)
    pytest.skip(f"no {what} can be had: {why}")


def missing(config: pytest.Config) -> list[str]:
    """A line for each thing that the run could not have."""
    told = ((name, config.stash.get(key, None)) for key, name in _NAMES.items())
    return [f"{name} did not run: {why}" for name, why in told if why]
