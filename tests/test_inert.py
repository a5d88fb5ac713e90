"""Whatever stands in a name, an event or an argument: it is text, and nothing obeys it."""

import csv
import io
import json
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

import cli
from consumers import Projector
from eventlog import Partition, Slice
from schemas import CONTRACTS, TOPICS, encode
from tests import hostile
from tests.command_line import run_here, usage_event
from tests.every_line import BOOK, NOW, documents
from tests.fire import WHOLE, some
from tests.homes import HEADER
from tests.pdf_text import pdf_rows
from tests.test_decode import EVENTS
from tests.test_projector import T
from warehouse import open_store

FORMS = ("table", "json", "csv")
# Names as a customer may have them; what cannot be seen or ends a line is refused, see below.
NAMES = [
    *(*hostile.SQL, *hostile.FORMULAS, *hostile.PATHS, *hostile.HTML), *hostile.LOOK_ALIKE[:3],
]  # fmt: skip
ACCOUNTS = [*hostile.IDS, *(f"a{n:03}" for n in range(3, len(NAMES)))]


def _print(home: Path, *words: str, **settings: str) -> str:
    """stdout and stderr of a command, after looking at what a terminal would obey of them."""
    done = run_here(home, *words, now=NOW, **settings)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert hostile.obeyed(said) == [], words
    return done.stdout


# ---- names of customers, plans, charges and items


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose every free text is hostile, billed and closed."""
    folder = tmp_path_factory.mktemp("named")
    home = folder / "home"
    rows = [
        [id, name, "m@m.example", "DE", "en", "UTC", "EUR", "team", "2026-01-01", "", "2"]
        for id, name in zip(ACCOUNTS, NAMES, strict=True)
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    (folder / "accounts.csv").write_text(HEADER + out.getvalue())
    book = BOOK
    for n, plain in enumerate(("Participant minutes", "Rooms at once", "Recording storage",
                               "Dial-in minutes", "Ticket sales", "Support", "Team seats",
                               "Team plan", "Whiteboards")):  # fmt: skip
        book = book.replace(f'description = "{plain}"', f"description = {json.dumps(NAMES[n])}")
    book = book.replace('name = "Team"', f"name = {json.dumps(hostile.HTML[0])}")
    (folder / "book.toml").write_text(book)
    events = [
        usage_event(n, id, "2026-10-05T10:00:00Z", "2026-10-05T22:00:00Z")
        for n, id in enumerate(ACCOUNTS)
    ]
    for command in (
        ("account", "import", str(folder / "accounts.csv")),
        ("price-book", "load", str(folder / "book.toml")),
        ("invoice", "item", "a003", "--description", hostile.FORMULAS[0], "--amount", "5",
         "--on", "2026-10-09"),
        ("account", "credit", "a004", "5", "--expires", "2027-01-01", "--reference",
         hostile.SQL[0]),
        ("invoice", "hold", "a005", "--month", "2026-12", "--reason", hostile.HTML[1]),
        ("emit", "-", "--server-id", "fra-1"),
        ("consume", "--once"),
        ("invoice", "run", "--month", "2026-10", "--finalize"),
    ):  # fmt: skip
        lines = events if command[0] == "emit" else ()
        done = run_here(home, *command, lines=lines, now=NOW, user=hostile.SQL[1])
        assert done.returncode == 0, (command, done.stderr)
    return home


def test_names_come_back_as_they_were_given(named: Path) -> None:
    told = json.loads(_print(named, "account", "list", "--format", "json"))
    names = dict(zip(ACCOUNTS, NAMES, strict=True))
    assert {one["account_id"]: one["name"] for one in told} == names
    months = documents(named)
    assert {id: months[id, "2026-10"]["buyer"]["name"] for id in ACCOUNTS} == names
    assert _print(named, "verify") == ""
    with open_store(named / "books.duckdb", "books").closing() as books:
        assert books.value("SELECT count(*) FROM accounts") == len(NAMES)


@pytest.mark.parametrize("form", FORMS)
def test_no_list_holds_what_a_terminal_or_a_spreadsheet_obeys(named: Path, form: str) -> None:
    number = documents(named)["a003", "2026-10"]["number"]
    for words in (
        ("account", "list"), ("account", "credits", "a004"), ("price-book", "list"),
        ("price-book", "show", "every-2026"), ("price-book", "show", "every-2026", "team"),
        ("invoice", "list"), ("invoice", "show", number), ("invoice", "items"),
        ("invoice", "holds"), ("invoice", "explain", number), ("invoice", "statement", number),
        ("invoice", "preview", "--account", "a003"), ("alerts",), ("audit", "log"),
        ("usage", "--month", "2026-10"), ("usage", "--month", "2026-10", "--unbilled"),
    ):  # fmt: skip
        told = _print(named, *words, "--format", form)
        if form == "csv":
            assert hostile.formulas(told) == [], words
        if form == "json" and told:
            json.loads(told)


@pytest.mark.fire
def test_documents_say_the_names_and_are_called_by_their_number(named: Path) -> None:
    found = documents(named)
    files = {path.name for path in (named / "documents").iterdir()}
    assert files == {f"{one['number']}.pdf" for one in found.values() if one["number"]}
    for (account, _), one in sorted(found.items())[:: 1 if WHOLE else 6]:
        name = NAMES[ACCOUNTS.index(account)]
        words = pdf_rows((named / "documents" / f"{one['number']}.pdf").read_bytes())
        assert "".join(name.split()) in "".join("".join(words).split()).replace("\u200b", ""), name


@pytest.mark.parametrize("text", [*hostile.TERMINAL, hostile.LONG], ids=repr)
def test_a_name_that_cannot_be_seen_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    row = ["acme", text, "a@a.example", "DE", "en", "UTC", "EUR", "team", "2026-01-01", "", ""]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(row)
    (tmp_path / "accounts.csv").write_bytes((HEADER + out.getvalue()).encode())
    home = tmp_path / "home"
    done = run_here(home, "account", "import", str(tmp_path / "accounts.csv"), now=NOW)
    assert hostile.obeyed(done.stdout + done.stderr) == []
    if done.returncode == 0:  # then it is shown as harmless text
        for form in FORMS:
            _print(home, "account", "list", "--format", form)
    else:
        assert "row 2" in done.stderr


@pytest.mark.parametrize("id", hostile.ALL, ids=repr)
def test_no_account_is_called_so(tmp_path: Path, id: str) -> None:
    """An id that a file, a spreadsheet or an eye takes for another."""
    out = io.StringIO()
    row = [id, "Acme", "a@a.example", "DE", "en", "UTC", "EUR", "team", "2026-01-01", "", ""]
    csv.writer(out, lineterminator="\n").writerow(row)
    (tmp_path / "accounts.csv").write_bytes((HEADER + out.getvalue()).encode())
    home = tmp_path / "home"
    done = run_here(home, "account", "import", str(tmp_path / "accounts.csv"), now=NOW)
    assert hostile.obeyed(done.stdout + done.stderr) == []
    if id in (*hostile.IDS, "acme "):
        return  # of the alphabet of ids, once what is blank around it is gone
    assert done.returncode == 1, "taken as an account"
    assert "row 2" in done.stderr


# ---- events


def _fields(topic: str) -> list[str]:
    """The string fields of the topic's newest schema."""
    schema = CONTRACTS[topic].newest
    return [
        one["name"]
        for one in schema["fields"]
        if "string" in (one["type"] if isinstance(one["type"], list) else [one["type"]])
    ]


