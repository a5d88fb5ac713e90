"""One usage record while it is open: its identity, its cumulative state, its cut after 24 hours.

Owns which events a record gives rise to and with what content; knows no buffer and no thread.
"""

from typing import Any, Literal
from uuid import UUID

QuantityKind = Literal["counter", "level"]
Event = dict[str, Any]


class OpenRecord:
    """A measured thing as its caller sees it: one start, one stop, however many records between.

    A *counter* is the caller's total since its start: a cut begins again at 0. A *level*, such as
    a peak, stands where it stood. Either never falls within a record.
    """

    __slots__ = ("_base", "_given", "_identity", "_kind", "continues", "quantity", "record_id",
                 "seen_at", "started_at", "stopped")  # fmt: skip

    def __init__(
        self,
        identity: Event,
        record_id: bytes,
        started_at: int,
        quantity: int | None,
        kind: QuantityKind,
    ) -> None:
        assert kind in ("counter", "level"), f"{kind!r} is neither a counter nor a level"
        self._identity = identity
        self._kind = kind
        self._given = self.quantity = quantity
        self._base = 0
        self.record_id = record_id
        self.started_at = self.seen_at = started_at
        self.continues: bytes | None = None
        self.stopped = False

    @property
    def account_id(self) -> str:
        return str(self._identity["account_id"])

    @property
    def meeting_id(self) -> str:
        return str(self._identity["meeting_id"])

    @property
    def uuid(self) -> UUID:
        return UUID(bytes=self.record_id)

    def observe(self, given: int | None) -> None:
        """Take what the caller says the quantity is now; None says nothing."""
        if given is None:
            return
        self._given = max(given, self._given or 0) if self._kind == "counter" else given
        self.quantity = max(self._given - self._base, self.quantity or 0)

    def event(self, phase: str, at: int) -> Event:
        """The record's state at `at`, as an event still without source and sequence. Once it is
        taken, `seen_at` says so.
        """
        return {
            **self._identity,
            "phase": phase,
            "record_id": self.record_id,
            "started_at": self.started_at,
            "observed_at": max(at, self.seen_at),
            "quantity": self.quantity,
            "continues": self.continues,
        }

    def go_on(self, record_id: bytes, at: int) -> None:
        """Begin the record that continues this one, from the very instant `at`."""
        self.continues, self.record_id = self.record_id, record_id
        self.started_at = self.seen_at = at
        if self._given is None:
            return
        if self._kind == "counter":
            self._base, self.quantity = self._given, 0
        else:
            self.quantity = self._given
