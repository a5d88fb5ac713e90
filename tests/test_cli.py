"""The command line as its users type it: data on stdout, faults on stderr, exit codes."""

import json
import re
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from consumers import Projector
from edge import Refused, load_settings
from eventlog import JournalSource, JournalWriter
from schemas import TOPICS
from tests.command_line import ROOT, run, run_here, start, usage_event, wait_until
from tests.test_completeness import usage
from warehouse import open_store

USAGE = usage_event(1, "acme", "2026-10-01T10:00:00+02:00", "2026-10-01T11:00:00+02:00")


def test_emit_consume_status_verify(tmp_path: Path) -> None:
    assert run(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE]).returncode == 0
    consumed = run(tmp_path, "consume", "--once")
    assert (consumed.returncode, consumed.stdout) == (0, "")
    shown = run(tmp_path, "status", "--format", "json")
    status = json.loads(shown.stdout)
    assert status["healthy"] is True
    assert status["quarantine"] == 0
    assert all(position["lag"] == 0 for position in status["positions"])
    (usage,) = [one for one in status["sources"] if one["topic"] == "meetings.usage"]
    assert (usage["first"], usage["last"], usage["missing"], usage["state"]) == (1, 1, 0, "closed")
    assert usage["watermark"] == "2026-10-01T09:00:00Z"
    assert run_here(tmp_path, "verify").returncode == 0
    again = run_here(tmp_path, "consume", "--once")
    assert "0 messages read" in again.stderr


def test_every_bad_line_is_named_and_the_good_ones_are_emitted(tmp_path: Path) -> None:
    lines = [
        USAGE,
        "{not json",
        USAGE | {"topic": "sources.heartbeat"},
        USAGE | {"quantity": "many"},
        {key: value for key, value in USAGE.items() if key != "meter"},
        USAGE | {"started_at": "2026-10-01T10:00:00"},
        "[]",
        USAGE | {"record_id": str(uuid.UUID(int=2))},
    ]
    done = run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=lines)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    places = [line.split(": ")[1] for line in said if ": line " in line]
    assert places == [f"line {number}" for number in range(2, 8)]
    assert said[-1] == "LINES_REFUSED: 6 lines refused"
    run_here(tmp_path, "consume", "--once")
    status = json.loads(run_here(tmp_path, "status", "--format", "json").stdout)
    assert [s["last"] for s in status["sources"] if s["topic"] == "meetings.usage"] == [2]


def test_a_line_that_is_too_long_is_named_and_not_kept(tmp_path: Path) -> None:
    last = USAGE | {"record_id": str(uuid.UUID(int=2))}
    lines = [USAGE, "{" + "x" * 2_000_000, " " * 2_000_000, last]
    done = run(tmp_path, "emit", "-", "--server-id", "fra-1", lines=lines)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "2 events emitted",
        "TOO_LARGE: line 2: the line has more than 524288 bytes",
        "LINES_REFUSED: 1 lines refused",
    ]


def test_emit_names_a_file_or_a_journal_that_it_cannot_use(tmp_path: Path) -> None:
    for file in (tmp_path / "none.ndjson", tmp_path):
        done = run_here(tmp_path, "emit", str(file), "--server-id", "fra-1")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"FILE_UNREADABLE: {file} cannot be read: ")
    assert not list(tmp_path.iterdir())
    (tmp_path / "journal").write_text("a file")
    done = run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE])
    assert done.returncode == 1
    assert done.stderr.startswith("JOURNAL_WRITE: no journal can be made at ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kib", [200, 400])
