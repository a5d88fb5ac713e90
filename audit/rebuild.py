"""A new usage store from the log, compared with the one there is, then put in its place.

Until the last step the store is as it was, and open to readers; no writer opens it meanwhile. The
old one is kept beside the new.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.comparison import Difference, differences
from audit.replay import GivenUp, Stretches, log_so_far, replay, stretches_read
from audit.swap import put_in_place
from consumers import broken_invariants
from edge import Refused, Settings
from edge.private import make_folder
from eventlog import LogSource
from eventlog.journal_layout import hold
from warehouse import Queries, Store, attached, open_store

_CARRY: Final = Queries(Path(__file__).parent / "sql" / "carry")
_STEPS: Final = ("carried", "replaced", "renumbered", "inserted", "counted", "emptied")
_LAST_BATCH: Final = """
SELECT greatest((SELECT max(batch) FROM old.batches), (SELECT max(batch) FROM old.additions),
    (SELECT max(last_batch) FROM old.usage_daily))
"""
# A damaged block is no message: it is found again where it lies.
_GIVEN_UP: Final = """
SELECT topic, list(payload) FROM old.quarantine
WHERE state = 'dismissed' AND code <> 'BLOCK_DAMAGED' GROUP BY topic
"""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it: messages read, what differed, and where the old store lies now; None where
    there was none, or where it was left in its place.
    """

    messages: int
    differences: list[Difference]
    is_swapped: bool
    kept: Path | None


def rebuild(
    home: Settings,
    source: LogSource,
    clock: Callable[[], int],
    *,
    accept_differences: bool = False,
    progress: Callable[[int], object] = lambda offsets: None,
) -> Rebuilt:
    """Replay what the store has read of `source` into a new one, and put that in its place if the
    two are equal as sets, or if `accept_differences`. Where there is no store, all of the log.

    Decisions about quarantine rows stay with them, and the number of a batch lies above all before.
    Refuses with STORE_BUSY while a projector runs, LOCK_HELD while another rebuild does, LOG_GONE
    or TOPIC_CHANGED where the log is no longer whole, REBUILD_OTHER_LOG where the store was made of
    none of it, REBUILD_BROKEN where what came of it breaks an invariant; then nothing was changed.
    `progress` is called with offsets passed.
    """
    make_folder(home.home)
    lock = hold(home.home / "rebuild.lock", "rebuilding the usage store")
    fresh = home.usage.with_name(home.usage.name + ".rebuilding")
    try:
        _forget(fresh)
        with (
            open_store(fresh, "usage").closing() as store,
            _with_old(store, home.usage) as has_old,
        ):
            messages = _replay(store, home, source, clock, has_old, progress)
            found = differences(store) if has_old else []
            if has_old and not found:
                store.execute(_CARRY["unchanged"])
            is_swapped = accept_differences or not found
            kept = _swap(store, fresh, home.usage, has_old) if is_swapped else None
        return Rebuilt(messages, found, is_swapped, kept)
    finally:
        _forget(fresh)
        os.close(lock)


@contextmanager
def _with_old(store: Store, path: Path) -> Iterator[bool]:
    """The store at `path`, if there is one, attached to `store` as `old`, for reading alone."""
    if not path.exists():
        yield False
        return
    try:
        # Its writer may have been killed: what its write-ahead log holds goes into the file.
        open_store(path, "usage").close()
        with attached(store, path, "usage", "old"):
            yield True
    except Refused as refusal:
        if refusal.code != "STORE_BUSY":
            raise
        what = "stop it if it is `homemeeting consume` (SIGTERM loses nothing), rebuild, start it"
        raise Refused(refusal.code, f"{refusal.summary}: {what}") from refusal


def _replay(  # noqa: PLR0913
    store: Store,
    home: Settings,
    source: LogSource,
    clock: Callable[[], int],
    has_old: bool,
    progress: Callable[[int], object],
) -> int:
    stretches: Stretches = stretches_read(store, source) if has_old else log_so_far(source)
    last = (store.value(_LAST_BATCH) if has_old else None) or 0
    if last and not stretches:
        what = "the store was not made of this log, but of the other of journal and Kafka"
        raise Refused("REBUILD_OTHER_LOG", f"{what}: name it with --from")
    given_up: GivenUp = {}
    if has_old:
        given_up = {topic: frozenset(held) for topic, held in store.rows(_GIVEN_UP)}
    messages = replay(
        store,
        source,
        stretches,
        lambda: max(clock(), int(last) + 1),
        sample_days=home.sample_days,
        given_up=given_up,
        progress=progress,
    )
    if has_old:
        with store.transaction():
            for name in _STEPS:
                store.execute(_CARRY[name])
    if broken := broken_invariants(store):
        what = "what came of the log breaks invariants; the store there was is in its place"
        raise Refused("REBUILD_BROKEN", what, broken)
    return messages


def _swap(store: Store, fresh: Path, path: Path, has_old: bool) -> Path | None:
    """Puts `fresh`, still open as `store`, in the place of `path`; where the old one lies now."""
    store.execute("CHECKPOINT")  # all of it is in the one file that is renamed
    assert not _log_of(path).exists(), "a write-ahead log would be taken for the new store's"
    kept = path.with_name(path.name + ".before-rebuild") if has_old else None
    put_in_place(fresh, path, kept)
    return kept


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _forget(fresh: Path) -> None:
    """What a rebuild that was killed or refused has left."""
    for path in (fresh, _log_of(fresh)):
        path.unlink(missing_ok=True)
