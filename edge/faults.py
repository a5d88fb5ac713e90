"""A fault is one thing wrong with what a user gave us; a refusal carries all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass


def inert(text: str) -> str:
    """`text` on one line for a terminal: what a name holds must not move its cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: a stable `code`, the `place` it was found at, and what to do about it."""

    code: str
    place: str
    message: str

    def __str__(self) -> str:
        parts = (self.code, self.place, self.message) if self.place else (self.code, self.message)
        return inert(": ".join(parts))


class Refused(Exception):
    """An operation was refused; nothing of it was done unless `summary` says otherwise.

    `faults` lists every fault found, in the order of their places; `code` is stable.
    """

    def __init__(self, code: str, summary: str, faults: Iterable[Fault] = ()) -> None:
        self.code = code
        self.summary = summary
        self.faults = tuple(faults)
        super().__init__(inert(f"{code}: {summary}"))
