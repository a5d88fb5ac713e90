"""Withdrawing a usage record: from the conflict to the invoice, with the reason kept for good."""

import os
import pwd
import random
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from billing import open_books
from billing.audit_trail import Act, broken_links, entries, record
from consumers import Projector, broken_invariants
from corrections import Identity, cancel, choose, find_conflicts, find_identities
from edge import Refused, Settings, load_settings
from eventlog import JournalSource, KafkaSettings
from eventlog.kafka import KafkaTopics
from producers import Emitter
from schemas import TOPICS
from tests import recount
from tests.command_line import run_here, shown_here, start, usage_event, wait_until
from tests.homes import billed_home
from tests.test_invoices import ACCOUNTS, BOOK
from tests.test_projector import _daily, _meetings, _records
from warehouse import Store, open_store, read_store, whole

NOW = "2026-11-04T09:00:00Z"
NOW_US = 1_793_610_000_000_000
ONE = uuid.UUID(int=1)
RIGHT = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
WRONG = RIGHT | {"account_id": "half", "started_at": "2026-10-20T10:00:00Z",
                 "observed_at": "2026-10-20T12:00:00Z"}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "home", {"HOMEMEETING_USER": "clerk"})


def _clock() -> int:
    return NOW_US


def project(home: Settings, *events: Mapping[str, Any]) -> None:
    """Through the emitter and the journal into the usage store."""
    with Emitter(
        home.journal, "fra-1", "eu", "1", clock=_clock, threaded=False, replay=True
    ) as emitter:
        for event in events:
            emitter.emit("meetings.usage", {name: event[name] for name in event if name != "topic"})
    _consume(home)


def _consume(home: Settings) -> None:
    with open_store(home.usage, "usage").closing() as store:
        Projector(store, _clock).run_once(JournalSource(home.journal))
        assert broken_invariants(store) == []


def _stored(home: Settings) -> tuple[dict[Any, Any], dict[Any, Any]]:
    with read_store(home.usage, "usage", whole("usage_records", "usage_daily")).closing() as store:
        return _records(store), _daily(store)


def _trail(home: Settings) -> list[dict[str, Any]]:
    with open_books(home) as books:
        return entries(books)


def faults_of(home: Settings, *words: str) -> list[str]:
    with pytest.raises(Refused) as refusal:
        choose(home.usage, words)
    assert refusal.value.code == "CANCEL_REFUSED"
    assert f"{len(refusal.value.faults)} of {len(words)} arguments" in refusal.value.summary
    return [str(fault) for fault in refusal.value.faults]


def test_every_argument_with_a_fault_is_named(home: Settings) -> None:
    project(home, RIGHT, WRONG, RIGHT | {"record_id": str(uuid.UUID(int=2))})
    first, second = find_identities(home.usage, [ONE])[ONE]
    alone = str(uuid.UUID(int=2))
    unknown = str(uuid.UUID(int=3))
    words = (
        *("record-1", f"{ONE}:", f"{ONE}:xyz!", f"{ONE}:abc", unknown, str(ONE)),
        *(f"{ONE}:{'0' * 12}", alone, alone.upper(), f"{alone}:{'0' * 4}", str(first)),
    )
    found = faults_of(home, *words)
    assert [text.split(": ")[0] for text in found] == [
        *["BAD_RECORD"] * 4,
        *("RECORD_UNKNOWN", "HASH_MISSING", "HASH_UNKNOWN", "NAMED_TWICE", "HASH_UNKNOWN"),
    ]
    assert [text.split(": ")[1] for text in found] == [*words[:7], *words[8:10]]
    assert found[5].endswith(f"has 2 identities: name one of {first}, {second}")
    assert found[7].endswith(f"{alone} names it already")
    for digits in (first.hash, first.sha256, first.hash[:8].upper()):
        assert choose(home.usage, [f"{ONE}:{digits}", alone])[0] == first
    assert choose(home.usage, [alone]) == find_identities(home.usage, [uuid.UUID(int=2)])[
        uuid.UUID(int=2)
    ]  # fmt: skip


def test_the_hash_of_an_identity_never_changes() -> None:
    """It stands in audit trails; the two differ in which of two fields is null."""
    some = Identity(ONE, 1_790_000_000_000_001, "a", "m", "x", "dial_in", None, 0, False)
    other = Identity(ONE, 1_790_000_000_000_001, "a", "m", None, "dial_in", "x", 9, True)
    assert (some.hash, other.hash) == ("53f2d0e81234", "591374d132a4")


