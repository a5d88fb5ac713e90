"""Billing's named statements."""

from pathlib import Path
from typing import Final

from warehouse import Queries

SQL: Final = Queries(Path(__file__).parent / "sql")
COPIES: Final = Queries(Path(__file__).parent / "sql" / "copies")
CHARGEABLE: Final = Queries(Path(__file__).parent / "sql" / "chargeable")
PROOFS: Final = Queries(Path(__file__).parent / "sql" / "proofs")
