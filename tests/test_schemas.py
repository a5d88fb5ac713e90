"""The contracts and the codec: framing, the rules of one event, the rules of the schemas."""

import json
import math
import random
import uuid
from itertools import combinations
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from fastavro.schema import to_parsing_canonical_form
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas import CONTRACTS, decode, encode, peek

FILES = sorted(Path(schemas.__file__).parent.glob("*.avsc"))
T = 1_790_000_000_000_000
USAGE: dict[str, Any] = {
    "source": "fra-1/00",
    "sequence": 7,
    "phase": "STOP",
    "record_id": uuid.UUID(int=5).bytes,
    "account_id": "acme",
    "meeting_id": "m1",
    "participant_id": "p1",
    "meter": "participant",
    "variant": None,
    "server_id": "fra-1",
    "region": "eu",
    "started_at": T,
    "observed_at": T + 1,
    "quantity": 3,
    "continues": None,
}
QUALITY: dict[str, Any] = {
    "source": "fra-1/00",
    "sequence": 1,
    "record_id": uuid.UUID(int=5).bytes,
    "account_id": "acme",
    "meeting_id": "m1",
    "server_id": "fra-1",
    "server_version": "1.0",
    "region": "eu",
    "client": "web",
    "network": "wifi",
    "sampled_at": T,
    "interval_s": 30,
    "rtt_ms": 20.5,
    "jitter_ms": 1.0,
    "packets_received": 100,
    "packets_lost": 0,
    "bitrate_bps": 10**6,
    "frozen_ms": 0,
    "join_ms": None,
}


def _failure(topic: str, payload: bytes) -> str:
    decoded = decode(topic, [payload])
    assert decoded.index.tolist() == []
    (failure,) = decoded.failures
    return failure.code


def test_a_batch_becomes_columns_and_its_bad_messages_failures_in_place() -> None:
    good = encode("meetings.usage", USAGE)
    decoded = decode("meetings.usage", [b"", good, good + b"x", good])
    assert decoded.index.tolist() == [1, 3]
    assert decoded.columns["account_id"].to_pylist() == ["acme", "acme"]
    assert [(f.index, f.code) for f in decoded.failures] == [
        (0, "BAD_FRAME"),
        (2, "TRAILING_BYTES"),
    ]
    assert (decoded.failures[1].source, decoded.failures[1].sequence) == ("fra-1/00", 7)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_truncated_message_is_a_failure(cut: int) -> None:
    assert _failure("meetings.usage", encode("meetings.usage", USAGE)[:-cut]) == "BAD_DATUM"


def test_a_foreign_schema_is_named() -> None:
    assert _failure("servers.load", encode("meetings.usage", USAGE)) == "UNKNOWN_SCHEMA"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"account_id": ""}, "account_id"),
        ({"account_id": "a b"}, "account_id"),
        ({"meter": "é"}, "meter"),
        ({"participant_id": "x" * 129}, "participant_id"),
        ({"started_at": 0, "observed_at": 0}, "started_at"),
        ({"started_at": 7_258_118_400_000_000, "observed_at": 7_258_118_400_000_000}, "2199"),
        ({"observed_at": T - 1}, "48 h"),
        ({"observed_at": T + 48 * 3_600_000_000 + 1}, "48 h"),
        ({"quantity": -1}, "quantity"),
        ({"sequence": 0}, "sequence"),
        ({"phase": "UNKNOWN"}, "phase"),
    ],
)
def test_each_rule_of_a_usage_event_is_kept(change: dict[str, Any], word: str) -> None:
    (failure,) = decode("meetings.usage", [encode("meetings.usage", USAGE | change)]).failures
    assert failure.code == "RULE_BROKEN"
    assert word in failure.reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_samples_are_finite_and_not_negative(value: float) -> None:
    payload = encode("meetings.quality", QUALITY | {"rtt_ms": value})
    assert _failure("meetings.quality", payload) == "RULE_BROKEN"


