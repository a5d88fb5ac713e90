"""Records compared with the evidence, one by one: what a source says otherwise is named.

Owns the words, and what is late and what is broken: late is what the usage store was told after the
snapshot that the document was made from; all else was altered, here or there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from billing.queries import VERIFY
from edge import Fault
from edge.output import plain
from warehouse import Store

Row = Mapping[str, Any]
_IDENTITY: Final = (
    *("invoice", "record_id", "started_at", "account_id", "meeting_id", "participant_id"),
    *("meter", "variant"),
)
_STATE: Final = ("last_seen", "stopped", "quantity", "continues")
_ROUNDED: Final = ("chargeable",)
_LINES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault and the id of the document it is of, None of all. `is_late`: the document is right,
    and what came since is for a later one.
    """

    invoice: str | None
    fault: Fault
    is_late: bool = False


def record_findings(books: Store, source: str, last_batch: int) -> list[Finding]:
    """What differs between the evidence and `sourced_records`, of a source by this name;
    `last_batch` is the snapshot's. Reads `near_all`, `conflicts`, `moved_since` and
    `shared_identities` too.
    """
    for name in ("differing_rows", "differing_records"):
        books.execute(VERIFY[name])
    if not books.value("SELECT count(*) FROM differing_records"):
        return []
    rows = books.records(VERIFY["told_records"], {"last_batch": last_batch})
    same = groupby(rows, key=lambda row: tuple(row[name] for name in _IDENTITY))
    return [_finding(list(group), source) for _, group in same]


def _finding(rows: Sequence[Row], source: str) -> Finding:
    one = rows[0]
    is_late = any(row["is_late"] for row in rows)
    told = [row for row in rows if row["side"] > 0]
    now = [row for row in rows if row["side"] < 0]
    lines = sorted({row["line_id"] for row in rows})
    where = ", ".join(lines[:_LINES_SHOWN]) + ", …" * (len(lines) > _LINES_SHOWN)
    came = f"; it came after the document was made, and {_settled(rows)}" if is_late else ""
    message = f"{_difference(told, now, source)} ({where}){came}"
    code = "RECORD_LATE" if is_late else "RECORD_BROKEN"
    fault = Fault(code, f"{one['name']} record {one['record_id']}", message)
    return Finding(one["invoice"], fault, is_late)


def _settled(rows: Sequence[Row]) -> str:
    """Which document was made with it known, or that one will be."""
    settled = [row["settled_by"] for row in rows if row["is_late"]]
    if None in settled:
        waits = any(row["is_conflict"] for row in rows)
        return f"will be adjusted{' once `usage cancel` settles it' if waits else ''}"
    told = dict.fromkeys(
        f"{one['name']} {'billed the month anew' if one['is_anew'] else 'adjusted it'}"
        for one in settled
    )
    return ", ".join(told)


def _difference(told: Sequence[Row], now: Sequence[Row], source: str) -> str:
    if not told:
        return f"{_about(now[0])} is not in the evidence, but in {source}"
    if not now:
        row = told[0]
        why = f"not in {source}, or not on this line there"
        if row["is_withdrawn"]:
            why = f"withdrawn in {source}"
        elif row["is_conflict"]:
            why = f"in conflict in {source}"
        return f"{_about(row)} is in the evidence, and {why}"
    was = told[0]
    other = next((row for row in now if row["line_id"] == was["line_id"]), now[0])
    changes = _changes(was, other, _STATE, source) or _changes(was, other, _ROUNDED, source)
    return "; ".join(changes) or f"{_about(was)} is on other lines in {source}"


def _changes(was: Row, now: Row, names: Sequence[str], source: str) -> list[str]:
    return [
        f"{name} is {_text(was[name])} in the evidence, {_text(now[name])} in {source}"
        for name in names
        if was[name] != now[name]
    ]


def _about(row: Row) -> str:
    return f"{row['meter']} of {row['account_id']} from {_text(row['started_at'])}"


def _text(value: Any) -> str:
    return "none" if value is None else str(plain(value))
