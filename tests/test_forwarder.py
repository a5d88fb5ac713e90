"""The forwarder on a real broker: every event once and in order, across restarts and outages."""

import secrets
import socket
from pathlib import Path

import pytest

from edge import Refused
from eventlog.kafka_open import open_kafka
from eventlog.kafka_settings import KafkaSettings
from producers import Emitter, Forwarder
from schemas import peek

T0 = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z


def _write(root: Path, server_id: str, events: int) -> str:
    with Emitter(root, server_id, "eu", "1", clock=lambda: T0, threaded=False) as emitter:
        for n in range(events):
            emitter.start_participant("a1", "m1", f"p{n}")
        return emitter.source


def _arrived(settings: KafkaSettings, wanted: str) -> list[int]:
    """The sequences of the usage events of `wanted`, as Kafka has them."""
    log = open_kafka(settings, ["meetings.usage"])
    log.assign({})
    ends = log.ends(["meetings.usage"])
    at = dict.fromkeys(ends, 0)
    found: list[int] = []
    while any(at[partition] < end for partition, end in ends.items()):
        for one in log.poll(10_000, 5.0):
            at[one.partition] = one.next
            for key, payload in zip(one.sources, one.payloads, strict=True):
                seen = peek(payload)
                assert seen is not None
                if key == wanted:
                    assert seen[0] == wanted
                    found.append(seen[1])
    log.close()
    return found


def test_every_event_arrives_once_in_order(tmp_path: Path, kafka: KafkaSettings) -> None:
    source = _write(tmp_path, f"fwd-{secrets.token_hex(4)}", 300)
    for expected in (302, 0):
        with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
            assert forwarder.run_once() == expected
    assert _arrived(kafka, source) == list(range(1, 301))
    later = _write(tmp_path, f"fwd-{secrets.token_hex(4)}", 10)
    with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
        assert forwarder.run_once() == 12
    assert _arrived(kafka, later) == list(range(1, 11))


def _nobody() -> KafkaSettings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return KafkaSettings(f"127.0.0.1:{free.getsockname()[1]}", timeout_s=0.5)


def test_kafka_down_moves_nothing_and_is_waited_for(tmp_path: Path) -> None:
    _write(tmp_path, "eu-1", 3)
    pauses: list[float] = []
    with Forwarder(tmp_path, _nobody(), sleep=pauses.append) as forwarder:
        with pytest.raises(Refused, match="KAFKA_UNREACHABLE"):
            forwarder.run_once()
        forwarder.run(lambda: len(pauses) >= 3, poll_s=0)
        assert forwarder.forwarded == 0
    assert pauses == [0.5, 1.0, 2.0]
    assert not (tmp_path / "forward.json").exists()


def test_a_second_forwarder_and_a_foreign_cursor_are_refused(tmp_path: Path) -> None:
    with (
        Forwarder(tmp_path, _nobody(), sleep=lambda _: None),
        pytest.raises(Refused, match="LOCK_HELD"),
    ):
        Forwarder(tmp_path, _nobody(), sleep=lambda _: None)
    (tmp_path / "forward.json").write_text("{}")
    for _ in range(2):
        with pytest.raises(Refused, match="CURSOR_DAMAGED"):
            Forwarder(tmp_path, _nobody(), sleep=lambda _: None)
