"""What must hold after every commit, each a query that counts the rows that break it."""

from pathlib import Path

from edge import Fault
from warehouse import Queries, Store

_CHECKS = Queries(Path(__file__).parent / "sql" / "invariants")


def broken_invariants(store: Store) -> list[Fault]:
    """A fault for each invariant that does not hold; [] where the store is whole."""
    faults = []
    for name in _CHECKS.names():
        rows = store.value(_CHECKS[name])
        if rows:
            message = f"{rows} rows break it: rebuild the store from the log"
            faults.append(Fault("INVARIANT_BROKEN", name, message))
    return faults
