"""Homes as tests find them: with accounts, prices, and usage that is in the log and the store.

Owns no expectation. What is about the projector types `consume` instead, which also serves the
store to readers: that takes more than twice as long, and here nobody reads meanwhile.
"""

import shutil
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from consumers import Projector
from edge.instants import micros
from eventlog import JournalSource
from tests.command_line import run_here
from warehouse import open_store

# One plan, of which a participant's minute costs 0.30.
TALK_BOOK: Final = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
[[plan.charge]]
code = "talk"
description = "Talk"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.3
"""
# The first line of a file of accounts.
HEADER: Final = (
    "account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity\n"
)


def project(
    home: Path, events: Iterable[Any], server: str = "fra-1", now: str | None = None
) -> None:
    """Emits by a server that closes in good order, and projects; `now` is the clock of both."""
    told = {} if now is None else {"now": now}
    emitted = run_here(home, "emit", "-", "--server-id", server, lines=events, **told)
    assert emitted.returncode == 0, emitted.stderr
    now_us = time.time_ns() // 1000 if now is None else micros(datetime.fromisoformat(now))
    with (
        closing(JournalSource(home / "journal")) as journal,
        open_store(home / "usage.duckdb", "usage").closing() as store,
    ):
        Projector(store, lambda: now_us).run_once(journal)


def billed_home(folder: Path, accounts: str, book: str, events: Iterable[Any]) -> Path:
    """A home within `folder` with these accounts, prices and, projected, these events."""
    home = folder / "home"
    home.mkdir()
    for name, text in (("accounts.csv", accounts), ("book.toml", book)):
        (folder / name).write_text(text)
    assert run_here(home, "account", "import", str(folder / "accounts.csv")).returncode == 0
    assert run_here(home, "price-book", "load", str(folder / "book.toml")).returncode == 0
    project(home, events)
    return home


def copied(home: Path, folder: Path) -> Path:
    """A copy within `folder` to be changed, with the files beside the home."""
    shutil.copytree(home.parent, folder, dirs_exist_ok=True)
    return folder / home.name
