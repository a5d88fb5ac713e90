"""A run of many processes (pytest-xdist) as if it were one: one seed, one broker, one summary.

`tests/conftest.py` takes the hooks in. In a run of one process they change its order alone.
"""

import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.fire import hold_back
from tests.lent import missing, note

SEED = pytest.StashKey[int]()
# Tests that use one of these stay in one process. The broker must be one at a time, since the
# topics have fixed names; the others cost more than the tests that look at them.
TOGETHER = (
    *("kafka_bootstrap", "three_brokers", "guarded"),
    *("world", "life", "october", "every_home", "browser"),
)
_FOLDER = pytest.StashKey[Path]()


def draw_seed(config: pytest.Config) -> None:
    """HOMEMEETING_SEED or a new one; a worker takes that of the run."""
    told = getattr(config, "workerinput", {}).get("seed", os.environ.get("HOMEMEETING_SEED"))
    config.stash[SEED] = int(told) if told else random.SystemRandom().randrange(2**32)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`seeds(1, 2)`: the test runs with these, on any day, and with the run's own."""
    if mark := metafunc.definition.get_closest_marker("seeds"):
        kept = mark.args
        seeds = [*kept, metafunc.config.stash[SEED]]
        metafunc.parametrize("seed", seeds, ids=[*map(str, kept), "drawn"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first, lest one process end alone with it."""
    hold_back(config, items, config.stash[SEED])
    groups = {item.nodeid: group for item in items if (group := _group(item))}
    order = dict(zip(TOGETHER, range(len(TOGETHER)), strict=True))

    def begins(item: pytest.Item) -> int:
        otherwise = len(order) + (item.get_closest_marker("long") is None)
        return order.get(groups.get(item.nodeid, ""), otherwise)

    items.sort(key=begins)
    if told := getattr(config, "workerinput", None):
        Path(told["folder"], f"{told['workerid']}.json").write_text(json.dumps(groups), "utf-8")


def _group(item: pytest.Item) -> str | None:
    return next((name for name in TOGETHER if name in getattr(item, "fixturenames", ())), None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """What a worker is told as it begins."""
    config = node.config
    if _FOLDER not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="homemeeting-tests-")
        config.add_cleanup(folder.cleanup)
        config.stash[_FOLDER] = Path(folder.name)
    node.workerinput |= {"seed": str(config.stash[SEED]), "folder": str(config.stash[_FOLDER])}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """However `--dist` is set: no other way keeps the tests of the broker together.

    `loadgroup` would, but with pytest 9.2 silently does not (pytest-xdist issue 1386).
    """
    config.option.loadscopereorder = False
    return _InGroups(config, log)


class _InGroups(LoadScopeScheduling):
    """Gives each worker the next test, or all of the next group, in the order of collection."""

    groups: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self.groups is None:  # every worker has collected, and told the same
            told = next(self.config.stash[_FOLDER].glob("*.json"))
            self.groups = json.loads(told.read_text("utf-8"))
        return self.groups.get(nodeid, nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["missing"] = missing(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker could not have is told once, at the end of the run."""
    for tests, why in getattr(node, "workeroutput", {}).get("missing", {}).items():
        note(node.config, tests, why)
