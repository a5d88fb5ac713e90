"""Data to stdout as a table, JSON or CSV. Values come as they are; this only writes them."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Format = Literal["table", "json", "csv"]
FORMATS: tuple[Format, ...] = ("table", "json", "csv")


def instant(us: int) -> datetime:
    """UTC microseconds since 1970 as a time that can be written."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def plain(value: Any) -> Any:
    """A value for JSON: times as ISO 8601 in UTC, everything JSON does not know as text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def as_json(data: Any) -> str:
    return json.dumps(plain(data), indent=2, ensure_ascii=False)


def as_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: Format) -> str:
    """`rows` in the form asked for, `columns` in this order."""
    cells = [{name: plain(row[name]) for name in columns} for row in rows]
    if form == "json":
        return json.dumps(cells, indent=2, ensure_ascii=False)
    texts = [["" if row[name] is None else _cell(row[name]) for name in columns] for row in cells]
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([columns, *map(_inert, texts)])
        return out.getvalue().rstrip("\n")
    return _table(columns, texts)


def _cell(value: Any) -> str:
    text = str(value)
    # Control characters in a name must not move a terminal's cursor.
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _inert(cells: list[str]) -> list[str]:
    """No cell is a formula to a spreadsheet; plain negative numbers stay numbers."""
    return ["'" + cell if _is_formula(cell) else cell for cell in cells]


def _is_formula(cell: str) -> bool:
    number = cell.lstrip("-").replace(".", "", 1).isdigit()
    return cell.startswith(("=", "+", "-", "@")) and not number


def _table(columns: Sequence[str], texts: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    lines = [columns, ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
