"""The forwarder on a real broker: every event once and in order, across restarts and outages."""

import itertools
import json
import re
import secrets
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from edge import Fault, Refused
from eventlog import JournalWriter
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import open_kafka
from eventlog.kafka_settings import KafkaSettings
from producers import Emitter, EmitterSettings, Forwarder
from schemas import TOPICS, decode, peek
from tests.command_line import run_here, start, wait_until

T0 = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z


def _write(root: Path, server_id: str, events: int) -> str:
    with Emitter(root, server_id, "eu", "1", clock=lambda: T0, threaded=False) as emitter:
        for n in range(events):
            emitter.start_participant("a1", "m1", f"p{n}")
        return emitter.source


def _arrived(kafka: KafkaSettings, wanted: str) -> list[int]:
    """The sequences of the usage events of `wanted`, as Kafka has them."""
    log = open_kafka(kafka, ["meetings.usage"])
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


_DEAF = socket.socket()
_DEAF.bind(("127.0.0.1", 0))  # nobody else gets the port, and here nobody listens


def _nobody() -> KafkaSettings:
    return KafkaSettings(f"127.0.0.1:{_DEAF.getsockname()[1]}", timeout_s=0.5)


def test_kafka_down_moves_nothing_and_is_waited_for(tmp_path: Path) -> None:
    _write(tmp_path, "eu-1", 3)
    pauses: list[float] = []
    with Forwarder(tmp_path, _nobody(), sleep=pauses.append) as forwarder:
        with pytest.raises(Refused, match="KAFKA_UNREACHABLE"):
            forwarder.run_once()
        forwarder.run(lambda: len(pauses) >= 36, poll_s=0)
        assert forwarder.forwarded == 0
    assert pauses == [0.1] * 36, "pauses of 0.5, 1 and 2 seconds, and a step of the next"
    assert not (tmp_path / "forward.json").exists()


def test_a_second_forwarder_and_a_foreign_cursor_are_refused(tmp_path: Path) -> None:
    with (
        Forwarder(tmp_path, _nobody(), sleep=lambda _: None),
        pytest.raises(Refused, match="LOCK_HELD"),
    ):
        Forwarder(tmp_path, _nobody(), sleep=lambda _: None)
    for text in ("{}", "[]", '{"version": 1, "positions": []}', '{"version": 2}', "x"):
        (tmp_path / "forward.json").write_text(text)
        with pytest.raises(Refused, match="CURSOR_DAMAGED"):
            Forwarder(tmp_path, _nobody(), sleep=lambda _: None)


def _write_raw(root: Path, topic: str, blocks: list[list[bytes]]) -> str:
    writer = JournalWriter.open(root, f"fwd-{secrets.token_hex(4)}")
    for block in blocks:
        writer.append(topic, block)
    writer.close()
    return writer.source


def _read(kafka: KafkaSettings, topic: str, key: str) -> list[tuple[int, bytes]]:
    """(arrival, value) of every message of `key`, in its order."""
    log = open_kafka(kafka, [topic])
    log.assign({})
    ends = log.ends([topic])
    at = dict.fromkeys(ends, 0)
    found: list[tuple[int, bytes]] = []
    while any(at[place] < end for place, end in ends.items()):
        for one in log.poll(10_000, 5.0):
            at[one.partition] = one.next
            rows = zip(one.arrived_us or [], one.payloads, one.sources, strict=True)
            found += [(arrived, value) for arrived, value, source in rows if source == key]
    log.close()
    return found


