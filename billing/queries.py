"""Billing's named statements."""

from pathlib import Path
from typing import Final

from warehouse import Queries

SQL: Final = Queries(Path(__file__).parent / "sql")
APART: Final = Queries(Path(__file__).parent / "sql" / "apart")
COPIES: Final = Queries(Path(__file__).parent / "sql" / "copies")
LOOKS: Final = Queries(Path(__file__).parent / "sql" / "looks")
CHARGEABLE: Final = Queries(Path(__file__).parent / "sql" / "chargeable")
NO_ADJUSTMENTS: Final = Queries(Path(__file__).parent / "sql" / "no_adjustments")
EVIDENCE: Final = Queries(Path(__file__).parent / "sql" / "evidence")
GATE: Final = Queries(Path(__file__).parent / "sql" / "gate")
VERIFY: Final = Queries(Path(__file__).parent / "sql" / "verify")
STORED: Final = Queries(Path(__file__).parent / "sql" / "verify" / "copies")
NEAR: Final = Queries(Path(__file__).parent / "sql" / "verify" / "near")
CHECKS: Final = Queries(Path(__file__).parent / "sql" / "verify" / "checks")
TOO_OLD: Final = Queries(Path(__file__).parent / "sql" / "too_old")
REPORT: Final = Queries(Path(__file__).parent / "sql" / "report")
TAX: Final = Queries(Path(__file__).parent / "sql" / "tax")
PROOFS: Final = Queries(Path(__file__).parent / "sql" / "proofs")
