"""The demo: its home is begun afresh where it is its own, and its tables add up."""

from pathlib import Path
from typing import Any

import pytest

from demo.home import begin_afresh
from demo.tables import largest, meter_rows, plan_rows
from edge import Refused


def test_a_home_of_its_own_is_begun_afresh(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    begin_afresh(home)
    (home / "journal").mkdir()
    (home / "journal" / "old").touch()
    (home / "usage.duckdb").touch()
    begin_afresh(home)
    assert [path.name for path in home.iterdir()] == [".homemeeting-demo"]


def test_any_other_home_that_is_not_empty_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "books.duckdb").write_bytes(b"precious")
    with pytest.raises(Refused, match="DEMO_HOME"):
        begin_afresh(tmp_path)
    assert (tmp_path / "books.duckdb").read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["books.duckdb"]


def _document(plan: str, currency: str, fee: str, usage: str, total: str) -> dict[str, Any]:
    lines = [{"kind": "usage", "code": "minutes", "amount": usage}]
    if fee:
        lines.insert(0, {"kind": "fee", "code": "base", "amount": fee})
    return {
        "id": f"{plan}-{total}", "plan": plan, "currency": currency, "lines": lines,
        "status": "nil" if total == "0.00" else "final", "total": total,
        "number": None, "buyer": {"name": plan.title()},
    }  # fmt: skip


def test_money_is_summed_by_plan_and_never_across_currencies() -> None:
    documents = [
        _document("pro", "EUR", "1000.00", "0.10", "1000.10"),
        _document("pro", "EUR", "1000.00", "0.20", "1000.20"),
        _document("free", "EUR", "", "0.00", "0.00"),
        _document("pro", "JPY", "1500", "7", "1507"),
    ]
    columns = ("plan", "currency", "invoices", "nil", "fees", "minutes", "total")
    assert [tuple(row[name] for name in columns) for row in plan_rows(documents)] == [
        ("free", "EUR", 0, 1, "–", "0.00", "0.00"),
        ("pro", "EUR", 2, 0, "2,000.00", "0.30", "2,000.30"),
        ("pro", "JPY", 1, 0, "1,500", "7", "1,507"),
        ("all", "EUR", 2, 1, "2,000.00", "0.30", "2,000.30"),
        ("all", "JPY", 1, 0, "1,500", "7", "1,507"),
    ]
    assert [row["total"] for row in largest(documents[:3], 2)] == ["1000.20", "1000.10"]


def test_bytes_are_shown_as_gigabytes_and_only_bytes() -> None:
    rows = [{"meter": "recording", "quantity": "1949999999"}, {"meter": "meeting", "quantity": "5"}]
    assert [row["GB"] for row in meter_rows(rows)] == ["1.9", ""]
