"""Reading many messages at once gives what reading each by itself gives: rows, failures, order."""

import copy
import json
import math
import random
import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastavro import schemaless_writer
from hypothesis import example, given, settings
from hypothesis import strategies as st

import schemas
from schemas import CONTRACTS, Contract, codec, decode, encode
from schemas.contracts import contract_of
from tests.test_schemas import QUALITY, USAGE, T

EVENTS: dict[str, dict[str, Any]] = {
    "meetings.usage": USAGE,
    "meetings.quality": QUALITY,
    "servers.load": {
        "source": "fra-1/00",
        "sequence": 1,
        "server_id": "fra-1",
        "region": "eu",
        "version": "1.0",
        "sampled_at": T,
        "cpu": 0.5,
        "memory": 0.25,
        "meetings": 3,
        "participants": 9,
        "capacity": 500,
        "egress_bps": 10**9,
    },
    "sources.heartbeat": {
        "source": "fra-1/00",
        "sequence": 1,
        "server_id": "fra-1",
        "phase": "BEAT",
        "beat_at": T,
        "watermark": T,
        "totals": [{"source": "fra-1/00", "topic": "meetings.usage", "last": 3, "refused": 0}],
    },
}
FLAT = [topic for topic in EVENTS if topic != "sources.heartbeat"]
LONGS = [0, 1, -1, 63, 64, T, T + 1, 2**54, 2**55 - 1, 2**55, -(2**55), -(2**55) - 1, 2**62]
LONGS += [2**63 - 1, -(2**63), 31_536_000_000_000, 7_258_118_400_000_000 - 1]
DOUBLES = [0.0, -0.0, 5e-324, 1.5, -1.0, math.nan, math.inf, -math.inf]
TEXTS = ["", "a", "a" * 4, "a" * 5, "a" * 12, "a" * 13, "a" * 128, "a" * 129, "a/b", "é", "\0"]
TEXTS += ["UNKNOWN", "a b", "a\n", "😀", "x" * 256, "x" * 257]


def _written(schema: Any, event: dict[str, Any], fingerprint: bytes) -> bytes:
    out = BytesIO()
    schemaless_writer(out, schema, event)
    return b"\xc3\x01" + fingerprint + out.getvalue()


def _agree(contract: Contract, payloads: list[bytes]) -> None:
    """`decode` against its own slow half, which is given every message."""
    found = decode(contract.topic, payloads)
    index, rows, failures = codec._one_by_one(contract, payloads, np.arange(len(payloads)))
    assert found.index.tolist() == index.tolist()
    assert found.columns.schema.equals(rows.schema)
    found.columns.validate(full=True)
    # repr tells -0.0 from 0.0
    assert repr(found.columns.to_pylist()) == repr(rows.to_pylist())
    assert found.failures == failures


def _values(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, list):
        return st.one_of(st.none(), _values(next(one for one in kind if one != "null")))
    if isinstance(kind, dict) and kind["type"] == "enum":
        return st.sampled_from(kind["symbols"])
    if isinstance(kind, dict) and kind["type"] == "array":
        total = {one["name"]: _values(one["type"]) for one in kind["items"]["fields"]}
        return st.lists(st.fixed_dictionaries(total), max_size=3)
    plain = kind["type"] if isinstance(kind, dict) else kind
    return {
        "long": st.sampled_from(LONGS) | st.integers(-(2**63), 2**63 - 1),
        "double": st.sampled_from(DOUBLES) | st.floats(),
        "string": st.sampled_from(TEXTS) | st.text(max_size=20),
    }.get(plain, st.binary(min_size=16, max_size=16))


@st.composite
def _payload(draw: st.DrawFn, contract: Contract) -> bytes:
    """A good event, or one with some values changed; written by some version; perhaps damaged."""
    fingerprint = draw(st.sampled_from(sorted(contract.versions)))
    schema = contract.versions[fingerprint]
    event = copy.deepcopy(EVENTS[contract.topic])
    fields = {field["name"]: field for field in schema["fields"]}
    for name, field in fields.items():
        event.setdefault(name, field.get("default"))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        event[name] = draw(_values(fields[name]["type"]))
    value = bytearray(_written(schema, event, fingerprint))
    damage = draw(st.sampled_from(["none"] * 4 + ["cut", "flip", "put", "double", "grow", "drop"]))
    at = draw(st.integers(0, len(value) - 1))
    if damage == "cut":
        del value[at:]
    elif damage == "flip":
        value[at] ^= 1 << draw(st.integers(0, 7))
    elif damage == "put":
        value[at : at + 1] = draw(st.binary(max_size=12))
    elif damage == "double":
        value += value[draw(st.sampled_from([0, 10])) :]
    elif damage == "grow":
        value += draw(st.binary(min_size=1, max_size=20))
    elif damage == "drop":
        del value[at]
    return bytes(value)


def _first_version(topic: str) -> dict[str, Any]:
    path = next(Path(schemas.__file__).parent.glob(f"{topic.split('.')[1]}.v1.avsc"))
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _second_version(topic: str) -> Contract:
    """The contract as it may look after its next release: a symbol and three fields more."""
    first = _first_version(topic)
    second = copy.deepcopy(first)
    second["fields"] += [
        {"name": "device", "type": ["null", "string"], "default": None},
        {"name": "weight", "type": "long", "default": 7},
        {"name": "network_type", "type": "string", "default": "unknown"},
    ]
    for field in second["fields"]:
        if field["name"] == "phase":
            field["type"]["symbols"].append("PAUSE")
    return contract_of(topic, [first, second])


