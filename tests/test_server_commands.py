"""Servers that a period waits for, through the command line, and the settings that name them."""

from datetime import datetime
from pathlib import Path

import pytest

from edge import Refused, load_settings
from edge.instants import micros
from producers import Emitter
from tests.command_line import run_here, shown_here, usage_event

USED = usage_event(1, "acme", "2026-10-04T10:00:00Z", "2026-10-04T11:00:00Z")
THEN, NOW = "2026-10-05T12:00:00+00:00", "2026-11-05T12:00:00+00:00"
RETIRED = ("--reason", "disk lost")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for server in ("fra-1", "nyc-1"):
        emitted = run_here(tmp_path, "emit", "-", "--server-id", server, lines=[USED], now=THEN)
        assert emitted.returncode == 0
    assert run_here(tmp_path, "consume", "--once", now=THEN).returncode == 0
    return tmp_path


def retire(home: Path, *words: str) -> list[str]:
    """What it says, the remark on the clock left out."""
    return said(home, "server", "retire", *words, *RETIRED)


def said(home: Path, *words: str) -> list[str]:
    done = run_here(home, *words, now=NOW, user="clerk", billing_expected_servers="par-1")
    assert done.stdout == ""
    return [str(done.returncode), *done.stderr.splitlines()[1:]]


def test_servers_are_listed_with_what_is_missing(home: Path) -> None:
    assert said(home, "server", "expect", "sin-1") == ["0", "sin-1 is expected"]
    fra, nyc, par, sin = shown_here(
        home, "server", "list", now=NOW, billing_expected_servers="par-1"
    )
    assert fra == {
        "server_id": "fra-1", "expected": "heard of", "last_beat": "2026-10-05T12:00:00Z",
        "watermark": "2026-10-04T11:00:00Z", "open": 0, "unheard": 0, "lost": 0, "in_flight": 0,
        "refused": 0, "retired_on": None, "reason": None, "missing": "",
    }  # fmt: skip
    assert (nyc["server_id"], nyc["expected"]) == ("nyc-1", "heard of")
    for one, name in ((par, "par-1"), (sin, "sin-1")):
        assert (one["server_id"], one["expected"], one["last_beat"]) == (name, "listed", None)
        assert one["missing"] == "was never heard"


def test_every_fault_of_a_retirement_is_named_and_nothing_is_done(home: Path) -> None:
    found = retire(home, "fra-2", "fra-1", "nyc-1", "nyc-1", "--on", "2026-10-04")
    assert found == [
        "1",
        "NAMED_TWICE: nyc-1: stands here more than once",
        "SERVER_UNKNOWN: fra-2: nobody has heard of it and nobody lists it: did you mean fra-1?",
        "SERVER_HEARD: fra-1: was heard at 2026-10-05 12:00:00 UTC: it is not gone since"
        " 2026-10-04",
        "SERVER_HEARD: nyc-1: was heard at 2026-10-05 12:00:00 UTC: it is not gone since"
        " 2026-10-04",
        "RETIRE_REFUSED: 4 faults; no server was retired",
    ]
    assert retire(home, "fra-1", "--on", "2026-11-06")[1] == (
        "DATE_FUTURE: --on: 2026-11-06 is not yet, it is 2026-11-05 in UTC: retire it when it is"
        " gone"
    )
    for wrong in ("2026-13-01", "yesterday", "9999-12-31"):
        assert retire(home, "fra-1", "--on", wrong)[0] in "12"
    assert run_here(home, "server", "retire", "fra-1", "--on", "2026-10-05").returncode == 2
    assert shown_here(home, "audit", "log") == []


def test_a_retirement_is_kept_and_taken_back_and_the_trail_says_who(home: Path) -> None:
    held = "is retired: periods that end after 2026-10-05 began do not wait for it"
    assert retire(home, "fra-1", "par-1", "--on", "2026-10-05") == [
        "0",
        f"fra-1 {held}",
        f"par-1 {held}",
        "par-1 stays in [billing] expected_servers: take it out there too",
    ]
    assert retire(home, "fra-1", "--on", "2026-10-05")[1] == "fra-1 was retired so already"
    fra, _, par = shown_here(home, "server", "list", now=NOW, billing_expected_servers="par-1")
    for one in (fra, par):
        assert (one["expected"], one["missing"]) == ("no: retired", "")
        assert (one["retired_on"], one["reason"]) == ("2026-10-05", "disk lost")
    assert said(home, "server", "expect", "fra-1", "par-1") == [
        "0", "fra-1 is expected again", "par-1 is expected again",
    ]  # fmt: skip
    assert said(home, "server", "expect", "par-1") == ["0", "par-1 was expected already"]
    fra, _, _ = shown_here(home, "server", "list", now=NOW, billing_expected_servers="par-1")
    assert (fra["expected"], fra["retired_on"], fra["missing"]) == ("listed", None, "")
    trail = shown_here(home, "audit", "log")
    assert [(one["action"], one["subject"], one["who"], one["reason"]) for one in trail] == [
        ("server retire", "fra-1", "clerk", "disk lost"),
        ("server retire", "par-1", "clerk", "disk lost"),
        ("server expect", "fra-1", "clerk", ""),
        ("server expect", "par-1", "clerk", ""),
    ]
    assert trail[0]["details"] == {"on": "2026-10-05", "last_heard": "2026-10-05T12:00:00+00:00"}
    assert trail[2]["details"] == {"was_retired": True}


