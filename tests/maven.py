"""Jars that tests run or read, fetched by Maven once and kept."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_LOCK: Final = Path.home() / ".cache" / "homemeeting-maven.lock"
_TRIES: Final = 3  # a connection may break, and what came of it is kept


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
    for made in (folder, _LOCK):
        made.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        # Two of one run come to it at once, and the folder that Maven keeps is made for one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(pom, folder)
    return folder


def _fetch(pom: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        command = ["mvn", "-B", "-q", "-f", str(pom), "dependency:copy-dependencies"]
        target = Path(beside) / "libs"
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
        for _ in range(_TRIES):
            done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
            if not done.returncode:
                target.rename(folder)
                return
    why = done.stdout[-300:].strip()
    raise NoJars(f"mvn could not fetch the jars of {pom.parent.name}: {why}")
