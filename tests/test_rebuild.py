"""A rebuild says what the store says, or names what differs; killed anywhere, a store is there."""

import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

from audit.replay import log_so_far, replay, stretches_read
from audit.swap import put_in_place
from audit.usage_replay import replay_usage
from consumers import Projector, broken_invariants, dismiss, retry
from eventlog import JournalSource, JournalWriter
from schemas import encode
from tests.command_line import python, run_here, start, wait_until
from tests.test_completeness import beat
from tests.test_projector import T, _meetings, _records
from tests.world import World
from warehouse import Store, attached, open_scratch, open_store

TABLES = 13
# Partitions have numbers of one store alone: where records lie is compared by the view.
RECORDS = "SELECT * EXCLUDE (place, first_offset, last_offset) FROM usage_records ORDER BY ALL"
USAGE_TOPIC = "meetings.usage"
LAST = "SELECT max(last_batch) FROM usage_daily"
RECORD = (
    "record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,"
    " stopped, cancelled, quantity, continues"
)


def write(home: Path, rng: random.Random, *payloads: bytes) -> str:
    """Some meetings, `payloads` behind them and a heartbeat, in a journal; the source."""
    writer = JournalWriter.open(home / "journal", "fra-1")
    usage = [encode(USAGE_TOPIC, event) for event in _meetings(rng, 20, writer.source)]
    writer.append(USAGE_TOPIC, [*usage, *payloads])
    writer.append("sources.heartbeat", [beat(writer.source, 1, len(usage) + len(payloads))])
    writer.close()
    return writer.source


def rebuilt(home: Path, *arguments: str, code: int = 0) -> tuple[dict[str, tuple[int, int]], str]:
    """What differed by table, and what was said."""
    done = run_here(home, "rebuild", *arguments, "--format", "csv")
    assert done.returncode == code, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    assert len(rows) == TABLES
    return {
        row[0]: (int(row[1]), int(row[2])) for row in rows if row[1:] != ["0", "0"]
    }, done.stderr


def contents(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        return store.rows(sql)


def test_a_store_and_its_rebuild_are_equal(tmp_path: Path, world: World) -> None:
    shutil.copytree(world.journal, tmp_path / "journal")
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    ((before,),) = contents(tmp_path, LAST)
    records = contents(tmp_path, RECORDS)
    assert rebuilt(tmp_path)[0] == {}
    assert contents(tmp_path, RECORDS) == records
    assert contents(tmp_path, LAST)[0][0] == before  # billing need not look at all of it again
    assert contents(tmp_path, "SELECT max(batch) FROM batches")[0][0] > before
    assert run_here(tmp_path, "verify").returncode == 0
    assert run_here(tmp_path, "consume", "--once").stderr.endswith("0 messages read\n")
    with open_store(tmp_path / "usage.duckdb.before-rebuild", "usage").closing() as old:
        assert old.value(LAST) == before
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"journal", "rebuild.lock", "usage.duckdb", "usage.duckdb.before-rebuild"}


def test_batches_never_fall_back_with_the_clock(tmp_path: Path, rng: random.Random) -> None:
    write(tmp_path, rng)
    late = {"now": "2199-01-01T00:00:00Z"}
    assert run_here(tmp_path, "consume", "--once", **late).returncode == 0
    ((before,),) = contents(tmp_path, LAST)
    assert rebuilt(tmp_path)[0] == {}
    assert contents(tmp_path, "SELECT min(batch) FROM batches")[0][0] > before


DAMAGES = [
    ("UPDATE usage_records SET last_seen = last_seen + INTERVAL 1 second WHERE NOT cancelled",
     {"usage_records"}),
    ("UPDATE usage_daily SET duration_us = duration_us + 1", {"usage_daily"}),
    ("UPDATE usage_records SET first_offset = 0", {"record_places"}),
    ("DELETE FROM source_totals", {"source_totals"}),
    ("UPDATE sequences SET last = last - 1", {"sequences"}),
]  # fmt: skip


