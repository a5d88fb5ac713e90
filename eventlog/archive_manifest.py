"""What an archive holds: its manifest, and the files it names, proven by their hashes.

A file that the manifest does not name is not part of the archive. The manifest is replaced as one,
after all it names is on the disk, so whatever is killed leaves the old archive or the new one.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from edge import Fault, Refused
from edge.durable import sync_folder, write_whole
from eventlog.slices import Partition

MANIFEST: Final = "manifest.json"
_FORMAT, _VERSION = "homemeeting log archive", 1


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A segment: `file` within the archive, its hash and size, and what it covers: `messages`
    messages at the offsets from `first` to before `next`.
    """

    file: str
    sha256: str
    bytes: int
    first: int
    next: int
    messages: int


@dataclass(frozen=True, slots=True)
class Archived:
    """What is archived of one partition: everything from position `first` to before `next`."""

    first: int
    next: int
    files: tuple[ArchivedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive at `folder`: all messages whose log time lies before the day `until`, UTC."""

    folder: Path
    until: str
    partitions: Mapping[Partition, Archived]

    def look(self) -> None:
        """Refuses with ARCHIVE_DAMAGED, every file listed, where one is gone or cut; reads none."""
        faults = [
            fault
            for one in (file for some in self.partitions.values() for file in some.files)
            for fault in self._missing(one)
        ]
        if faults:
            raise Refused("ARCHIVE_DAMAGED", f"the archive {self.folder} is not whole", faults)

    def _missing(self, one: ArchivedFile) -> Iterator[Fault]:
        path = self.folder / one.file
        if not path.exists():
            yield self.damaged(one, "is not there").faults[0]
        elif path.stat().st_size != one.bytes:
            yield self.damaged(one, "has another length than was written").faults[0]

    def read(self, one: ArchivedFile) -> bytes:
        """The file's bytes. Refuses with ARCHIVE_DAMAGED where they are not what was written."""
        try:
            data = (self.folder / one.file).read_bytes()
        except OSError as error:
            raise self.damaged(one, f"cannot be read ({error.strerror})") from error
        if len(data) != one.bytes or hashlib.sha256(data).hexdigest() != one.sha256:
            raise self.damaged(one, "is not what the manifest says, by its SHA-256")
        return data

    def damaged(self, one: ArchivedFile, why: str) -> Refused:
        fault = Fault("ARCHIVE_DAMAGED", one.file, f"{why}: put back a whole copy of it")
        return Refused("ARCHIVE_DAMAGED", f"the archive {self.folder} is not whole", [fault])


def find_archive(folder: Path) -> Archive | None:
    """The archive at `folder`, None where there is none. Refuses with ARCHIVE_DAMAGED."""
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_bytes())
        if told.pop("sha256") != _hash(told):
            raise ValueError("its hash")
        if (told["format"], told["version"]) != (_FORMAT, _VERSION):
            raise ValueError("its version")
        found = dict(map(_partition, told["partitions"]))
        return Archive(folder, str(told["until"]), found)
    except FileNotFoundError:
        return None
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        advice = "put back a whole copy of it; nothing was read or changed"
        text = f"{path} is not an archive's manifest as it was written ({error}): {advice}"
        raise Refused("ARCHIVE_DAMAGED", text) from error


def open_archive(folder: Path) -> Archive:
    """The archive at `folder`. Refuses with ARCHIVE_MISSING or ARCHIVE_DAMAGED."""
    found = find_archive(folder)
    if found is None:
        advice = "name the folder that `homemeeting log archive --to` wrote"
        raise Refused("ARCHIVE_MISSING", f"there is no {folder / MANIFEST}: {advice}")
    return found


def write_manifest(archive: Archive) -> None:
    """Puts the manifest in the place of the one before, through to the disk."""
    rows = [{**place._asdict(), **asdict(one)} for place, one in sorted(archive.partitions.items())]
    told = {"format": _FORMAT, "version": _VERSION, "until": archive.until, "partitions": rows}
    # As it will be read: a hash of what JSON makes of it.
    text = json.dumps({**told, "sha256": _hash(told)}, indent=1)
    write_whole(archive.folder / MANIFEST, text.encode())
    sync_folder(archive.folder)


def _partition(row: Mapping[str, Any]) -> tuple[Partition, Archived]:
    files = tuple(ArchivedFile(**one) for one in row["files"])
    found = Archived(int(row["first"]), int(row["next"]), files)
    bounds = [found.first, *(at for one in files for at in (one.first, one.next)), found.next]
    if any(after != begin for after, begin in list(pairwise(bounds))[::2]):
        raise ValueError("its files leave a gap")
    return Partition(row["log"], row["topic"], row["partition"]), found


def _hash(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