def test_a_retired_server_that_is_heard_again_is_waited_for(home: Path) -> None:
    assert retire(home, "fra-1", "--on", "2026-10-06")[0] == "0"
    run_here(home, "emit", "-", "--server-id", "fra-1", lines=[USED], now="2026-10-07T00:00:00Z")
    run_here(home, "consume", "--once")
    fra, _ = shown_here(home, "server", "list", now=NOW)
    assert (fra["expected"], fra["last_beat"]) == ("heard of", "2026-10-07T00:00:00Z")
    assert fra["missing"] == "was heard again after it was retired"


def test_of_a_server_that_speaks_still_what_fell_silent_is_let_go(home: Path) -> None:
    """As where it lost its disk and came back with another: what the first held is not heard."""
    emitters = [
        Emitter(home / "journal", "sin-1", "as", "1", clock=lambda at=at: at, threaded=False)
        for at in (micros(datetime.fromisoformat(text)) for text in (THEN, NOW))
    ]
    run_here(home, "consume", "--once")
    assert shown_here(home, "server", "list", now=NOW)[-1]["open"] == 2
    assert retire(home, "sin-1", "--on", "2026-10-06") == [
        "0",
        "sin-1 speaks still and is waited for; let go are 1 of its sources, not heard after"
        " 2026-10-06",
    ]
    sin = shown_here(home, "server", "list", now=NOW)[-1]
    assert (sin["retired_on"], sin["last_beat"]) == ("2026-10-06", "2026-11-05T12:00:00Z")
    assert sin["missing"] == "was heard again after it was retired"
    for emitter in emitters:
        emitter.close()


def test_a_file_emitted_in_its_name_brings_no_server_back(home: Path) -> None:
    """It was a server of flesh and blood once: it speaks for itself, or not at all."""
    at = micros(datetime.fromisoformat(THEN))
    Emitter(home / "journal", "sin-1", "as", "1", clock=lambda: at, threaded=False).close()
    run_here(home, "emit", "-", "--server-id", "sin-1", lines=[USED], now="2026-11-04T00:00:00Z")
    run_here(home, "consume", "--once")
    held = "is retired: periods that end after 2026-10-06 began do not wait for it"
    assert retire(home, "sin-1", "--on", "2026-10-06") == ["0", f"sin-1 {held}"]
    sin = shown_here(home, "server", "list", now=NOW)[-1]
    assert (sin["server_id"], sin["expected"], sin["missing"]) == ("sin-1", "no: retired", "")


def test_no_server_is_called_so(home: Path) -> None:
    assert said(home, "server", "expect", "fra 1", "a/b", "ok", "ok") == [
        "1",
        "BAD_SERVER: fra 1: is no server id: 1 to 128 of A-Z a-z 0-9 _ . : @ + -",
        "BAD_SERVER: a/b: is no server id: 1 to 128 of A-Z a-z 0-9 _ . : @ + -",
        "NAMED_TWICE: ok: stands here more than once",
        "EXPECT_REFUSED: 3 faults; no server was listed",
    ]


def test_grace_and_servers_are_set_in_the_file_or_the_environment(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {})
    assert (found.grace_hours, found.expected_servers) == (48, ())
    file = tmp_path / "homemeeting.toml"
    file.write_text('[billing]\ngrace_hours = 0\nexpected_servers = ["fra-1", "nyc-1", "fra-1"]\n')
    found = load_settings(tmp_path, {})
    assert (found.grace_hours, found.expected_servers) == (0, ("fra-1", "nyc-1"))
    told = {
        "HOMEMEETING_BILLING_GRACE_HOURS": "8760",
        "HOMEMEETING_BILLING_EXPECTED_SERVERS": "sin-1, par-1",
    }
    found = load_settings(tmp_path, told)
    assert (found.grace_hours, found.expected_servers) == (8760, ("sin-1", "par-1"))
    assert load_settings(tmp_path, {**told, list(told)[1]: ""}).expected_servers == ()
    wrong = [
        ("grace_hours = 8761", "grace_hours"), ("grace_hours = -1", "grace_hours"),
        ("grace_hours = 1.5", "grace_hours"), ("grace_hours = true", "grace_hours"),
        ('expected_servers = "fra-1"', "expected_servers"),
        ('expected_servers = ["a/b"]', "expected_servers"),
        ("expected_servers = [1]", "expected_servers"),
    ]  # fmt: skip
    for text, key in wrong:
        file.write_text(f"[billing]\n{text}\n")
        with pytest.raises(Refused, match="SETTINGS") as caught:
            load_settings(tmp_path, {})
        assert [one.place for one in caught.value.faults] == [f"billing.{key}"], text
