"""Data to stdout as a table, JSON or CSV. Values come as they are; this only writes them."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from edge.faults import inert

Format = Literal["table", "json", "csv"]
FORMATS: tuple[Format, ...] = ("table", "json", "csv")
_CELL_MAX = 48  # of a table; a uuid, a time and a source fit; the last column has no limit
_NUMBER = re.compile(r"[-−]?[\d,]*\.?\d+ ?%?")
# What reads the same when it is reckoned. An id such as `+1+1` or `-A1` does not.
_SAME = re.compile(r"[-+]?\d+(\.\d+)?", re.ASCII)

# C1, and what turns the direction of reading or ends a line.
_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


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
    """As people read it: but what a terminal obeys, and JSON leaves as it is, is told by number."""
    text = json.dumps(plain(data), indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: Format) -> str:
    """`rows` in the form asked for, `columns` in this order."""
    cells = [{name: plain(row[name]) for name in columns} for row in rows]
    if form == "json":
        return as_json(cells)
    if form == "csv":
        return "".join(csv_lines(cells, columns)).rstrip("\n")
    return _table(columns, [[_text(row[name]) for name in columns] for row in cells])


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """The heading, then a line for each row, one at a time; no cell is a formula."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line(_no_formulas([_text(plain(row[name])) for name in columns]))


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _text(value: Any) -> str:
    return "" if value is None else inert(str(value))


def _no_formulas(cells: list[str]) -> list[str]:
    """No cell is a formula to a spreadsheet; numbers such as `+49` stay as they are."""
    return ["'" + cell if _is_formula(cell) else cell for cell in cells]


def _is_formula(cell: str) -> bool:
    return cell.startswith(("=", "+", "-", "@")) and not _SAME.fullmatch(cell)


def _table(columns: Sequence[str], texts: list[list[str]]) -> str:
    """Numbers to the right, point under point; text to the left, cut where a column is long."""
    told = zip(columns, zip(*texts, strict=True) if texts else [()] * len(columns), strict=True)
    blocks = [
        _column(name, [_cut(cell) if at < len(columns) - 1 else cell for cell in cells])
        for at, (name, cells) in enumerate(told)
    ]
    return "\n".join("  ".join(line).rstrip() for line in zip(*blocks, strict=True))


def _column(name: str, cells: list[str]) -> list[str]:
    """Heading, rule and cells, all of one width."""
    parts = [part for cell in cells if cell for part in cell.split(" / ")]
    is_number = bool(parts) and all(part == "–" or _NUMBER.fullmatch(part) for part in parts)
    if is_number:
        cells = _point_under_point(cells)
    width = max(map(_width, [name, *cells]))
    lines = [name, "-" * width, *cells]
    pads = [" " * (width - _width(line)) for line in lines]
    return [pad + line if is_number else line + pad for pad, line in zip(pads, lines, strict=True)]


def _point_under_point(cells: list[str]) -> list[str]:
    if any(" / " in cell or "%" in cell for cell in cells):
        return cells
    places = [len(cell) - cell.find(".") if "." in cell else 0 for cell in cells]
    most = max(places)
    return [cell + " " * (most - own) for cell, own in zip(cells, places, strict=True)]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _CELL_MAX else cell[: _CELL_MAX - 1] + "…"


def _width(text: str) -> int:
    """Columns of a terminal: East Asian characters take two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)
