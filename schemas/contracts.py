"""Which schema belongs to which topic, and the fingerprints of every version ever written.

Schemas are append-only: `NAME.vN.avsc` is never edited once released; the highest N is written.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

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
    """One topic's schemas: all versions by fingerprint, the newest of which is written."""

    topic: str
    versions: dict[bytes, Any]
    newest: Any
    fingerprint: bytes

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field["name"] for field in self.newest["fields"])


def _load(topic: str, name: str) -> Contract:
    paths = sorted(Path(__file__).parent.glob(f"{name}.v*.avsc"), key=_version)
    raw = [_physical(json.loads(path.read_text("utf-8"))) for path in paths]
    prints = [_fingerprint(schema) for schema in raw]
    assert len(set(prints)) == len(prints), f"two versions of {name} share a fingerprint"
    versions = {key: parse_schema(schema) for key, schema in zip(prints, raw, strict=True)}
    return Contract(topic, versions, versions[prints[-1]], prints[-1])


def _version(path: Path) -> int:
    return int(path.suffixes[-2].removeprefix(".v"))


CONTRACTS = {topic: _load(topic, name) for topic, name in _FILES.items()}