@pytest.mark.parametrize(
    "change", [{"source": "no source"}, {"topic": "a b"}, {"last": -1}, {"refused": -1}]
)
def test_the_totals_of_a_heartbeat_keep_the_rules(change: dict[str, Any]) -> None:
    total = {"source": "fra-1/00", "topic": "meetings.usage", "last": 0, "refused": 0}
    beat = {"source": "fra-1/00", "sequence": 1, "server_id": "fra-1", "phase": "OPEN"}
    beat |= {"beat_at": T, "watermark": T}
    good, bad = (
        encode("sources.heartbeat", beat | {"totals": [total | told]}) for told in ({}, change)
    )
    assert decode("sources.heartbeat", [good]).failures == []
    assert _failure("sources.heartbeat", bad) == "RULE_BROKEN"


def test_the_edges_of_the_rules_are_inside() -> None:
    event = USAGE | {"observed_at": T + 48 * 3_600_000_000, "quantity": 2**63 - 1}
    assert decode("meetings.usage", [encode("meetings.usage", event)]).index.tolist() == [0]


def test_what_no_reader_would_take_is_not_written() -> None:
    """An event holds 65,536 octets, to the octet; `decode` takes no more."""
    small = len(encode("meetings.usage", USAGE | {"variant": "v" * 100}))
    most = "v" * (65_536 - small + 100 - 1)  # its length takes three octets, not two
    payload = encode("meetings.usage", USAGE | {"variant": most})
    assert len(payload) == 65_536
    assert _failure("meetings.usage", payload) == "RULE_BROKEN"
    with pytest.raises(ValueError, match="the event has 65537 bytes, 65536 at most"):
        encode("meetings.usage", USAGE | {"variant": most + "v"})
    assert _failure("meetings.usage", payload + b"v") == "TOO_LARGE"


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_codec(noise: bytes) -> None:
    frame = encode("meetings.usage", USAGE)[:10]
    for payload in (noise, frame + noise):
        for topic in CONTRACTS:
            decode(topic, [payload])
        peek(payload)


def test_flipped_bits_never_crash_the_codec() -> None:
    seed = 20261124
    print(f"seed {seed}")
    rng = random.Random(seed)
    payload = encode("meetings.usage", USAGE)
    for _ in range(2000):
        broken = bytearray(payload)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        decoded = decode("meetings.usage", [bytes(broken)])
        assert len(decoded.index) + len(decoded.failures) == 1


def _types(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in _types(value))]
    return [found for item in node for found in _types(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_schema_rules(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    for node in _types(schema):
        if node.get("type") == "enum":
            assert node["symbols"][0] == node["default"] == "UNKNOWN"
        assert node.get("type") != "map"
        if isinstance(node.get("type"), list):
            assert not any(isinstance(t, dict) and t["type"] == "enum" for t in node["type"])
    for field in schema["fields"]:
        assert field["doc"]
        if "Identity" in field["doc"] or field["name"] in {"source", "sequence"}:
            assert "default" not in field
    assert [field["name"] for field in schema["fields"][:2]] == ["source", "sequence"]


def test_every_two_versions_of_a_contract_read_each_other() -> None:
    for name in {path.name.split(".")[0] for path in FILES}:
        versions = [avro.schema.parse(p.read_text()) for p in FILES if p.name.startswith(name)]
        for one, other in [*combinations(versions, 2), *((v, v) for v in versions)]:
            for reader, writer in ((one, other), (other, one)):
                result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)
                assert result.compatibility is SchemaCompatibilityType.compatible


def _rabin(text: str) -> bytes:
    """CRC-64-AVRO, bit by bit, as the Avro specification writes it down."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for octet in text.encode():
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ (empty if value & 1 else 0)
    return value.to_bytes(8, "little")


def test_fingerprints_on_the_wire_are_those_of_the_specification() -> None:
    # The reference vector for "null"; the avro package cannot judge ours, as its canonical form
    # neither collapses {"type": "long"} nor refers to a named type by its name.
    assert _rabin('"null"').hex() == "8a8f25cce724dd63"
    for path in FILES:
        canonical = to_parsing_canonical_form(json.loads(path.read_text("utf-8")))
        owners = [c for c in CONTRACTS.values() if _rabin(canonical) in c.versions]
        assert len(owners) == 1
    for topic, event in (("meetings.usage", USAGE), ("meetings.quality", QUALITY)):
        assert encode(topic, event)[2:10] == CONTRACTS[topic].fingerprint
