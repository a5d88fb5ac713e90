"""Old writers and new readers, and back: what each version of a contract makes of each other's
events, judged by the `avro` package, and what a reader that did not know a version catches up on.
"""

import copy
import itertools
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest
from fastavro import schemaless_writer

import schemas
from consumers import Projector, broken_invariants, retry
from eventlog import Partition, Slice
from schemas import CONTRACTS, Contract, decode
from schemas.contracts import contract_of
from tests import recount
from tests.command_line import ROOT, usage_event
from tests.test_decode import EVENTS
from tests.test_projector import TOPIC, T, _daily, _meetings, _records
from warehouse import Store, open_scratch, open_store

Schema = dict[str, Any]


def _first(topic: str) -> Schema:
    name = {"sources.heartbeat": "heartbeat"}.get(topic, topic.split(".")[1])
    path = Path(schemas.__file__).parent / f"{name}.v1.avsc"
    found: Schema = json.loads(path.read_text("utf-8"))
    return found


def _versions(topic: str) -> list[Schema]:
    """What may come: fields added, one of them removed, the enum grown, and grown no more."""
    first = _first(topic)
    added, grown, removed = (copy.deepcopy(first) for _ in range(3))
    device = {"name": "device", "type": ["null", "string"], "default": None}
    weight = {"name": "weight", "type": "long", "default": 7}
    share = {"name": "share", "type": "double", "default": 0.5}
    added["fields"] += [device, weight]
    grown["fields"] += [device, weight, share]
    removed["fields"] += [device, share]
    for schema in (grown,):
        for field in schema["fields"]:
            if field["name"] == "phase":
                field["type"]["symbols"].append("PAUSE")
    return [first, added, grown, removed]


def _physical(schema: Schema) -> avro.schema.Schema:
    """Without logical types, of which the `avro` package makes datetimes."""
    text = json.dumps(schema)
    return avro.schema.parse(text.replace('"logicalType": "timestamp-micros"', '"x": 0'))


def _written(contract: Contract, version: int, event: dict[str, Any]) -> bytes:
    fingerprint = list(contract.versions)[version]
    schema, out = contract.versions[fingerprint], BytesIO()
    told = {one["name"]: one.get("default") for one in schema["fields"]} | event
    schemaless_writer(out, schema, {one["name"]: told[one["name"]] for one in schema["fields"]})
    return b"\xc3\x01" + fingerprint + out.getvalue()


def _resolved(payload: bytes, writer: Schema, reader: Schema) -> dict[str, Any]:
    """By the `avro` package, which shares nothing with us."""
    decoder = avro.io.BinaryDecoder(BytesIO(payload[10:]))
    datum = avro.io.DatumReader(_physical(writer), _physical(reader)).read(decoder)
    assert isinstance(datum, dict)
    return datum


PAIRS = list(itertools.product(range(4), range(1, 5)))


@pytest.mark.parametrize("topic", EVENTS)
@pytest.mark.parametrize(("writer", "known"), PAIRS)
def test_every_reader_makes_of_every_writers_event_what_avro_says(
    monkeypatch: pytest.MonkeyPatch, topic: str, writer: int, known: int
) -> None:
    """The reader knows the first `known` versions and reads as the last of them."""
    versions = _versions(topic)
    event = EVENTS[topic] | {"device": "phone", "weight": 9, "share": 0.25}
    payload = _written(contract_of(topic, versions), writer, event)
    monkeypatch.setitem(CONTRACTS, topic, contract_of(topic, versions[:known]))
    found = decode(topic, [payload])
    if writer >= known:
        (failure,) = found.failures
        assert failure.code == "UNKNOWN_SCHEMA"
        assert (failure.source, failure.sequence) == (event["source"], event["sequence"])
        return
    assert found.failures == []
    assert found.columns.to_pylist() == [_resolved(payload, versions[writer], versions[known - 1])]


