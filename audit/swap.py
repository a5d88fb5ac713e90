"""One file in the place of another, which stays beside it, whatever is killed and when."""

import shutil
from pathlib import Path

from edge.durable import sync_folder


def put_in_place(fresh: Path, path: Path, kept: Path | None) -> None:
    """Renames `fresh` to `path`; what was there is `kept` then, in the place of what that was.

    Killed anywhere, there is a whole file at `path`, the old one or the new, and the old one is at
    one of the two names.
    """
    if kept is not None:
        _keep(path, kept)
    fresh.replace(path)
    sync_folder(path.parent)


def _keep(path: Path, kept: Path) -> None:
    part = kept.with_name(kept.name + ".part")
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, part)
    part.replace(kept)
    sync_folder(path.parent)
