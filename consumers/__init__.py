"""The projector: batches of the log become one transaction each on the usage store.

Owns positions, deduplication, aggregates, quarantine and the invariants among them; it knows
nothing of prices. Nothing here reads the clock: it is given.
"""

from consumers.invariants import broken_invariants, verify_usage
from consumers.projector import Applied, Projector
from consumers.quarantine import dismiss, open_rows, retry

__all__ = [
    "Applied",
    "Projector",
    "broken_invariants",
    "dismiss",
    "open_rows",
    "retry",
    "verify_usage",
]
