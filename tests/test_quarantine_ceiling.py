"""Quarantine past its ceiling: what was read is kept, the projector stops and does not start, and
once every row is tried again or given up nothing is lost and nothing counts twice.
"""

import io
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers import Projector, broken_invariants, retry
from consumers import quarantine as rows_of
from edge import Refused
from eventlog import JournalSource, JournalWriter
from schemas import CONTRACTS, encode
from tests import recount
from tests.clerk import Clerk
from tests.command_line import run_here, shown_here, start
from tests.fire import times
from tests.test_projector import TOPIC, T, _clock, _daily, _meetings, _records, _slice
from warehouse import Store, open_scratch, open_store

OPEN = "SELECT count(*) FROM quarantine WHERE state = 'open'"


def _write(home: Path, server: str, rng: random.Random, count: int, poison: int = 0) -> Any:
    """Meetings in a journal of their own, with `poison` among them; the events."""
    writer = JournalWriter.open(home / "journal", server)
    events = _meetings(rng, count, writer.source)
    told = [encode(TOPIC, event) for event in events]
    told += [b"noise of %s %d" % (server.encode(), n) for n in range(poison)]
    rng.shuffle(told)
    for at in range(0, len(told), 100):
        writer.append(TOPIC, told[at : at + 100])
    writer.close()
    return events


def _check(home: Path, events: list[Any], still_open: int = 0) -> None:
    """The store is a recount of `events`, and all of the journal has been read."""
    with (
        open_store(home / "usage.duckdb", "usage").closing() as store,
        closing(JournalSource(home / "journal")) as journal,
    ):
        assert _records(store) == recount.records(events)
        assert _daily(store) == recount.daily(events)
        assert store.value(OPEN) == still_open
        assert Projector(store, _clock()).backlog(journal) == 0
        assert broken_invariants(store) == []


def test_it_starts_again_when_rows_are_given_up(tmp_path: Path, rng: random.Random) -> None:
    before = _write(tmp_path, "a", rng, 40, poison=600)
    done = run_here(tmp_path, "consume", "--once")
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("QUARANTINE_CEILING")]
    total = len(before) + 600
    assert said == (
        f"QUARANTINE_CEILING: 600 open quarantine rows among the last {total} events: see "
        "`homemeeting quarantine list`, retry or dismiss"
    )
    _check(tmp_path, before, still_open=600)  # the batch was committed
    after = _write(tmp_path, "b", rng, 40)
    assert run_here(tmp_path, "consume", "--once").returncode == 1
    with (
        io.FileIO(tmp_path / "said", "w") as file,
        start(tmp_path, "consume", said=file) as service,  # type: ignore[arg-type]
    ):
        assert service.wait(120) == 1, "it ends by itself"
    assert said in (tmp_path / "said").read_text()
    status = shown_here(tmp_path, "status")
    assert (status["healthy"], status["quarantine"]) == (False, 600)
    assert sum(one["lag"] for one in status["positions"]) == len(after), "no more was read"

    retried = run_here(tmp_path, "quarantine", "retry")
    assert retried.returncode == 1
    assert "QUARANTINE_LEFT: 600 rows stay open" in retried.stderr
    dismiss = ("quarantine", "dismiss", "--reason", "a probe of the firewall")
    wrong = run_here(tmp_path, *dismiss, "1", "601", "2", "700")
    assert wrong.returncode == 1
    assert [line.split(": ")[1] for line in wrong.stderr.splitlines()] == [
        "quarantine 601", "quarantine 700", "2 rows are not open; nothing was done",
    ]  # fmt: skip
    assert run_here(tmp_path, *dismiss).returncode == 2
    assert run_here(tmp_path, *dismiss, "1", "--code", "BAD_FRAME").returncode == 2
    few = [str(row["id"]) for row in shown_here(tmp_path, "quarantine", "list")[:100]]
    assert run_here(tmp_path, *dismiss, *few).stderr == "100 rows dismissed\n"
    # 500 rows are not fewer than the ceiling has.
    assert run_here(tmp_path, "consume", "--once").returncode == 1
    assert run_here(tmp_path, *dismiss, "--code", "BAD_FRAME").stderr == "500 rows dismissed\n"
    assert run_here(tmp_path, *dismiss, "--code", "BAD_FRAME").stderr == "0 rows dismissed\n"
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    _check(tmp_path, before + after)


