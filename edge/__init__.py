"""The edge of the program: faults with stable codes, settings, and what every command shares.

Owns how a fault is named and printed and how data is written; knows nothing of events or money.
"""

from edge.faults import Fault, Refused
from edge.settings import Settings, load_settings

__all__ = ["Fault", "Refused", "Settings", "load_settings"]
