"""The oracle of what the log accepted: bytes to events by fastavro, one by one, and the rules of a
single event (DESIGN §3) written out once more. Of nothing that the projector made.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMAS: Final = {
    "meetings.usage": "usage", "meetings.quality": "quality", "servers.load": "load",
    "sources.heartbeat": "heartbeat",
}  # fmt: skip
_ROOT: Final = Path(__file__).parent.parent / "schemas"
_ID: Final = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}", re.ASCII)
_SOURCE: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{1,256}", re.ASCII)
_YEARS: Final = (31_536_000_000_000, 7_258_118_400_000_000)
_IDS: Final = ("account_id", "meeting_id", "participant_id", "meter", "variant", "server_id",
               "region")  # fmt: skip
Event = dict[str, Any]


def read_event(topic: str, payload: bytes) -> Event | None:
    """None where it is no event of the topic, or breaks a rule."""
    schema, head = _schema(topic)
    if payload[:10] != head or len(payload) > 64 * 1024:
        return None
    rest = io.BytesIO(payload[10:])
    try:
        event = fastavro.schemaless_reader(rest, schema, None)
    except Exception:  # fastavro has many, and all say the same
        return None
    if rest.read(1) or not isinstance(event, dict):
        return None
    return event if topic != "meetings.usage" or obeys(event) else None


def obeys(event: Event) -> bool:
    """Of an event of usage: whether it keeps all rules."""
    ids = [event[name] for name in _IDS if event[name] is not None]
    times = (event["started_at"], event["observed_at"])
    span = event["observed_at"] - event["started_at"]
    return (
        all(event[name] is not None for name in _IDS if name not in ("participant_id", "variant"))
        and all(_ID.fullmatch(one) for one in ids)
        and _SOURCE.fullmatch(event["source"]) is not None
        and event["sequence"] >= 1
        and all(_YEARS[0] <= one < _YEARS[1] for one in times)
        and 0 <= span <= 48 * 3600 * 10**6
        and (event["quantity"] is None or event["quantity"] >= 0)
        and event["phase"] != "UNKNOWN"
    )


def read_torn_journal(root: Path) -> Iterator[tuple[str, str, int, bytes]]:
    """As `recount.read_journal`, with sequences; where a file was cut off, up to its last whole
    block.
    """
    for segment in sorted(root.glob("*/*/*/*.avro")):
        server_id, incarnation, topic = segment.parts[-4:-1]
        source = f"{server_id.removeprefix('server=')}/{incarnation}"
        for number, payload in enumerate(whole_blocks(segment), int(segment.stem)):
            yield topic, source, number, payload


def whole_blocks(segment: Path) -> Iterator[bytes]:
    """The message values of one file up to its last whole block."""
    data = segment.read_bytes()
    try:
        for block in fastavro.block_reader(io.BytesIO(data)):
            if block.offset + block.size > len(data):
                return
            yield from block
    except Exception:  # fastavro and snappy have many, and all say that the file ends here
        return


def usage(payloads: Iterable[tuple[str, bytes]]) -> list[Event]:
    """All valid events of usage, in the order given."""
    found = (read_event(topic, one) for topic, one in payloads if topic == "meetings.usage")
    return [one for one in found if one is not None]


@cache
def _schema(topic: str) -> tuple[Any, bytes]:
    """Without logical types: numbers stay numbers. And the ten octets that begin an event."""
    (file,) = _ROOT.glob(f"{SCHEMAS[topic]}.v1.avsc")
    told = json.loads(file.read_text("utf-8"))
    print_hex = fingerprint(to_parsing_canonical_form(told), "CRC-64-AVRO")
    return fastavro.parse_schema(_plain(told)), b"\xc3\x01" + bytes.fromhex(print_hex)


def _plain(told: Any) -> Any:
    if isinstance(told, dict):
        if "logicalType" in told:
            return told["type"]
        return {key: _plain(value) for key, value in told.items()}
    return [_plain(one) for one in told] if isinstance(told, list) else told
