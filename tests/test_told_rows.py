"""Records as rows of the evidence, where no charge rounds by record."""

from typing import Final

from tests.command_line import python

# Used memory is what makes it show: it holds texts that are not there any more.
CODE: Final = """
from billing.queries import EVIDENCE, SQL
from warehouse import open_scratch

USED = '''CREATE OR REPLACE TEMP TABLE used AS
SELECT list_select(list_transform(range(3), lambda one: repeat('long', 20) || one || n), [1, 2, 3])
FROM range(3000) counted(n)'''
ROUNDING = '''STRUCT(of_duration BIGINT, of_quantity BIGINT, cap BIGINT,
    grains BIGINT, bias BIGINT, quantum BIGINT, minimum BIGINT)[]'''
with open_scratch().closing() as store:
    for name in ("round_to", "value_of"):
        store.execute(SQL[name])
    store.execute('''CREATE TEMP TABLE told_records AS
    SELECT 0 AS account, 4 AS kind, NULL::INTEGER AS adjusted, uuid() AS record_id,
        TIMESTAMP '2026-12-01' AS started_at, 'm' AS meeting_id, 'p' AS participant_id,
        NULL::UUID AS continues, TIMESTAMP '2026-12-02' AS last_seen, true AS stopped,
        NULL::BIGINT AS quantity, 86400000000 AS duration_us, 1 AS begun, false AS is_wide''')
    store.execute('''CREATE TEMP TABLE told_documents AS
    SELECT 0 AS account, 'a' AS account_id, 'HM-1' AS number, '2026-12.a' AS invoice''')
    store.execute(f'''CREATE TEMP TABLE kind_lines AS
    SELECT 0 AS account, 4 AS kind, 'participant' AS meter, NULL::VARCHAR AS variant, [1] AS lines,
        [0]::BIGINT[] AS slots, []::{ROUNDING} AS narrow, NULL::{ROUNDING} AS wide''')
    store.execute('''CREATE TEMP TABLE adjusted_rows (meter VARCHAR, variant VARCHAR,
        lines INTEGER[], chargeable VARCHAR[], place INTEGER)''')
    for name in ("rounded_each", "told_rows"):
        store.execute(EVIDENCE[name])
    for _ in range(100):
        store.execute(USED)
        found = store.rows("SELECT lines, chargeable FROM told_rows(0, 99, 0, 0)")
        assert found == [([1], [None])], found
"""


def test_a_record_of_which_nothing_is_rounded_ends_no_process() -> None:
    done = python(CODE)
    assert done.returncode == 0, done.stderr[-2000:]
