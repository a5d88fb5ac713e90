"""A small disk of its own: a tmpfs that fills up, and is given room again.

Owns where it comes from. It is mounted in a namespace of its own, which needs no rights but that to
make one: who works there enters it first. Where the system allows none, a limit on the size of
files stands for it, which is met as a full disk is.
"""

import ctypes
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KEEP: Final = 'mount -t tmpfs -o size="$1",mode=0700 disk "$0" && echo kept && exec cat'


_LEAST: Final = 4096


@dataclass(frozen=True)
class SmallDisk:
    """`path` is its root for who has entered it. `keeper` is the process that holds it; None where
    it is a limit.
    """

    path: Path
    keeper: int | None

    @property
    def seen(self) -> Path:
        """Its root for who has not."""
        return self.path if self.keeper is None else Path(f"/proc/{self.keeper}/root{self.path}")

    def fill(self, left: int) -> None:
        """So many octets are free, to the page; the rest is taken by a file of nobody. A limit is
        on each file.
        """
        if self.keeper is not None:
            room = os.statvfs(self.seen)
            free = room.f_bavail * room.f_frsize
            # Others may write meanwhile: then there is less.
            with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
                ballast.write(bytes(max(free - left, 0)))
        else:
            self._ballast.write_text(str(left + _LEAST))

    def free(self) -> None:
        """There is room again."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.seen / "ballast"

    def enter(self) -> None:
        """For a process that is to work there, before it begins; not to be left again."""
        if self.keeper is not None:
            here, libc = Path.cwd(), ctypes.CDLL(None, use_errno=True)
            for name in ("user", "mnt"):
                handle = os.open(f"/proc/{self.keeper}/ns/{name}", os.O_RDONLY)
                assert libc.setns(handle, 0) == 0, os.strerror(ctypes.get_errno())
                os.close(handle)
            os.chdir(here)
        self.heed()

    def heed(self) -> None:
        """For a process that is there, when there is less room, or more."""
        if self.keeper is None:
            is_full = self._ballast.exists()
            most = int(self._ballast.read_text()) if is_full else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """An empty one, mounted there."""
    folder.mkdir()
    if shutil.which("unshare") is None:
        yield SmallDisk(folder, None)
        return
    command = ["unshare", "-Urm", "sh", "-c", _KEEP, str(folder), f"{mib}m"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        is_kept = keeper.stdout.readline() == b"kept\n"
        try:
            yield SmallDisk(folder, keeper.pid if is_kept else None)
        finally:
            keeper.stdin.close()
