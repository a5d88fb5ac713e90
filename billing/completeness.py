"""Completeness: whether all usage of a period is there, and by whose word (DESIGN §7).

Owns what a period waits for and what each gap is called. Reads the copies `told_*` of the state of
the usage store that a run reads, so what it says is of the very usage that is billed. Does not know
accounts or documents: a gap is of a period, of all accounts or of one.
"""

from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa

from billing.queries import GATE
from billing.rows import load_rows
from edge import Fault, Settings
from edge.instants import instant
from edge.output import plain
from warehouse import Store

_HOUR_US: Final = 3600 * 1_000_000
_BOUNDS: Final = {"start_us": pa.int64(), "end_us": pa.int64()}
_GAPS: Final = ("grace", "silent", "behind", "missing", "refused", "quarantined")


def find_gaps(
    books: Store, home: Settings, periods: Iterable[tuple[int, int]], now_us: int
) -> list[Fault]:
    """What is missing for these periods, half-open, in UTC microseconds; within `lent_usage`.

    Leaves `gaps_found`: `start_us`, `end_us` of the period, `account_id` (null: of all), `code`,
    `place`, `message`. A fault that several periods have is given once, as the last of them has it.
    Codes: GRACE_TIME, SERVER_SILENT, SERVER_BEHIND, USAGE_MISSING, USAGE_IN_FLIGHT, USAGE_REFUSED,
    QUARANTINE_OPEN.
    """
    rows = [{"start_us": start, "end_us": end} for start, end in sorted(set(periods))]
    load_rows(books, "gate_periods", rows, _BOUNDS)
    load_servers(books, home, now_us)
    for name in ("utc", "begin", "waiting"):
        books.execute(GATE[name])
    told = {
        "grace": {"now_us": now_us, "grace_us": home.grace_hours * _HOUR_US},
        "behind": _heard_by(now_us),
    }
    for name in _GAPS:
        books.execute(GATE[name], told.get(name, {}))
    books.execute(GATE["found"])
    return [Fault(*row) for row in books.rows(GATE["faults"])]


def _heard_by(now_us: int) -> dict[str, int]:
    """The latest time that a server can have told of now: clocks may differ by an hour."""
    return {"latest_us": now_us + _HOUR_US}


def load_servers(books: Store, home: Settings, now_us: int) -> None:
    """Leaves `gate_told`, each source's word; `gate_heard`, when each server spoke; `gate_listed`,
    the servers of the settings and of `server expect`; and `gate_retired`: from when on a server is
    let go, and before when it must have fallen silent.
    """
    listed = [{"server_id": name} for name in home.expected_servers]
    load_rows(books, "set_servers", listed, {"server_id": pa.string()})
    books.execute(GATE["told"], _heard_by(now_us))
    for name in ("heard", "listed", "retired"):
        books.execute(GATE[name])


def allowances(books: Store) -> dict[str, Any]:
    """What the gaps of the last `find_gaps` would have been but for somebody's word, as JSON can
    hold it: `retired` servers, `dismissed` quarantine rows, each with reason, who and when; and
    `unclean`, the sources that a later opening settled. Only those that matter to the periods.
    """
    return {
        "retired": [_told(row) for row in books.records(GATE["retirements"])],
        "dismissed": [_told(row) for row in books.records(GATE["dismissals"])],
        "unclean": [_told(row) for row in books.records(GATE["unclean"])],
    }


def accept_gaps(books: Store, now_us: int) -> list[dict[str, Any]]:
    """Closes the periods of the last `find_gaps` without what is lost: remembered, so that it holds
    up no period that begins after now. Gives the gaps as JSON can hold them. Within the run's
    transaction.
    """
    books.execute(GATE["accept"], {"now_us": now_us})
    return books.records(GATE["accepted"])


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO 8601, under `at` in place of `at_us`."""
    times = {
        name.removesuffix("_us"): None if row[name] is None else instant(row[name])
        for name in row
        if name.endswith("_us")
    }
    told = {name: value for name, value in row.items() if not name.endswith("_us")}
    found: dict[str, Any] = plain(told | times)
    return found