def test_what_a_topic_of_another_cluster_took_is_sent_again(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    source = _write(tmp_path, f"fwd-{secrets.token_hex(4)}", 5)
    with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
        assert forwarder.run_once() == 7
    cursor = tmp_path / "forward.json"
    stored = json.loads(cursor.read_text())
    stored["topics"]["meetings.usage"] = "other-cluster/other-topic"
    cursor.write_text(json.dumps(stored))
    for expected in (5, 0):
        with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
            assert forwarder.run_once() == expected
    assert _arrived(kafka, source) == [*range(1, 6), *range(1, 6)]


def forward_until(forwarder: Forwarder, events: int) -> None:
    deadline = time.monotonic() + 60
    forwarder.run(lambda: forwarder.forwarded >= events or time.monotonic() > deadline, 0.1)
    assert forwarder.forwarded >= events


def test_a_topic_made_anew_under_a_running_forwarder_gets_all_of_it(
    tmp_path: Path, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.forwarder._LOOK_S", 0.0)
    topic, topics = "servers.load", KafkaTopics.connect(kafka)
    source = _write_raw(tmp_path, topic, [[b"1", b"2"], [b"3"]])
    with Forwarder(tmp_path, kafka, sleep=time.sleep) as forwarder:
        assert forwarder.run_once() == 3
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        admin.delete_topics([topic])
        wait_until(lambda: topic not in topics.find([topic]))
        topics.create(TOPICS)
        later = _write_raw(tmp_path, topic, [[b"4"]])
        forward_until(forwarder, 7)
    assert [value for _, value in _read(kafka, topic, source)] == [b"1", b"2", b"3"]
    assert [value for _, value in _read(kafka, topic, later)] == [b"4"]
    admin.close()
    topics.close()


def test_a_topic_deleted_under_a_running_forwarder_is_named_and_not_made(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    topic, topics = "servers.load", KafkaTopics.connect(kafka)
    _write_raw(tmp_path, topic, [[b"1"]])
    hasty = replace(kafka, timeout_s=1)
    with Forwarder(tmp_path, hasty, sleep=time.sleep) as forwarder:
        forward_until(forwarder, 1)  # a second is little where the machine has much else to do
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        admin.delete_topics([topic])
        wait_until(lambda: topic not in topics.find([topic]))
        _write_raw(tmp_path, topic, [[b"2"], [b"3"]])
        with pytest.raises(Refused, match="TOPIC_MISSING"):
            forwarder.run(lambda: False, 0.1)
        assert forwarder.forwarded == 1
    assert topics.find([topic]) == {}
    admin.close()
    topics.close()


def test_no_heartbeat_arrives_before_what_it_promises(
    tmp_path: Path, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.forwarder._BATCH_EVENTS", 4)
    now = itertools.count(T0, 1_000_000)
    usage = EmitterSettings(beat_s=1)
    name = f"fwd-{secrets.token_hex(4)}"
    with (
        Emitter(
            tmp_path, name, "eu", "1", clock=now.__next__, threaded=False, settings=usage
        ) as emitter,
        Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder,
    ):
        for round_ in range(5):
            for n in range(11):
                emitter.start_participant("a1", "m1", f"p{round_}-{n}")
            emitter.tick(None)
            forwarder.run(iter([False] * 3 + [True]).__next__, 0.0)
        source = emitter.source
    with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
        forwarder.run_once()
    arrived: dict[int, int] = {}
    for at, value in _read(kafka, "meetings.usage", source):
        seen = peek(value)
        assert seen is not None
        arrived[seen[1]] = at
    assert sorted(arrived) == list(range(1, len(arrived) + 1))
    beats = _read(kafka, "sources.heartbeat", source)
    values = [value for _, value in beats]
    told = decode("sources.heartbeat", values).columns["totals"].to_pylist()
    promised = [totals[0]["last"] for totals in told]
    assert promised[-1] == len(arrived) >= 55
    assert len(promised) > 3
    for (at, _), last in zip(beats, promised, strict=True):
        assert all(arrived[number] <= at for number in range(1, last + 1))


def test_what_no_projector_takes_is_passed_over_and_named(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    topic = "servers.load"
    source = _write_raw(tmp_path, topic, [[b"a", b"x" * 65_537, b"y" * 65_536], [b"b"]])
    told: list[Fault] = []
    with Forwarder(tmp_path, kafka, sleep=lambda _: None, unsent=told.append) as forwarder:
        assert forwarder.run_once() == 3
    what = "it has 65537 bytes, 65536 at most: passed over, a hole in Kafka"
    assert [str(fault) for fault in told] == [
        f"EVENT_NOT_SENT: {topic} {source} sequence 2: {what}"
    ]
    values = [value for _, value in _read(kafka, topic, source)]
    assert values == [b"a", b"y" * 65_536, b"b"]


def test_an_event_that_kafka_refuses_for_good_is_named_and_waits(
    tmp_path: Path, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = "servers.load"
    source = _write_raw(tmp_path, topic, [[b"a"], [b"z" * 5000], [b"b"]])

    def allow(size: int) -> None:
        _alter(kafka, topic, "max.message.bytes", str(size))

    allow(2000)
    try:
        with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
            with pytest.raises(Refused, match="TOPIC_SETTINGS") as caught:
                forwarder.run_once()
            assert "max.message.bytes=1048588" in str(caught.value.faults[0])
            monkeypatch.setattr("eventlog.kafka._MESSAGE_BYTES_MIN", 0)
            with pytest.raises(Refused, match="KAFKA_REFUSED") as caught:
                forwarder.run_once()
            assert [one.place for one in caught.value.faults] == [
                f"{topic} {source} 2 (5000 bytes)"
            ]
            assert "MessageSizeTooLarge" in caught.value.faults[0].message
            assert forwarder.forwarded == 1
            with pytest.raises(Refused, match="KAFKA_REFUSED"):
                forwarder.run(lambda: False)
            allow(1_048_588)
            assert forwarder.run_once() == 2
    finally:
        allow(1_048_588)
    assert [value for _, value in _read(kafka, topic, source)][-1] == b"b"


def test_waiting_for_kafka_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []
    with Forwarder(tmp_path, _nobody(), sleep=pauses.append) as forwarder:
        forwarder.run(lambda: len(pauses) >= 36, poll_s=0)
    told = [one.getMessage() for one in caplog.records if one.name == "homemeeting.forward"]
    assert len(told) == 1
    assert told[0].startswith("waiting for Kafka: no Kafka broker answers at ")


def test_with_nothing_to_send_kafka_and_its_topics_are_checked(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    with Forwarder(tmp_path, kafka, sleep=lambda _: None) as forwarder:
        assert forwarder.run_once() == 0
        _alter(kafka, "servers.load", "retention.ms", "1000")
    for settings, code in ((kafka, "TOPIC_SETTINGS"), (_nobody(), "KAFKA_UNREACHABLE")):
        with (
            Forwarder(tmp_path, settings, sleep=lambda _: None) as forwarder,
            pytest.raises(Refused, match=code),
        ):
            forwarder.run_once()


def test_damage_of_the_journal_is_told_once_and_the_rest_is_sent(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    source = _write(tmp_path / "journal", f"fwd-{secrets.token_hex(4)}", 2)
    (tmp_path / "homemeeting.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap_servers}"\n'
    )
    (path,) = (tmp_path / "journal").rglob("meetings.usage/*.avro")
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    done = run_here(tmp_path, "forward", "--once")
    assert done.returncode == 1
    place = f"JOURNAL_DAMAGED: meetings.usage {source} sequence 1: "
    damaged, forwarded, summary = done.stderr.splitlines()
    assert damaged.startswith(place)
    assert damaged.endswith(": passed over, a hole in Kafka")
    assert (forwarded, summary[:13]) == ("2 messages forwarded", "FORWARD_LEFT:")
    again = run_here(tmp_path, "forward", "--once")
    assert (again.returncode, again.stderr) == (0, "0 messages forwarded\n")


@pytest.mark.parametrize("after_s", [0.5, 3.0])
def test_the_service_stops_at_once_while_kafka_is_down(tmp_path: Path, after_s: float) -> None:
    """Within the client's own patience, which is of ten seconds."""
    servers = _nobody().bootstrap_servers
    with start(tmp_path, "forward", kafka_bootstrap_servers=servers) as service:
        wait_until(lambda: _listens(service.pid))
        time.sleep(after_s)
        asked = time.monotonic()
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0
    assert time.monotonic() - asked < 9.5 - after_s


def _listens(process: int) -> bool:
    """Whether it is one already that SIGTERM asks to stop, and does not end."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)
    return bool(int(caught, 16) >> signal.SIGTERM - 1 & 1)


def _alter(kafka: KafkaSettings, topic: str, key: str, value: str) -> None:
    """Sets it, and waits until the broker says so: it acknowledges before it knows."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.servers())
    kind = ConfigResourceType.TOPIC

    def holds() -> bool:
        answer = admin.describe_configs([ConfigResource(kind, topic, [key])], config_filter="all")
        return bool(next(iter(answer.values()))[topic][key]["value"] == value)

    admin.alter_configs([ConfigResource(kind, topic, {key: value})])
    wait_until(holds)
    admin.close()
