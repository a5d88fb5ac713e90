"""Events per second of emit and flush into a real journal on disk.

Run: `python benchmarks/emit.py [EVENTS] [DIR]`. Prints each way of emitting and the encoder alone,
which bounds them.
"""

import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from producers import Emitter, EmitterSettings
from schemas import encode

_HOUR_US = 3_600_000_000
_START_US = 1_790_812_800_000_000


def _typed(emitter: Emitter, events: int) -> None:
    """Half STARTs and half STOPs, of 1,000 participants in turn."""
    for i in range(events // 2):
        connection = emitter.start_participant("account-17", f"meeting-{i % 100}", f"p{i % 1000}")
        connection.stop()


def _samples(emitter: Emitter, events: int) -> None:
    connection = emitter.start_participant("account-17", "meeting-1", "p1")
    for _ in range(events - 1):
        emitter.quality(
            connection,
            client="web-141",
            network="wifi",
            interval_s=10,
            rtt_ms=41.5,
            jitter_ms=3.25,
            packets_received=500,
            packets_lost=1,
            bitrate_bps=1_200_000,
            frozen_ms=0,
        )


def _whole(emitter: Emitter, events: int) -> None:
    event = _event()
    for _ in range(events):
        emitter.emit("meetings.usage", event)


def _event() -> dict[str, object]:
    return {
        "phase": "INTERIM",
        "record_id": uuid.UUID(int=1).bytes,
        "account_id": "account-17",
        "meeting_id": "meeting-1",
        "participant_id": "p1",
        "meter": "participant",
        "variant": None,
        "server_id": "eu-1",
        "region": "eu",
        "started_at": _START_US,
        "observed_at": _START_US + _HOUR_US,
        "quantity": None,
        "continues": None,
    }


def _rate(root: Path, events: int, work: Callable[[Emitter, int], None]) -> float:
    settings = EmitterSettings(block_ms=10_000)
    emitter = Emitter(root, "eu-1", "eu", "1.0", clock=_now_us, settings=settings)
    begin = time.perf_counter()
    work(emitter, events)
    emitter.flush()
    seconds = time.perf_counter() - begin
    assert not emitter.refused, f"refused {emitter.refused}"
    emitter.close()
    return events / seconds


def _now_us() -> int:
    return time.time_ns() // 1000


def main(events: int, root: Path) -> None:
    event = {**_event(), "source": "eu-1/0", "sequence": 1}
    begin = time.perf_counter()
    for _ in range(events):
        encode("meetings.usage", event)
    bound = events / (time.perf_counter() - begin)
    print(f"encoder alone     {bound:10,.0f} events/s")
    for name, work in (("typed calls", _typed), ("samples", _samples), ("emit", _whole)):
        rate = _rate(root, events, work)
        print(f"{name:<17} {rate:10,.0f} events/s  {rate / bound:6.1%} of the encoder alone")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        main(count, Path(folder))
