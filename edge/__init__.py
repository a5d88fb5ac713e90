"""The edge of the program: faults with stable codes, which every package may raise.

Owns how a fault is named and printed; knows nothing of events, stores or money.
"""

from edge.faults import Fault, Refused

__all__ = ["Fault", "Refused"]
