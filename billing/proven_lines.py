"""A document's lines, each with the records it was rated from and what they come to.

Owns which line a word means, and why a line has no records.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.evidence_reading import Evidence, find_evidence, read_evidence
from billing.invoices import find_invoice
from billing.measured import Measured, Record, own_part, read_measured
from billing.money import decimal_text
from billing.queries import PROOFS
from edge import Fault, Refused, Settings
from warehouse import Store

_WHY: Final[Mapping[str, str]] = {
    "fee": "a fee: it counts no usage",
    "commitment": "what was committed less what usage came to: it counts no usage of its own",
    "adjustment": "what is owed less what was charged: it counts no usage",
    "item": "billed once: it counts no usage",
    "usage": "owed whatever is used",
}
_OF_DRAFT: Final = "a draft keeps no records: they are frozen with the final document"
_UNUSED: Final = "nothing was used"
_NO_USAGE: Final = "it counts no usage"
REASONS: Final = frozenset([*_WHY.values(), _OF_DRAFT, _UNUSED, _NO_USAGE])


@dataclass(frozen=True, slots=True)
class ProvenLine:
    """`line` is as `invoice show` has it.

    `quantity` and `parts` are numerators over `measured.unit`; `own` is what of the quantity
    belongs to no single record. `why` says why there are no records.
    """

    line: Mapping[str, Any]
    measured: Measured | None
    quantity: int | None
    records: Sequence[Record]
    why: str | None

    @property
    def parts(self) -> list[int | None]:
        assert self.measured is not None
        return [self.measured.part(record) for record in self.records]

    @property
    def own(self) -> int:
        assert self.measured is not None
        return own_part(self.measured, self.quantity or 0, self.parts)

    @property
    def quantity_text(self) -> str:
        """As the document has it; of an adjustment that of what is owed. Empty without one."""
        if self.measured is not None:
            return decimal_text(Fraction(self.quantity or 0, self.measured.unit))
        return self.line["quantity"] or ""

    @property
    def line_unit(self) -> str | None:
        """What the quantity counts."""
        return self.line["unit"] or (self.measured.unit_name if self.measured else None)


@dataclass(frozen=True, slots=True)
class Proof:
    """A document with its lines, all or those asked for. The faults say what is not as it was."""

    document: Mapping[str, Any]
    zone: ZoneInfo
    evidence: Evidence | None
    lines: Sequence[ProvenLine]
    faults: Sequence[Fault]


def prove(books: Store, home: Settings, name: str, wanted: str | None = None) -> Proof:
    """The document of this number or id, and its lines: all, or those that `wanted` means: a line's
    number, code or id.

    Refuses with INVOICE_UNKNOWN, LINE_UNKNOWN or EVIDENCE_MISSING.
    """
    document = find_invoice(books, name)
    chosen = _choose(document, wanted)
    evidence = find_evidence(books, home.evidence, document["id"])
    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    if evidence is not None:
        numbers = [_number(line) for line in chosen] if wanted is not None else None
        rows, faults = read_evidence(books, evidence, numbers)
    of_line = {line: list(some) for line, some in groupby(rows, key=lambda row: row["line"])}
    terms = {
        row["line"]: row for row in books.records(PROOFS["line_terms"], {"id": document["id"]})
    }
    lines = [
        _line(line, terms[number], of_line.get(number, []), is_draft=evidence is None)
        for number, line in ((_number(line), line) for line in chosen)
    ]
    zone = ZoneInfo(books.value(PROOFS["zone_of"], {"id": document["id"]}))
    return Proof(document, zone, evidence, lines, faults)


def _number(line: Mapping[str, Any]) -> int:
    return int(line["id"].rpartition(".")[2])


def _choose(document: Mapping[str, Any], wanted: str | None) -> list[Mapping[str, Any]]:
    lines: list[Mapping[str, Any]] = document["lines"]
    if wanted is None:
        return lines
    found = [
        line
        for line in lines
        if wanted in (line["id"], line["code"])
        or (wanted.isdecimal() and int(wanted) == _number(line))
    ]
    if found:
        return found
    known = ", ".join(f"{_number(line)} {line['code']}" for line in lines) or "none"
    message = f"{document['number'] or document['id']} has no line {wanted}: it has {known}"
    raise Refused("LINE_UNKNOWN", message)


def _line(
    line: Mapping[str, Any], row: Mapping[str, Any], records: Sequence[Record], *, is_draft: bool
) -> ProvenLine:
    content = json.loads(row["content"])
    measured = read_measured(content)
    if row["quantity"] is None:
        measured = None  # nothing was rated: a credit, or several lines told as one
    if measured is None:
        records = ()  # what a commitment was compared with is on other lines
    return ProvenLine(
        line,
        measured,
        row["quantity"] if measured else None,
        records,
        None if records else _why(line, measured, is_draft=is_draft),
    )


def _why(line: Mapping[str, Any], measured: Measured | None, *, is_draft: bool) -> str:
    if measured is not None:
        return _OF_DRAFT if is_draft else _UNUSED
    return _WHY.get(line["kind"], _NO_USAGE)