@pytest.mark.fire
def test_every_string_field_of_every_event_refuses_them_and_quarantine_shows_them_inert(
    rng: random.Random, tmp_path: Path
) -> None:
    payloads: dict[str, list[bytes]] = {}
    texts = [text for text in hostile.ALL if text not in hostile.IDS]
    for topic in TOPICS:
        fields = _fields(topic)
        assert {"source", "server_id"} <= set(fields)
        payloads[topic] = [
            encode(topic, EVENTS[topic] | {name: text})
            for name in fields
            for text in some(rng, texts, 4)
            # A source names its server before a stroke, and may hold one.
            if not (name == "source" and "/" in text and text.isascii())
        ]
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        projector = Projector(store, iter(range(T, T + 1000)).__next__)
        for topic, bad in payloads.items():
            offsets = list(range(len(bad)))
            place = Partition("c/t", topic, "0")
            keys: Sequence[str | None] = [None] * len(bad)
            projector.apply([Slice(place, 0, len(bad), offsets, bad, list(keys), None)])
        assert store.value("SELECT count(*) FROM usage_records") == 0
        assert store.value("SELECT count(*) FROM quarantine") == sum(map(len, payloads.values()))
    for form in FORMS:
        told = _print(tmp_path, "quarantine", "list", "--format", form)
        if form == "csv":
            assert hostile.formulas(told) == []
    for row in (1, 2, 3):
        _print(tmp_path, "quarantine", "show", str(row))
    _print(tmp_path, "status")


def test_every_field_of_a_line_refuses_them_with_its_number(tmp_path: Path) -> None:
    event = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
    no_ids = ("topic", "phase", "record_id", "started_at", "observed_at")
    lines = [
        event | {name: text}
        for name in sorted({*event, "variant", "continues"})
        for text in hostile.ALL
        if text not in hostile.IDS or name in no_ids
    ]
    done = run_here(tmp_path, "emit", "-", "--server-id", "fra-1", lines=lines)
    assert hostile.obeyed(done.stderr) == []
    assert done.returncode == 1
    assert f"LINES_REFUSED: {len(lines)} lines refused" in done.stderr


