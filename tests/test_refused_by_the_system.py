"""Rights that are missing and disks that are full: a code and one sentence, and nothing is lost."""

import ctypes
import os
import resource
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import python, run, run_here, shown_here, start, wait_until
from tests.test_cli import USAGE

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2


def _bound_by_rights() -> None:
    """Make root, where a test runs as root, a user like others to the file system."""
    if os.getuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            assert ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


@contextmanager
def _mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one event read and one that is not."""
    for number in (1, 2):
        event = USAGE | {"record_id": str(uuid.UUID(int=number))}
        emitted = run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event])
        assert emitted.returncode == 0
        if number == 1:
            assert run_here(tmp_path, "consume", "--once").returncode == 0
    return tmp_path


def _refused(
    home: Path, code: str, *arguments: str, before: Callable[[], object] = _bound_by_rights
) -> str:
    done = run(home, *arguments, before=before)
    assert (done.returncode, done.stdout) == (1, "")
    (*_, said) = done.stderr.splitlines()
    assert said.startswith(f"{code}: "), done.stderr
    assert "Traceback" not in done.stderr
    return said


def _reads_on(home: Path) -> None:
    done = run_here(home, "consume", "--once")
    assert done.returncode == 0, done.stderr
    assert shown_here(home, "status")["healthy"] is True


@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_a_store_that_may_not_be_written_is_not_called_damaged(home: Path, mode: int) -> None:
    with _mode(home / "usage.duckdb", mode):
        said = _refused(home, "STORE_FORBIDDEN", "consume", "--once")
        assert "Permission denied" in said
        assert "move it away" not in said
        if mode:
            assert run(home, "status", before=_bound_by_rights).returncode == 0
        else:
            _refused(home, "STORE_FORBIDDEN", "status")
            _refused(home, "STORE_FORBIDDEN", "verify")
    _reads_on(home)


def test_a_home_that_may_not_be_written_is_said_to_be_so(home: Path) -> None:
    with _mode(home, 0o500):
        _refused(home, "STORE_FORBIDDEN", "consume", "--once")
    _reads_on(home)


def test_a_commit_that_may_not_write_its_log_is_refused_whole(home: Path) -> None:
    """Opening is allowed, and so is the notice of who serves: only the write-ahead log is not."""
    code = (
        "import sys, time; from pathlib import Path; from consumers import Projector\n"
        "from edge import Refused; from eventlog import JournalSource; from warehouse import *\n"
        "store = open_store(Path(sys.argv[1]) / 'usage.duckdb', 'usage')\n"
        "Path(sys.argv[1]).chmod(0o500)\n"
        "projector = Projector(store, lambda: time.time_ns() // 1000)\n"
        "try: projector.run_once(JournalSource(Path(sys.argv[1]) / 'journal'))\n"
        "except Refused as refused: print(refused)\n"
    )
    with _mode(home, 0o700):
        done = python(code, home, before=_bound_by_rights)
    assert "STORE_FORBIDDEN: " in done.stdout, done.stderr
    _reads_on(home)


@pytest.mark.parametrize("place", ["journal", "journal/server=fra-1"])
def test_a_journal_that_may_not_be_read_is_not_an_empty_one(home: Path, place: str) -> None:
    kafka = {"kafka_bootstrap_servers": "127.0.0.1:1"}
    with _mode(home / place, 0o000):
        for arguments in (("consume", "--once"), ("status",)):
            said = _refused(home, "JOURNAL_UNREADABLE", *arguments)
            assert f"{place} cannot be read (Permission denied)" in said
        done = run(home, "forward", "--once", before=_bound_by_rights, **kafka)
        assert done.returncode == 1
        assert done.stderr.startswith("JOURNAL_UNREADABLE: ")
    _reads_on(home)


def test_a_segment_that_may_not_be_read_is_not_an_empty_one(home: Path) -> None:
    for segment in (home / "journal").rglob("meetings.usage/*.avro"):
        with _mode(segment, 0o000):
            _refused(home, "JOURNAL_UNREADABLE", "consume", "--once")
    _reads_on(home)


def test_a_file_in_place_of_the_journal_is_no_empty_journal(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("")
    for command, kafka in (
        ("consume", {}),
        ("forward", {"kafka_bootstrap_servers": "127.0.0.1:1"}),
    ):
        done = run_here(tmp_path, command, "--once", **kafka)
        assert done.returncode == 1
        assert done.stderr.startswith("JOURNAL_UNREADABLE: ")


def test_a_disk_that_takes_no_more_is_one_sentence_and_nothing_is_lost(home: Path) -> None:
    """A limit on the size of files: what every machine has, and DuckDB meets as a full disk."""
    events = [USAGE | {"record_id": str(uuid.uuid4()), "account_id": f"a{n}"} for n in range(3000)]
    assert run_here(home, "emit", "-", "--server-id", "fra-1", lines=events).returncode == 0

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))

    said = _refused(home, "STORE_FAILED", "consume", "--once", before=full)
    assert "File too large" in said
    assert "make room" in said
    assert run_here(home, "verify").returncode == 0
    _reads_on(home)
    assert run_here(home, "verify").returncode == 0


def test_who_mends_the_quarantine_of_a_running_service_is_told_how(home: Path) -> None:
    with start(home, "consume") as service:
        wait_until((home / "usage.duckdb.serving").exists)
        for arguments in (("retry",), ("dismiss", "1", "--reason", "none")):
            said = _refused(home, "STORE_BUSY", "quarantine", *arguments)
            assert f"process {service.pid} holds" in said
            assert "stop it if it is `homemeeting consume`" in said
        service.terminate()
        assert service.wait(120) == 0
