"""The whole line in one process: servers, journal, wire, projector and store, on an injected clock.

Owns what each step of a plan does and what must hold; draws nothing. A step that has nothing to
work on does nothing, so that a plan from which steps were taken can still be run.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from edge import Refused
from eventlog import JournalSource, LogSource, Partition
from tests import recount
from tests.command_line import run_here
from tests.oracle_calendar import EPOCH
from tests.oracle_log import Event
from tests.test_projector import _daily as stored_daily
from tests.test_projector import _records as stored_records
from tests.trouble_disk import Disk, How
from tests.trouble_journal import USAGE, Told
from tests.trouble_servers import SERVERS, Server
from tests.trouble_store import Death, Portions, Watched, open_small
from tests.trouble_wire import Message, Wire, WireSource
from warehouse import Store

BEGUN_US: Final = 1_790_640_000_000_000  # 2026-09-29T00:00:00Z
Route = Literal["journal", "wire"]
OTHER: Final = "other"  # the account that records in conflict are told of
Step = list[Any]  # its name and what it is told: plain data
_IDENTITY: Final = (*recount.IDENTITY, "server_id", "region")


class Line(ExitStack):
    """What stands in `home`. `is_cut`: the power has taken from the journal what was read of it."""

    def __init__(self, home: Path, route: Route) -> None:
        super().__init__()
        self.home, self.route = home, route
        self.now_us = BEGUN_US
        self.journal = home / "journal"
        self.disk = Disk()
        self.enter_context(self.disk.installed())
        self.servers = {
            name: Server(name, self.disk, self.journal, lambda: self.now_us)
            for name in (*SERVERS, "corrections")
        }
        self.told = Told(self.journal)
        self.wire = Wire()
        self.passed: set[bytes] = set()
        self.tally: Counter[str] = Counter()
        self._skew_us = 0
        self._read_and_cut: dict[tuple[str, str, int], bytes] = {}
        self._forwarded = JournalSource(self.journal)
        self._forwarded.assign({})
        self._store: Store | None = None
        self.callback(self.close_store)

    def take(self, step: Step) -> None:
        name, *told = step
        act: Callable[..., None] = getattr(self, f"_{name}")
        act(*told)
        self.tally[name] += 1

    # Time, and what meeting servers do.

    def _wait(self, us: int) -> None:
        self.now_us += us

    def _skew(self, server: str | None, us: int) -> None:
        """Of one server's clock, or of the projector's."""
        if server is None:
            self._skew_us = us
        else:
            self.servers[server].skew_us = us

    def _open(self, server: str, is_careful: bool) -> None:
        if self.servers[server].emitter is None:  # one that is asked nothing hears no time
            self.servers[server].open(is_careful=is_careful)

    def _begin(self, server: str, meter: str, account: str, told: dict[str, Any]) -> None:
        self.servers[server].begin(meter, account, **told)

    def _update(self, server: str, nth: int, quantity: int | None) -> None:
        self.servers[server].observe(nth, quantity, stops=False)

    def _stop(self, server: str, nth: int, quantity: int | None) -> None:
        self.servers[server].observe(nth, quantity, stops=True)

    def _sample(self, server: str, nth: int) -> None:
        self.servers[server].sample(nth)

    def _tick(self, server: str) -> None:
        self.servers[server].tick()

    def _flush(self, server: str) -> None:
        self.servers[server].flush()

    def _close(self, server: str) -> None:
        self.servers[server].close()

    def _write_through(self, server: str) -> None:
        if (folder := self.servers[server].folder).is_dir():
            self.disk.write_through(folder)

    def _kill(self, server: str, act: str, calls: int, how: How) -> None:
        self.servers[server].kill(act, calls, how)

    def _power(self, server: str, calls: int, permille: int) -> None:
        """Fails while it flushes. What was read of the journal before was accepted."""
        self.servers[server].kill("flush", calls, "torn")
        positions = self._positions() if self.route == "journal" else {}
        for topic, source, first, payloads in self.told.segments(server) if positions else ():
            read = positions.get(Partition("journal", topic, source), 1) - first
            for number, payload in enumerate(payloads[: max(read, 0)], first):
                self._read_and_cut[topic, source, number] = payload
        self.servers[server].fail(permille)

    # What comes late, twice, or is withdrawn, by way of the emitter.

    def _late(self, server: str, event: dict[str, Any]) -> None:
        """A record of another day, told as a whole."""
        self.pass_in(server, [{**event, "record_id": bytes.fromhex(event["record_id"])}])

    def _again(self, server: str, nth: int, change: dict[str, Any]) -> None:
        """Something that a journal has, from another source: the same, withdrawn, or of another
        account, which is a conflict.
        """
        if event := self.told.any_usage(nth):
            self.pass_in(server, [{**event, **change}])

    def pass_in(self, server: str, events: Iterable[Mapping[str, Any]]) -> None:
        told = [{"server_id": server, "region": "eu", **one} for one in events]
        self.passed |= {one["record_id"] for one in told}
        names = (*_IDENTITY, "phase", "observed_at", "quantity", "continues")
        self.servers[server].pass_in({name: one[name] for name in names} for one in told)

    # The wire.

    def _forward(self, count: int) -> bool:
        """Whether there was anything to send."""
        found = self._forwarded.poll(count, 0.0) if self.route == "wire" else []
        for piece in found:
            topic, source = piece.partition.topic, piece.partition.partition
            self.wire.send([Message(topic, source, one) for one in piece.payloads])
        return bool(found)

    def _deliver(self, count: int) -> None:
        self.wire.deliver(count, self.now_us)

    def _mark(self) -> None:
        self.wire.mark()

    def _duplicate(self, nth: int, to: int) -> None:
        """Of what was ever sent, something comes once more: at once, or long afterwards."""
        flight, sent = self.wire.flight, self.wire.sent
        if sent:
            flight.insert(to % (len(flight) + 1), sent[-1 - nth % len(sent)])

    def _shuffle(self, keys: list[int]) -> None:
        """Each of the first few goes to where its key says."""
        count = len(keys)
        order = sorted(range(len(self.wire.flight[:count])), key=lambda at: keys[at])
        self.wire.flight[:count] = [self.wire.flight[at] for at in order]

    def _delay(self, nth: int, us: int) -> None:
        if flight := self.wire.flight:
            one = flight[nth % len(flight)]
            flight[nth % len(flight)] = Message(
                one.topic, one.source, one.payload, self.now_us + us
            )

    def _drop(self, nth: int) -> None:
        """And sent again, behind all others."""
        if flight := self.wire.flight:
            flight.append(flight.pop(nth % len(flight)))

    def _corrupt(self, nth: int, how: str, at: int, is_resent: bool) -> None:
        if flight := self.wire.flight:
            one = flight[nth % len(flight)]
            broken = Message(one.topic, one.source, break_bytes(one.topic, one.payload, how, at))
            flight[nth % len(flight)] = broken
            if is_resent:
                flight.append(one)

    # The projector.

    def _project(self, sizes: list[int]) -> None:
        Watched(self.store(), self._clock).run_once(Portions(self._source(), sizes))

    def _kill_projector(self, events_max: int, calls: int, how: How, permille: int) -> None:
        self.close_store()
        death = Death(self.home, calls, how, permille)
        with death.awaited(), open_small(self.home / "usage.duckdb").closing() as store:
            Watched(store, self._clock).run_once(self._source(), events_max=events_max)
            death.come()  # while it waits for more
        Watched(self.store(), self._clock).apply([])

    def _zombie(self) -> None:
        """One that has read what another commits meanwhile is rolled back."""
        zombie, source = Watched(self.store(), self._clock), self._source()
        source.assign(zombie.positions())
        read = source.poll(1000, 0.0)
        self._project([])
        if read:
            with pytest.raises(Refused, match="POSITION_MOVED"):
                zombie.apply(read)

    def store(self) -> Store:
        if self._store is None:
            self._store = open_small(self.home / "usage.duckdb")
        return self._store

    def close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _source(self) -> LogSource:
        return WireSource(self.wire) if self.route == "wire" else JournalSource(self.journal)

    def _clock(self) -> int:
        return self.now_us + self._skew_us

    def _positions(self) -> dict[Partition, int]:
        return Watched(self.store(), self._clock).positions()

    # What must hold.

    def log(self) -> list[tuple[str, bytes]]:
        """Topic and value of all that the log accepted, read from its bytes."""
        if self.route == "wire":
            lists = self.wire.entries.items()
            return [(at.topic, one.message.payload) for at, entries in lists for one in entries]
        found = {**self._read_and_cut}
        for topic, source, number, payload in self.told.messages():
            assert found.setdefault((topic, source, number), payload) == payload
        return [(topic, payload) for (topic, _, _), payload in found.items()]

    def accepted(self) -> list[Event]:
        return self._usage(self.log())

    def rest(self) -> None:
        """All servers close in good order, and all that is under way arrives."""
        for one in self.servers.values():
            one.close()
        while self.route == "wire" and self._forward(1000):
            pass
        self.now_us = max([self.now_us, *(one.due_us for one in self.wire.flight)])
        self._deliver(len(self.wire.flight))

    def check(self) -> None:
        """All is read; then the store is what a recount of the log is."""
        self._project([])
        log, store = self.log(), self.store()
        events = self._usage(log)
        assert stored_records(store) == recount.records(events)
        assert stored_daily(store) == recount.daily(events)
        valid = [(topic, payload, self.told.event(topic, payload)) for topic, payload in log]
        numbers: dict[tuple[str, str], set[int]] = defaultdict(set)
        for topic, _, event in valid:
            if event is not None:
                numbers[topic, event["source"]].add(event["sequence"])
        rows = store.rows("SELECT topic, source, first, last FROM sequences ORDER BY ALL")
        assert rows == [
            (*place, *span) for place in sorted(numbers) for span in spans(numbers[place])
        ]
        samples = sum(len(some) for (at, _), some in numbers.items() if at == "meetings.quality")
        assert (store.value("SELECT sum(samples) FROM quality_hourly") or 0) == samples
        broken = {(topic, payload) for topic, payload, event in valid if event is None}
        rows = store.rows("SELECT topic, payload FROM quarantine")
        assert sorted((topic, bytes(payload)) for topic, payload in rows) == sorted(broken)

    def has_whole_log(self) -> bool:
        """Whether commands find in the journal all that was read of it: no power has failed since
        it was read.
        """
        there = {(topic, source, at) for topic, source, at, _ in self.told.messages()}
        return self.route == "journal" and self._read_and_cut.keys() <= there

    def check_rebuilt(self) -> None:
        """What the log is read again for is what stands."""
        self.close_store()
        if self.has_whole_log():
            now = EPOCH + timedelta(microseconds=self.now_us)
            done = run_here(self.home, "rebuild", now=now.isoformat())
            assert done.returncode == 0, done.stdout + done.stderr
            self.tally["rebuilt"] += 1

    def _usage(self, payloads: Iterable[tuple[str, bytes]]) -> list[Event]:
        """As `oracle_log.usage`."""
        found = (self.told.event(topic, one) for topic, one in payloads if topic == USAGE)
        return [one for one in found if one is not None]

    def check_servers(self) -> None:
        """What the journals hold is what callers know: nothing else, nor less than was flushed."""
        told = self._usage((topic, one) for topic, _, _, one in self.told.messages())
        states = recount.records(told)
        issued = set().union(*(one.issued for one in self.servers.values()))
        assert {key[0] for key in states} <= issued | self.passed
        mine = {key: state for key, state in states.items() if key[2] != OTHER}
        for one in self.servers.values():
            one.check(mine)
            one.check_settled(self.told.messages(one.name))


def spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as closed intervals, none adjacent to another."""
    found: list[tuple[int, int]] = []
    for one in sorted(numbers):
        if found and found[-1][1] == one - 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return found


def break_bytes(topic: str, payload: bytes, how: str, at: int) -> bytes:
    """Of usage any bit may flip: what is then still an event counts as one. Others are cut."""
    if how == "flip" and topic == "meetings.usage":
        place = at // 8 % len(payload)
        return payload[:place] + bytes([payload[place] ^ 1 << at % 8]) + payload[place + 1 :]
    if how == "trail":
        return payload + b"\0"
    if how == "magic":
        return b"\xc3\x02" + payload[2:]
    return payload[: at % len(payload)]
