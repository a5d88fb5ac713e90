"""What meeting servers embed: the emitter into the journal, and the forwarder from it to Kafka.

Writes facts and judges each by itself; never reads what becomes of them.
"""

from producers.buffer import Buffer
from producers.emitter import Emitter, UsageHandle
from producers.engine import EmitterSettings
from producers.forwarder import Forwarder
from producers.intake import event_from
from producers.record import QuantityKind

__all__ = [
    "Buffer",
    "Emitter",
    "EmitterSettings",
    "Forwarder",
    "QuantityKind",
    "UsageHandle",
    "event_from",
]
