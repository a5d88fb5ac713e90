"""DuckDB: opening stores, migrating them, running named SQL. The only import of duckdb.

Owns files, locks and transactions; knows nothing of events, prices or what a table means.
"""

from warehouse.parquet import read_parquet
from warehouse.queries import Queries
from warehouse.reading import attached, copy_tables, lend_tables, read_store, whole
from warehouse.store import Store, open_scratch, open_store

__all__ = [
    "Queries",
    "Store",
    "attached",
    "copy_tables",
    "lend_tables",
    "open_scratch",
    "open_store",
    "read_parquet",
    "read_store",
    "whole",
]