@pytest.mark.parametrize("topic", EVENTS)
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_many_at_once_agree_with_each_by_itself(topic: str, data: st.DataObject) -> None:
    contract = CONTRACTS[topic]
    _agree(contract, data.draw(st.lists(_payload(contract), max_size=8)))


@pytest.mark.parametrize("topic", FLAT)
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_older_versions_agree_too(topic: str, data: st.DataObject) -> None:
    contract = _second_version(topic)
    assert len(contract.quick) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CONTRACTS, topic, contract)
        _agree(contract, data.draw(st.lists(_payload(contract), max_size=8)))


def test_a_union_of_three_kinds_is_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the newest version has no kind for is a failure, its neighbours are not."""
    wide, narrow = _first_version("servers.load"), _first_version("servers.load")
    for schema, kinds in ((wide, ["null", "string", "long"]), (narrow, ["null", "string"])):
        schema["fields"].append({"name": "device", "type": kinds, "default": None})
    contract = contract_of("servers.load", [wide, narrow])
    first, newest = contract.versions
    assert list(contract.quick) == [newest]
    monkeypatch.setitem(CONTRACTS, "servers.load", contract)
    payloads = [
        _written(contract.versions[of], EVENTS["servers.load"] | {"device": device}, of)
        for of, device in ((first, "a"), (first, 7), (newest, "b"), (first, None))
    ]
    _agree(contract, payloads)
    found = decode("servers.load", payloads)
    assert found.columns["device"].to_pylist() == ["a", "b", None]
    assert [(one.index, one.code) for one in found.failures] == [(1, "BAD_DATUM")]


@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from(sorted(EVENTS)))
@example([b"\xc3\x01"], "meetings.usage")
@settings(max_examples=200, deadline=None)
def test_noise_after_a_good_frame_agrees(noise: list[bytes], topic: str) -> None:
    frame = encode(topic, EVENTS[topic])[:10]
    _agree(CONTRACTS[topic], [*noise, *(frame + one for one in noise)])


def _long(value: int, octets: int) -> bytes:
    """A zig-zag long in exactly `octets` octets, more than it needs if so wanted."""
    rest = value << 1 ^ value >> 63
    parts = [rest >> 7 * n & 0x7F | 0x80 for n in range(octets)]
    return bytes([*parts[:-1], parts[-1] & 0x7F])


@pytest.mark.parametrize("octets", range(3, 12))
def test_longs_of_any_number_of_octets_agree(octets: int) -> None:
    good = encode("meetings.usage", USAGE)
    at = good.index(b"fra-1/00") + 8
    assert good[at] == USAGE["sequence"] << 1
    for value in [7, 2**18, 2**53, 2**55, 2**60]:
        payload = good[:at] + _long(value, octets) + good[at + 1 :]
        _agree(CONTRACTS["meetings.usage"], [good, payload, good])


@pytest.mark.parametrize("octet", [*range(0, 256, 5), 1, 2, 3, 4, 127, 128, 129])
def test_any_octet_anywhere_agrees(octet: int) -> None:
    """Branches and symbols that do not exist, lengths below zero, texts that are no UTF-8."""
    for topic in FLAT:
        good = encode(topic, EVENTS[topic])
        changed = [good[:at] + bytes([octet]) + good[at + 1 :] for at in range(len(good))]
        _agree(CONTRACTS[topic], changed)


def test_a_flood_of_bad_messages_costs_the_good_ones_nothing_but_their_company(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(20261124)
    good, bad = encode("meetings.usage", USAGE), encode("meetings.usage", USAGE | {"meter": "é"})
    payloads = [rng.choice([good, bad, bad + b"x", good[:-3]]) for _ in range(3 * codec._CHUNK)]
    _agree(CONTRACTS["meetings.usage"], payloads)
    one_by_one: list[int] = []
    slow = codec._one_by_one

    def counted(contract: Contract, payloads: Any, positions: Any) -> Any:
        one_by_one.extend(positions)
        return slow(contract, payloads, positions)

    monkeypatch.setattr(codec, "_one_by_one", counted)
    decode("meetings.usage", payloads)
    assert one_by_one == [at for at, one in enumerate(payloads) if one is not good]


def test_good_messages_are_read_at_once_and_minus_zero_stays() -> None:
    event = QUALITY | {"rtt_ms": -0.0, "join_ms": 2**54}
    payloads = [encode("meetings.quality", event | {"sequence": n}) for n in range(1, 50)]
    ((rows, columns),) = codec._evidently_good(CONTRACTS["meetings.quality"], payloads)
    assert rows.tolist() == list(range(49))
    assert {struct.pack("<d", value) for value in columns["rtt_ms"].to_pylist()} == {
        struct.pack("<d", -0.0)
    }
    assert columns["join_ms"].to_pylist() == [2**54] * 49


def test_a_message_too_large_is_a_failure_among_good_ones() -> None:
    good = encode("meetings.usage", USAGE)
    _agree(CONTRACTS["meetings.usage"], [good, good + bytes(70_000), good])
    _agree(CONTRACTS["meetings.usage"], [])
