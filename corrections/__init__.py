"""Corrections: a wrong fact in the log is withdrawn by another fact, never edited.

Owns the one way upstream: it reads what the projector made of the log and writes CANCEL events
into it. A person decides that, gives a reason, and the books keep it.
"""

from corrections.cancel import cancel, choose, forward, in_journal
from corrections.identities import Identity, find_conflicts, find_identities

__all__ = [
    "Identity",
    "cancel",
    "choose",
    "find_conflicts",
    "find_identities",
    "forward",
    "in_journal",
]