def test_a_beginning_that_several_hashes_share_is_ambiguous(home: Settings) -> None:
    seen: dict[str, int] = {}
    for number in range(100_000):
        one = Identity(ONE, NOW_US, "acme", f"m{number}", "p1", "participant", None, NOW_US, False)
        twin = seen.setdefault(one.hash[:4], number)
        if twin != number:
            break
    at = {"started_at": NOW_US, "observed_at": NOW_US, "participant_id": "p1"}
    project(home, *(RIGHT | at | {"meeting_id": f"m{n}"} for n in (twin, number)))
    (fault,) = faults_of(home, f"{ONE}:{one.hash[:4]}")
    assert fault.startswith(f"HASH_AMBIGUOUS: {ONE}:{one.hash[:4]}: ")
    assert choose(home.usage, [f"{ONE}:{one.hash}"]) == [one]


def test_a_cancel_withdraws_an_identity_and_changes_nothing_else(
    home: Settings, rng: random.Random
) -> None:
    events = _meetings(rng, 120, "fra-1/00")
    events += [e | {"meeting_id": "elsewhere"} for e in events if e["record_id"][0] < 64]
    project(home, *(_without(event, "source", "sequence") for event in events))
    before, _ = _stored(home)
    ids = [uuid.UUID(bytes=key[0]) for key in rng.sample(sorted(before, key=str), 50)]
    known = find_identities(home.usage, ids)
    todo = [rng.choice(found) for found in known.values()]
    assert {one.record_id for one in find_conflicts(home.usage)} & set(known)
    cancel(home, [one for one in todo if not one.cancelled], "a test", _clock)
    _consume(home)
    keys = {
        (one.record_id.bytes, one.started_us, one.account_id, one.meeting_id,
         one.participant_id, one.meter, one.variant)
        for one in todo
    }  # fmt: skip
    records, daily = _stored(home)
    assert records == {
        key: state | {"cancelled": True} if key in keys else state for key, state in before.items()
    }
    told = [e | {"phase": "CANCEL"} for e in events if _key(e) in keys]
    assert daily == recount.daily([*events, *told])
    assert all(one.cancelled for one in choose(home.usage, [str(one) for one in todo]))


def _key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(event[name] for name in recount.IDENTITY)


def _without(event: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: event[name] for name in event if name not in names}


def test_the_reason_is_kept_before_the_event_is_written(home: Settings) -> None:
    project(home, RIGHT)
    (one,) = choose(home.usage, [str(ONE)])
    (home.journal / "server=corrections").write_text("in the way of the journal")
    with pytest.raises(Refused, match="JOURNAL_WRITE"):
        cancel(home, [one], "wrong account", _clock)
    (kept,) = _trail(home)
    assert (kept["who"], kept["at_us"], kept["reason"]) == ("clerk", NOW_US, "wrong account")
    assert (kept["action"], kept["subject"]) == ("usage cancel", str(one))
    (home.journal / "server=corrections").unlink()
    cancel(home, [one], "wrong account", _clock)
    assert len(_trail(home)) == 2
    _consume(home)
    assert choose(home.usage, [str(ONE)])[0].cancelled


def test_who_acts_is_told_or_the_user_of_the_system(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"HOMEMEETING_USER": " Änne "}).user == "Änne"
    assert load_settings(tmp_path, {}).user == pwd.getpwuid(os.getuid()).pw_name
    for name in (" ", "a\nb", "x" * 129, "\udcff"):
        with pytest.raises(Refused, match="HOMEMEETING_USER"):
            load_settings(tmp_path, {"HOMEMEETING_USER": name})


def _books(path: Path) -> Store:
    books = open_store(path / "books.duckdb", "books")
    for act in range(3):
        with books.transaction():
            details = {"name": "Jürgen", "count": act, "nothing": None}
            acts = [
                Act(NOW_US + act, "clerk", "test", f"{act}.{n}", "why", details) for n in (0, 1)
            ]
            record(books, acts)
    assert broken_links(entries(books)) == []
    return books


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ("UPDATE audit_trail SET reason = 'other' WHERE entry = 3", ["entry 3"]),
        ("UPDATE audit_trail SET at_us = at_us + 1 WHERE entry = 6", ["entry 6"]),
        ("UPDATE audit_trail SET details = '' WHERE entry = 1", ["entry 1"]),
        ("DELETE FROM audit_trail WHERE entry = 4", ["entry 5"]),
        ("DELETE FROM audit_trail WHERE entry = 1", ["entry 2"]),
        ("UPDATE audit_trail SET entry = 7 WHERE entry = 2", ["entry 3", "entry 7", "entry 7"]),
        ("INSERT INTO audit_trail FROM audit_trail WHERE entry = 2", ["entry 2"]),
        ("UPDATE audit_trail SET sha256 = 'f00' WHERE entry = 2", ["entry 2", "entry 3"]),
    ],
)
def test_an_audit_trail_that_was_tampered_with_says_where(
    tmp_path: Path, change: str, places: list[str]
) -> None:
    with _books(tmp_path).closing() as books:
        books.execute(change)
        faults = broken_links(entries(books))
    assert [fault.place for fault in faults] == places
    assert {fault.code for fault in faults} == {"AUDIT_BROKEN"}


