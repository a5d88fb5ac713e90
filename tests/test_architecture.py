"""The architecture is a test: who imports whom, who touches DuckDB, how long a file is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED: dict[str, set[str]] = {
    "edge": set(),
    "schemas": {"edge"},
    "eventlog": {"edge", "schemas"},
    "producers": {"edge", "schemas", "eventlog"},
    "warehouse": {"edge"},
    "consumers": {"edge", "schemas", "eventlog", "warehouse"},
    "billing": {"edge", "warehouse"},
    "tuning": {"edge", "warehouse"},
    "corrections": {"edge", "schemas", "eventlog", "producers", "warehouse", "billing"},
    "audit": {
        "edge", "schemas", "eventlog", "producers", "warehouse", "consumers", "billing", "tuning",
        "corrections",
    },
}  # fmt: skip
ALLOWED["demo"] = ALLOWED["audit"] | {"audit"}
FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_keeps_its_place(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = _imports(path) & {*ALLOWED, "cli"}
    assert ours <= ALLOWED[package] | {package}
    assert package == "warehouse" or "duckdb" not in _imports(path)
    assert len(path.read_text("utf-8").splitlines()) <= 400
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "say what the file owns"


def test_no_statement_asks_for_what_duckdb_cannot_do() -> None:
    """`list_select` reads beyond lists that are empty, and ends the process now and then (DuckDB
    1.5.5): what it is for is told by `list_transform`.
    """
    statements = {
        path.relative_to(ROOT): "\n".join(
            line for line in path.read_text("utf-8").splitlines() if not line.startswith("--")
        )
        for package in ALLOWED
        for path in (ROOT / package).rglob("*.sql")
    }
    assert statements
    assert [path for path, sql in statements.items() if "list_select" in sql] == []