def test_a_clerk_can_read_what_hundreds_of_rows_hold_up(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", acme="p")
    clerk.use("acme", "2026-11-03")
    clerk.settings('[billing]\nexpected_servers = ["zoo-1"]\n')
    writer = JournalWriter.open(clerk.home / "journal", "probe-1")
    writer.append(TOPIC, [b"noise %d" % n for n in range(600)])
    writer.close()
    assert "QUARANTINE_CEILING" in clerk.types("consume", "--once").stderr
    close = ("invoice", "run", "--month", "2026-11", "--finalize", "--format", "csv")
    said = clerk.told_by(*close).splitlines()
    lines = [line for line in said if line.startswith("QUARANTINE_OPEN: ")]
    told = [line.split(": ")[1] for line in lines]
    assert sorted(told) == sorted([*(f"quarantine {n}" for n in range(1, 21)), "quarantine …"])
    assert lines[-1] == (
        "QUARANTINE_OPEN: quarantine …: and 580 more: `homemeeting quarantine list`; all that have"
        " one code are given up by `quarantine dismiss --code CODE --reason R`"
    )
    assert any(line.startswith("SERVER_SILENT: server zoo-1: ") for line in said)
    clerk.must("quarantine", "dismiss", "7", "--reason", "mine")
    clerk.must("quarantine", "dismiss", "--code", "BAD_FRAME", "--reason", "a probe")
    clerk.must("server", "retire", "zoo-1", "--on", "2026-11-01", "--reason", "gone")
    clerk.must(*close)
    shown = clerk.must("invoice", "show", "HM-2026-000001").stdout.splitlines()
    assert [line for line in shown if line.startswith("Passed over: ")] == [
        "Passed over: quarantine 6 rows, 1 to 6, BAD_FRAME, dismissed by ann: a probe",
        "Passed over: quarantine row 7, BAD_FRAME, dismissed by ann: mine",
        "Passed over: quarantine 593 rows, 8 to 600, BAD_FRAME, dismissed by ann: a probe",
    ]
    closing = clerk.sees("invoice", "show", "HM-2026-000001")["closing"]
    assert len(closing["dismissed"]) == 600


@pytest.mark.fire
def test_it_starts_again_when_rows_are_applied(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer version of a schema, which this one learns; some of it came twice."""
    before = _write(tmp_path, "a", rng, 300)
    with monkeypatch.context() as patch:
        patch.setitem(CONTRACTS, TOPIC, replace(CONTRACTS[TOPIC], versions={}, quick={}))
        assert "QUARANTINE_CEILING" in run_here(tmp_path, "consume", "--once").stderr
        _check(tmp_path, [], still_open=len(before))
        assert run_here(tmp_path, "quarantine", "retry").returncode == 1
    assert "QUARANTINE_CEILING" in run_here(tmp_path, "consume", "--once").stderr
    one = run_here(tmp_path, "quarantine", "retry", "7")
    assert (one.returncode, one.stderr) == (0, "1 rows applied\n")
    rest = run_here(tmp_path, "quarantine", "retry")
    assert (rest.returncode, rest.stderr) == (0, f"{len(before) - 1} rows applied\n")
    assert run_here(tmp_path, "quarantine", "retry", "7").returncode == 1
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    after = _write(tmp_path, "b", rng, 10)
    assert run_here(tmp_path, "consume", "--once").returncode == 0
    _check(tmp_path, before + after)


class Killed(BaseException):
    """As Ctrl-C or a kill: nobody catches it."""


@pytest.mark.fire
def test_a_retry_in_pieces_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of, "_RANGE_ROWS", 2)
    monkeypatch.setattr(rows_of, "_PIECE_ROWS", 8)
    monkeypatch.setattr(rows_of, "_PIECE_BYTES", 900)  # of rows of some 130 octets
    for case in range(times(1)):
        with open_store(tmp_path / f"{case}.duckdb", "usage").closing() as store:
            _killed_at_random(store, rng, monkeypatch)


def _killed_at_random(store: Store, rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    events = _meetings(rng, 12, "fra-1/0")
    told = [encode(TOPIC, event) for event in events] + [b"noise" * 400, b"more"]
    rng.shuffle(told)
    projector = Projector(store, _clock())
    with monkeypatch.context() as patch:
        patch.setitem(CONTRACTS, TOPIC, replace(CONTRACTS[TOPIC], versions={}, quick={}))
        projector.apply([_slice(0, told)])
    applied = kills = 0
    while store.value(OPEN) > 2:
        left = rng.randrange(3, 60)
        with monkeypatch.context() as patch:
            patch.setattr(store, "execute", _dying(store.execute, left))
            try:
                assert retry(store, projector)[0] >= 0
            except Killed:
                kills += 1
        now = len(told) - store.value(OPEN)
        assert now >= applied, "what was applied stays so"
        applied = now
        assert broken_invariants(store) == []
    print(f"{kills} kills")
    found, faults = retry(store, projector)
    assert (found, [fault.code for fault in faults]) == (0, ["BAD_FRAME"] * 2)
    assert _records(store) == recount.records(events)
    assert _daily(store) == recount.daily(events)
    assert store.rows("SELECT first, last FROM sequences") == [(1, len(events))]


def _dying(execute: Callable[..., None], calls: int) -> Callable[..., None]:
    left = [calls]

    def dies(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        execute(*arguments)

    return dies


@pytest.mark.parametrize(
    ("poison", "good", "stops"),
    [(499, 0, False), (500, 0, True), (500, 9_500, False), (501, 9_499, True), (501, 9_519, False)],
)
def test_the_ceiling_is_500_rows_and_one_event_in_20(poison: int, good: int, stops: bool) -> None:
    event = encode(TOPIC, _meetings(random.Random(1), 1, "fra-1/0")[0])
    with open_scratch("usage").closing() as store:
        projector = Projector(store, lambda: T)
        projector.apply([_slice(0, [b"%d" % n for n in range(poison)])])
        projector.apply([_slice(poison, [event] * good)] if good else [])
        if not stops:
            projector.refuse_past_ceiling()
            return
        with pytest.raises(Refused, match=f"QUARANTINE_CEILING: {poison} open .* {poison + good} "):
            projector.refuse_past_ceiling()
