"""Jars that tests run or read, fetched by Maven once and kept."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path


class NoJars(Exception):
    """They cannot be had here; the message says why."""


def fetched(pom: Path, folder: Path) -> Path:
    """The folder with the jars that a list names. Raises NoJars."""
    if not shutil.which("java"):
        raise NoJars("no java on the path")
    if folder.is_dir():
        return folder
    if not shutil.which("mvn"):
        raise NoJars("no mvn on the path")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        command = ["mvn", "-B", "-q", "-f", str(pom), "dependency:copy-dependencies"]
        target = Path(beside) / "libs"
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
        done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
        if done.returncode:
            why = done.stdout[-300:].strip()
            raise NoJars(f"mvn could not fetch the jars of {pom.parent.name}: {why}")
        with contextlib.suppress(OSError):  # another run was faster: its jars are as good
            target.rename(folder)
    return folder
