"""The customer's own list of what a document charged: what was used, when, and how much it counts.

Owns its rows. They add up, line by line, to the quantities of the document; no money, no server and
no place in a log is in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from billing.described import named
from billing.language import ENGLISH, Language
from billing.measured import Record, is_continuing, shown
from billing.proven_lines import ProvenLine
from edge.instants import instant, micros

By = Literal["meeting", "day"]
COLUMNS: Final = (
    *("line", "date", "meeting", "meter", "variant", "records", "time", "quantity", "unit", "note"),
)
NOT_STOPPED: Final = "no end was seen: counted to the last time it was"
CONTINUES: Final = "continues another record"


@dataclass(frozen=True, slots=True)
class _Group:
    """Records that share a row. `part` is over the line's unit; None where records have none."""

    row: Mapping[str, Any]
    part: int | None


def statement(
    lines: Sequence[ProvenLine],
    zone: ZoneInfo,
    by: By | None = None,
    language: Language = ENGLISH,
) -> Iterator[dict[str, Any]]:
    """A row for each record, or for each meeting or day of a line, with meter and variant; then
    what belongs to no single record. A line without records is a row. The notes are in `language`.
    """
    for one in lines:
        number = int(one.line["id"].rpartition(".")[2])
        if not one.records:
            yield _without(one, number, language)
            continue
        assert one.measured is not None
        groups = list(_groups(one, zone, by, language))
        parts = [group.part for group in groups]
        *told, own = shown([*parts, one.own], one.measured.unit)
        for group, quantity in zip(groups, told, strict=True):
            yield {"line": number, "unit": one.line_unit, **group.row, "quantity": quantity}
        if one.own or not one.measured.has_parts:
            yield _row(number, own, one.line_unit, language.say(one.measured.own_text))


def time_text(duration_us: int) -> str:
    """`26:05:09`: hours, minutes and seconds, with a fraction where there is one."""
    seconds, rest = divmod(duration_us, 1_000_000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:06}".rstrip("0") if rest else text


def duration_us(record: Record) -> int:
    length: timedelta = record["last_seen"] - record["started_at"]
    return length // timedelta(microseconds=1)


def local(moment: Any, zone: ZoneInfo) -> str:
    """A naive UTC time of the evidence, in the account's zone."""
    return instant(micros(moment)).astimezone(zone).isoformat()


def _groups(one: ProvenLine, zone: ZoneInfo, by: By | None, language: Language) -> Iterator[_Group]:
    found: dict[tuple[Any, ...], list[tuple[Record, int | None]]] = {}
    for number, (record, part) in enumerate(zip(one.records, one.parts, strict=True)):
        found.setdefault(_key(record, zone, by, number), []).append((record, part))
    for some in found.values():
        records = [record for record, _ in some]
        parts = [part for _, part in some if part is not None]
        row = _told(records, zone, by, language)
        yield _Group(row, sum(parts) if parts else None)


def _key(record: Record, zone: ZoneInfo, by: By | None, number: int) -> tuple[Any, ...]:
    if by is None:
        return (number,)
    of = record["meeting_id"] if by == "meeting" else local(record["started_at"], zone)[:10]
    return of, record["meter"], record["variant"]


def _told(
    records: Sequence[Record], zone: ZoneInfo, by: By | None, language: Language
) -> dict[str, Any]:
    first = records[0]
    begun = local(first["started_at"], zone)
    unseen = sum(not record["stopped"] for record in records)
    return {
        "date": begun if by is None else begun[:10],
        "meeting": None if by == "day" else first["meeting_id"],
        "meter": first["meter"],
        "variant": first["variant"],
        "records": len(records),
        "time": time_text(sum(map(duration_us, records))),
        "note": _note(first, language) if by is None else _unseen(unseen, language),
    }


def _note(record: Record, language: Language) -> str:
    notes = [CONTINUES] * is_continuing(record) + [NOT_STOPPED] * (not record["stopped"])
    return "; ".join(map(language.say, notes))


def _unseen(count: int, language: Language) -> str:
    return language.text("without_an_end", count=str(count)) if count else ""


def _without(one: ProvenLine, number: int, language: Language) -> dict[str, Any]:
    why = language.say(str(one.why))
    note = language.text("told", what=named(one.line, language), told=why)
    return _row(number, one.quantity_text, one.line_unit, note)


def _row(number: int, quantity: str, unit: str | None, note: str) -> dict[str, Any]:
    empty = dict.fromkeys(COLUMNS)
    return {**empty, "line": number, "quantity": quantity, "unit": unit, "note": note}
