"""A clerk at a home of few accounts: each record of usage costs 1 EUR in plan p, 10 EUR the plan
`base`, nothing the plan `free`. What a clerk types is typed in this process.
"""

import atexit
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

from tests.command_line import run_here, usage_event
from tests.homes import project
from warehouse import open_store

HEADER: Final = "account_id,name,email,country,language,time_zone,currency,plan,since,until"
BOOK: Final = """\
book = "b"
currency = "EUR"
effective_from = 2025-01-01
[[plan]]
code = "p"
name = "P"
[[plan.charge]]
code = "records"
description = "Records"
meter = "participant"
measure = "count"
model = "per_unit"
unit_price = 1
[[plan]]
code = "base"
name = "Base"
[[plan.fee]]
code = "base"
description = "Base fee"
amount = 10
interval = "month"
[[plan]]
code = "free"
name = "Free"
free = ["participant"]
"""
_SAID_ANYWAY = re.compile(r"the clock is set to .*\n|Printing .*\n|.* written as PDF to .*\n")


@cache
def _begun() -> Path:
    """A home with the book and a usage store, made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    home = folder / "home"
    (folder / "book.toml").write_text(BOOK)
    assert run_here(home, "price-book", "load", str(folder / "book.toml")).returncode == 0
    project(home, [])
    return home


class Clerk:
    """`now` is the clock of everything typed; `plans` are accounts with their plan."""

    def __init__(self, folder: Path, now: str, **plans: str) -> None:
        self.home = folder / "home"
        self.now = now
        self._folder = folder
        self._events = 0
        shutil.copytree(_begun(), self.home)
        self.subscribe(**{name: f"{plan},2025-01-01," for name, plan in plans.items()})

    def copied(self, folder: Path) -> "Clerk":
        """The same clerk at a copy of the home, to change it there."""
        found = copy(self)
        found.home, found._folder = folder / "home", folder
        shutil.copytree(self.home, found.home)
        return found

    @contextmanager
    def changed_books(self, statement: str) -> Iterator[None]:
        """For the block, the books after a statement that nobody should give."""
        books, kept = self.home / "books.duckdb", self.home / "kept.duckdb"
        shutil.copy(books, kept)
        with open_store(books, "books").closing() as store:
            store.execute(statement)
        yield
        kept.replace(books)

    def file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def settings(self, text: str) -> None:
        (self.home / "homemeeting.toml").write_text(text)

    def subscribe(self, zone: str = "Europe/Berlin", **histories: str) -> None:
        """Each account's plan, since and until; several rows are parted by `;`."""
        rows = [
            f"{name},{name.title()},{name}@a.example,DE,de,{zone},EUR,{row}"
            for name, history in histories.items()
            for row in history.split(";")
        ]
        self.must("account", "import", self.file("accounts.csv", "\n".join([HEADER, *rows])))

    def use(self, account: str, *starts: str, **changes: Any) -> None:
        """Records of a minute, told by a server that closes in good order."""
        self.told([self.event(account, start, **changes) for start in starts])

    def event(self, account: str, start: str, **changes: Any) -> dict[str, Any]:
        self._events += 1
        at = start if "T" in start else f"{start}T12:00:00Z"
        return usage_event(self._events, account, at, at, **changes)

    def told(self, events: Sequence[dict[str, Any]], server: str = "fra-1") -> None:
        project(self.home, events, server, self.now)

    def types(self, *words: str, **settings: str) -> "CompletedProcess[str]":
        return run_here(self.home, *words, **{"now": self.now, "user": "ann"} | settings)

    def must(self, *words: str, **settings: str) -> "CompletedProcess[str]":
        done = self.types(*words, **settings)
        assert done.returncode == 0, done.stderr
        return done

    def told_by(self, *words: str, **settings: str) -> str:
        """What a refusal says, line by line, without what is said anyway."""
        done = self.types(*words, **settings)
        assert done.returncode == 1, (done.stdout, done.stderr)
        return _SAID_ANYWAY.sub("", done.stderr)

    def sees(self, *words: str, **settings: str) -> Any:
        """What is shown, as data; whether or not something was left undone."""
        return json.loads(self.types(*words, "--format", "json", **settings).stdout)

    def close(self, month: str, *words: str, **settings: str) -> Any:
        """The month's documents after a run that must close them."""
        words = ("invoice", "run", "--month", month, "--finalize", *words, "--format", "json")
        return json.loads(self.must(*words, **settings).stdout)

    def numbers(self) -> list[str | None]:
        return [one["number"] for one in self.sees("invoice", "list")]

    def states(self) -> dict[str, str]:
        """The status of every document, by id."""
        return {one["id"]: one["status"] for one in self.sees("invoice", "list")}
