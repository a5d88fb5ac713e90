"""The emitter that a meeting server embeds: typed calls in, events in the journal out.

Owns the calls and what they refuse; time, threads and writing lie in `engine`.

*Accepted* means that the write to the journal file has returned: calls return before that,
`flush` after it. A killed process loses at most `flush_interval_ms`, a power failure at most the
journal's fsync interval.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

from edge import Fault, Refused
from eventlog.journal_writer import JournalWriter
from producers.buffer import INTERIM
from producers.engine import EmitterSettings, Engine
from producers.intake import event_from
from producers.record import OpenRecord, QuantityKind
from schemas import LIMITS

_LONG_MAX: Final = 2**63 - 1
_KNOWN_MAX: Final = 100_000
_DEFAULTS: Final = EmitterSettings()
_NULLABLE: Final = frozenset({"participant_id", "variant"})
_DOUBLES: Final = frozenset({"rtt_ms", "jitter_ms", "cpu", "memory"})
_TEXTS: Final = frozenset(
    {
        "account_id",
        "meeting_id",
        "server_id",
        "server_version",
        "version",
        "region",
        "client",
        "network",
    }
)
_TRIAL: Final[Mapping[str, Any]] = {
    "phase": "START",
    "record_id": bytes(16),
    "started_at": LIMITS.time_us_min,
    "observed_at": LIMITS.time_us_min,
}
_IDLE: Final[Mapping[str, Any]] = dict.fromkeys(
    ("cpu", "memory", "meetings", "participants", "capacity", "egress_bps"), 0
)


class UsageHandle:
    """One open meeting, connection or feature, for whoever started it."""

    __slots__ = ("_engine", "_record")

    def __init__(self, engine: Engine, record: OpenRecord) -> None:
        self._engine, self._record = engine, record

    @property
    def record_id(self) -> UUID:
        """The usage record now being written; another one after each cut."""
        return self._record.uuid

    def update(self, quantity: int | None = None) -> None:
        """Say that it goes on and what its quantity is now (a counter: since the start)."""
        _check_quantity(quantity)
        self._engine.observe(self._record, INTERIM, quantity)

    def stop(self, quantity: int | None = None) -> None:
        """Say that it has ended. A second stop changes nothing."""
        _check_quantity(quantity)
        self._engine.observe(self._record, "STOP", quantity)


class Emitter:
    """Writes one server's facts into its journal. Safe to call from many threads.

    `clock` gives UTC microseconds. With `threaded` a background thread calls `tick`; without it
    the caller does. With `replay` times are taken from the events passed to `emit`: the heartbeats
    promise nothing until the last, whose watermark is the latest time seen.
    """

    def __init__(  # noqa: PLR0913  all but four have names and defaults
        self,
        journal_root: Path,
        server_id: str,
        region: str,
        version: str,
        *,
        clock: Callable[[], int],
        settings: EmitterSettings = _DEFAULTS,
        threaded: bool = True,
        ids: Callable[[], UUID] = uuid4,
        replay: bool = False,
        incarnation: str | None = None,
    ) -> None:
        self._server = {"server_id": server_id, "region": region, "version": version}
        self._known: set[str] = set()
        event_from("servers.load", {**self._server, **_IDLE, "sampled_at": clock()})
        writer = JournalWriter.open(
            journal_root, server_id, fsync=settings.fsync, incarnation=incarnation
        )
        self._source = writer.source
        try:
            self._engine = Engine(
                writer, server_id, settings, clock, ids, threaded=threaded, replay=replay
            )
        except Refused:
            writer.close()
            raise

    @property
    def source(self) -> str:
        return self._source

    @property
    def refused(self) -> Counter[str]:
        """How many events a full buffer gave up, by kind: START, INTERIM, STOP, CANCEL, SAMPLE."""
        return self._engine.refused

    @property
    def accepted(self) -> dict[str, int]:
        """How many events of each topic are accepted so far, in the order they were passed in."""
        return self._engine.accepted

    @property
    def write_failures(self) -> int:
        """How often the journal refused a write; what it refused is kept and tried again."""
        return self._engine.write_failures

    def start_meeting(
        self,
        account_id: str,
        meeting_id: str,
        *,
        quantity: int | None = None,
        kind: QuantityKind = "level",
    ) -> UsageHandle:
        """A meeting begins; its quantity, if any, is the peak of participants so far."""
        return self.start_feature("meeting", account_id, meeting_id, quantity=quantity, kind=kind)

    def start_participant(
        self,
        account_id: str,
        meeting_id: str,
        participant_id: str | None = None,
        *,
        variant: str | None = None,
        quantity: int | None = None,
        kind: QuantityKind = "counter",
    ) -> UsageHandle:
        """A participant's connection begins. `participant_id` is a pseudonym."""
        return self.start_feature(
            "participant",
            account_id,
            meeting_id,
            participant_id,
            variant=variant,
            quantity=quantity,
            kind=kind,
        )

    def start_feature(
        self,
        meter: str,
        account_id: str,
        meeting_id: str,
        participant_id: str | None = None,
        *,
        variant: str | None = None,
        quantity: int | None = None,
        kind: QuantityKind = "counter",
    ) -> UsageHandle:
        """A feature begins. Raises Refused(EVENT_REFUSED) for what would be quarantined."""
        identity = {
            "account_id": account_id,
            "meeting_id": meeting_id,
            "participant_id": participant_id,
            "meter": meter,
            "variant": variant,
            "server_id": self._server["server_id"],
            "region": self._server["region"],
        }
        self._check_ids(identity)
        _check_quantity(quantity)
        return UsageHandle(self._engine, self._engine.start(identity, quantity, kind))

    def quality(  # noqa: PLR0913  one argument per measured value, by name
        self,
        participant: UsageHandle,
        *,
        client: str,
        network: str,
        interval_s: int,
        rtt_ms: float,
        jitter_ms: float,
        packets_received: int,
        packets_lost: int,
        bitrate_bps: int,
        frozen_ms: int,
        join_ms: int | None = None,
    ) -> None:
        """A sample of one connection's quality over the `interval_s` that end now."""
        record = participant._record  # the handle's own side: one package
        event = {
            "record_id": record.record_id,
            "account_id": record.account_id,
            "meeting_id": record.meeting_id,
            "server_id": self._server["server_id"],
            "server_version": self._server["version"],
            "region": self._server["region"],
            "client": client,
            "network": network,
            "interval_s": interval_s,
            "rtt_ms": rtt_ms,
            "jitter_ms": jitter_ms,
            "packets_received": packets_received,
            "packets_lost": packets_lost,
            "bitrate_bps": bitrate_bps,
            "frozen_ms": frozen_ms,
            "join_ms": join_ms,
        }
        self._sample("meetings.quality", event)

    def load(
        self,
        *,
        cpu: float,
        memory: float,
        meetings: int,
        participants: int,
        capacity: int,
        egress_bps: int,
    ) -> None:
        """A sample of this server's load, now."""
        event = {
            **self._server,
            "cpu": cpu,
            "memory": memory,
            "meetings": meetings,
            "participants": participants,
            "capacity": capacity,
            "egress_bps": egress_bps,
        }
        self._sample("servers.load", event)

    def emit(self, topic: str, event: Mapping[str, Any]) -> bool:
        """Pass in one whole event without source and sequence; False where there was no room.

        Raises Refused, with every reason, for what the projector would quarantine.
        """
        return self._engine.pass_in(topic, event_from(topic, event))

    def flush(self) -> None:
        """Return when all that was passed in before is accepted.

        Raises Refused(JOURNAL_WRITE) where the disk refuses; nothing is lost by that.
        """
        self._engine.flush()

    def tick(self, now: int | None = None) -> None:
        """Do what is due at `now` (default: the clock's time): interims, cuts, beats, the write.

        A write that fails is counted and tried again at the next tick.
        """
        self._engine.tick(now)

    def close(self) -> None:
        """Write all that waits, the last state of every open record, and the CLOSE heartbeat.

        Raises Refused(JOURNAL_WRITE) where the disk refuses; then nothing is closed or lost, and
        `close` may be called again.
        """
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_ids(self, fields: Mapping[str, Any]) -> None:
        """Refuse ids that break a rule. Those that passed before need no second look."""
        known = self._known
        if all(
            (value is None and name in _NULLABLE) or (type(value) is str and value in known)
            for name, value in fields.items()
        ):
            return
        event_from("meetings.usage", {**_TRIAL, **fields})
        self._remember(value for value in fields.values() if value is not None)

    def _sample(self, topic: str, event: dict[str, Any]) -> None:
        """Pass in a sample; the engine stamps it in the same breath as it takes it."""
        if not self._evidently_good(event):
            event = event_from(topic, {**event, "sampled_at": LIMITS.time_us_min})
            self._remember(event[name] for name in _TEXTS if name in event)
        self._engine.sample(topic, event)

    def _evidently_good(self, sample: Mapping[str, Any]) -> bool:
        """Whether `sample` needs no closer look: numbers in range, texts that passed before."""
        known = self._known
        for name, value in sample.items():
            kind = type(value)
            if kind is str:
                good = name in _TEXTS and value in known
            elif kind is int:
                good = name not in _TEXTS and 0 <= value <= _LONG_MAX
            elif kind is float:
                good = name in _DOUBLES and 0.0 <= value < math.inf
            else:
                good = name == "record_id" or (value is None and name == "join_ms")
            if not good:
                return False
        return True

    def _remember(self, texts: Iterable[str]) -> None:
        if len(self._known) > _KNOWN_MAX:
            self._known = set()
        self._known.update(texts)


def _check_quantity(quantity: int | None) -> None:
    if quantity is None or (type(quantity) is int and 0 <= quantity <= _LONG_MAX):
        return
    fault = Fault("BAD_FIELD", "quantity", "must be an integer from 0 to 2^63 - 1, or None")
    raise Refused("EVENT_REFUSED", f"{fault.place} {fault.message}", [fault])
