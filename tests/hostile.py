"""Texts that mean something to others: SQL, a spreadsheet, a path, a terminal, a browser.

Owns the texts and what must not be found of them in what is written; judges no program.
"""

import csv
import io
import re
from typing import Final

SQL: Final = (
    "'; DROP TABLE accounts; --",
    '"; DELETE FROM invoices; --',
    "x' OR '1'='1",
    "$1 ? :name {0} %s",
    "'||(SELECT content FROM read_text('/etc/passwd'))||'",
)
FORMULAS: Final = (
    '=HYPERLINK("http://evil.example","x")', "=1+1", "+1+1", "-1+1", "@SUM(1)",
    "=cmd|' /C calc'!A0",
)  # fmt: skip
PATHS: Final = ("../../../tmp/evil", "/etc/passwd", "..", "a/b", "~root", "C:\\evil")
TERMINAL: Final = (
    "\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "a\rb", "a\nb", "a\bb", "\x9b31m", "\u202eevil",
    "a\u2028b", "\x00",
)  # fmt: skip
HTML: Final = (
    "<script>evil()</script>",
    "\"'><img src=x onerror=evil()>",
    "</td></table>",
    "&amp;",
)
LONG: Final = "n" * 300
# The first letter is Cyrillic, the last word full width: who reads them takes them for `acme`.
LOOK_ALIKE: Final = ("\u0430cme", "acm\u0435", "ａｃｍｅ", "acme\u200b", "acme ")
# Those that are made of the alphabet of ids, and hence may be one.
IDS: Final = ("..", "+1+1", "-1+1")
ALL: Final = (*SQL, *FORMULAS, *PATHS, *TERMINAL, *HTML, LONG, *LOOK_ALIKE)
# What a terminal obeys: all of C0 and C1 but the end of a line, and what turns the reading round.
_OBEYED: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?")


def obeyed(text: str) -> list[str]:
    """What of `text` a terminal would obey."""
    return _OBEYED.findall(text)


def formulas(text: str) -> list[str]:
    """The cells of a CSV file that a spreadsheet would reckon."""
    return [
        cell
        for row in csv.reader(io.StringIO(text))
        for cell in row
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(cell)
    ]
