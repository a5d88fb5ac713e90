"""A fault is one thing wrong with what a user gave us; a refusal carries all of them at once."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def inert(text: str) -> str:
    """`text` on one line for a terminal: what a name holds must not move its cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def nearest(name: str, known: Sequence[str], *, at_most: int = 1) -> str | None:
    """A question after the known names that are nearest to a wrong one; None where none is near."""
    near = difflib.get_close_matches(name, known, n=at_most, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else None


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
