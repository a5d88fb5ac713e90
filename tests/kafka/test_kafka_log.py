"""The log on a real broker: one contract, both clients."""

import contextlib
import secrets
import socket
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import CoordinatorNotAvailableError, NotCoordinatorError

from edge import Refused
from eventlog.kafka import KafkaTopics, Topic
from eventlog.kafka_open import Library, open_client, open_kafka
from eventlog.kafka_settings import KafkaSettings
from eventlog.kafka_source import KafkaSource
from eventlog.slices import Partition, Slice
from tests.command_line import wait_until


@pytest.fixture
def settings(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(kafka_bootstrap, group_id=f"test-{secrets.token_hex(4)}")


@pytest.fixture
def topics(settings: KafkaSettings) -> Iterator[KafkaTopics]:
    known = KafkaTopics.connect(settings)
    yield known
    known.close()


@pytest.fixture
def admin(kafka_bootstrap: str) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    yield client
    client.close()


@pytest.fixture
def topic(topics: KafkaTopics) -> str:
    name = f"homemeeting.test.{secrets.token_hex(6)}"
    topics.create([name], partitions=2)
    return name


@pytest.fixture(params=["kafka-python", "librdkafka"])
def library(request: pytest.FixtureRequest) -> Library:
    chosen: Library = request.param
    return chosen


@pytest.fixture
def source(settings: KafkaSettings, topic: str, library: Library) -> Iterator[KafkaSource]:
    log = open_kafka(settings, [topic], library)
    yield log
    log.close()


def _send(
    address: str,
    topic: str,
    values: list[bytes],
    *,
    partition: int = 0,
    commit: bool | None = None,
    key: bytes | None = b"fra-1/x",
) -> None:
    """Produce `values`; `commit` True or False ends a transaction so."""
    options = {"bootstrap.servers": address}
    if commit is not None:
        options["transactional.id"] = f"t{secrets.token_hex(4)}"
    producer = Producer(options)
    if commit is not None:
        producer.init_transactions(60)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, key=key, partition=partition)
    assert producer.flush(60) == 0
    if commit is not None:
        (producer.commit_transaction if commit else producer.abort_transaction)(60)


def _drain(log: KafkaSource, topic: str, events_max: int = 1000) -> list[Slice]:
    """Every slice up to the present end."""
    ends = log.ends([topic])
    reached = dict.fromkeys(ends, 0)
    slices: list[Slice] = []
    deadline = time.monotonic() + 60
    while any(reached[place] < end for place, end in ends.items()):
        assert time.monotonic() < deadline, f"stands at {reached}, the end is {ends}"
        for one in log.poll(events_max, 0.3):
            slices.append(one)
            reached[one.partition] = one.next
    return slices


def _payloads(slices: list[Slice], partition: str = "0") -> list[bytes]:
    return [p for one in slices if one.partition.partition == partition for p in one.payloads]


def test_an_empty_topic_gives_nothing(source: KafkaSource, topic: str) -> None:
    source.assign({})
    started = time.monotonic()
    assert source.poll(100, 0.3) == []
    assert time.monotonic() - started < 20
    assert list(source.ends([topic]).values()) == [0, 0]


def test_messages_come_in_order_with_keys_offsets_and_arrival(
    source: KafkaSource, topic: str, kafka_bootstrap: str
) -> None:
    sent = [b"%d" % n for n in range(500)]
    before_us = time.time_ns() // 1000 - 1_000_000
    _send(kafka_bootstrap, topic, sent)
    _send(kafka_bootstrap, topic, [b"other"], partition=1)
    source.assign({})
    slices = _drain(source, topic, events_max=120)
    assert _payloads(slices) == sent
    assert _payloads(slices, "1") == [b"other"]
    ends = source.ends([topic])
    at = dict.fromkeys(ends, 0)
    for one in slices:
        assert one.start == at[one.partition]
        assert len(one.offsets) == len(one.payloads) == len(one.sources)
        assert one.offsets == list(range(one.start, one.next))
        assert set(one.sources) == {"fra-1/x"}
        assert one.arrived_us
        assert all(before_us < t < before_us + 60_000_000 for t in one.arrived_us)
        at[one.partition] = one.next
    assert at == ends
    assert {place.log.count("/") for place in ends} == {1}


