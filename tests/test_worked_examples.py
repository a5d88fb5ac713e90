"""The worked examples of `docs/examples`, through the command line and through the oracle.

What they expect was worked out by hand; each example says how. `usage.csv` is a short form of
events that this file alone reads.
"""

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import main
from edge import Refused
from tests import recount
from tests.command_line import ROOT, usage_event
from tests.homes import project
from tests.oracle_calendar import EPOCH
from tests.oracle_month import MonthRecount, Oracle, used

EXAMPLES = ROOT / "docs" / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
NOW = "2029-01-01T00:00:00Z"
each_example = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def test_the_index_lists_every_example_by_its_title() -> None:
    index = (EXAMPLES / "README.md").read_text("utf-8")
    listed = [line for line in index.splitlines() if line.startswith("- ")]
    titles = {
        folder.name: (folder / "README.md").read_text("utf-8").splitlines()[0].removeprefix("# ")
        for folder in FOLDERS
    }
    wanted = [f"- [{name}]({name}/README.md): {title}" for name, title in titles.items()]
    assert sorted(listed) == sorted(wanted)


@each_example
def test_an_example_is_short(folder: Path) -> None:
    assert len((folder / "README.md").read_text("utf-8").splitlines()) <= 8
    assert {path.name.split("-20")[0].partition(".")[0] for path in folder.iterdir()} <= {
        "README", "price-book", "accounts", "usage", "invoice",
    }  # fmt: skip


@pytest.mark.drawn(8)
@each_example
def test_the_command_line_makes_the_invoices_of_the_example(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    project(home, events(folder), now=NOW)
    ask = partial(_ask, home)
    ask("account", "import", str(folder / "accounts.csv"))
    for book in _books(folder):
        ask("price-book", "load", str(book))
    for wanted in invoices(folder):
        month = wanted["month"]
        if (later := folder / f"accounts-{month}.csv").exists():
            ask("account", "import", str(later))
        unbilled = ask("usage", "--month", month, "--unbilled")
        assert_holds(wanted.get("unbilled", []), unbilled)
        (document,) = ask("invoice", "run", "--month", month, "--finalize")
        assert document["status"] == ("final" if any(map(_costs, document["lines"])) else "nil")
        check(wanted, document)


@each_example
def test_the_oracle_makes_the_invoices_of_the_example(folder: Path) -> None:
    accounts = (folder / "accounts.csv").read_text("utf-8")
    books = [path.read_text("utf-8") for path in _books(folder)]
    oracle = Oracle(accounts, books, used(recount.records(map(_told, events(folder)))))
    for wanted in invoices(folder):
        if (later := folder / f"accounts-{wanted['month']}.csv").exists():
            oracle.accounts.import_csv(later.read_text("utf-8"))
        found = oracle.close(date.fromisoformat(f"{wanted['month']}-01"))
        assert found.faults == set()
        assert_holds(wanted.get("unbilled", []), _unbilled(found))
        (document,) = found.documents.values()
        check(wanted, document)


def invoices(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "invoice.json").read_text("utf-8"))
    return found


def check(wanted: dict[str, Any], document: dict[str, Any]) -> None:
    """Every line is there, with the fields that the example names, and the total."""
    shown = [(line["code"], line["amount"]) for line in document["lines"]]
    assert shown == [(line["code"], line["amount"]) for line in wanted["lines"]]
    for name in wanted.keys() - {"month", "unbilled"}:
        assert_holds(wanted[name], document[name])


def assert_holds(wanted: Any, found: Any) -> None:
    """`found` is `wanted`, but that a table may have more keys."""
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            assert_holds(value, found[name])
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), (found, wanted)
        for one, other in zip(wanted, found, strict=True):
            assert_holds(one, other)
    else:
        assert found == wanted


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of `usage.csv` as `emit` takes them; a record is named by a word of its own."""
    if not (folder / "usage.csv").exists():
        return
    with (folder / "usage.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            told: dict[str, Any] = {"record_id": _record_id(row["record"])}
            told |= {"participant_id": row.get("participant") or None, "meter": row["meter"]}
            told |= {"variant": row.get("variant") or None, "quantity": None, "continues": None}
            if row.get("quantity"):
                told["quantity"] = int(row["quantity"])
            if row.get("continues"):
                told["continues"] = _record_id(row["continues"])
            yield usage_event(number, "acme", row["started_at"], row["ended_at"], **told)


def _record_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """An event as the log holds it."""
    at = {name: _micros(event[name]) for name in ("started_at", "observed_at")}
    ids = {
        name: event[name] and uuid.UUID(event[name]).bytes for name in ("record_id", "continues")
    }
    return event | at | ids


def _micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def _unbilled(found: MonthRecount) -> list[dict[str, Any]]:
    rows = sorted(found.unbilled, key=lambda row: (row[0][:2], row[0][2] or "", row[1]))
    return [
        {"meter": meter, "variant": variant, "reason": reason}
        for (_, meter, variant), reason in rows
    ]


def _costs(line: dict[str, Any]) -> bool:
    return any(digit in line["amount"] for digit in "123456789")


def _books(folder: Path) -> list[Path]:
    return sorted(folder.glob("price-book*.toml"))


def _ask(home: Path, *arguments: str) -> Any:
    """What the command prints as JSON; a refusal or a fault fails the test."""
    command = [*arguments, "--home", str(home), "--format", "json"]
    done = CliRunner().invoke(main, command, env={"HOMEMEETING_NOW": NOW})
    if done.exception:
        faults = done.exception.faults if isinstance(done.exception, Refused) else ()
        raise AssertionError("\n".join(map(str, (done.exception, *faults)))) from done.exception
    return json.loads(done.stdout) if done.stdout else None
