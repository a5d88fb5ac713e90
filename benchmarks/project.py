"""Events per second of the projector on simulated events, as a share of draining their journal.

Run: `python benchmarks/project.py [ACCOUNTS] [DAYS] [DIR]`. Prints peak memory too, of the whole
process and thus of the simulator with it, which needs the least.
"""

import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

from consumers import Projector, broken_invariants
from eventlog import JournalSource
from producers.simulator import Workload, simulate
from warehouse import open_store

_FIRST_DAY = 20_727  # 2026-10-01
_SEED = 1
_BATCH = 100_000


def _drain(journal: Path) -> tuple[int, float]:
    """Messages read and seconds needed by the journal reader alone."""
    source = JournalSource(journal)
    source.assign({})
    count, begin = 0, time.perf_counter()
    while slices := source.poll(_BATCH, 0):
        count += sum(len(piece.payloads) for piece in slices)
    return count, time.perf_counter() - begin


def _project(journal: Path, file: Path) -> tuple[int, float]:
    with open_store(file, "usage").closing() as store:
        projector = Projector(store, itertools.count(1_790_000_000_000_000).__next__)
        begin = time.perf_counter()
        count = projector.run_once(JournalSource(journal), events_max=_BATCH)
        seconds = time.perf_counter() - begin
        assert not store.rows("SELECT 1 FROM quarantine LIMIT 1"), "simulated events are all good"
        assert broken_invariants(store) == []
    return count, seconds


def _peak_mib() -> float:
    """The process's peak memory; Linux counts KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(accounts: int, days: int, root: Path) -> None:
    journal = root / "journal"
    begin = time.perf_counter()
    events = simulate(journal, Workload(accounts, _FIRST_DAY, _FIRST_DAY + days, _SEED))
    seconds = time.perf_counter() - begin
    print(f"seed {_SEED}, {accounts} accounts, {days} days: {events:,} events")
    print(f"simulator   {events / seconds:10,.0f} events/s  {_peak_mib():7,.0f} MiB peak")
    count, seconds = _drain(journal)
    assert count == events, f"{count} drained of {events}"
    raw = count / seconds
    print(f"raw drain   {raw:10,.0f} events/s  {_peak_mib():7,.0f} MiB peak")
    count, seconds = _project(journal, root / "usage.duckdb")
    assert count == events, f"{count} projected of {events}"
    rate = count / seconds
    share = rate / raw
    print(f"projector   {rate:10,.0f} events/s  {_peak_mib():7,.0f} MiB peak  {share:.1%} of raw")


if __name__ == "__main__":
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as folder:
        main(accounts, days, Path(folder))
