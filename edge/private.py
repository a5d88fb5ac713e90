"""Files and folders that are their owner's alone, whatever the umask of who made them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_folder(path: Path) -> None:
    """Makes the folder and those above it that are missing, all 0700; one that is there stays as
    it is. `Path.mkdir` gives its mode to the last of them alone.
    """
    if not path.is_dir():
        if path.parent != path:
            make_folder(path.parent)
        path.mkdir(exist_ok=True, mode=0o700)


def private_opener(path: str, flags: int) -> int:
    """For `open`: a new file is made 0600."""
    return os.open(path, flags, 0o600)


@contextmanager
def private_umask() -> Iterator[None]:
    """What is made within is its owner's alone, also what libraries make: DuckDB's write-ahead
    log and what it spills hold names and addresses as the database does.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
