"""Which schema belongs to which topic, and the fingerprints of every version ever written.

Schemas are append-only: `NAME.vN.avsc` is never edited once released; the highest N is written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.datums import Field, fields_of

_FILES = {
    "meetings.usage": "usage",
    "meetings.quality": "quality",
    "servers.load": "load",
    "sources.heartbeat": "heartbeat",
}
TOPICS = tuple(_FILES)


def _physical(node: Any) -> Any:
    """The schema without logical types: times stay integers, which is what we store."""
    if isinstance(node, dict):
        return {key: _physical(value) for key, value in node.items() if key != "logicalType"}
    return [_physical(item) for item in node] if isinstance(node, list) else node


def _fingerprint(schema: Any) -> bytes:
    """CRC-64-AVRO of the parsing canonical form, 8 bytes little-endian (Avro 1.11 spec)."""
    # fastavro prints the fingerprint in the byte order of the wire.
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@dataclass(frozen=True, slots=True)
class Contract:
    """One topic's schemas: all versions by fingerprint, the newest of which is written.

    `columns` are the Arrow types of the newest. `quick` holds the fields of those versions that
    `datums.read` can read and whose columns are the newest's, but for absent ones, which take
    their value from `defaults`.
    """

    topic: str
    versions: dict[bytes, Any]
    newest: Any
    fingerprint: bytes
    columns: pa.Schema
    quick: Mapping[bytes, Sequence[Field]]
    defaults: Mapping[str, Any]


def contract_of(topic: str, schemas: Sequence[Any]) -> Contract:
    """The contract of `topic` by all versions of its schema, as JSON values, oldest first."""
    raw = [_physical(schema) for schema in schemas]
    prints = [_fingerprint(schema) for schema in raw]
    assert len(set(prints)) == len(prints), f"two versions of {topic} share a fingerprint"
    versions = {key: parse_schema(schema) for key, schema in zip(prints, raw, strict=True)}
    newest = versions[prints[-1]]
    columns = pa.schema(_arrow(newest, {}).fields)
    defaults = {one["name"]: one["default"] for one in newest["fields"] if "default" in one}
    quick = _quick(versions, prints[-1], defaults)
    return Contract(topic, versions, newest, prints[-1], columns, quick, defaults)


def _quick(
    versions: Mapping[bytes, Any], newest: bytes, defaults: Mapping[str, Any]
) -> dict[bytes, Sequence[Field]]:
    wanted = fields_of(versions[newest])
    if wanted is None:
        return {}
    read = {key: fields_of(schema) for key, schema in versions.items()}
    return {
        key: fields
        for key, fields in read.items()
        if fields is not None and _becomes(fields, wanted, defaults)
    }


def _becomes(
    written: Sequence[Field], wanted: Sequence[Field], defaults: Mapping[str, Any]
) -> bool:
    """Whether columns of `written` are those of `wanted`, with no conversion but defaults."""
    by_name = {field.name: field for field in written}
    return all(
        field.takes(by_name[field.name])
        if field.name in by_name
        else field.name in defaults and field.kind not in ("enum", "fixed")
        for field in wanted
    )


def _arrow(node: Any, named: dict[str, Any]) -> pa.DataType:
    """The Arrow type of a parsed Avro type; nullable ones are the same, as Arrow's all are."""
    if isinstance(node, list):
        (node,) = (branch for branch in node if branch != "null")
    if isinstance(node, dict) and "name" in node:
        named[node["name"]] = node
    full = named.get(node, node) if isinstance(node, str) else node
    kind = full["type"] if isinstance(full, dict) else full
    if kind == "record":
        return pa.struct([(one["name"], _arrow(one["type"], named)) for one in full["fields"]])
    if kind == "array":
        return pa.list_(_arrow(full["items"], named))
    if kind == "fixed":
        return pa.binary(full["size"])
    return {"long": pa.int64(), "double": pa.float64(), "string": pa.string(), "enum": pa.string()}[
        kind
    ]


def _load(topic: str, name: str) -> Contract:
    paths = sorted(Path(__file__).parent.glob(f"{name}.v*.avsc"), key=_version)
    return contract_of(topic, [json.loads(path.read_text("utf-8")) for path in paths])


def _version(path: Path) -> int:
    return int(path.suffixes[-2].removeprefix(".v"))


CONTRACTS = {topic: _load(topic, name) for topic, name in _FILES.items()}