def test_a_full_disk_says_which_lines_to_give_again(tmp_path: Path, kib: int) -> None:
    load = {
        "topic": "servers.load", "server_id": "fra-1", "region": "eu", "version": "1", "cpu": 0.5,
        "memory": 0.5, "meetings": 1, "participants": 1, "capacity": 9, "egress_bps": 0,
    }  # fmt: skip
    lines = [
        USAGE | {"record_id": str(uuid.uuid4())}
        if n % 3 else load | {"sampled_at": f"2026-10-01T10:00:00.{n:06}Z"}
        for n in range(1, 25_000)
    ]  # fmt: skip
    lines[4] = "{not json"
    file = tmp_path / "events.ndjson"
    file.write_text("".join(f"{one if one is lines[4] else json.dumps(one)}\n" for one in lines))
    command = [sys.executable, "-m", "cli", "--home", str(tmp_path), "emit", str(file)]
    limited = ["bash", "-c", f'ulimit -f {kib}; exec "$@"', "-", *command, "--server-id", "fra-1"]
    done = subprocess.run(limited, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()
    assert done.returncode == 1
    assert said[0].startswith("BAD_JSON: line 5: ")
    kept = int(re.search(r"; (\d+) lines are in the journal", said[-1])[1])  # type: ignore[index]
    assert 0 < kept < len(lines) - 1
    # Whoever gives again what is named, and that alone, has every line in once.
    told = [re.match(r"(NOT_\w+): line (\d+): .*?( of ([\w.]+))?: give", one) for one in said[1:-1]]
    left = {one[4]: int(one[2]) for one in told if one}
    assert (None in left) == (kib == 200)  # the rest was not even read
    again = [
        one for n, one in enumerate(lines, start=1)
        if isinstance(one, dict) and n >= left.get(one["topic"], left.get(None, len(lines) + 1))
    ]  # fmt: skip
    assert len(again) == len(lines) - 1 - kept
    assert run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=again).returncode == 0
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    status = json.loads(run_here(tmp_path, "status", "--format", "json").stdout)
    events = Counter[str]()
    for one in status["sources"]:
        events[one["topic"]] += one["last"] or 0
    assert (events["meetings.usage"], events["servers.load"]) == (16_665, 8_333)
    assert status["healthy"]


def test_quarantine_is_listed_shown_and_dismissed(tmp_path: Path) -> None:
    for number in range(1, 4):
        event = USAGE | {"record_id": str(uuid.UUID(int=number))}
        run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event])
    segments = sorted(tmp_path.rglob("meetings.usage/*.avro"))
    broken = bytearray(segments[1].read_bytes())
    broken[-40] ^= 1
    segments[1].write_bytes(broken)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    (row,) = json.loads(run_here(tmp_path, "quarantine", "list", "--format", "json").stdout)
    assert (row["code"], row["state"], row["offset"]) == ("BLOCK_DAMAGED", "open", 1)
    assert json.loads(run_here(tmp_path, "quarantine", "show", "1").stdout)["payload"]
    assert run_here(tmp_path, "quarantine", "retry").returncode == 1
    dismissed = ("quarantine", "dismiss", "1", "--reason", "disk")
    assert run_here(tmp_path, *dismissed, user="ops", now="2026-11-01T00:00:00Z").returncode == 0
    (row,) = json.loads(run_here(tmp_path, "quarantine", "list", "--format", "json").stdout)
    assert (row["state"], row["dismissal"], row["dismissed_by"]) == ("dismissed", "disk", "ops")
    assert row["dismissed_at"] == "2026-11-01T00:00:00Z"
    assert run_here(tmp_path, "quarantine", "dismiss", "1", "--reason", "disk").returncode == 1
    status = json.loads(run_here(tmp_path, "status", "--format", "json").stdout)
    assert (status["healthy"], status["quarantine"]) == (True, 0)
    assert not any(one["missing"] for one in status["sources"])
    told = run_here(tmp_path, "status").stdout
    assert "EXPLAINED: event 1 of fra-1/" in told
    assert run_here(tmp_path, "verify").returncode == 0


def test_status_says_in_words_what_is_lost_and_what_is_not_there_yet(tmp_path: Path) -> None:
    events = [USAGE | {"record_id": str(uuid.UUID(int=n))} for n in range(1, 4)]
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=events)
    (segment,) = (tmp_path / "journal").rglob("meetings.usage/*.avro")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-10])
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    shown = run_here(tmp_path, "status")
    assert shown.returncode == 0
    assert shown.stdout.startswith("NOT HEALTHY\nLOST: events 1 to 3 (3) of fra-1/")
    status = json.loads(run_here(tmp_path, "status", "--format", "json").stdout)
    (usage,) = [one for one in status["sources"] if one["topic"] == "meetings.usage"]
    assert set(usage) == {
        *("source", "server_id", "topic", "first", "last", "missing", "watermark", "state"),
    }
    assert (usage["missing"], usage["first"], status["healthy"]) == (3, None, False)
    segment.write_bytes(whole)
    assert "LAG: 3 offsets" in run_here(tmp_path, "status").stdout
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    assert run_here(tmp_path, "status").stdout.startswith("Healthy: ")


