"""The locks: what is installed is pinned by hash, in step with pyproject.toml, or lint says so."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _check(root: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / ".ci" / "locked")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "locks/run.txt", "locks/dev.txt", ".ci/locked"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _edit(file: Path, pattern: str, text: str) -> None:
    before = file.read_text()
    after = re.sub(pattern, text, before, count=1, flags=re.MULTILINE)
    assert after != before
    file.write_text(after)


def test_the_locks_are_in_step() -> None:
    done = _check(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "pattern", "text", "said"),
    [
        ("pyproject.toml", r'"click>=8.1"', '"click>=99"', "click [0-9.]+ is not >=99"),
        ("pyproject.toml", r'"click>=8.1"', '"click>=8.1", "new-one"', "new-one is not pinned"),
        ("locks/run.txt", r"^click==.*(\n    --hash.*)+", "", "click is not pinned"),
        ("locks/run.txt", r"^(click==.*)(\n    --hash.*)+", r"\1", "click has no hash"),
        ("locks/dev.txt", r"^click==\S+", "click>=8.1", "line [0-9]+ is no pin and no hash"),
        ("locks/dev.txt", r"sha256:[0-9a-f]{64}", "md5:0", "line [0-9]+ is no pin and no hash"),
    ],
)
def test_what_is_not_is_named(copy: Path, file: str, pattern: str, text: str, said: str) -> None:
    assert _check(copy).returncode == 0
    _edit(copy / file, pattern, text)
    done = _check(copy)
    assert done.returncode == 1
    assert re.search(said, done.stderr), done.stderr
    assert "make lock" in done.stderr


def test_the_locks_name_no_registry() -> None:
    """Whichever the machine is set to serves them: the hashes say whether it serves the same."""
    for name in ("run", "dev"):
        assert "://" not in (ROOT / "locks" / f"{name}.txt").read_text()


def test_every_test_that_the_promises_name_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    files = set(re.findall(r"`(test_\w+\.py)", text))
    named = set(re.findall(r"::(test_\w+)`", text))
    assert len(files) > 5
    assert len(named) > 15
    sources = "".join((ROOT / "tests" / name).read_text("utf-8") for name in files)
    assert {name for name in named if f"def {name}(" not in sources} == set()
