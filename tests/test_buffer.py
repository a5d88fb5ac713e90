"""What the bounded buffer keeps, replaces and gives up."""

from producers.buffer import INTERIM, SAMPLE, Buffer

USAGE, QUALITY = "meetings.usage", "meetings.quality"


def _marks(buffer: Buffer, topic: str = USAGE) -> list[str]:
    return [event["mark"] for event in buffer.take().get(topic, [])]


def test_order_of_arrival_is_kept() -> None:
    buffer = Buffer(10)
    for mark in "abc":
        assert buffer.add(USAGE, "START", {"mark": mark}, mark.encode())
    assert _marks(buffer) == ["a", "b", "c"]


def test_an_interim_takes_the_place_of_its_records_interim_only() -> None:
    buffer = Buffer(10)
    buffer.add(USAGE, "START", {"mark": "start"}, b"1")
    buffer.add(USAGE, INTERIM, {"mark": "old"}, b"1")
    buffer.add(USAGE, INTERIM, {"mark": "other"}, b"2")
    buffer.add(USAGE, INTERIM, {"mark": "new"}, b"1")
    buffer.add(USAGE, "STOP", {"mark": "stop"}, b"1")
    assert _marks(buffer) == ["start", "new", "other", "stop"]
    assert not buffer.refused


def test_events_that_stand_alone_are_never_replaced() -> None:
    buffer = Buffer(10)
    buffer.add(USAGE, INTERIM, {"mark": "a"})
    buffer.add(USAGE, INTERIM, {"mark": "b"})
    assert _marks(buffer) == ["a", "b"]


def test_full_gives_up_samples_then_interims_then_stops() -> None:
    buffer = Buffer(3)
    buffer.add(QUALITY, SAMPLE, {"mark": "sample"})
    buffer.add(USAGE, INTERIM, {"mark": "interim"}, b"1")
    buffer.add(USAGE, "START", {"mark": "start"}, b"2")
    assert not buffer.add(QUALITY, SAMPLE, {"mark": "late sample"})
    assert buffer.add(USAGE, "STOP", {"mark": "stop 3"}, b"3")  # for the sample
    assert not buffer.add(USAGE, INTERIM, {"mark": "interim 4"}, b"4")
    assert buffer.add(USAGE, "STOP", {"mark": "stop 5"}, b"5")  # for the interim
    assert not buffer.add(USAGE, "STOP", {"mark": "stop 6"}, b"6")
    assert buffer.refused == {
        (QUALITY, SAMPLE): 2,
        (USAGE, INTERIM): 2,
        (USAGE, "STOP"): 1,
    }
    assert buffer.lost() == {QUALITY: 2, USAGE: 1}
    assert _marks(buffer) == ["start", "stop 3", "stop 5"]


def test_an_interim_that_stands_alone_is_lost_where_it_is_given_up() -> None:
    buffer = Buffer(1)
    assert buffer.add(USAGE, INTERIM, {"mark": "the last of its record"})
    assert buffer.add(USAGE, "STOP", {"mark": "stop"}, b"1")
    assert not buffer.add(USAGE, INTERIM, {"mark": "another"})
    assert buffer.refused == {(USAGE, INTERIM): 2}
    assert buffer.lost() == {USAGE: 2}
    assert _marks(buffer) == ["stop"]


def test_full_keeps_the_newest_state_of_a_record_that_waits() -> None:
    buffer = Buffer(1)
    buffer.add(USAGE, "START", {"mark": "start"}, b"1")
    assert buffer.add(USAGE, INTERIM, {"mark": "interim"}, b"1")
    assert not buffer.add(USAGE, "STOP", {"mark": "other"}, b"2")
    assert buffer.add(USAGE, "STOP", {"mark": "stop"}, b"1")
    assert _marks(buffer) == ["stop"]
    assert buffer.refused == {(USAGE, "STOP"): 1}


def test_what_is_taken_counts_until_it_is_settled() -> None:
    buffer = Buffer(1)
    buffer.add(USAGE, "START", {"mark": "a"}, b"1")
    buffer.take()
    assert buffer.full
    assert not buffer.add(USAGE, "START", {"mark": "b"}, b"2")
    buffer.settle()
    assert buffer.add(USAGE, "START", {"mark": "c"}, b"3")
