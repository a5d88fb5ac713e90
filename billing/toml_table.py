"""Reading TOML tables with faults collected instead of raised, each with its place and line.

Owns how a value of a given kind is taken out of a table and what is said when it is not one.
Knows no key of any grammar; `billing.pricebook_check`, `charge_check` and `model_check` do.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from billing.toml_source import Path
from edge import Fault
from edge.faults import nearest

_CODE: Final = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}", re.ASCII)
_PLACES_MAX: Final = 12
_TEXT_MAX: Final = 1000
_ZERO: Final = Decimal(0)


def is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


@dataclass(slots=True)
class Findings:
    """The faults found so far in one file."""

    lines: Mapping[Path, int]
    faults: list[Fault] = field(default_factory=list)

    def add(self, code: str, place: str, path: Path, message: str) -> None:
        while path and path not in self.lines:
            path = path[:-1]
        where = f" (line {self.lines[path]})" if path in self.lines else ""
        self.faults.append(Fault(code, place, message + where))


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file. Each reader returns None after it has noted a fault."""

    findings: Findings
    place: str
    path: Path
    data: Mapping[str, Any]

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def fault(self, code: str, key: str, message: str) -> None:
        self.findings.add(code, self.at(key), (*self.path, key), message)

    def refuse_unknown(self, known: Sequence[str]) -> None:
        for key in self.data:
            if key not in known:
                hint = nearest(key, known) or f"known are {', '.join(known)}"
                self.fault("UNKNOWN_KEY", key, f"unknown key; {hint}")

    def refuse_present(self, keys: Sequence[str], why: str) -> None:
        for key in keys:
            if key in self.data:
                message = f"does not go together with {why}; remove one of the two"
                self.fault("KEYS_CONFLICT", key, message)

    def text(self, key: str, *, default: str | None = None) -> str | None:
        value = self._take(key, default)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(key, "a text in quotes", value)
            return None
        if not value.strip() or len(value) > _TEXT_MAX or not value.isprintable():
            self.fault(
                "BAD_VALUE", key, f"must be 1 to {_TEXT_MAX} printable characters on one line"
            )
            return None
        return value

    def code(self, key: str, *, default: str | None = None) -> str | None:
        value = self.text(key, default=default)
        if value is not None and not is_code(value):
            self.fault("BAD_VALUE", key, f"{value!r} is not a code of [A-Za-z0-9_.:@+-]{{1,128}}")
            return None
        return value

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str | None:
        value = self.text(key, default=default)
        if value is None or value in allowed:
            return value
        near = difflib.get_close_matches(value, allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"must be one of {', '.join(allowed)}"
        self.fault("BAD_VALUE", key, f"{value!r} is not known; {hint}")
        return None

    def number(
        self,
        key: str,
        *,
        digits: int,
        default: Decimal | None = None,
        whole: bool = False,
        positive: bool = False,
        most: int | None = None,
    ) -> Decimal | None:
        """A finite number ≥ 0, or `positive`, with at most `digits` before and 12 after the
        point, and at most `most`.
        """
        value = self._take(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong(key, "a number", value)
            return None
        told = Decimal(value)
        problem = _number_problem(told, digits, whole)
        if problem is None and positive and told == 0:
            problem = "BAD_VALUE", "must be more than 0"
        if problem is None and most is not None and told > most:
            problem = "NUMBER_TOO_LARGE", f"must be at most {most}"
        if problem is not None:
            self.fault(problem[0], key, problem[1])
            return None
        return told or _ZERO  # -0.0 is 0

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false without quotes", value)
            return default
        return value

    def date(self, key: str) -> date | None:
        value = self._take(key, None)
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            self._wrong(key, "a date without quotes, such as 2026-01-01", value)
            return None
        return value

    def codes(self, key: str, *, also: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of different codes, or words of `also`; what is neither is left out."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self._wrong(key, 'a list of codes, such as ["whiteboard"]', value)
            return ()
        found: list[str] = []
        for index, item in enumerate(value):
            place = f"{key}[{index}]"
            if not is_code(item) and item not in also:
                self.findings.add(
                    "BAD_VALUE", self.at(place), (*self.path, key, index), f"{item!r} is not a code"
                )
            elif item in found:
                self.findings.add(
                    "DUPLICATE",
                    self.at(place),
                    (*self.path, key, index),
                    f"{item!r} is listed twice",
                )
            else:
                found.append(item)
        return tuple(found)

    def table(self, key: str) -> "Table | None":
        if key not in self.data:
            return None
        value = self.data[key]
        if not isinstance(value, dict):
            self._wrong(key, "a table", value)
            return None
        return Table(self.findings, self.at(key), (*self.path, key), value)

    def tables(self, key: str, *, named: bool) -> Iterator["Table"]:
        """The tables of an array; `named` ones are placed by their code where they have one."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self._wrong(key, f"an array of tables, written [[{key}]]", value)
            return
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                where = (*self.path, key, index)
                message = f"must be a table, not {_kind(item)}"
                self.findings.add("WRONG_TYPE", self.at(f"{key}[{index}]"), where, message)
                continue
            code = item.get("code") if named else None
            name = f"{key}[{code if is_code(code) else index}]"
            yield Table(self.findings, self.at(name), (*self.path, key, index), item)

    def _take(self, key: str, default: Any) -> Any:
        if key in self.data:
            return self.data[key]
        if default is None:
            self.fault("KEY_MISSING", key, "is missing")
        return default

    def _wrong(self, key: str, wanted: str, value: object) -> None:
        self.fault("WRONG_TYPE", key, f"must be {wanted}, not {_kind(value)}")


def _kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", Decimal: "a number"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")


def _number_problem(value: Decimal, digits: int, whole: bool) -> tuple[str, str] | None:
    if not value.is_finite():
        return "NUMBER_NOT_FINITE", "must be a finite number"
    if value < 0:
        return "NUMBER_NEGATIVE", "must not be negative"
    _, numerals, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if value != 0:
        trailing = len(numerals) - len("".join(map(str, numerals)).rstrip("0"))
        places = -(exponent + trailing)
        if value.adjusted() >= digits or places > _PLACES_MAX:
            return (
                "NUMBER_TOO_LONG",
                f"has more than {digits} digits before or {_PLACES_MAX} after the point",
            )
        if whole and places > 0:
            return "BAD_VALUE", "must be a whole number"
    return None
