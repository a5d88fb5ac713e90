"""What must hold after every commit, each a query that counts the rows that break it."""

from collections.abc import Iterable
from pathlib import Path

from edge import Fault
from warehouse import Queries, Store, read_store

CHECKS = Queries(Path(__file__).parent / "sql" / "invariants")


def broken_invariants(store: Store) -> list[Fault]:
    """A fault for each invariant that does not hold; [] where the open store is whole."""
    return _faults((name, store.value(sql)) for name, sql in CHECKS.all().items())


def verify_usage(path: Path) -> list[Fault]:
    """The same of the store at `path`, whoever holds it. Refuses as `read_store`."""
    checks = CHECKS.all()
    with read_store(path, "usage", checks).closing() as found:
        return _faults((name, found.value(f'FROM "{name}"')) for name in checks)


def _faults(counts: Iterable[tuple[str, int]]) -> list[Fault]:
    return [
        Fault("INVARIANT_BROKEN", name, f"{rows} rows break it: rebuild the store from the log")
        for name, rows in counts
        if rows
    ]
