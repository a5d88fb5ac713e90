"""Files under the home are 0600 and folders 0700, however open the umask of who types is."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import demo.commands
from producers import Emitter
from tests.command_line import run_here, start, usage_event, wait_until
from tests.every_line import NOW, make_home


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Lets everybody read and write what is made, but for what is told otherwise."""
    before = os.umask(0)
    yield
    assert os.umask(before) == 0, "a command leaves the umask as it was"


def _open(home: Path) -> dict[str, str]:
    """What lies in the home and is not its owner's alone, with its mode."""
    found = {}
    for path in (home, *home.rglob("*")):
        try:
            mode = path.stat().st_mode & 0o777
        except FileNotFoundError:
            continue  # a service at work has put another in its place
        if mode != (0o700 if path.is_dir() else 0o600):
            found[str(path.relative_to(home))] = f"{mode:04o}"
    return found


def _kinds(home: Path) -> set[str]:
    return {path.suffix for path in home.rglob("*") if path.is_file()}


def test_a_month_that_is_closed(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    home.chmod(0o700)  # that one was made by the test
    days = ("--from", "2026-11-01", "--to", "2026-11-02")
    for command in (
        ("simulate", "--accounts", "3", *days, "--seed", "1"),
        ("consume", "--once"),
        ("tuning", "report", *days, "--html", str(home / "tuning.html")),
        ("price-book", "new", str(home / "mine.toml")),
        ("rebuild",),
    ):
        assert run_here(home, *command, now=NOW).returncode == 0, command
    assert _kinds(home) >= {".avro", ".duckdb", ".parquet", ".pdf", ".html", ".toml"}
    assert _open(home) == {}


def test_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.commands, "_ACCOUNTS", 4)
    home = tmp_path / "not" / "there" / "yet"
    done = run_here(home, "demo")
    assert done.returncode == 0, done.stderr
    assert _kinds(home) >= {".avro", ".duckdb", ".parquet", ".pdf", ".html", ".toml", ".csv"}
    assert _open(home) == {}
    assert _open(tmp_path / "not") == {}, "what was made on the way to it"


def test_a_service_at_work(tmp_path: Path) -> None:
    """Its write-ahead log, its locks and what it says to readers."""
    home = tmp_path / "home"
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        event = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
        assert run_here(home, "emit", "-", "--server-id", "fra-1", lines=[event]).returncode == 0
        wait_until((home / "usage.duckdb.wal").exists)
        assert _open(home) == {}
        service.terminate()
    assert _open(home) == {}


def test_a_meeting_server_that_embeds_the_emitter(tmp_path: Path) -> None:
    journal = tmp_path / "home" / "journal"
    with Emitter(journal, "fra-1", "eu", "1.0", clock=lambda: time.time_ns() // 1000) as emitter:
        emitter.start_participant("acme", "m1", "p1").stop()
        emitter.flush()
        assert _open(tmp_path / "home") == {}
    assert _kinds(journal) >= {".avro"}
    assert _open(tmp_path / "home") == {}


def test_a_forwarder_before_there_is_anything_to_forward(tmp_path: Path) -> None:
    home = tmp_path / "home"
    nobody = run_here(home, "forward", "--once", kafka_bootstrap_servers="127.0.0.1:1")
    assert nobody.stderr.startswith("KAFKA_UNREACHABLE")
    assert (home / "journal").is_dir()
    assert _open(home) == {}
