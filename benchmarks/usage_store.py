"""A usage store of October 2026 as benchmarks of billing want it, made in SQL within seconds.

Owns what the records are; who the accounts are and what they pay is `catalogue`'s. The same
numbers give the same records. A meeting has ten of them: seven of five participants, of whom two
come back, and three of other meters. They lie in order of time, as the projector meets them, with
ids in no order at all. Accounts differ in size: the first of a million records has thousands.

Run: `python benchmarks/usage_store.py FILE ACCOUNTS RECORDS`.
"""

import sys
import time
from pathlib import Path

from warehouse import Store, open_store

_SEED = 1
_RECORDS_PER_MEETING = 10

# The draws are bits of MD5 sums, which no version of DuckDB gives otherwise. About 2 % of the
# meetings lie across an edge of their account's local month (the zones of `catalogue`, by number).
_RECORDS_SQL = """
INSERT INTO usage_records (
    record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,
    stopped, cancelled, quantity, continues
)
WITH drawn AS (
    SELECT
        m, (md5_number_lower($seed || 'm' || m) >> 1)::BIGINT AS a,
        (md5_number_upper($seed || 'm' || m) >> 1)::BIGINT AS b
    FROM range($meetings) AS meetings(m)
),

meetings AS (
    SELECT
        m,
        ((a & 1048575) * (a & 1048575) * $accounts) >> 40 AS account,
        (a >> 20) & 255 AS person,
        ((a >> 28) & 1023) = 0 AS is_stranger,
        [-7200, 14400, -19800, 25200, -32400][1 + account % 5] AS midnight_s,
        b & 16777215 AS place,
        CASE
            WHEN m * 50 < $meetings THEN $start_s + midnight_s - place % 5400
            WHEN m * 50 >= $meetings * 49 THEN $end_s + midnight_s - place % 5400
            ELSE $start_s + (m * 50 - $meetings) * ($end_s - $start_s) // ($meetings * 48)
        END AS second
    FROM drawn
),

slots AS (
    SELECT
        *, m * 10 + slot AS number,
        (md5_number_lower($seed || 'r' || number) >> 1)::BIGINT AS a,
        (md5_number_upper($seed || 'r' || number) >> 1)::BIGINT AS b
    FROM meetings CROSS JOIN range(10) AS slots(slot)
),

records AS (
    SELECT
        *,
        second * 1000000 + (a & 536870911) AS start_us,
        (a >> 29) % 128 AS chance,
        CASE WHEN slot < 7 THEN 'participant' ELSE
            ['dial_in', 'dial_in', 'dial_in', 'recording', 'recording', 'screen_share',
                'transcription', 'messages'][1 + (a >> 36) % 8]
        END AS meter
    FROM slots
)

SELECT
    -- One in a million has the id of the record before it: both are in conflict.
    md5($seed || 'i' || (number - (number % 1000000 = 1)::INTEGER))::UUID,
    make_timestamp(start_us),
    CASE WHEN is_stranger THEN 'stranger' ELSE format('acc-{:06}', account) END,
    format('m-{:09}', m),
    CASE WHEN meter <> 'recording' AND chance > 1 THEN format('p-{:04}', person + slot % 5) END,
    meter,
    CASE meter
        WHEN 'dial_in' THEN
            ['DE', 'US', 'GB', 'FR', 'ES', 'IT', 'NL', 'PL', 'CH', 'AT', NULL][1 + chance % 11]
        WHEN 'participant' THEN ['web', 'web', 'web', 'room', NULL][1 + chance % 5]
    END,
    make_timestamp(start_us + CASE WHEN chance = 5 THEN 0 ELSE b % 10800000000 END),
    true,
    chance = 6 AND slot = 6,
    CASE
        WHEN chance % 16 = 7 THEN NULL
        WHEN meter IN ('participant', 'recording') THEN (b >> 20) % 2000000000
        WHEN meter = 'transcription' THEN (b >> 20) % 5000
        WHEN meter = 'messages' THEN (b >> 20) % 300
        WHEN meter = 'screen_share' THEN (b >> 20) % 9
    END,
    CASE WHEN slot IN (5, 6) AND chance < 96 THEN md5($seed || 'i' || (number - 5))::UUID END
FROM records
"""


def make_usage(path: Path, accounts: int, records: int, seed: int = _SEED) -> None:
    """A store at `path`, where none may be yet, with a tenth of `records` meetings.

    `usage_records` is all it holds: the rest of what the projector derives is not billing's.
    """
    assert not path.exists(), f"{path} exists already"
    with open_store(path, "usage").closing() as store:
        _insert(store, accounts, records // _RECORDS_PER_MEETING, seed)
        store.execute("CHECKPOINT")


def _insert(store: Store, accounts: int, meetings: int, seed: int) -> None:
    bounds = {"start_s": 1_790_812_800, "end_s": 1_793_491_200}  # 2026-10-01, 2026-11-01
    numbers = {"accounts": accounts, "meetings": meetings, "seed": str(seed)}
    store.execute(_RECORDS_SQL, bounds | numbers)


if __name__ == "__main__":
    begin = time.perf_counter()
    make_usage(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(f"{time.perf_counter() - begin:.1f} s")
