"""The oracle of usage: a slow, obvious recount of events, of nothing that the projector made."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fastavro

Identity = tuple[Any, ...]
Told = tuple[str, str, int, dict[str, Any]]  # log, partition, offset and the event there
IDENTITY = (
    "record_id", "started_at", "account_id", "meeting_id", "participant_id", "meter", "variant",
)  # fmt: skip
DAY_US = 86_400_000_000


def records(events: Iterable[dict[str, Any]]) -> dict[Identity, dict[str, Any]]:
    """Each identity with the furthest state that any event told of it."""
    found: dict[Identity, dict[str, Any]] = {}
    for event in events:
        identity = tuple(event[name] for name in IDENTITY)
        state = found.setdefault(
            identity,
            {"seen": 0, "stopped": False, "cancelled": False, "quantity": None, "continues": None},
        )
        state["seen"] = max(state["seen"], event["observed_at"])
        state["stopped"] |= event["phase"] == "STOP"
        state["cancelled"] |= event["phase"] == "CANCEL"
        for name in ("quantity", "continues"):
            if event[name] is not None:
                state[name] = max(event[name], state[name] or event[name])
    return found


def daily(events: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], list[int]]:
    """(day since 1970, account, meter, variant) → [records, duration in µs, quantity]."""
    days: dict[tuple[Any, ...], list[int]] = {}
    for identity, state in records(events).items():
        if state["cancelled"]:
            continue
        _, started, account, _, _, meter, variant = identity
        day = days.setdefault((started // DAY_US, account, meter, variant), [0, 0, 0])
        day[0] += 1
        day[1] += state["seen"] - started
        day[2] += state["quantity"] or 0
    return days


def places(told: Iterable[Told]) -> dict[bytes, dict[tuple[str, str], tuple[int, int]]]:
    """Each record's first and last offset in every log and partition that holds an event of it."""
    found: dict[bytes, dict[tuple[str, str], tuple[int, int]]] = {}
    for log, partition, offset, event in told:
        of_record = found.setdefault(event["record_id"], {})
        first, last = of_record.get((log, partition), (offset, offset))
        of_record[log, partition] = (min(first, offset), max(last, offset))
    return found


def read_journal(root: Path) -> Iterator[tuple[str, str, bytes]]:
    """Topic, source and message value of every event, by Avro's own reader of container files.

    A source's events come in order. Of a journal that nobody writes and nothing has damaged.
    """
    for segment in sorted(root.glob("*/*/*/*.avro")):
        server_id, incarnation, topic = segment.parts[-4:-1]
        with segment.open("rb") as file:
            for payload in fastavro.reader(file):
                yield topic, f"{server_id.removeprefix('server=')}/{incarnation}", payload
