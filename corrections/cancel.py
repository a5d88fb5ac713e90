"""Withdrawing identities of usage records: which ones are meant, why, and the events that say so.

Owns the order of things: the reason is in the books before the event is in the journal, for a
reason without an event is harmless and an event without a reason is not.
"""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from billing import open_books
from billing.audit_trail import Act, record
from corrections.identities import Identity, find_identities
from edge import Fault, Refused, Settings
from edge.output import plain
from eventlog import JournalSource, KafkaSettings
from producers import Emitter, Forwarder
from schemas import decode

SERVER_ID: Final = "corrections"
_HASH: Final = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
_FORM: Final = "must be a record id, which is a UUID, or RECORD:HASH with 4 to 64 hex digits"

_USAGE: Final = "meetings.usage"
_OF_IDENTITY: Final = (
    *("record_id", "started_at", "account_id", "meeting_id", "participant_id", "meter", "variant"),
)
_EVENTS_MAX: Final = 10_000

_Asked = tuple[UUID, str | None]


def choose(usage: Path, words: Sequence[str]) -> list[Identity]:
    """The identities that RECORD or RECORD:HASH name, those cancelled before too.

    Refuses with CANCEL_REFUSED and a fault for every word that does not name one alone, and as
    `read_store`.
    """
    asked = [_parse(word) for word in words]
    records = [one[0] for one in asked if not isinstance(one, Fault)]
    known = find_identities(usage, records) if records else {}
    chosen: dict[Identity, str] = {}
    faults = []
    for word, one in zip(words, asked, strict=True):
        found = one if isinstance(one, Fault) else _match(word, one[1], known.get(one[0], []))
        if isinstance(found, Fault):
            faults.append(found)
        elif found in chosen:
            faults.append(Fault("NAMED_TWICE", word, f"{chosen[found]} names it already"))
        else:
            chosen[found] = word
    if faults:
        summary = f"{len(faults)} of {len(words)} arguments have a fault; nothing was cancelled"
        raise Refused("CANCEL_REFUSED", summary, faults)
    return list(chosen)


def in_journal(journal: Path, identities: Sequence[Identity]) -> list[Identity]:
    """Those of them that a CANCEL in the journal withdraws, which need not be projected yet. A
    reason in the books is none: its event may have been refused. Refuses with JOURNAL_UNREADABLE.
    """
    source = JournalSource(journal, [_USAGE], SERVER_ID)
    told: set[tuple[Any, ...]] = set()
    while slices := source.poll(_EVENTS_MAX, 0.0):
        for piece in slices:
            for event in decode(_USAGE, piece.payloads).columns.to_pylist():
                if event["phase"] == "CANCEL":
                    told.add(tuple(event[name] for name in _OF_IDENTITY))
    events = {one: _event(one) | {"record_id": one.record_id.bytes} for one in identities}
    return [
        one for one, event in events.items() if tuple(event[name] for name in _OF_IDENTITY) in told
    ]


def cancel(
    home: Settings, identities: Sequence[Identity], reason: str, clock: Callable[[], int]
) -> None:
    """Records why in the books, then writes a CANCEL of each identity into the journal, which is
    closed. Refuses as `open_books` and the emitter; may be repeated then.
    """
    at_us = clock()
    with open_books(home) as books, books.transaction():
        record(
            books,
            (
                Act(at_us, home.user, "usage cancel", str(one), reason, _details(one))
                for one in identities
            ),
        )
    with Emitter(
        home.journal, SERVER_ID, "none", "cancel", clock=clock, threaded=False, replay=True
    ) as emitter:
        for one in identities:
            while not emitter.emit(_USAGE, _event(one)):
                emitter.flush()


def forward(home: Settings) -> bool:
    """Sends the journal to Kafka; False where a running forwarder does that.

    Refuses where Kafka does not take it; what was cancelled stays in the journal.
    """
    kafka = KafkaSettings.of(home)
    try:
        with Forwarder(home.journal, kafka, sleep=time.sleep) as forwarder:
            forwarder.run_once()
    except Refused as refused:
        if refused.code == "LOCK_HELD":
            return False
        advice = "the journal keeps what was cancelled: mend it, then `homemeeting forward --once`"
        raise Refused(refused.code, f"{refused.summary}; {advice}", refused.faults) from refused
    return True


def _parse(word: str) -> _Asked | Fault:
    text, colon, digits = word.partition(":")
    try:
        record_id = UUID(text)
    except ValueError:
        return Fault("BAD_RECORD", word, _FORM)
    if colon and not _HASH.fullmatch(digits.lower()):
        return Fault("BAD_RECORD", word, _FORM)
    return record_id, digits.lower() if colon else None


def _match(word: str, digits: str | None, known: Sequence[Identity]) -> Identity | Fault:
    """The one of a record's identities that is meant."""
    if not known:
        return Fault("RECORD_UNKNOWN", word, "no such record has been projected: see `status`")
    found = [one for one in known if digits is None or one.sha256.startswith(digits)]
    if len(found) == 1:
        return found[0]
    if digits is None:
        message = f"has {len(found)} identities: name one of {_list(found)}"
        return Fault("HASH_MISSING", word, message)
    if found:
        return Fault("HASH_AMBIGUOUS", word, f"may be any of {_list(found)}: give more digits")
    return Fault("HASH_UNKNOWN", word, f"is none of its identities, which are {_list(known)}")


def _list(identities: Sequence[Identity]) -> str:
    return ", ".join(f"{one}{' (cancelled)' if one.cancelled else ''}" for one in identities)


def _details(one: Identity) -> dict[str, Any]:
    found: dict[str, Any] = plain({**one.row(), "hash": one.sha256})
    return found


def _event(one: Identity) -> dict[str, Any]:
    """Its identity and last sight again, so that nothing changes but that it is withdrawn."""
    return {
        "phase": "CANCEL",
        "record_id": one.record_id,
        "account_id": one.account_id,
        "meeting_id": one.meeting_id,
        "participant_id": one.participant_id,
        "meter": one.meter,
        "variant": one.variant,
        "server_id": SERVER_ID,
        "region": "none",
        "started_at": one.started_us,
        "observed_at": one.last_seen_us,
    }
