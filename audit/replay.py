"""Replaying the log: exactly the stretches of it that a usage store was made of, once more.

Owns the promise that a replay has read all of them or is refused with LOG_GONE.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from consumers import Projector
from edge import Fault, Refused
from eventlog import Damage, LogSource, Partition, Slice
from eventlog.slices import gone
from schemas import TOPICS
from warehouse import Store

Stretches = Mapping[Partition, tuple[int, int]]
"""Of each partition the first position and the one to stop before."""
GivenUp = Mapping[str, frozenset[bytes]]
"""By topic, the messages that somebody dismissed."""

_EVENTS_MAX = 100_000
_WAIT_S = 0.5
_READ = """
SELECT log, topic, "partition", min(start), max(next) FROM old.batches GROUP BY ALL
"""


def stretches_read(store: Store, source: LogSource, topics: Iterable[str] = TOPICS) -> Stretches:
    """What the store attached as `old` to `store` has read of the kind of log that `source` is,
    and of these topics. What it read of the other kind is left out.
    """
    names = set(topics)
    is_journal = reads_journal(source, names)
    found = {Partition(*place): (first, after) for *place, first, after in store.rows(_READ)}
    return {
        place: one
        for place, one in found.items()
        if place.topic in names and place.is_journal == is_journal
    }


def log_so_far(source: LogSource) -> Stretches:
    """All that the log ever held, up to its present end."""
    ends = source.ends(TOPICS)
    return {place: (place.begin, end) for place, end in ends.items()}


def reads_journal(source: LogSource, topics: Iterable[str]) -> bool:
    """Kafka's topics are there before they are read; a journal may have nothing yet."""
    return all(place.is_journal for place in source.begins(topics))


def replay(  # noqa: PLR0913  all but four have names and defaults
    store: Store,
    source: LogSource,
    stretches: Stretches,
    clock: Callable[[], int],
    *,
    sample_days: int,
    given_up: GivenUp | None = None,
    progress: Callable[[int], object] = lambda offsets: None,
) -> int:
    """Project `stretches` of `source` into the empty `store`; the number of messages.

    Guarantees that every message of every stretch, and no other, went through the projector, at
    the place where the log has it; that `store` then stands where the stretches end; and that a
    message of `given_up` is in quarantine, whatever the projector would make of it today. Lag
    tools are told nothing, and no ceiling of the quarantine stops it.

    Refuses as `read_stretches`.
    """
    projector = Projector(store, clock, sample_days=sample_days)
    read = 0
    for slices in read_stretches(source, stretches):
        kept = [_held_back(piece, given_up or {}) for piece in slices]
        read += sum(len(piece.payloads) for piece in slices)
        projector.apply(kept, source.ends)
        progress(sum(piece.next - piece.start for piece in slices))
    return read


def read_stretches(source: LogSource, stretches: Stretches) -> Iterator[list[Slice]]:
    """All of `stretches`, a batch of slices at a time, in order within each partition.

    Refuses, before the first batch, with LOG_GONE and a fault for every partition of which an
    offset is missing: deleted from Kafka and in no archive, pruned from the journal, or in a
    journal that was restored from an older copy; with TOPIC_CHANGED where a topic was made anew;
    and whenever it reads, as the log does.
    """
    source.assign({place: first for place, (first, _) in stretches.items()})
    _refuse_gone(source, stretches)
    at = {place: first for place, (first, _) in stretches.items()}
    while any(at[place] < after for place, (_, after) in stretches.items()):
        slices = [
            _up_to(piece, stretches[piece.partition][1])
            for piece in source.poll(_EVENTS_MAX, _WAIT_S)
            if piece.partition in stretches and piece.start < stretches[piece.partition][1]
        ]
        if slices:
            at.update({piece.partition: piece.next for piece in slices})
            yield slices


def _refuse_gone(source: LogSource, stretches: Stretches) -> None:
    topics = {place.topic for place in stretches}
    begins, ends = source.begins(topics), source.ends(topics)
    faults: list[Fault] = []
    for place, (first, after) in sorted(stretches.items()):
        begin, end = begins.get(place, first), ends.get(place, first)
        if first < min(begin, after):
            faults.append(gone(place, first, begin))
        elif end < after:
            text = f"ends at {end}, offsets {end} to {after - 1} are gone: put back what was there"
            faults.append(Fault("LOG_GONE", place.where, text))
    if faults:
        what = "the log no longer holds all that was read of it; nothing was changed"
        raise Refused("LOG_GONE", what, faults)


def _up_to(piece: Slice, after: int) -> Slice:
    """`piece` without what stands at `after` or behind it."""
    if piece.next <= after:
        return piece
    count = sum(offset < after for offset in piece.offsets)
    damages = tuple(one for one in piece.damages if one.offset < after)
    return replace(_only(piece, range(count)), next=after, damages=damages)


def _held_back(piece: Slice, given_up: GivenUp) -> Slice:
    """`piece` with what was given up as bytes that nobody can read."""
    dismissed = given_up.get(piece.partition.topic)
    if not dismissed or dismissed.isdisjoint(piece.payloads):
        return piece
    kept = [n for n, payload in enumerate(piece.payloads) if payload not in dismissed]
    held = [n for n, payload in enumerate(piece.payloads) if payload in dismissed]
    given = [
        Damage(piece.offsets[n], piece.payloads[n], "DISMISSED", "given up before") for n in held
    ]
    return replace(_only(piece, kept), damages=(*piece.damages, *given))


def _only(piece: Slice, numbers: Sequence[int]) -> Slice:
    """`piece` with no other messages than those numbered so."""
    return replace(
        piece,
        offsets=[piece.offsets[n] for n in numbers],
        payloads=[piece.payloads[n] for n in numbers],
        sources=[piece.sources[n] for n in numbers],
        arrived_us=[piece.arrived_us[n] for n in numbers] if piece.arrived_us else None,
    )