def test_status_says_what_is_promised_and_not_read_yet(tmp_path: Path) -> None:
    """As it stands where a projector was stopped between a heartbeat and what that promises."""
    events = [USAGE | {"record_id": str(uuid.UUID(int=n))} for n in range(1, 4)]
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=events)
    log, beats = (
        JournalSource(tmp_path / "journal", topics) for topics in (TOPICS, ["sources.heartbeat"])
    )
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        Projector(store, lambda: time.time_ns() // 1000).apply(beats.poll(100, 0.0), log.ends)
    first, lag, flying, *_ = run_here(tmp_path, "status").stdout.splitlines()
    assert first == "NOT HEALTHY"
    assert lag.startswith("LAG: 3 offsets are not read yet")
    assert flying.startswith("IN FLIGHT: events 1 to 3 (3) of fra-1/")
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    assert run_here(tmp_path, "status").stdout.startswith("Healthy: ")


def test_a_torn_tail_that_nobody_completes_is_told_and_is_no_fault(tmp_path: Path) -> None:
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE])
    (segment,) = (tmp_path / "journal").rglob("meetings.usage/*.avro")
    with segment.open("ab") as file:
        file.write(b"half")
    said = f"JOURNAL_TORN: fra-1/{segment.parents[1].name} meetings.usage: 4 octets at its end"
    done = run_here(tmp_path, "consume", "--once")
    assert done.returncode == 0
    assert done.stderr.startswith(said)
    shown = run_here(tmp_path, "status")
    assert shown.stdout.splitlines()[0].startswith("Healthy: ")
    assert shown.stdout.splitlines()[1].startswith(said)
    assert "TORN" not in run_here(tmp_path, "status", "--format", "json").stdout


def test_of_many_holes_and_tails_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    """Of each server the second of three blocks is damaged, and behind the last lies half a one."""
    for number in range(22):
        writer = JournalWriter.open(tmp_path / "journal", f"fra-{number}", fsync="never")
        for sequence in range(1, 4):
            writer.append("meetings.usage", [usage(writer.source, sequence)])
        writer.close()
        (segment,) = (tmp_path / f"journal/server=fra-{number}").rglob("meetings.usage/*.avro")
        data = bytearray(segment.read_bytes())
        second = [found.start() for found in re.finditer(re.escape(data[-16:]), data)][2] - 20
        data[second] ^= 1
        segment.write_bytes(data + b"half")
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    first, *told = run_here(tmp_path, "status").stdout.split("\n\n")[0].splitlines()
    assert first == "NOT HEALTHY"
    assert [line.split(":")[0] for line in told] == [
        *["EXPLAINED"] * 20, "… and 2 more holes.", "QUARANTINE", *["JOURNAL_TORN"] * 20,
        "… and 2 more torn tails.",
    ]  # fmt: skip
    assert told[21].startswith("QUARANTINE: 22 open rows could not be applied: ")


def test_status_as_csv_is_positions_alone(tmp_path: Path) -> None:
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE])
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    shown = run_here(tmp_path, "status", "--format", "csv")
    head, *rows = shown.stdout.splitlines()
    assert head == "log,topic,partition,offset,end_offset,lag"
    assert [row.split(",")[:2] for row in rows] == [
        ["journal", "meetings.usage"], ["journal", "sources.heartbeat"]
    ]  # fmt: skip
    assert shown.stderr == ""


