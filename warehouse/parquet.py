"""Parquet files read into a store, and what is said of one that cannot be."""

from pathlib import Path
from typing import Any

import duckdb

from edge import Refused
from warehouse.store import Parameters, Store


def read_parquet(store: Store, path: Path, sql: str, parameters: Parameters) -> None:
    """Runs a statement that reads the file as `$path`. Refuses with FILE_MISSING, FILE_BROKEN."""
    if not path.exists():
        raise Refused("FILE_MISSING", f"{path} is not there")
    told: dict[str, Any] = {**dict(parameters), "path": str(path)}
    try:
        store.execute(sql, told)
    except (duckdb.Error, Refused) as error:  # whatever a damaged file makes of it
        raise Refused(
            "FILE_BROKEN", f"{path} cannot be read: it is not what was written"
        ) from error
