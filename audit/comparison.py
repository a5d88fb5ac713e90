"""Two usage stores compared as sets: what the log says against what the store says.

Left out is what is of one store alone: batch numbers, numbers of cells, rows that count nothing,
and samples of days that one of them no longer keeps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import Fault
from edge.output import plain
from warehouse import Queries, Store

COMPARED = Queries(Path(__file__).parent / "sql" / "compare")
_COUNT = """
SELECT coalesce(sum(times) FILTER (times > 0), 0)::BIGINT AS in_store,
    coalesce(-sum(times) FILTER (times < 0), 0)::BIGINT AS in_log
FROM differing
"""
_EXAMPLES = "FROM differing ORDER BY ALL LIMIT 3"


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one table how many rows are in the store alone and how many in the log alone, with
    `examples`: rows as dicts, `times` above zero where they are in the store alone.
    """

    table: str
    in_store: int
    in_log: int
    examples: tuple[dict[str, Any], ...]

    def faults(self) -> Iterator[Fault]:
        for row in self.examples:
            side = "the store, not the log," if row["times"] > 0 else "the log, not the store,"
            told = ", ".join(
                f"{name}={plain(value)}"
                for name, value in row.items()
                if name != "times" and value is not None
            )
            yield Fault("REBUILD_DIFFERS", self.table, f"{side} has {told}")


def differences(store: Store) -> list[Difference]:
    """Of `store`, made from the log, and the one attached to it as `old`, by table."""
    found = []
    for table, sql in COMPARED.all().items():
        store.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {sql}")
        ((in_store, in_log),) = store.rows(_COUNT)
        if in_store or in_log:
            examples = tuple(store.records(_EXAMPLES))
            found.append(Difference(table, in_store, in_log, examples))
    store.execute("DROP TABLE differing")
    return found
