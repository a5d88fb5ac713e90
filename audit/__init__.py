"""Audit: from an invoice back to the events in the log, and whether they still agree.

The one package that reads upstream: it replays the log through the projector into another store and
compares, and reads the events of a record where they lie. Decides nothing about money and changes
no event.
"""

from audit.replay import Stretches, log_so_far, replay, stretches_read
from audit.usage_replay import replay_usage

__all__ = ["Stretches", "log_so_far", "replay", "replay_usage", "stretches_read"]
