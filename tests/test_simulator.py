"""The simulator: the same facts for one seed, and facts that the projector takes whole."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consumers import Projector, broken_invariants
from eventlog import JournalSource
from producers.simulate_command import simulate_command
from producers.simulator import Workload, simulate
from schemas import TOPICS, decode
from tests import recount
from warehouse import open_store

FIRST_DAY = 20_727  # 2026-10-01, a Thursday
SMALL = Workload(accounts=12, start_day=FIRST_DAY, end_day=FIRST_DAY + 4, seed=7)
Facts = dict[str, list[dict[str, Any]]]


def _facts(journal: Path) -> Facts:
    """Every event of every topic, without its source, in an order of its own."""
    source = JournalSource(journal)
    source.assign({})
    facts: Facts = {topic: [] for topic in TOPICS}
    while slices := source.poll(100_000, 0):
        for piece in slices:
            decoded = decode(piece.partition.topic, piece.payloads)
            assert decoded.failures == []
            names = [
                name for name in decoded.columns.column_names if name not in ("source", "totals")
            ]
            facts[piece.partition.topic] += decoded.columns.select(names).to_pylist()
    for events in facts.values():
        events.sort(key=lambda event: (event["server_id"], event["sequence"]))
    return facts


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    print(f"seed {SMALL.seed}")
    path = tmp_path_factory.mktemp("simulated") / "journal"
    days: list[int] = []
    count = simulate(path, SMALL, days.append)
    assert count == sum(len(events) for events in _facts(path).values())
    assert sum(days) == 4
    return path


@pytest.fixture(scope="module")
def facts(journal: Path) -> Facts:
    return _facts(journal)


def test_one_seed_gives_the_same_facts_and_another_gives_others(
    facts: Facts, tmp_path: Path
) -> None:
    simulate(tmp_path / "again", SMALL)
    assert _facts(tmp_path / "again") == facts
    other = Workload(SMALL.accounts, SMALL.start_day, SMALL.end_day, SMALL.seed + 1)
    simulate(tmp_path / "other", other)
    different = _facts(tmp_path / "other")
    for topic in ("meetings.usage", "meetings.quality", "servers.load"):
        assert different[topic] != facts[topic]


def test_the_projector_takes_every_event(journal: Path, facts: Facts, tmp_path: Path) -> None:
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        clock = itertools.count(1_790_000_000_000_000).__next__
        read = Projector(store, clock).run_once(JournalSource(journal), events_max=5_000)
        assert read == sum(len(events) for events in facts.values())
        assert store.rows("SELECT count(*) FROM quarantine") == [(0,)]
        assert broken_invariants(store) == []
        rows = store.rows(
            "SELECT epoch_us(day::TIMESTAMP) // 86400000000, account_id, meter, variant, records,"
            " duration_us, quantity FROM usage_daily WHERE records <> 0"
        )
    found = {tuple(row[:4]): [int(value) for value in row[4:]] for row in rows}
    assert found == recount.daily(facts["meetings.usage"])


def test_all_that_was_promised_occurs(facts: Facts) -> None:
    usage = facts["meetings.usage"]
    assert {"meeting", "participant", "recording", "dial_in", "screen_share", "whiteboard"} == {
        event["meter"] for event in usage
    }
    assert all((event["meter"] == "dial_in") == (event["variant"] is not None) for event in usage)
    assert any(event["quantity"] for event in usage if event["meter"] == "recording")
    assert any(event["continues"] for event in usage), "the standing room is cut after 24 hours"
    assert {event["phase"] for event in facts["sources.heartbeat"]} == {"OPEN", "BEAT", "CLOSE"}
    assert len({event["server_id"] for event in facts["servers.load"]}) == 6
    assert len({event["region"] for event in facts["servers.load"]}) == 3
    peak = [e["participants"] for e in facts["servers.load"]]
    assert min(peak) == 0 < max(peak)
    starts = Counter(
        event["started_at"] // recount.DAY_US
        for event in usage
        if event["phase"] == "START" and event["meter"] == "participant"
    )
    assert starts[FIRST_DAY] > 2 * starts[FIRST_DAY + 2], "Saturdays are quieter than Thursdays"


def test_the_newer_version_and_the_cellular_network_are_worse(facts: Facts) -> None:
    def mean(name: str, field: str, value: str) -> float:
        events = [e for e in facts["meetings.quality"] if e[field] == value]
        return sum(float(e[name]) for e in events) / len(events)

    assert mean("jitter_ms", "server_version", "4.3.0") > 1.3 * mean(
        "jitter_ms", "server_version", "4.2.1"
    )
    assert mean("packets_lost", "network", "cellular") > 3 * mean("packets_lost", "network", "wifi")


def test_some_records_never_stop(tmp_path: Path) -> None:
    simulate(tmp_path, Workload(120, FIRST_DAY, FIRST_DAY + 2, 3))
    records = recount.records(_facts(tmp_path)["meetings.usage"])
    end = (FIRST_DAY + 2) * recount.DAY_US
    forgotten = [s for s in records.values() if not s["stopped"] and s["seen"] < end]
    assert 0 < len(forgotten) < len(records) / 50


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--to": "2026-10-01"}, "after --from"),
        ({"--from": "yesterday"}, "not a date"),
        ({"--from": "1960-01-01"}, "is not from"),
        ({"--accounts": "0"}, "--accounts"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, change: dict[str, str], says: str) -> None:
    options = {"--accounts": "1", "--from": "2026-10-01", "--to": "2026-10-02", "--seed": "1"}
    arguments = [word for pair in (options | change).items() for word in pair]
    result = CliRunner().invoke(simulate_command, [*arguments, "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert says in result.output
    assert not (tmp_path / "journal").exists()


def test_the_command_fills_the_journal_of_its_home(tmp_path: Path) -> None:
    days = ["--from", "2026-10-01", "--to", "2026-10-02"]
    arguments = ["--accounts", "2", *days, "--seed", "1", "--home", str(tmp_path)]
    result = CliRunner().invoke(simulate_command, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "events emitted" in result.stderr
    assert len(_facts(tmp_path / "journal")["servers.load"]) == 6 * 287