def test_what_differs_is_named_and_only_accepted_on_request(
    tmp_path: Path, rng: random.Random
) -> None:
    write(tmp_path, rng)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        rows = store.value("SELECT count(*) FROM usage_records WHERE NOT cancelled")
        for sql, _ in DAMAGES:
            store.execute(sql)
    tampered = (tmp_path / "usage.duckdb").read_bytes()
    differing, said = rebuilt(tmp_path, code=1)
    assert set(differing) == {table for _, tables in DAMAGES for table in tables}
    assert differing["usage_records"] == (rows, rows)
    assert "REBUILD_DIFFERS: usage_records: the log, not the store, has record_id=" in said
    assert (tmp_path / "usage.duckdb").read_bytes() == tampered
    accepted, _ = rebuilt(tmp_path, "--accept-differences")
    assert accepted == differing
    assert (tmp_path / "usage.duckdb.before-rebuild").read_bytes() == tampered
    assert rebuilt(tmp_path)[0] == {}


def test_a_lost_store_is_made_of_all_of_the_log(tmp_path: Path, rng: random.Random) -> None:
    write(tmp_path, rng)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    records = contents(tmp_path, RECORDS)
    (tmp_path / "usage.duckdb").unlink()
    rebuilt(tmp_path)
    assert contents(tmp_path, RECORDS) == records
    assert not (tmp_path / "usage.duckdb.before-rebuild").exists()


def test_decisions_about_quarantine_survive(tmp_path: Path, rng: random.Random) -> None:
    """Of four messages that no version could read then, this one reads all but noise: one was
    dismissed, one retried, one is open; what was given up is not applied after all.
    """
    events = _meetings(rng, 4, "x/0")
    told = [encode(USAGE_TOPIC, event) for event in events[:3]]
    source = write(tmp_path, rng, *told, b"noise", b"more noise")
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        log = JournalSource(tmp_path / "journal")
        held = {USAGE_TOPIC: frozenset(told)}
        replay(store, log, log_so_far(log), lambda: T, sample_days=90, given_up=held)
        ids = dict(store.rows("SELECT payload, id FROM quarantine"))
        dismiss(store, [ids[told[0]]], "test meeting", "ann", 1)
        dismiss(store, [ids[b"noise"]], "nothing", "ann", 1)
        assert retry(store, Projector(store, lambda: T), ids[told[1]])[0] == 1
        assert broken_invariants(store) == []
        before = store.rows("SELECT * EXCLUDE (batch) FROM quarantine ORDER BY id")
    differing, said = rebuilt(tmp_path, code=1)
    assert differing["quarantine"] == (1, 0), "the open one can be applied now"
    assert f"source={source}" not in said
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert retry(store, Projector(store, lambda: T), ids[told[2]])[0] == 1
        before = store.rows("SELECT * EXCLUDE (batch) FROM quarantine ORDER BY id")
        records = _records(store)
    assert rebuilt(tmp_path)[0] == {}
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        assert store.rows("SELECT * EXCLUDE (batch) FROM quarantine ORDER BY id") == before
        assert _records(store) == records
        assert broken_invariants(store) == []
        dismiss(store, [ids[b"more noise"]], "nothing either", "ann", 1)


