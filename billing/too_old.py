"""Usage that came too long after its month was closed to be charged unasked.

Owns which that is: what the evidence of the month does not have, of accounts whose next month comes
more than `adjust_months` after it. What came earlier than that is adjusted by the next run.
"""

from typing import Any, Final

from billing.month import Month
from billing.queries import TOO_OLD
from edge import Refused, Settings
from warehouse import Store, copy_tables

_KINDS: Final = """SELECT account_id, meter, variant, max(last_batch) AS last_batch FROM usage_daily
WHERE day >= make_timestamp($from_us)::DATE AND day <= make_timestamp($end_us)::DATE
GROUP BY ALL"""
_AROUND_US: Final = 4 * 24 * 3600 * 1_000_000  # a zone's distance from UTC and a record's length


def note_old(books: Store, home: Settings, month: Month) -> bool:
    """Whether the month is that long ago for anyone; then it remembers what was known of it when it
    was computed last. Refuses with EVIDENCE_MISSING, and as `copy_tables`.
    """
    told = {"month": str(month), "months": home.adjust_months}
    books.execute(TOO_OLD["closed_long_ago"], told)
    names = books.rows("SELECT DISTINCT unnest(files) FROM closed_long_ago ORDER BY ALL")
    if not names:
        return False
    files = [home.evidence / name for (name,) in names]
    for path in files:
        if not path.exists():
            message = f"there is no {path}: evidence is kept as long as the books"
            raise Refused("EVIDENCE_MISSING", message)
    books.execute(TOO_OLD["proved_records"], {"files": [str(path) for path in files]})
    utc = month.period("UTC")
    bounds = {"from_us": utc.start_us - _AROUND_US, "end_us": utc.end_us + _AROUND_US}
    copy_tables(books, home.usage, "usage", {"changed_kinds": _KINDS}, bounds)
    return True


def too_old(books: Store, account_id: str | None) -> list[dict[str, Any]]:
    """As rows of unbilled usage, where `note_old` found any, beside the month's usage."""
    return books.records(TOO_OLD["unbilled"], {"account": account_id})
