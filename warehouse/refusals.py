"""What DuckDB's errors mean to whoever gave the command: held, forbidden, damaged, a full disk.

Owns the sentences; knows nothing of what a store holds.
"""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import duckdb

from edge import Refused

Kind = Literal["usage", "books"]
_HOLDER = re.compile(r"PID (\d+)")
_REASONS = {os.strerror(number): number for number in errno.errorcode}
_NOT_KEPT = "nothing of this step was kept"
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}
_DISK = (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException)
# A COMMIT that runs out of memory raises what a conflict raises, and says so in words alone.
_MEMORY = re.compile(r"failed to (pin|allocate)|could not (pin|allocate)|out of memory", re.I)


def holder(error: duckdb.Error) -> str | None:
    """The process that holds the file, where that is why it cannot be opened."""
    found = _HOLDER.search(str(error)) if isinstance(error, duckdb.IOException) else None
    return found[1] if found else None


def held(path: Path, by: str) -> Refused:
    return Refused("STORE_BUSY", f"process {by} holds {path}: wait for it or stop it")


def not_opened(path: Path, kind: Kind, error: duckdb.Error) -> Refused:
    """Why `path` cannot be opened. Damage is what is left when the system gives no reason."""
    advice: Mapping[Kind, str] = {
        "usage": "move it away; usage can be rebuilt from the log",
        "books": "put a whole copy in its place; new books would begin numbering anew",
    }
    damaged = Refused("STORE_CORRUPT", f"{path} cannot be read as a store: {advice[kind]}")
    return _by_system(path, error) or damaged


def failed(path: Path, error: duckdb.Error) -> Refused | None:
    """Why a statement on `path` failed; None where that is a programmer's fault."""
    if refusal := _by_system(path, error):
        return refusal
    if _wants_memory(error):
        more = "give it more memory, for billing by billing.memory_mib"
        spills = "temp_directory" in str(error)
        advice = f"make room where it spills, or {more}" if spills else more
    elif isinstance(error, _DISK):
        advice = "make room, or put a whole copy in its place"
    else:
        return None
    return Refused("STORE_FAILED", f"{path}: {_first_line(error)}: {advice}; {_NOT_KEPT}")


def not_committed(path: Path, error: duckdb.Error) -> Refused | None:
    """Why a COMMIT on `path` failed; None where that is a programmer's fault. Whether it is on the
    disk all the same is not known where it took the whole database with it: else it was undone.
    """
    if not isinstance(error, duckdb.FatalException):
        return failed(path, error)
    advice = "mend that, and look at what is there before you give the command again"
    why = f"{_first_line(error)}: whether this step was kept is not known"
    return Refused("STORE_UNKNOWN", f"{path}: {why}: {advice}")


def not_named(path: Path, error: OSError) -> Refused:
    """Why nobody knows whether a COMMIT outlives a power failure."""
    what = f"{path}: its folder is not written through: {os.strerror(error.errno or 0)}"
    advice = "whether this step was kept is not known: mend that, and look at what is there"
    return Refused("STORE_UNKNOWN", f"{what}: {advice}")


def _wants_memory(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.OutOfMemoryException) or (
        isinstance(error, duckdb.TransactionException) and bool(_MEMORY.search(str(error)))
    )


def forbidden(path: Path, what: str) -> Refused:
    advice = "give this user the right to the file and its folder, or act as their owner"
    return Refused("STORE_FORBIDDEN", f"{path}: {what}: {advice}; the store is as it was")


def not_made(path: Path, error: OSError) -> Refused:
    """Why there is no new store at `path`."""
    return _of_reason(path, f"it cannot be made: {os.strerror(error.errno or 0)}", error.errno)


def not_served(path: Path, error: OSError) -> Refused:
    """Why readers cannot be told where to ask."""
    what = f"nothing can be written beside it: {os.strerror(error.errno or 0)}"
    return _of_reason(path, what, error.errno)


def _by_system(path: Path, error: duckdb.Error) -> Refused | None:
    """Where the operating system gave the reason, which DuckDB puts last."""
    first = _first_line(error)
    number = _REASONS.get(first.rpartition(": ")[2])
    return None if number is None else _of_reason(path, first, number)


def _of_reason(path: Path, what: str, number: int | None) -> Refused:
    if number in _RIGHTS:
        return forbidden(path, what)
    advice = f"make room, or mend what that says; {_NOT_KEPT}"
    return Refused("STORE_FAILED", f"{path}: {what}: {advice}")


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
