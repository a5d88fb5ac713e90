"""Named statements: a folder of `.sql` files, one statement each, run by their file's name."""

from functools import cached_property
from pathlib import Path


class Queries:
    """The statements of one folder. `queries["merge_usage"]` is the text of `merge_usage.sql`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {path.stem: path.read_text("utf-8") for path in self._folder.glob("*.sql")}

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def all(self) -> dict[str, str]:
        """Every statement by its name, in order of names."""
        return {name: self._texts[name] for name in sorted(self._texts)}
