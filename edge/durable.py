"""What is written through to the disk, so that no power failure takes it back."""

import os
from pathlib import Path

from edge.private import private_opener


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all, whoever is killed and whenever the power fails.
    That it is there, after that, `sync_folder` sees to.
    """
    fresh = path.with_name(f"{path.name}.part")
    with open(fresh, "wb", opener=private_opener) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def sync_folder(path: Path) -> None:
    """The names in the folder: a file made, renamed or deleted there stays so."""
    sync_file(path)


def sync_file(path: Path) -> None:
    """What the file holds, whoever wrote it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
