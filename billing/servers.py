"""Servers: which ones a period waits for, and a clerk's word on that.

Owns the lists of expected and retired servers in the books. What they mean for a period is
`billing.completeness`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from billing.audit_trail import Act, record
from billing.completeness import load_servers
from billing.queries import COPIES, GATE
from edge import Fault, Refused, Settings
from edge.faults import nearest
from edge.instants import instant, micros
from edge.settings import is_server
from warehouse import Store, copy_tables

_COPIES: Final = ("told_sources", "told_refusals")


def servers(books: Store, home: Settings, now_us: int) -> list[dict[str, Any]]:
    """Every server that was heard of, is listed or retired, by name. Refuses as `copy_tables`."""
    copy_tables(books, home.usage, "usage", {name: COPIES[name] for name in _COPIES})
    load_servers(books, home, now_us)
    return [{**row, "missing": "; ".join(_missing(row))} for row in books.records(GATE["servers"])]


def _missing(row: dict[str, Any]) -> list[str]:
    """In words, without regard to any period."""
    if row["retired_on"] and not row["heard_again"]:
        return []
    told = {
        "was never heard": not row["heard"],
        "was heard again after it was retired": row["retired_on"] is not None,
        f"{row['unheard']} sources without a heartbeat": row["unheard"],
        f"{row['lost']} events of usage lost": row["lost"],
        f"{row['in_flight']} promised and not read: `homemeeting consume`": row["in_flight"],
        f"{row['refused']} refused for want of room": row["refused"],
    }
    return [words for words, holds in told.items() if holds]


def retire(books: Store, home: Settings, names: Sequence[str], on: date, act: Act) -> list[str]:
    """Lets these servers go from a day (UTC) on; what to know of each. `act` says who, when and
    why. Refuses with RETIRE_REFUSED, every fault listed: DATE_FUTURE, NAMED_TWICE, SERVER_UNKNOWN,
    SERVER_HEARD (it still speaks, and nothing that fell silent would be let go).
    """
    known = {row["server_id"]: row for row in servers(books, home, act.at_us)}
    faults = [] if on <= instant(act.at_us).date() else [_future(on, act)]
    faults += _named_twice(names)
    remarks, rows = [], []
    for name in dict.fromkeys(names):
        found = _retired(books, known, name, on)
        if isinstance(found, Fault):
            faults.append(found)
            continue
        remarks += [found]
        if known[name]["retired_on"] != on:
            rows.append(known[name])
    if faults:
        raise Refused("RETIRE_REFUSED", f"{len(faults)} faults; no server was retired", faults)
    with books.transaction():
        for row in rows:
            _retire(books, row, on, act)
    listed = [name for name in names if name in home.expected_servers]
    return remarks + [
        f"{name} stays in [billing] expected_servers: take it out there too" for name in listed
    ]


def expect(books: Store, home: Settings, names: Sequence[str], act: Act) -> list[str]:
    """Lists these servers, heard of or not, and takes a retirement back; what to know of each.
    Refuses with EXPECT_REFUSED, every fault listed: BAD_SERVER, NAMED_TWICE.
    """
    message = "is no server id: 1 to 128 of A-Z a-z 0-9 _ . : @ + -"
    faults = [Fault("BAD_SERVER", name, message) for name in names if not is_server(name)]
    faults += _named_twice(names)
    if faults:
        raise Refused("EXPECT_REFUSED", f"{len(faults)} faults; no server was listed", faults)
    remarks = []
    with books.transaction():
        listed = {*home.expected_servers, *_names(books, "SELECT server_id FROM expected_servers")}
        retired = _names(books, "SELECT server_id FROM retired_servers")
        for name in names:
            if name in listed and name not in retired:
                remarks.append(f"{name} was expected already")
                continue
            books.execute("DELETE FROM retired_servers WHERE server_id = ?", [name])
            books.execute("DELETE FROM expected_servers WHERE server_id = ?", [name])
            row = [name, act.who, act.at_us]
            books.execute("INSERT INTO expected_servers VALUES (?, ?, ?)", row)
            record(books, [replace(act, subject=name, details={"was_retired": name in retired})])
            remarks.append(f"{name} is expected{' again' if name in retired else ''}")
    return remarks


def _retired(books: Store, known: dict[str, dict[str, Any]], name: str, on: date) -> str | Fault:
    """What to know of a server that is retired, or why it cannot be."""
    if name not in known:
        near = nearest(name, list(known), at_most=3)
        message = f"nobody has heard of it and nobody lists it{f': {near}' if near else ''}"
        return Fault("SERVER_UNKNOWN", name, message)
    if known[name]["retired_on"] == on:
        return f"{name} was retired so already"
    silent = micros(datetime.combine(on + timedelta(1), time(), UTC))
    heard = known[name]["heard_us"] or 0
    if heard < silent:
        return f"{name} is retired: periods that end after {on} began do not wait for it"
    told = {"server_id": name, "heard_us": heard, "silent_us": silent}
    count = books.value(GATE["silent_sources"], told)
    if not count:
        message = f"was heard at {instant(heard):%Y-%m-%d %H:%M:%S} UTC: it is not gone since {on}"
        return Fault("SERVER_HEARD", name, message)
    return (
        f"{name} speaks still and is waited for; let go are {count} of its sources, not heard"
        f" after {on}"
    )


def _retire(books: Store, row: dict[str, Any], on: date, act: Act) -> None:
    """What was listed stays so: a period that closes without it says by whose word."""
    name = row["server_id"]
    books.execute("DELETE FROM retired_servers WHERE server_id = ?", [name])
    told = [name, on, act.reason, act.who, act.at_us]
    books.execute("INSERT INTO retired_servers VALUES (?, ?, ?, ?, ?)", told)
    heard = row["heard_us"]
    details = {"on": str(on), "last_heard": heard and instant(heard).isoformat()}
    record(books, [replace(act, subject=name, details=details)])


def _names(books: Store, sql: str) -> set[str]:
    return {name for (name,) in books.rows(sql)}


def _named_twice(names: Sequence[str]) -> list[Fault]:
    twice = dict.fromkeys(name for at, name in enumerate(names) if name in names[:at])
    return [Fault("NAMED_TWICE", name, "stands here more than once") for name in twice]


def _future(on: date, act: Act) -> Fault:
    today = f"it is {instant(act.at_us).date()} in UTC"
    return Fault("DATE_FUTURE", "--on", f"{on} is not yet, {today}: retire it when it is gone")