def test_from_the_conflict_to_the_invoice(tmp_path: Path) -> None:
    home = billed_home(tmp_path, ACCOUNTS, BOOK, [RIGHT, WRONG])
    told = {"now": NOW, "user": "Änne Clerk"}
    rows = {row["account_id"]: row for row in shown_here(home, "usage", "conflicts")}
    assert {row["record_id"] for row in rows.values()} == {str(ONE)}
    finalize = ("invoice", "run", "--month", "2026-10", "--finalize", "--account", "acme")
    blocked = run_here(home, *finalize, **told)
    assert (blocked.returncode, "USAGE_CONFLICT: acme: " in blocked.stderr) == (1, True)

    because = ("--reason", "booked on the wrong account")
    refused = run_here(home, "usage", "cancel", str(ONE), *because, **told)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert all(row["hash"] in refused.stderr for row in rows.values())
    assert refused.stderr.splitlines()[-1].startswith("CANCEL_REFUSED: ")
    assert _told_of_cancels(home) == []
    assert run_here(home, "usage", "cancel", str(ONE), "--reason", " ").returncode == 2
    word = f"{ONE}:{rows['half']['hash']}"
    done = run_here(home, "usage", "cancel", word, *because, **told)
    assert (done.returncode, done.stdout) == (0, "")
    assert "homemeeting consume --once" in done.stderr
    written = sorted((home / "journal").rglob("*"))
    twice = run_here(home, "usage", "cancel", word, *because, **told)
    assert (twice.returncode, twice.stdout) == (0, "")
    assert f"{word} was cancelled already, which takes effect when projected" in twice.stderr
    assert sorted((home / "journal").rglob("*")) == written
    assert len(_told_of_cancels(home)) == 1
    run_here(home, "consume", "--once")

    assert shown_here(home, "usage", "conflicts") == []
    (used,) = shown_here(home, "usage", "--month", "2026-10")
    assert (used["account_id"], used["seconds"]) == ("acme", "3600")
    (final,) = shown_here(home, *finalize, **told)
    assert (final["status"], final["lines"][1]["quantity"]) == ("final", "60")
    again = run_here(home, "usage", "cancel", word, *because, **told)
    assert (again.returncode, f"{word} was cancelled already" in again.stderr) == (0, True)
    (entry,) = _told_of_cancels(home)
    assert entry["who"] == "Änne Clerk"
    assert (entry["at"], entry["reason"], entry["subject"]) == (NOW, because[1], word)
    assert entry["details"] | {"hash": None} == rows["half"] | {"hash": None}
    status = shown_here(home, "status")
    assert {s["state"] for s in status["sources"] if s["server_id"] == "corrections"} == {"closed"}
    assert run_here(home, "verify").returncode == 0


def _told_of_cancels(home: Path) -> list[dict[str, Any]]:
    return [one for one in shown_here(home, "audit", "log") if one["action"] == "usage cancel"]


def test_through_kafka(tmp_path: Path, kafka_bootstrap: str) -> None:
    topics = KafkaTopics.connect(KafkaSettings(kafka_bootstrap))
    topics.create(TOPICS)
    topics.close()
    kafka = {"kafka_bootstrap_servers": kafka_bootstrap}
    ids = [str(uuid.uuid4()) for _ in range(3)]
    run_here(tmp_path, "emit", "-", lines=[RIGHT | {"record_id": each} for each in ids])
    assert run_here(tmp_path, "forward", "--once", **kafka).returncode == 0
    assert run_here(tmp_path, "consume", "--once", **kafka).returncode == 0

    done = run_here(tmp_path, "usage", "cancel", ids[0], "--reason", "test", **kafka)
    assert (done.returncode, "sent to Kafka" in done.stderr) == (0, True), done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = {"kafka_bootstrap_servers": f"127.0.0.1:{free.getsockname()[1]}"}
        failed = run_here(tmp_path, "usage", "cancel", ids[1], "--reason", "test", **nobody)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("KAFKA_UNREACHABLE: ")
    assert "homemeeting forward --once" in failed.stderr
    with start(tmp_path, "forward", **kafka) as service:
        lock = tmp_path / "journal" / "forward.lock"
        wait_until(lambda: f"process {service.pid}" in lock.read_text())
        held = run_here(tmp_path, "usage", "cancel", ids[2], "--reason", "test", **kafka)
        assert (held.returncode, "running `homemeeting forward`" in held.stderr) == (0, True)
        wait_until(lambda: _cancelled(tmp_path, ids, kafka) == 3)
        service.terminate()
        assert service.wait(120) == 0


def _cancelled(home: Path, ids: list[str], kafka: dict[str, str]) -> int:
    """How many of these records are cancelled once everything in Kafka has been projected."""
    assert run_here(home, "consume", "--once", **kafka).returncode == 0
    found = find_identities(home / "usage.duckdb", [uuid.UUID(each) for each in ids])
    return sum(one.cancelled for known in found.values() for one in known)
