"""From an invoice down to events: what is shown is what was emitted, or it is said what is gone."""

import json
import random
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from audit.explain_events import read_events
from audit.explain_places import RecordPlace, Stretch, stretches
from edge import load_settings
from edge.instants import micros
from eventlog import JournalWriter, KafkaSettings, Partition
from schemas import encode
from tests import command_line, recount
from tests.command_line import usage_event
from tests.every_line import documents
from tests.oracle_log import read_event
from tests.test_projector import _meetings

NOW: Final = "2026-11-05T09:00:00Z"
NUMBER: Final = "HM-2026-000001"
USAGE: Final = "meetings.usage"
ONE, TWO, THREE = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
ACCOUNTS: Final = """\
account_id,name,email,country,language,time_zone,currency,plan,since
acme,Acme,a@acme.example,DE,de,Europe/Berlin,EUR,pro,2026-01-01
"""
BOOK: Final = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "pro"
name = "Pro"
[[plan.charge]]
code = "minutes"
description = "Minutes"
meter = "participant"
measure = "duration"
unit = "minute"
rounding = { scope = "record", mode = "up", quantum = 60 }
model = "per_unit"
unit_price = 0.01
[[plan.charge]]
code = "hours"
description = "Hours"
meter = "participant"
also = true
measure = "duration"
unit = "hour"
rounding = { scope = "participant", mode = "up", quantum = 1800 }
model = "per_unit"
unit_price = 0.01
[[plan.charge]]
code = "most"
description = "At once"
meter = "participant"
also = true
measure = "peak"
model = "per_unit"
unit_price = 1
"""
run = partial(command_line.run_here, now=NOW)


def _told(number: int, phase: str, end: str, **more: Any) -> dict[str, Any]:
    event = usage_event(number, "acme", "2026-10-05T10:00:00Z", f"2026-10-05T{end}Z")
    return event | {"phase": phase} | more


def _emit(home: Path, server: str, events: Iterable[Any]) -> None:
    assert run(home, "emit", "-", "--server-id", server, lines=events).returncode == 0


def _events() -> list[dict[str, Any]]:
    """Four of the first record, one of the second, two of the third, with others' between them."""
    others = [_told(100 + n, "STOP", "10:30:00", account_id="half") for n in range(3)]
    return [
        *(_told(1, "START", "10:00:00"), others[0], _told(1, "INTERIM", "10:20:00"), others[1]),
        *(_told(2, "STOP", "10:45:10"), _told(1, "INTERIM", "10:40:00"), others[2]),
        *(_told(1, "STOP", "11:00:00"), _told(3, "START", "10:00:00")),
        _told(3, "INTERIM", "10:07:01"),
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October of acme, final. A second server told one record too, one was never stopped, and a
    STOP of that came when the invoice was made. What changes something takes a copy.
    """
    home = _books(tmp_path_factory.mktemp("explained"))
    _emit(home, "fra-1", _events())
    _emit(home, "twin-1", [_told(2, "STOP", "10:45:10")])
    _close(home)
    _emit(home, "late-1", [_told(3, "STOP", "10:09:00")])
    run(home, "consume", "--once")
    return home


def _books(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir()
    (folder / "accounts.csv").write_text(ACCOUNTS)
    (folder / "book.toml").write_text(BOOK)
    run(home, "account", "import", str(folder / "accounts.csv"))
    assert run(home, "price-book", "load", str(folder / "book.toml")).returncode == 0
    return home


def _close(home: Path) -> None:
    for command in (("consume", "--once"), ("invoice", "run", "--month", "2026-10", "--finalize")):
        done = run(home, *command)
        assert done.returncode == 0, done.stderr


def _explain(home: Path, *more: str) -> tuple[Any, list[str]]:
    """What is shown, as data, and the faults."""
    done = run(home, "invoice", "explain", NUMBER, *more, "--format", "json")
    faults = [line for line in done.stderr.splitlines() if not line.startswith("the clock")]
    assert done.returncode == bool(faults)
    return json.loads(done.stdout), faults


def _emitted(home: Path) -> Iterator[tuple[str, str, int, str, int]]:
    """Record, partition, offset, phase and time of acme's events, by Avro's own reader."""
    at: Counter[str] = Counter()
    for topic, source, payload in recount.read_journal(home / "journal"):
        if topic == USAGE:
            at[source] += 1
            event = read_event(topic, payload)
            assert event is not None
            record_id = str(uuid.UUID(bytes=event["record_id"]))
            if event["account_id"] == "acme":
                yield record_id, source, at[source], event["phase"], event["observed_at"]


def _shown(line: Mapping[str, Any]) -> Iterator[tuple[str, str, int, str, int]]:
    for record in line["records"]:
        for event in record["events"]:
            at_us = micros(datetime.fromisoformat(event["observed_at"]))
            place = (event["partition"], event["offset"])
            yield record["record_id"], *place, event["phase"], at_us


def _by_id(told: Mapping[str, Any]) -> dict[str, Any]:
    return {record["record_id"]: record for record in told["lines"][0]["records"]}


def test_the_events_shown_are_the_events_emitted(home: Path) -> None:
    told, faults = _explain(home, "--events")
    assert faults == []
    for line in told["lines"]:
        assert sorted(_shown(line)) == sorted(_emitted(home))
    records = _by_id(told)
    assert len({event["partition"] for event in records[TWO]["events"]}) == 2
    notes = [event["note"] for event in records[THREE]["events"]]
    assert notes == ["", "", "read after the document was made"]
    assert records[THREE]["note"] == "no STOP: billed to the last time it was seen; rounded"


def test_records_lead_to_the_quantity_of_their_line(home: Path) -> None:
    told, _ = _explain(home)
    found = []
    for line in told["lines"]:
        parts = [record["chargeable"] for record in line["records"]]
        own = line["own"] or {"chargeable": "0", "note": None}
        assert sum(Decimal(part or 0) for part in [*parts, own["chargeable"]]) == Decimal(
            line["quantity"]
        )
        found.append((parts, own["chargeable"], own["note"], line["rounding"]))
    minutes, hours, most = found
    assert minutes == (["60", "46", "8"], "0", None, "each record rounded up, in steps of 60 s")
    assert hours[0] == ["1", "0.752777777778", "0.116944444444"]
    assert hours[1:3] == ("0.630277777778", "rounding of what each participant has in a meeting")
    assert most == ([None] * 3, "3", "the most open at once", "")


@pytest.mark.parametrize("name", ["2", "0002", "hours", "2026-10.acme.0002"])
def test_a_line_is_named_by_number_code_or_id(home: Path, name: str) -> None:
    told, _ = _explain(home, name)
    assert [line["code"] for line in told["lines"]] == ["hours"]


def test_a_line_that_is_not_there_is_refused_with_those_that_are(home: Path) -> None:
    refused = run(home, "invoice", "explain", NUMBER, "9")
    assert refused.returncode == 1
    assert f"LINE_UNKNOWN: {NUMBER} has no line 9: it has 1 minutes, 2 hours" in refused.stderr


def test_as_a_table_and_as_csv(home: Path) -> None:
    table = run(home, "invoice", "explain", NUMBER, "minutes", "--events").stdout
    rows = [" ".join(row.split()) for row in table.splitlines()]
    assert rows[0] == "2026-10.acme.0001 minutes"
    assert "Minutes 114 minutes 0.01 1.14" in rows
    assert "Records, each record rounded up, in steps of 60 s:" in rows
    assert any(row.startswith("2026-10-05T10:00:00Z") and "0:45:10" in row for row in rows)
    csv = run(home, "invoice", "explain", NUMBER, "--format", "csv").stdout.splitlines()
    assert csv[0].startswith("line,started_at,record_id,meeting_id,participant_id,meter,variant,")
    assert len(csv) == 1 + 3 * 3 + 2
    csv = run(home, "invoice", "explain", NUMBER, "1", "--events", "--format", "csv").stdout
    assert len(csv.splitlines()) == 1 + len(list(_emitted(home)))


def test_what_the_log_lost_is_named_and_the_rest_is_shown(home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(home, tmp_path / "copy")
    for segment in (home / "journal" / "server=fra-1").glob(f"*/{USAGE}/*.avro"):
        segment.unlink()
    told, faults = _explain(home, "1", "--events")
    assert sorted(_shown(told["lines"][0])) == sorted(_emitted(home))
    assert faults[-1].startswith("EXPLAINED_IN_PART: ")
    assert len(faults) == 4
    for record_id, span in ((ONE, "1 to 8"), (TWO, "5 to 5"), (THREE, "9 to 10")):
        wanted = f"events of record {record_id}, offsets {span} of journal, are not there any more"
        assert any(fault.startswith("LOG_GONE: ") and wanted in fault for fault in faults)


def test_only_the_stretches_are_read(tmp_path: Path) -> None:
    """Damage that lies elsewhere is not met; within a stretch it is said."""
    settings = load_settings(tmp_path, {"HOMEMEETING_USER": "clerk"})
    writer = JournalWriter.open(settings.journal, "fra-1")
    events = _meetings(random.Random(1), 9, writer.source)[:9]
    for event in events:
        writer.append(USAGE, [encode(USAGE, event)])
    writer.close()
    (segment,) = settings.journal.rglob("*.avro")
    data = bytearray(segment.read_bytes())
    data[len(data) * 6 // 9] ^= 0x10
    segment.write_bytes(data)
    partition = Partition("journal", USAGE, writer.source)
    places = [_place(partition, event, event["sequence"], event["sequence"]) for event in events]
    bad = [place for place in places if read_events(settings, [place]).faults]
    assert len(bad) == 1
    for place in places:
        found = read_events(settings, [place])
        offsets = [one.offset for some in found.by_record.values() for one in some]
        assert offsets == ([] if place in bad else [place.first])
    first, last = events[0], events[-1]
    around = [_place(partition, first, 1, 9), _place(partition, last, 9, 9)]
    told = [str(fault) for fault in read_events(settings, around).faults]
    assert any(f"{bad[0].first} cannot be read" in fault for fault in told)


def _place(partition: Partition, event: Mapping[str, Any], first: int, last: int) -> RecordPlace:
    return RecordPlace(uuid.UUID(bytes=event["record_id"]), partition, first, last)


def test_places_that_are_near_are_read_together() -> None:
    here, there = (Partition("c/t", USAGE, number) for number in "01")

    def place(partition: Partition, first: int, last: int) -> RecordPlace:
        return RecordPlace(uuid.uuid4(), partition, first, last)

    near = [place(here, 10, 300), place(here, 20, 25), place(here, 5_200, 5_201)]
    far = place(here, 10_202, 10_300)
    other = place(there, 1, 1)
    assert stretches([far, other, *near]) == {
        here: [Stretch(10, 5_201, tuple(near)), Stretch(10_202, 10_300, (far,))],
        there: [Stretch(1, 1, (other,))],
    }


def test_events_of_another_identity_are_marked(tmp_path: Path) -> None:
    home = _books(tmp_path)
    wrong = _told(1, "STOP", "10:50:00", meeting_id="m9")
    _emit(home, "fra-1", [_told(1, "STOP", "11:00:00"), wrong])
    run(home, "consume", "--once")
    found = json.loads(run(home, "usage", "conflicts", "--format", "json").stdout)
    (named,) = [one for one in found if one["meeting_id"] == "m9"]
    word = f"{named['record_id']}:{named['hash']}"
    assert run(home, "usage", "cancel", word, "--reason", "a test").returncode == 0
    _close(home)
    told, faults = _explain(home, "1", "--events")
    assert faults == []
    events = _by_id(told)[ONE]["events"]
    assert sorted((one["phase"], one["note"]) for one in events) == [
        ("CANCEL", "another identity: acme m9"),
        ("STOP", ""),
        ("STOP", "another identity: acme m9"),
    ]


def test_a_journal_that_went_to_kafka_is_read_there(tmp_path: Path, kafka: KafkaSettings) -> None:
    """First embedded, then with Kafka: each event has two places, and either will do."""
    home = _books(tmp_path)
    _emit(home, "fra-1", _events())
    _close(home)
    (home / "homemeeting.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap_servers}"\n'
    )
    assert run(home, "forward", "--once").returncode == 0
    assert run(home, "consume", "--once").returncode == 0
    wanted = Counter(event[:1] + event[3:] for event in _emitted(home))
    told, faults = _explain(home, "1", "--events")
    assert faults == []
    shown = list(_shown(told["lines"][0]))
    assert Counter(event[:1] + event[3:] for event in shown) == wanted + wanted
    shutil.rmtree(home / "journal")
    told, faults = _explain(home, "1", "--events")
    assert faults == []
    shown = list(_shown(told["lines"][0]))
    assert Counter(event[:1] + event[3:] for event in shown) == wanted
    logs = {event["log"] for record in _by_id(told).values() for event in record["events"]}
    assert len(logs) == 1
    assert "/" in logs.pop()
    (home / "homemeeting.toml").unlink()
    _, faults = _explain(home, "1", "--events")
    assert sum("LOG_GONE" in fault and "no Kafka is set" in fault for fault in faults) == 3


def test_a_line_without_records_says_why(every_home: Path) -> None:
    why = {}
    for document in documents(every_home).values():
        told = command_line.shown_here(every_home, "invoice", "explain", document["number"])
        for line in told["lines"]:
            assert bool(line["records"]) != bool(line["why"])
            assert line["explanation"][0]["text"]
            why[line["kind"]] = line["why"]
    assert why["fee"] == "a fee: it counts no usage"
    assert why["adjustment"] == "what is owed less what was charged: it counts no usage"
    assert "commitment" in why