def test_status_of_an_empty_store_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    shown = run_here(tmp_path, "status")
    assert shown.returncode == 0
    assert shown.stdout.startswith("Nothing has been read yet, and the log is empty.")
    status = json.loads(run_here(tmp_path, "status", "--format", "json").stdout)
    assert status == {"healthy": True, "positions": [], "sources": [], "quarantine": 0}


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["status"], 1, "STORE_MISSING"),
        (["verify"], 1, "STORE_MISSING"),
        (["topics", "create"], 1, "KAFKA_NOT_SET"),
        (["consume", "--from", "kafka"], 1, "KAFKA_NOT_SET"),
        (["nonsense"], 2, "No such command"),
        (["consume", "--from", "paper"], 2, "Invalid value"),
    ],
)
def test_refusals_are_one_sentence_on_stderr(
    tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    done = run_here(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert word in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["consume"], ["consume", "--once"], ["quarantine", "retry"], ["status"]]
)
def test_a_store_that_is_none_is_named_and_nobody_waits_for_it(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "usage.duckdb").write_bytes(b"no store" * 1000)
    done = run_here(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("STORE_CORRUPT: ")


def test_a_quarantine_row_that_is_none_is_named(tmp_path: Path) -> None:
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    for command in ("show", "retry"):
        done = run_here(tmp_path, "quarantine", command, "7")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("QUARANTINE_NO_ROW: ")
        assert "7" in done.stderr.splitlines()[0]


def test_settings_with_faults_name_each(tmp_path: Path) -> None:
    (tmp_path / "homemeeting.toml").write_text("[kafka]\nbootstrap_server = 1\n[soap]\n")
    done = run_here(tmp_path, "status")
    assert done.returncode == 1
    assert "kafka.bootstrap_server" in done.stderr
    assert "soap" in done.stderr


def test_days_of_samples_are_whole_days_wherever_they_are_set(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).sample_days == 90
    (tmp_path / "homemeeting.toml").write_text("[tuning]\nsample_days = 30\n")
    assert load_settings(tmp_path, {}).sample_days == 30
    name = "HOMEMEETING_TUNING_SAMPLE_DAYS"
    assert load_settings(tmp_path, {name: "7"}).sample_days == 7
    for wrong in ("", "0", "-1", "1.5", "many", "1000000"):
        with pytest.raises(Refused, match="SETTINGS") as caught:
            load_settings(tmp_path, {name: wrong})
        assert caught.value.faults[0].place == "tuning.sample_days"
    for wrong in ("0", "true", "'7'", "7.0"):
        (tmp_path / "homemeeting.toml").write_text(f"[tuning]\nsample_days = {wrong}\n")
        assert run_here(tmp_path, "status").stderr.startswith("SETTINGS_")


def test_the_service_serves_reads_while_it_runs_and_ends_on_sigterm(tmp_path: Path) -> None:
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE])
    with start(tmp_path, "consume") as service:
        wait_until((tmp_path / "usage.duckdb.serving").exists)
        event = USAGE | {"record_id": str(uuid.UUID(int=9))}
        run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event])
        wait_until(lambda: _usage_events(tmp_path) == 2)
        assert run_here(tmp_path, "verify").returncode == 0
        assert (tmp_path / "usage.duckdb.serving").stat().st_mode & 0o777 == 0o600
        second = run_here(tmp_path, "consume", "--once")
        assert second.returncode == 1
        assert f"STORE_BUSY: process {service.pid} holds" in second.stderr
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0
    assert not (tmp_path / "usage.duckdb.serving").exists()
    assert run_here(tmp_path, "verify").returncode == 0


def test_a_service_waits_for_the_store_says_so_once_and_can_be_stopped(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "usage.duckdb", "usage").closing(),
        (tmp_path / "said").open("wb") as said,
        start(tmp_path, "consume", said=said) as service,
    ):
        wait_until(lambda: "waiting: STORE_BUSY: " in (tmp_path / "said").read_text())
        time.sleep(1.5)  # it asks every half a second
        assert service.poll() is None
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0
    assert (tmp_path / "said").read_text().count("\n") == 1


def test_a_killed_service_leaves_a_notice_that_misleads_nobody(tmp_path: Path) -> None:
    run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[USAGE])
    with start(tmp_path, "consume") as service:
        wait_until((tmp_path / "usage.duckdb.serving").exists)
        service.kill()
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    assert _usage_events(tmp_path) == 1


def _usage_events(home: Path) -> int:
    status = json.loads(run_here(home, "status", "--format", "json").stdout)
    return sum(s["last"] or 0 for s in status["sources"] if s["topic"] == "meetings.usage")


def test_a_torn_tail_is_reported_and_left(tmp_path: Path) -> None:
    for number in (1, 2):
        event = USAGE | {"record_id": str(uuid.UUID(int=number))}
        run_here(tmp_path, "emit", "-", "--server-id", f"fra-{number}", lines=[event])
    (file,) = (tmp_path / "journal" / "server=fra-1").rglob("meetings.usage/*.avro")
    cut = file.read_bytes()[:-20]
    file.write_bytes(cut)
    told = run_here(tmp_path, "consume", "--once")
    assert told.returncode == 0
    assert "JOURNAL_TORN: fra-1/" in told.stderr
    assert "fra-2" not in told.stderr
    assert file.read_bytes() == cut
