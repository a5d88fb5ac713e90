"""TOML text as data, with the line on which each table, element and key of it stands.

Owns what is said of a text that is no TOML. Knows no key of any grammar, nor what a value is for.
"""

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from edge import Fault

Path = tuple[str | int, ...]

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|"
    r"\#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.\#\"']+",
    re.DOTALL,
)  # fmt: skip
_ERROR_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_NO_DATE: Final = re.compile(r"(?<==)(\s*)(\d{4}-\d{1,2}-\d{1,2})(?=\s*(?:#|$))")
_LONG: Final = re.compile(r"[\d_]{4301}")  # more digits than Python reads as a whole number
_MENDED: Final = "2000-01-01"
_MENDED_MAX: Final = 100
_ENDS: Final = frozenset("\n,]}")


@dataclass(frozen=True, slots=True)
class Source:
    """What a file holds. `faults` are those that did not keep the rest from being read."""

    data: dict[str, Any]
    lines: dict[Path, int]
    faults: tuple[Fault, ...]


def read_toml(raw: bytes) -> Source | list[Fault]:
    """The file's content, numbers as int and Decimal; or the faults, the last of which kept it
    from being read.
    """
    faults: list[Fault] = []
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        data, text = _load(text, faults)
    except UnicodeDecodeError as error:
        return [Fault("NOT_UTF8", f"byte {error.start}", "the file must be UTF-8 text")]
    except tomllib.TOMLDecodeError as error:
        at = _ERROR_LINE.search(str(error))
        return [*faults, Fault("TOML_INVALID", f"line {at[1]}" if at else "file", str(error))]
    except ValueError:
        found = _LONG.search(text)
        place = f"line {text.count(chr(10), 0, found.start()) + 1}" if found else "file"
        return [*faults, Fault("NUMBER_TOO_LONG", place, "has more digits than any number may")]
    except RecursionError:
        return [*faults, Fault("TOML_INVALID", "file", "brackets are nested too deep to be read")]
    return Source(data, find_lines(text), tuple(faults))


def _load(text: str, faults: list[Fault]) -> tuple[dict[str, Any], str]:
    """The data, and the text that it was read from: a date that is none ends a parser's work, so
    each is noted in `faults` and another put in its place, lest it hide another fault.
    """
    while True:
        try:
            return tomllib.loads(text, parse_float=_number), text
        except tomllib.TOMLDecodeError as error:
            at = _ERROR_LINE.search(str(error))
            lines = text.split("\n")
            number = int(at[1]) if at else 0
            found = _NO_DATE.search(lines[number - 1]) if number else None
            if not found or _is_date(found[2]) or len(faults) == _MENDED_MAX:
                raise
            key = lines[number - 1].partition("=")[0].strip()
            message = f"{found[2]} {_why_no_date(found[2])} (line {number})"
            faults.append(Fault("DATE_INVALID", key, message))
            lines[number - 1] = _NO_DATE.sub(rf"\g<1>{_MENDED}", lines[number - 1])
            text = "\n".join(lines)


def _number(text: str) -> Decimal:
    """Another number that is too long stands for one whose exponent no decimal holds."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("1e99999")


def _why_no_date(text: str) -> str:
    year, month, day = text.split("-")
    written = f"{year}-{month:0>2}-{day:0>2}"
    return f"must be written {written}" if _is_date(written) else "is no day of the calendar"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def find_lines(text: str) -> dict[Path, int]:
    """The line of each table, each element of an array and each key, however they are written.

    For text that is TOML: what this makes of any other is of no meaning, but it ends.
    """
    scan = _Scan(text)
    with suppress(RecursionError, StopIteration):  # what is known by then is a help all the same
        scan.read()
    return scan.lines


class _Scan:
    """One pass over the tokens, one token ahead. It only follows brackets, keys and commas:
    the values have been read by the parser.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._tokens = self._split(text)
        self._token, self._line = "\n", 0

    def read(self) -> None:
        table: Path = ()
        self._next()
        while True:
            if self._token == "\n":
                self._next()
            elif self._token == "[":
                table = self._header()
            else:
                self._pair(table)

    def _split(self, text: str) -> Iterator[tuple[str, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            token = match[0]
            if not token.startswith("#"):
                yield token, line
            line += token.count("\n")

    def _next(self) -> None:
        self._token, self._line = next(self._tokens)

    def _header(self) -> Path:
        line = self._line
        self._next()
        is_array = self._token == "["
        if is_array:
            self._next()
        names = self._key()
        path: Path = ()
        for depth, name in enumerate(names):
            path = (*path, name)
            if is_array and depth == len(names) - 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        self.lines.setdefault(path, line)
        for _ in range(1 + is_array):
            self._next()
        return path

    def _key(self) -> Path:
        """The parts of a dotted key; the token after it is the present one then."""
        parts = [self._token.strip("\"'")]
        self._next()
        while self._token == ".":
            self._next()
            parts.append(self._token.strip("\"'"))
            self._next()
        return tuple(parts)

    def _pair(self, table: Path) -> None:
        line = self._line
        path = (*table, *self._key())
        self.lines.setdefault(path, line)
        self._next()  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._token not in ("[", "{"):
            self._next()
            while self._token not in _ENDS:
                self._next()
            return
        closing, index = {"[": "]", "{": "}"}[self._token], 0
        self._next()
        while self._token != closing:
            if self._token in ("\n", ","):
                self._next()
            elif closing == "}":
                self._pair(path)
            else:
                self.lines.setdefault((*path, index), self._line)
                self._value((*path, index))
                index += 1
        self._next()