@pytest.mark.parametrize("topic", EVENTS)
def test_a_field_that_was_added_needs_no_other_store(
    store: Store, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """Events of both versions in one batch; what the store has no column for is passed over."""
    contract = contract_of(topic, _versions(topic)[:2])
    monkeypatch.setitem(CONTRACTS, topic, contract)
    payloads = [
        _written(contract, version, EVENTS[topic] | {"sequence": version + 1, "weight": 9})
        for version in (0, 1)
    ]
    place = Partition("c/t", topic, "0")
    done = Projector(store, lambda: T).apply(
        [Slice(place, 0, 2, [0, 1], payloads, [None, None], None)]
    )
    assert (done.events, done.quarantined) == (2, 0)
    assert store.rows("SELECT topic, first, last FROM sequences") == [(topic, 1, 2)]
    assert broken_invariants(store) == []


@pytest.mark.parametrize("topic", ["meetings.usage", "sources.heartbeat"])
def test_a_symbol_that_a_reader_lacks_is_never_billed_and_waits_for_one_that_has_it(
    monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """Written by the version that has PAUSE; read as one that has it no more, then as one again."""
    versions = _versions(topic)
    contract = contract_of(topic, versions)
    payload = _written(contract, 2, EVENTS[topic] | {"phase": "PAUSE"})
    monkeypatch.setitem(CONTRACTS, topic, contract)
    place = Partition("c/t", topic, "0")
    with open_scratch("usage").closing() as store:
        projector = Projector(store, itertools.count(T).__next__)
        projector.apply([Slice(place, 0, 1, [0], [payload], [None], None)])
        assert store.rows("SELECT code, reason FROM quarantine") == [
            ("RULE_BROKEN", "phase is UNKNOWN to this version: add the newer schema, then retry")
        ]
        assert store.value("SELECT count(*) FROM usage_records") == 0
        assert retry(store, projector)[0] == 0
        again = copy.deepcopy(versions[2])
        again["fields"].append({"name": "later", "type": "long", "default": 0})
        monkeypatch.setitem(CONTRACTS, topic, contract_of(topic, [*versions, again]))
        assert retry(store, projector) == (1, [])
        assert store.value("SELECT count(*) FROM quarantine WHERE state = 'retried'") == 1
        assert store.value("SELECT count(*) FROM sequences") == 1
        assert broken_invariants(store) == []


@pytest.fixture
def store() -> Iterator[Store]:
    with open_scratch("usage").closing() as opened:
        yield opened


@pytest.mark.parametrize("writer", [1, 2, 3])
@pytest.mark.parametrize("cut", ["before", "between", "after"])
def test_an_unknown_schema_that_is_added_brings_its_events_in_exactly_once(
    store: Store, rng: random.Random, monkeypatch: pytest.MonkeyPatch, writer: int, cut: str
) -> None:
    """A writer is upgraded first. The same events also come in the old version, before the retry
    or after it, and all of them once more: what counts is each event once.
    """
    versions = _versions(TOPIC)
    contract = contract_of(TOPIC, versions)
    events = _meetings(rng, 40, "fra-1/00")
    new = [_written(contract, writer, event) for event in events]
    old = [_written(contract, 0, event) for event in events if rng.random() < 0.3]
    first = {"before": old, "between": [*new[:20], *old], "after": []}[cut]
    monkeypatch.setitem(CONTRACTS, TOPIC, contract_of(TOPIC, versions[:1]))
    projector, at = Projector(store, itertools.count(T).__next__), 0

    def read(payloads: list[bytes]) -> None:
        nonlocal at
        end, place = at + len(payloads), Partition("c/t", TOPIC, "0")
        nothing: list[str | None] = [None] * len(payloads)
        projector.apply([Slice(place, at, end, list(range(at, end)), payloads, nothing, None)])
        at = end

    read(first + new)
    read(rng.sample(new, len(new)))  # repeated while it is unknown: no row more
    assert store.value("SELECT count(*) FROM quarantine") == len(new)
    told = {(source, n) for source, n in store.rows("SELECT source, sequence FROM quarantine")}
    assert told == {(event["source"], event["sequence"]) for event in events}
    assert retry(store, projector)[0] == 0
    monkeypatch.setitem(CONTRACTS, TOPIC, contract)
    if cut == "between":
        read(rng.sample(new, len(new) // 2))
    ids = [one for (one,) in store.rows("SELECT id FROM quarantine ORDER BY id")]
    assert retry(store, projector, ids[len(ids) // 2]) == (1, [])
    assert retry(store, projector) == (len(new) - 1, [])
    assert retry(store, projector) == (0, [])
    read(rng.sample([*new, *old], len(new) + len(old)))
    assert _records(store) == recount.records(events)
    assert _daily(store) == recount.daily(events)
    assert store.rows("FROM sequences") == [(TOPIC, "fra-1/00", 1, len(events))]
    assert store.rows("FROM holes") == []
    assert broken_invariants(store) == []


def test_a_release_with_a_new_schema_reads_what_the_last_one_put_aside(tmp_path: Path) -> None:
    """Two releases as their users have them: the newer has one file more in `schemas/`. Its
    server writes first; the projector is upgraded afterwards.
    """
    newer = tmp_path / "newer"
    kept = shutil.ignore_patterns(".*", "docs", "tests", "benchmarks", "__pycache__")
    shutil.copytree(ROOT, newer, ignore=kept)
    (newer / "schemas" / "usage.v2.avsc").write_text(json.dumps(_versions(TOPIC)[1]))
    home, hour = tmp_path / "home", "2026-10-01T{}:00:00Z"
    lines = [usage_event(n, "acme", hour.format("10"), hour.format("11")) for n in range(1, 6)]

    def run(release: Path, *command: str, told: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "--home", str(home), *command],
            cwd=release, input=told, capture_output=True, text=True, check=False,
            env={"PYTHONPATH": str(release)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run(newer, "emit", "-", "--server-id", "s", told="\n".join(json.dumps(one) for one in lines))
    run(ROOT, "consume", "--once")
    with open_store(home / "usage.duckdb", "usage").closing() as found:
        assert found.rows("SELECT code, count(*) FROM quarantine GROUP BY ALL") == [
            ("UNKNOWN_SCHEMA", 5)
        ]
        assert found.value("SELECT count(*) FROM usage_records") == 0
    run(newer, "quarantine", "retry")
    run(newer, "consume", "--once")
    run(newer, "verify")
    with open_store(home / "usage.duckdb", "usage").closing() as found:
        days = found.rows("SELECT account_id, records, duration_us FROM usage_daily")
        assert days == [("acme", 5, 5 * 3_600_000_000)]
        assert found.rows("SELECT state, count(*) FROM quarantine GROUP BY ALL") == [("retried", 5)]
        assert found.rows("FROM holes") == []
