"""What is written through to the disk, so that no power failure takes it back."""

import os
from pathlib import Path


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