def test_a_key_that_names_no_source_is_none(
    source: KafkaSource, topic: str, kafka_bootstrap: str
) -> None:
    """As other producers may write, who key as they like or not at all."""
    for key in (b"\xff/x", None):
        _send(kafka_bootstrap, topic, [b"foreign"], key=key)
    _send(kafka_bootstrap, topic, [b"ours"])
    source.assign({})
    slices = _drain(source, topic)
    assert _payloads(slices) == [b"foreign", b"foreign", b"ours"]
    assert [name for one in slices for name in one.sources] == [None, None, "fra-1/x"]


def test_reading_goes_on_from_a_position(
    source: KafkaSource, topic: str, kafka_bootstrap: str
) -> None:
    _send(kafka_bootstrap, topic, [b"%d" % n for n in range(10)])
    first = Partition(next(iter(source.ends([topic]))).log, topic, "0")
    source.assign({first: 7, Partition("journal", topic, "fra-1/x"): 99})
    assert _payloads(_drain(source, topic)) == [b"7", b"8", b"9"]
    source.assign({first: 9})
    slices = _drain(source, topic)
    assert _payloads(slices) == [b"9"]
    assert (slices[0].start, slices[0].next) == (9, 10)


def test_the_position_passes_transaction_markers_and_aborted_messages(
    source: KafkaSource, topic: str, kafka_bootstrap: str
) -> None:
    _send(kafka_bootstrap, topic, [b"a", b"b"], commit=True)
    _send(kafka_bootstrap, topic, [b"withdrawn"], commit=False)
    _send(kafka_bootstrap, topic, [b"c"], commit=True)
    source.assign({})
    slices = _drain(source, topic)  # would not end if the last marker were never passed
    assert _payloads(slices) == [b"a", b"b", b"c"]
    assert [offset for one in slices for offset in one.offsets] == [0, 1, 5]
    assert slices[-1].next == 7


def test_a_partition_added_later_is_read_from_its_beginning(
    source: KafkaSource, topic: str, kafka_bootstrap: str, admin: KafkaAdminClient
) -> None:
    source.assign({})
    _send(kafka_bootstrap, topic, [b"old"])
    assert _payloads(_drain(source, topic)) == [b"old"]
    admin.create_partitions({topic: 3})
    admin.wait_for_topics([topic])
    _send(kafka_bootstrap, topic, [b"new"], partition=2)
    assert _payloads(_drain_new(source), "2") == [b"new"]


def test_what_comes_with_a_new_partition_is_handed_on_once(
    source: KafkaSource, topic: str, kafka_bootstrap: str, admin: KafkaAdminClient
) -> None:
    source.assign({})
    _send(kafka_bootstrap, topic, [b"1", b"2"])
    _drain(source, topic)
    admin.create_partitions({topic: 3})
    admin.wait_for_topics([topic])
    _send(kafka_bootstrap, topic, [b"3", b"4"])
    slices = source.poll(100, 5)
    _send(kafka_bootstrap, topic, [b"5"])
    deadline = time.monotonic() + 60
    while len(_payloads(slices)) < 3:
        assert time.monotonic() < deadline
        slices += source.poll(100, 0.3)
    old = [one for one in slices if one.partition.partition == "0"]
    assert _payloads(old) == [b"3", b"4", b"5"]
    assert [offset for one in old for offset in one.offsets] == [2, 3, 4]
    assert all(one.start <= one.offsets[0] and one.offsets[-1] < one.next for one in old)


def test_a_topic_deleted_while_it_is_read_stays_deleted(
    source: KafkaSource, topic: str, topics: KafkaTopics, admin: KafkaAdminClient
) -> None:
    source.assign({})
    source.poll(100, 0.3)
    admin.delete_topics([topic])
    caught = _stopped(source)
    assert caught.code == "TOPIC_CHANGED"
    assert "was deleted" in str(caught.faults[0])
    source._client.fetch(100, 1.0)  # the client's own curiosity goes on
    assert topics.find([topic]) == {}
    assert source.ends([topic]) == source.begins([topic]) == {}


