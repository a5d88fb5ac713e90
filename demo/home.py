"""The demo's home: marked as its own and begun afresh; any other is left alone."""

import shutil
from pathlib import Path

from edge import Refused
from edge.private import make_folder

_MARK = ".homemeeting-demo"


def begin_afresh(home: Path) -> None:
    """An empty, marked `home`. Refuses with DEMO_HOME where it holds what is not the demo's."""
    if home.exists() and any(home.iterdir()):
        if not (home / _MARK).is_file():
            raise Refused("DEMO_HOME", f"{home} is not empty and not the demo's: name another home")
        for path in home.iterdir():
            # The mark goes last, so that a demo killed here can be begun again.
            if path.name != _MARK:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    make_folder(home)
    (home / _MARK).touch(mode=0o600)