def test_a_log_that_lost_what_was_read_is_refused(tmp_path: Path, rng: random.Random) -> None:
    source = write(tmp_path, rng)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    (segment,) = tmp_path.rglob(f"{USAGE_TOPIC}/*.avro")
    kept = segment.read_bytes()
    for change in (segment.unlink, lambda: segment.write_bytes(kept[: len(kept) // 2])):
        change()
        done = run_here(tmp_path, "rebuild")
        assert done.returncode == 1
        assert f"LOG_GONE: {USAGE_TOPIC}[{source}]: ends at 1, offsets 1 to" in done.stderr
    segment.write_bytes(kept)
    segment.rename(segment.with_name(f"{5:020}.avro"))
    done = run_here(tmp_path, "rebuild")
    assert f"LOG_GONE: {USAGE_TOPIC}[{source}]: begins at 5, offsets 1 to 4 are gone" in done.stderr


def test_one_span_is_replayed_as_the_projector_would(tmp_path: Path, world: World) -> None:
    shutil.copytree(world.journal, tmp_path / "journal")
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    scratch = open_scratch()
    with scratch.closing(), attached(scratch, tmp_path / "usage.duckdb", "usage", "old"):
        ((low, high),) = scratch.rows(
            "SELECT epoch_us(quantile_disc(started_at, 0.3)),"
            " epoch_us(quantile_disc(started_at, 0.6)) FROM old.usage_records"
        )
        log = JournalSource(tmp_path / "journal", [USAGE_TOPIC])
        stretches = stretches_read(scratch, log, [USAGE_TOPIC])
        for since, until in ((None, None), (low, high)):
            replay_usage(scratch, log, stretches, since_us=since, until_us=until)
            assert _differing(scratch, since or 0, until or 2**62) == 0
            assert scratch.value("SELECT count(*) FROM replayed_records") > 0


def _differing(store: Store, since_us: int, until_us: int) -> int:
    span = f"epoch_us(started_at) >= {since_us} AND epoch_us(started_at) < {until_us}"
    stored = f"SELECT {RECORD} FROM old.usage_records WHERE {span}"
    told = f"SELECT {RECORD} FROM replayed_records"
    both = f"({stored} EXCEPT ALL {told}) UNION ALL ({told} EXCEPT ALL {stored})"
    rows: int = store.value(f"SELECT count(*) FROM ({both})")
    return rows


def test_a_rebuild_waits_for_no_projector_and_a_projector_waits_for_a_reader(
    tmp_path: Path, rng: random.Random
) -> None:
    write(tmp_path, rng)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    notice = tmp_path / "usage.duckdb.serving"
    reader = open_scratch()
    with reader.closing(), (tmp_path / "said").open("wb") as said:
        with attached(reader, tmp_path / "usage.duckdb", "usage", "old"):
            service = start(tmp_path, "consume", said=said)
            wait_until(lambda: b"waiting" in (tmp_path / "said").read_bytes())
            assert not notice.exists()
        try:
            wait_until(notice.exists)
            refused = run_here(tmp_path, "rebuild")
            assert refused.stderr.splitlines()[-1].startswith(
                f"STORE_BUSY: process {service.pid} holds"
            )
            service.send_signal(signal.SIGTERM)
            assert service.wait(120) == 0
        finally:
            service.kill()
            service.wait()
    told = (tmp_path / "said").read_text()
    assert told.count(f"waiting: STORE_BUSY: process {os.getpid()} holds") == 1


def test_killed_at_any_step_of_the_swap_there_is_a_store(tmp_path: Path) -> None:
    steps = 0
    while True:
        steps += 1
        home = tmp_path / str(steps)
        home.mkdir()
        path, fresh, kept = (home / name for name in ("store", "fresh", "kept"))
        for file, text in ((path, "old"), (fresh, "new"), (kept, "older")):
            file.write_text(text)
        child = os.fork()
        if not child:
            _die_at(steps)
            put_in_place(fresh, path, kept)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        found = path.read_text()
        assert found == "old" or (found, kept.read_text()) == ("new", "old")
        if status == 0:
            break
    assert steps > 4
    assert (path.read_text(), kept.read_text(), fresh.exists()) == ("new", "old", False)


def _die_at(step: int) -> None:
    left = [step]
    for name in ("link", "replace", "fsync"):
        real = getattr(os, name)

        def counted(*arguments: object, real: Any = real) -> object:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)

        setattr(os, name, counted)


KILLED = """
import os, signal, sys
import audit.rebuild, cli
audit.rebuild.put_in_place = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
cli.run(["--home", sys.argv[1], "rebuild"])
"""


def test_a_killed_rebuild_leaves_the_store_and_the_next_one_is_whole(
    tmp_path: Path, rng: random.Random
) -> None:
    write(tmp_path, rng)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    before = (tmp_path / "usage.duckdb").read_bytes()
    assert python(KILLED, tmp_path).returncode == -signal.SIGKILL
    assert (tmp_path / "usage.duckdb").read_bytes() == before
    assert (tmp_path / "usage.duckdb.rebuilding").exists()
    assert rebuilt(tmp_path)[0] == {}
    assert not (tmp_path / "usage.duckdb.rebuilding").exists()
