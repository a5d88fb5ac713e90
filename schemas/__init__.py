"""The contracts: versioned Avro schemas, the codec, and the rules of a single event.

Bytes in, rows out, and back. Judges an event by itself, never by the clock or by its neighbours.
"""

from schemas.codec import Decoded, DecodeFailure, decode, encode, peek
from schemas.contracts import CONTRACTS, TOPICS, Contract
from schemas.rules import LIMITS, violations

__all__ = [
    "CONTRACTS",
    "LIMITS",
    "TOPICS",
    "Contract",
    "DecodeFailure",
    "Decoded",
    "decode",
    "encode",
    "peek",
    "violations",
]