# ---- arguments


def _commands(
    group: click.Command, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*names, name))
        if not group.invoke_without_command:
            return
    if names:
        yield names, group


# What stands in the place of an argument that is not under test.
PLAUSIBLE = {
    "month": "2026-12", "since": "2027-01-01", "until": "2027-02-01", "last_day": "2027-01-01",
    "on_day": "2026-12-01", "day": "2026-12-01", "expires": "2027-01-01", "amount": "5",
    "threshold": "5", "reason": "r", "reference": "r", "description": "d", "plan": "team",
    "account": "acme", "name": "acme", "book": "every-2026", "old": "every-2026",
    "new": "every-2026", "until_day": "2027-01-01", "start": "2026-10-01", "end": "2026-10-02",
    "row": "1", "number": "HM-2026-000001",
}  # fmt: skip
TEXTS = [text for text in hostile.ALL if "\x00" not in text]  # no system passes that on


def _typed(command: click.Command, at: click.Parameter, text: str) -> list[str]:
    """The command with `text` in one place, and what it must have in the others."""
    words: list[str] = []
    arguments: list[str] = []
    for one in command.params:
        if one is not at and not one.required:
            continue
        choices = getattr(one.type, "choices", None)
        value = choices[0] if choices else PLAUSIBLE.get(one.name or "", "1")
        value = text if one is at else str(value)
        if isinstance(one, click.Option):
            words += [f"{one.opts[0]}={value}"]
        else:
            arguments.append(value)
    return [*words, "--", *arguments]


def _beside(home: Path, folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if home not in path.parents}


def _tables(home: Path) -> dict[str, Any]:
    """The tables of both stores."""
    found: dict[str, Any] = {}
    for kind in ("books", "usage"):
        with open_store(home / f"{kind}.duckdb", kind).closing() as store:  # type: ignore[arg-type]
            tables = [name for (name,) in store.rows("SELECT table_name FROM duckdb_tables()")]
            assert tables
            found[kind] = sorted(tables)
    return found


@pytest.mark.fire
def test_every_argument_of_every_command_is_text(
    every_home: Path, tmp_path: Path, rng: random.Random
) -> None:
    home = tmp_path / "deep" / "er" / "home"
    shutil.copytree(every_home, home)
    before, beside = _tables(home), _beside(home, tmp_path)
    typed = 0
    for names, command in _commands(cli.main):
        if names in (("demo",), ("simulate",), ("rebuild",)):
            continue  # no text among what they take
        places = [
            one for one in command.params
            if one.name not in ("home", "format", "help") and not getattr(one, "is_flag", False)
            and one.type.name in ("text", "choice", "datetime", "date", "integer")
        ]  # fmt: skip
        for at in places:
            for text in some(rng, TEXTS, 2):
                words = (*names, *_typed(command, at, text))
                done = run_here(home, *words, now=NOW)
                said = done.stdout + done.stderr
                assert done.returncode in (0, 1, 2), words
                assert "Traceback" not in said, words
                assert hostile.obeyed(said) == [], words
                typed += 1
    assert typed > 100
    assert _tables(home) == before
    assert _beside(home, tmp_path) == beside
    assert run_here(home, "verify", now=NOW).returncode == 0
    assert run_here(home, "invoice", "verify", "--month", "2026-10", now=NOW).returncode == 0
    for words in (
        ("audit", "log"),
        ("account", "list"),
        ("invoice", "items"),
        ("invoice", "holds"),
    ):
        assert hostile.formulas(_print(home, *words, "--format", "csv")) == []
        _print(home, *words)


@pytest.mark.parametrize(
    "name", [*hostile.PATHS, *hostile.SQL, *hostile.TERMINAL[:6], hostile.LONG]
)
def test_a_server_is_not_called_so(tmp_path: Path, name: str) -> None:
    event = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
    home = tmp_path / "deep" / "home"
    done = run_here(home, "emit", "-", "--server-id", name, lines=[event])
    assert hostile.obeyed(done.stdout + done.stderr) == []
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    if name == "..":  # of the alphabet of ids: a folder's name, and not the folder above
        assert all(path.is_relative_to(home / "journal" / "server=..") for path in made)
    else:
        assert (done.returncode in (1, 2), made) == (True, [])


def test_a_topic_that_nobody_knows_names_no_file(tmp_path: Path) -> None:
    event = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
    lines = [event | {"topic": text} for text in hostile.ALL]
    done = run_here(tmp_path / "home", "emit", "-", "--server-id", "fra-1", lines=lines)
    assert done.returncode == 1
    folders = {path.parent.name for path in tmp_path.rglob("*.avro")}
    assert folders <= set(TOPICS)
