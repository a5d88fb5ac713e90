"""Emitters killed at each step, as processes: the journal holds what was flushed, and nothing that
was not passed in; whoever opens next says how far that is, and tells the rest once.

The same where the power fails, where an older copy of the journal is put back, and where a disk was
cloned and both are read.
"""

import os
import random
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from consumers import Projector, broken_invariants
from eventlog import JournalSource
from producers import Emitter, EmitterSettings
from tests import fire, recount
from tests.deaths import Death, Ended, deaths, note, run, synced, watch_syncs
from tests.oracle_log import read_event, read_torn_journal, usage
from tests.test_projector import _daily, _records
from warehouse import Store, open_scratch, open_store

T: Final = 1_790_812_800_000_000
SECOND: Final = 1_000_000
COUNT: Final = 24  # events that a server is told
Event = dict[str, Any]


def script(first: int = 0, length: int = COUNT) -> list[Event]:
    """Records of one event each, so that a recount of them is a recount of events."""
    return [
        {
            "phase": "STOP", "record_id": bytes([7] * 12) + n.to_bytes(4, "big"),
            "account_id": f"a{n % 3}", "meeting_id": "m", "participant_id": f"p{n}",
            "meter": "participant", "variant": None, "server_id": "fra-1", "region": "eu",
            "started_at": T + n * SECOND, "observed_at": T + (n + n % 7) * SECOND,
            "quantity": None, "continues": None,
        }
        for n in range(first, first + length)
    ]  # fmt: skip


def tell(root: Path, said: Path, events: list[Event], fsync: Any) -> None:
    """A meeting server's life, from its opening to its end. What it passes in and what is flushed
    is noted as it happens.
    """
    if fsync == "always":
        watch_syncs(said.with_suffix(".synced"))
    now = T
    emitter = Emitter(
        root, "fra-1", "eu", "1", clock=lambda: now, threaded=False,
        settings=EmitterSettings(fsync=fsync),
    )  # fmt: skip
    for n, event in enumerate(events, 1):
        note(said, f"passed {n}")
        assert emitter.emit("meetings.usage", event)
        if n % 5 == 0:
            emitter.flush()
            note(said, f"flushed {n}")
        if n % 9 == 0:
            now += 61 * SECOND
            emitter.load(cpu=0.5, memory=0.5, meetings=1, participants=n, capacity=9, egress_bps=1)
            note(said, f"ticks {n}")
            emitter.tick()
            note(said, f"flushed {n}")
    emitter.close()
    note(said, f"flushed {len(events)}")


def go_on(root: Path, events: list[Event]) -> tuple[Any, ...]:
    """The next life tells the rest; then all is projected. What the store says."""
    emitter = Emitter(root, "fra-1", "eu", "1", clock=lambda: T + 3600 * SECOND, threaded=False)
    source = emitter.source
    for one in events:
        assert emitter.emit("meetings.usage", one)
    emitter.close()
    return (source, *projected(root))


def projected(*roots: Path) -> tuple[Any, ...]:
    """Records, days, holes and rows in quarantine of a store that has read these journals."""
    with open_scratch("usage").closing() as store:
        return _said(store, *roots)


def _said(store: Store, *roots: Path) -> tuple[Any, ...]:
    projector = Projector(store, count(T).__next__)
    for root in roots:
        projector.run_once(JournalSource(root), events_max=1000)
    assert broken_invariants(store) == []
    spans = store.rows("SELECT topic, source, first, last FROM sequences ORDER BY ALL")
    rows = store.rows("SELECT code FROM quarantine ORDER BY ALL")
    return _records(store), _daily(store), spans, rows


def read_into(store: Path, root: Path) -> tuple[Any, ...]:
    """The same of a store that is kept, which goes on from where it stands."""
    with open_store(store, "usage").closing() as opened:
        return _said(opened, root)


def counted(events: list[Event]) -> tuple[Any, ...]:
    return recount.records(events), recount.daily(events)


def said_last(said: Path, what: str) -> int:
    """How far something had come when the process died."""
    lines = said.read_text("utf-8").splitlines() if said.exists() else []
    return max((int(line.split()[1]) for line in lines if line.startswith(what)), default=0)


def told(root: Path) -> list[Event]:
    """What a journal holds of usage, in order, read from its bytes."""
    return usage((topic, value) for topic, _, _, value in read_torn_journal(root))


