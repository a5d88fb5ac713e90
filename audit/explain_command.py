"""The command `invoice explain`: the tiers of each line, its records and, if asked, events."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from audit.explain import EVENTS, RECORDS, explained
from billing import open_books
from billing.proven_lines import prove
from edge.command import common, form, left_undone, settings, show_json, show_rows
from edge.output import as_rows

_TIERS: Final = ("description", "quantity", "unit", "unit price", "amount")


@click.command("explain")
@click.argument("name", metavar="NUMBER-OR-ID")
@click.argument("line", required=False)
@click.option("--events", "with_events", is_flag=True, help="Each record's events, from the log.")
@click.option(
    "--archive", type=click.Path(path_type=Path), help="Look into this archive first, then Kafka."
)
@common
def explain_command(name: str, line: str | None, with_events: bool, archive: Path | None) -> None:
    """How a document came about, down to its records.

    Of all lines, or of LINE: its number, code or id. First the tiers, then every record from the
    evidence, with what it counts and, as a row of its own, what belongs to no single record. With
    --events each event's place in the log. CSV has the records alone, or the events.

    \b
    Example: homemeeting invoice explain HM-2026-000001 3 --events
    Exit codes: 0 shown; 1 there is none, or LOG_GONE: some of it is not there any more; 2 wrong
    usage.
    """
    home = settings()
    with open_books(home, make=False) as books:
        proof = prove(books, home, name, line)
    events, faults = None, list(proof.faults)
    if with_events:
        from audit.told_events import tell_events  # noqa: PLC0415  loads what reads the log

        events, gone = tell_events(home, proof, archive)
        faults += gone
    lines = explained(proof, events)
    match form():
        case "json":
            head = {key: proof.document[key] for key in ("id", "number", "kind", "status")}
            show_json({**head, "lines": lines})
        case "csv" if events is not None:
            show_rows(_flat(lines, _events_of), ("line", *EVENTS))
        case "csv":
            show_rows(_flat(lines, _records_of), ("line", *RECORDS))
        case _:
            click.echo("\n\n".join(_tables(lines, with_events=with_events)))
    left_undone("EXPLAINED_IN_PART", "not all of it is there any more", faults)


def _flat(lines: Sequence[Mapping[str, Any]], of: Any) -> Iterator[dict[str, Any]]:
    for line in lines:
        for row in of(line):
            yield {"line": line["id"], **row}


def _records_of(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from line["records"]
    if line["own"]:
        yield {**dict.fromkeys(RECORDS), **line["own"]}


def _events_of(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for record in line["records"]:
        yield from record["events"]


def _tables(lines: Sequence[Mapping[str, Any]], *, with_events: bool) -> Iterator[str]:
    for line in lines:
        yield f"{line['id']} {line['code']}\n" + as_rows(_tiers(line), _TIERS, "table")
        if line["why"]:
            yield f"No records: {line['why']}."
            continue
        heading = f"Records, {line['rounding']}:" if line["rounding"] else "Records:"
        yield f"{heading}\n" + as_rows(_records_of(line), RECORDS, "table")
        if with_events:
            yield "Events:\n" + as_rows(_events_of(line), EVENTS, "table")


def _tiers(line: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for at, row in enumerate(line["explanation"]):
        told = (row["text"], row["quantity"], row["unit"], row["price"], row["amount"])
        cells = dict(zip(_TIERS, told, strict=True))
        yield cells | {"description": "  " * bool(at) + row["text"]}


COMMANDS: tuple[click.Command, ...] = (explain_command,)
