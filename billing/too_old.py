"""Usage that came too long after its month was closed to be charged unasked.

Owns which that is: what the evidence of the month does not have, of accounts whose next month comes
more than `adjust_months` after it. What came earlier than that is adjusted by the next run.
"""

from contextlib import suppress
from typing import Any, Final

from billing.evidence import is_whole, read_stored
from billing.evidence_reading import missing_evidence
from billing.month import Month
from billing.queries import TOO_OLD
from edge import Fault, Refused, Settings
from warehouse import Store, copy_tables

_KINDS: Final = """SELECT account_id, meter, variant, max(last_batch) AS last_batch FROM usage_daily
WHERE day >= make_timestamp($from_us)::DATE AND day <= make_timestamp($end_us)::DATE
GROUP BY ALL"""
_AROUND_US: Final = 4 * 24 * 3600 * 1_000_000  # a zone's distance from UTC and a record's length


def note_old(books: Store, home: Settings, month: Month) -> bool:
    """Whether the month is that long ago for anyone; then it remembers what was known of it when it
    was computed last. Refuses with EVIDENCE_MISSING or EVIDENCE_BROKEN, every file named that is
    not as it was written, and as `copy_tables`.
    """
    told = {"month": str(month), "months": home.adjust_months}
    books.execute(TOO_OLD["closed_long_ago"], told)
    files = books.rows(TOO_OLD["files"])
    if not files:
        return False
    books.execute(TOO_OLD["no_rows"])
    faults = [fault for name, sha256 in files if (fault := _read(books, home, name, sha256))]
    if faults:
        codes = {fault.code for fault in faults}
        code = "EVIDENCE_MISSING" if codes == {"EVIDENCE_MISSING"} else "EVIDENCE_BROKEN"
        summary = f"what came too late for {month} cannot be told from what was charged then"
        raise Refused(code, summary, faults)
    books.execute(TOO_OLD["proved_records"])
    utc = month.period("UTC")
    bounds = {"from_us": utc.start_us - _AROUND_US, "end_us": utc.end_us + _AROUND_US}
    copy_tables(books, home.usage, "usage", {"changed_kinds": _KINDS}, bounds)
    return True


def _read(books: Store, home: Settings, name: str, sha256: str) -> Fault | None:
    """Adds the file's records to `proved_rows`, or says what is wrong with it. A file that can be
    read may still tell of other records than it was written with.
    """
    path = home.evidence / name
    if not path.exists():
        return missing_evidence(path)
    with suppress(Refused):
        if is_whole(path, sha256):
            read_stored(books, path, TOO_OLD["proved_rows"], {})
            return None
    message = f"{path} is not what was written: put a copy of it back, its SHA-256 is {sha256}"
    return Fault("EVIDENCE_BROKEN", name, message)


def too_old(books: Store, account_id: str | None) -> list[dict[str, Any]]:
    """As rows of unbilled usage, where `note_old` found any, beside the month's usage."""
    return books.records(TOO_OLD["unbilled"], {"account": account_id})