def check_next_life(root: Path, flushed: int, passed: int, events: list[Event]) -> None:
    """What is there is a beginning of what was passed in, as long as what was flushed; and when
    the rest is told, every event counts once.
    """
    there = told(root)
    assert flushed <= len(there) <= passed
    wanted = [one["record_id"] for one in events]
    assert [one["record_id"] for one in there] == wanted[: len(there)]
    before = ends(root)
    source, records, days, spans, rows = run(go_on, root, events[len(there) :]).value
    assert (records, days) == counted(events)
    assert all(first == 1 for _, _, first, _ in spans), "a hole"
    assert rows == []
    ((opening, *_),) = [[beat for beat in beats(root) if beat["source"] == source]]
    named = {
        (one["source"], one["topic"]): one["last"]
        for one in opening["totals"]
        if one["source"] != source
    }
    closed = {beat["source"] for beat in beats(root) if beat["phase"] == "CLOSE"} - {source}
    assert named == {at: last for at, last in before.items() if at[0] not in closed}


def ends(root: Path) -> dict[tuple[str, str], int]:
    return {(source, topic): at for topic, source, at, _ in read_torn_journal(root)}


def beats(root: Path) -> Iterator[Event]:
    for topic, _, _, value in read_torn_journal(root):
        if topic == "sources.heartbeat":
            event = read_event(topic, value)
            assert event is not None
            yield event


def whole(folder: Path, fsync: str) -> Ended:
    """One that is never killed."""
    return run(tell, folder / "whole" / "j", folder / "whole.said", script(), fsync)


def killed(folder: Path, death: Death, fsync: str) -> tuple[Path, int, int]:
    """Where it was killed: its journal, and how many events were flushed and passed in."""
    root, said = folder / f"{death}" / "j", folder / f"{death}.said"
    assert run(tell, root, said, script(), fsync, death=death).was_killed
    return root, said_last(said, "flushed"), said_last(said, "passed")


@pytest.mark.fire
def test_an_emitter_killed_at_any_step_loses_nothing_that_was_flushed(
    tmp_path: Path, rng: random.Random
) -> None:
    steps = whole(tmp_path, "interval").steps
    names = {step.name.split()[0] for step in steps}
    assert names >= {"make", "write", "fsync", "ftruncate", "mkdir"}
    for death in fire.some(rng, deaths(steps, rng.randrange), 3):
        check_next_life(*killed(tmp_path, death, "interval"), script())


@pytest.mark.fire
def test_after_a_power_failure_what_was_flushed_is_there_where_each_write_goes_through(
    tmp_path: Path, rng: random.Random
) -> None:
    steps = whole(tmp_path, "always").steps
    for death in fire.some(rng, deaths(steps, rng.randrange), 2):
        root, flushed, passed = killed(tmp_path, death, "always")
        through = synced(tmp_path / f"{death}.synced")
        for path in root.rglob("*.avro"):
            left = through.get(path.resolve(), 0)
            os.truncate(path, rng.randint(left, max(left, path.stat().st_size)))
        check_next_life(root, flushed, passed, script())


def drawn_death(folder: Path, rng: random.Random) -> Death:
    """In the second half of a life."""
    every = deaths(whole(folder, "interval").steps, rng.randrange)
    return rng.choice(every[len(every) // 2 :])


def test_an_older_copy_put_back_uses_no_sequence_twice_and_takes_back_nothing_that_was_read(
    tmp_path: Path, rng: random.Random
) -> None:
    root, store = tmp_path / "j", tmp_path / "usage.duckdb"
    death = drawn_death(tmp_path, rng)
    run(tell, root, tmp_path / "said", script(), "interval", death=death)
    shutil.copytree(root, tmp_path / "copy")
    there = told(root)
    lost = run(go_on, root, script(COUNT, 5)).value[0]
    assert run(read_into, store, root).value[:2] == counted([*there, *script(COUNT, 5)])
    shutil.rmtree(root)
    (tmp_path / "copy").rename(root)
    later = run(go_on, root, script(2 * COUNT, 5)).value[0]
    assert later != lost, "numbers go on from those of nobody"
    every = [*there, *script(COUNT, 5), *script(2 * COUNT, 5)]
    records, days, spans, rows = run(read_into, store, root).value
    assert (records, days) == counted(every)
    assert all(first == 1 for _, _, first, _ in spans)
    assert rows == []


def test_two_that_were_one_disk_count_what_they_share_once(
    tmp_path: Path, rng: random.Random
) -> None:
    """The disk is cloned where its server was killed, each goes on, and one store reads both."""
    one, other = tmp_path / "one", tmp_path / "other"
    death = drawn_death(tmp_path, rng)
    run(tell, one, tmp_path / "said", script(), "interval", death=death)
    shutil.copytree(one, other)
    there = told(one)
    run(go_on, one, script(COUNT, 5))
    run(go_on, other, script(2 * COUNT, 5))
    records, days, spans, rows = run(projected, *rng.sample([one, other], 2)).value
    assert (records, days) == counted([*there, *script(COUNT, 5), *script(2 * COUNT, 5)])
    assert all(first == 1 for _, _, first, _ in spans)
    assert len({source for _, source, _, _ in spans}) == 2 + bool(ends(one).keys() & ends(other))
    assert rows == []
