"""What it costs to find late usage, with one closed month behind and with many.

Run: `python benchmarks/late.py [ACCOUNTS] [RECORDS] [MONTHS]` (2,000, 100,000 a month, 24). The
months from October 2026 on are really closed, one after the other. After the first and after the
last, late records of twenty accounts arrive for the first month, and the next month's drafts are
made: once without them, once with them. What the search and the adjustments took is the difference;
it must not grow with the months. Processor time counts all threads.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from catalogue import accounts_csv, whole_book
from usage_store import make_usage

from billing import Closing, Month, import_accounts, load_price_book, open_books, run_invoices
from edge import Settings, load_settings
from warehouse import open_store

_FIRST: Final = Month(2026, 10)
_LATE_S: Final = 4_000_000_000  # every month is over
_SHIFTED = """
INSERT INTO usage_records
SELECT * REPLACE (
    md5(record_id::VARCHAR || $months)::UUID AS record_id,
    started_at + to_months($months) AS started_at,
    started_at + to_months($months) + (last_seen - started_at) AS last_seen,
    NULL AS continues
)
FROM usage_records WHERE started_at >= '2026-10-02' AND started_at < '2026-10-28'
"""
_DAYS = """
INSERT INTO usage_daily
SELECT
    started_at::DATE, account_id, meter, variant, count(*) FILTER (NOT cancelled),
    sum(epoch_us(last_seen) - epoch_us(started_at)) FILTER (NOT cancelled), NULL, $batch
FROM usage_records WHERE started_at >= $since::TIMESTAMP GROUP BY ALL
"""
_LATE = """
INSERT INTO usage_records
SELECT * REPLACE (md5(record_id::VARCHAR || 'late' || $batch)::UUID AS record_id)
FROM usage_records
WHERE started_at >= '2026-10-05' AND started_at < '2026-10-20'
    AND account_id IN (SELECT format('acc-{:06}', 7 * unnest(range(20))))
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY started_at) = 1
"""
_TOUCH = """
UPDATE usage_daily SET last_batch = $batch
WHERE day >= '2026-10-05' AND day < '2026-10-20'
    AND account_id IN (SELECT format('acc-{:06}', 7 * unnest(range(20))))
"""


def _begin(home: Settings, accounts: int, records: int, months: int) -> None:
    home.home.mkdir(parents=True)
    make_usage(home.usage, accounts, records)
    with open_store(home.usage, "usage").closing() as store:
        for later in range(1, months + 2):
            store.execute(_SHIFTED, {"months": later})
        store.execute(_DAYS, {"batch": 1, "since": "2026-01-01"})
    _batch(home, 1)
    with open_books(home) as books:
        load_price_book(books, whole_book())
        import_accounts(books, accounts_csv(accounts))


def _batch(home: Settings, number: int) -> None:
    with open_store(home.usage, "usage").closing() as store:
        store.execute("INSERT INTO batches (batch) VALUES (?)", [number])


def _arrive(home: Settings, batch: int) -> None:
    with open_store(home.usage, "usage").closing() as store:
        store.execute(_LATE, {"batch": str(batch)})
        store.execute(_TOUCH, {"batch": batch})
    _batch(home, batch)


def _draft(home: Settings, month: Month) -> float:
    begin = time.process_time()
    with open_books(home) as books:
        run_invoices(books, home, month, None, None)
    return time.process_time() - begin


def _close(home: Settings, month: Month) -> None:
    reasons = {"accept_incomplete": "benchmark"}
    with open_books(home) as books:
        run_invoices(
            books, home, month, None, Closing(_LATE_S * 1_000_000, "clerk", overrides=reasons)
        )


def _late(home: Settings, month: Month, batch: int) -> float:
    """Processor seconds that late usage costs the drafts of the month."""
    without = min(_draft(home, month) for _ in range(3))
    _arrive(home, batch)
    found = min(_draft(home, month) for _ in range(3))
    print(f"  drafts {without:.2f} s CPU, with late usage {found:.2f} s")
    return found - without


def main(accounts: int, records: int, months: int, root: Path) -> None:
    home = load_settings(root, {"HOMEMEETING_BILLING_ADJUST_MONTHS": "1200"})
    _begin(home, accounts, records, months)
    month = _FIRST
    _close(home, month)
    month = month.after
    few = _late(home, month, 2)
    for _ in range(months - 1):
        _close(home, month)
        month = month.after
    many = _late(home, month, 3)
    print(f"late usage after {months} closed months costs {many / few:.2f} times as after one")


if __name__ == "__main__":
    told = [int(word) for word in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        main(*(told + [2_000, 100_000, 24][len(told) :]), Path(folder) / "home")