def _stopped(source: KafkaSource) -> Refused:
    """What reading is refused with in the end; nothing is handed on before."""
    deadline = time.monotonic() + 60
    with pytest.raises(Refused) as caught:
        while time.monotonic() < deadline:
            assert source.poll(100, 0.1) == [], "handed on what may belong to another topic"
    return caught.value


def _drain_new(source: KafkaSource) -> list[Slice]:
    deadline = time.monotonic() + 60
    slices: list[Slice] = []
    while not any(one.payloads for one in slices):
        assert time.monotonic() < deadline, "the new partition is not read"
        slices += source.poll(100, 0.3)
    return slices


def _recreate(topics: KafkaTopics, admin: KafkaAdminClient, topic: str) -> None:
    admin.delete_topics([topic])
    deadline = time.monotonic() + 60
    while topics.find([topic]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    topics.create([topic], partitions=2)


def test_a_topic_made_anew_is_refused_at_assign_and_while_reading(
    source: KafkaSource,
    topic: str,
    kafka_bootstrap: str,
    topics: KafkaTopics,
    admin: KafkaAdminClient,
) -> None:
    _send(kafka_bootstrap, topic, [b"a", b"b"])
    source.assign({})
    positions = {one.partition: one.next for one in _drain(source, topic)}
    _recreate(topics, admin, topic)
    _send(kafka_bootstrap, topic, [b"x", b"y", b"z"])
    assert _stopped(source).code == "TOPIC_CHANGED"
    with pytest.raises(Refused) as assigning:
        source.assign(positions)
    assert assigning.value.code == "TOPIC_CHANGED"


def test_an_end_before_the_position_is_refused(source: KafkaSource, topic: str) -> None:
    first = next(iter(source.ends([topic])))
    with pytest.raises(Refused) as caught:
        source.assign({first: 5})
    assert caught.value.code == "TOPIC_CHANGED"
    assert "ends at 0, before position 5" in str(caught.value.faults[0])


def test_events_deleted_before_they_were_read_are_refused(
    source: KafkaSource, topic: str, kafka_bootstrap: str, admin: KafkaAdminClient
) -> None:
    _send(kafka_bootstrap, topic, [b"%d" % n for n in range(10)])
    first = Partition(next(iter(source.ends([topic]))).log, topic, "0")
    admin.delete_records({TopicPartition(topic, 0): 6})
    with pytest.raises(Refused) as caught:
        source.assign({first: 3})
    assert caught.value.code == "LOG_GONE"
    source.assign({first: 6})
    assert len(_payloads(_drain(source, topic))) == 4


def test_a_partition_emptied_before_it_was_ever_read_is_told_once(
    source: KafkaSource, topic: str, kafka_bootstrap: str, admin: KafkaAdminClient
) -> None:
    _send(kafka_bootstrap, topic, [b"%d" % n for n in range(6)])
    admin.delete_records({TopicPartition(topic, 0): 6})
    source.assign({})
    (told,) = source.poll(100, 0.3)
    assert (told.partition.partition, told.start, told.next, told.payloads) == ("0", 6, 6, [])
    assert source.ends([topic])[told.partition] == 6
    assert source.poll(100, 0.3) == []
    source.assign({told.partition: 6})
    assert source.poll(100, 0.3) == []


def test_events_deleted_while_reading_are_refused(
    settings: KafkaSettings,
    topic: str,
    kafka_bootstrap: str,
    admin: KafkaAdminClient,
    library: Library,
) -> None:
    client = open_client(settings, library)
    source = KafkaSource(KafkaTopics.connect(settings), client, [topic])
    _send(kafka_bootstrap, topic, [b"%d" % n for n in range(10)])
    source.assign({})
    admin.delete_records({TopicPartition(topic, 0): 6})
    client.assign({(topic, 0): 0, (topic, 1): 0})  # throws away what was fetched ahead
    assert _stopped(source).code == "LOG_GONE"
    source.close()


def test_an_offset_that_is_there_after_all_is_read(
    settings: KafkaSettings, topic: str, kafka_bootstrap: str, library: Library
) -> None:
    """As where a replica led for a moment that had not come so far: nothing is gone or changed."""
    client = open_client(settings, library)
    source = KafkaSource(KafkaTopics.connect(settings), client, [topic])
    _send(kafka_bootstrap, topic, [b"a", b"b"])
    source.assign({})
    client.assign({(topic, 0): 99, (topic, 1): 0})
    assert _payloads(_drain(source, topic)) == [b"a", b"b"]
    source.close()


def test_advice_reaches_the_group(
    source: KafkaSource, topic: str, settings: KafkaSettings, admin: KafkaAdminClient
) -> None:
    first = next(iter(source.ends([topic])))
    source.assign({})
    journal = {Partition("journal", topic, "fra-1/x"): 99}
    source.advise(journal)

    def is_told() -> bool:
        """A broker's first group has no coordinator yet, and nobody waits for advice."""
        source.advise({first: 3, **journal})
        with contextlib.suppress(CoordinatorNotAvailableError, NotCoordinatorError):
            told = admin.list_group_offsets([settings.group_id])[settings.group_id]
            assert {place.topic for place in told} <= {topic}
            found = {str(place.partition): one.offset for place, one in told.items()}
            return found == {first.partition: 3}
        return False

    wait_until(is_told)


def test_a_missing_topic_is_refused_and_not_made(
    settings: KafkaSettings, topics: KafkaTopics, library: Library
) -> None:
    name = f"homemeeting.test.{secrets.token_hex(6)}"
    with pytest.raises(Refused) as caught:
        open_kafka(settings, [name], library)
    assert caught.value.code == "TOPIC_MISSING"
    assert "homemeeting topics create" in str(caught.value.faults[0])
    assert topics.find([name]) == {}


def test_a_topic_set_otherwise_is_refused(
    settings: KafkaSettings, topics: KafkaTopics, admin: KafkaAdminClient, library: Library
) -> None:
    name = f"homemeeting.test.{secrets.token_hex(6)}"
    admin.create_topics({name: {"configs": {"retention.ms": "1000"}}}, wait_for_metadata=True)
    with pytest.raises(Refused) as caught:
        open_kafka(settings, [name], library)
    assert caught.value.code == "TOPIC_SETTINGS"
    said = str(caught.value.faults[0])
    assert "--add-config message.timestamp.type=LogAppendTime,retention.ms=-1`" in said
    other = f"homemeeting.test.{secrets.token_hex(6)}"
    with pytest.raises(Refused):
        topics.create([other, name])
    assert topics.find([other]) == {}


def test_making_topics_again_changes_nothing(topics: KafkaTopics, topic: str) -> None:
    before = topics.find([topic])
    assert topics.create([topic]) == []
    assert topics.find([topic]) == before


def test_a_topic_that_the_broker_does_not_know_yet_is_asked_for_again_and_then_named(
    kafka_bootstrap: str,
) -> None:
    """As one of several brokers answers for a moment after a topic was made."""
    known = KafkaTopics.connect(KafkaSettings(kafka_bootstrap, timeout_s=1))
    with pytest.raises(Refused, match="KAFKA_REFUSED: Kafka does not tell how unheard-of are set"):
        known.judge({"unheard-of": Topic("c/t", "unheard-of", (0,))})
    known.close()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:{free}", "no port", "127.0.0.1:99999", "", "a..b:9092", f"{'a' * 64}.example:9092"],
)
def test_an_unreachable_broker_is_one_sentence(address: str) -> None:
    with socket.socket() as deaf:  # it has the port, and does not listen
        deaf.bind(("127.0.0.1", 0))
        where = address.format(free=deaf.getsockname()[1])
        started = time.monotonic()
        with pytest.raises(Refused) as caught:
            open_kafka(KafkaSettings(where, timeout_s=2), ["x"])
    assert caught.value.code == "KAFKA_UNREACHABLE"
    assert time.monotonic() - started < 30
