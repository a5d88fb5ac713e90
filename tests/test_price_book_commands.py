"""`price-book show` and `price-book new`: a plan in words, the version in force, the template."""

import csv
import io
import re
import tomllib
from pathlib import Path

import pytest

from billing import parse_price_book
from billing.plan_text import plan_lines
from tests.book_cases import HEAD, cases
from tests.command_line import ROOT
from tests.command_line import run_here as run
from tests.command_line import shown_here as shown

TODAY = "2026-06-15T12:00:00Z"


@pytest.mark.parametrize(("text", "sentences"), cases("sentences.txt"))
def test_a_plan_in_words(text: str, sentences: list[str]) -> None:
    book = parse_price_book(HEAD + text)
    assert [line.text for line in plan_lines(book.plans[0], book.currency)] == sentences


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "49 JPY"), ("KWD", "49.000 KWD")])
def test_amounts_have_the_places_of_the_currency(currency: str, amount: str) -> None:
    fee = '[[plan.fee]]\ncode = "f"\ndescription = "F"\namount = 49.0'
    book = parse_price_book(HEAD.replace("EUR", currency) + fee)
    (line,) = plan_lines(book.plans[0], book.currency)
    assert line.text.startswith(f"F: {amount} a month")


def test_the_template_is_new_and_good_uses_every_model_and_is_not_overwritten(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.toml"
    assert run(tmp_path, "price-book", "new", str(file)).returncode == 0
    assert run(tmp_path, "price-book", "check", str(file)).returncode == 0
    charges = [one for plan in shown(tmp_path, "price-book", "show", str(file))["plans"]
               for one in plan["charges"]]  # fmt: skip
    models = {"per_unit", "graduated", "volume", "package", "flat", "percentage"}
    assert {one["model"] for one in charges} == models
    measures = {"duration", "count", "quantity", "maximum", "unique", "peak", None}
    assert {one["measure"] for one in charges} == measures
    file.write_text("mine")
    refused = run(tmp_path, "price-book", "new", str(file))
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "FILE_EXISTS")
    assert file.read_text() == "mine"
    assert run(tmp_path, "price-book", "new", str(tmp_path / "none" / "x.toml")).returncode == 1


def test_the_schema_and_the_reference_have_every_key_of_the_template() -> None:
    text = (ROOT / "billing" / "price-book-template.toml").read_text("utf-8")
    keys: set[str] = set()

    def note(value: object) -> None:
        for one in value if isinstance(value, list) else []:
            note(one)
        for key, one in value.items() if isinstance(value, dict) else []:
            keys.add(key)
            note(one)

    note(tomllib.loads(text))
    schema = (ROOT / "docs" / "price-book.schema.json").read_text("utf-8")
    reference = (ROOT / "docs" / "price-book.md").read_text("utf-8")
    keys -= {"US", "DE", "*"}  # variants
    assert {"flat_at_zero", "included_per", "package_rounding", "line_rounding"} <= keys
    for key in keys:
        assert f'"{key}"' in schema
        assert re.search(rf"(`|\.){key}\b", reference), key


def _load(home: Path, since: str, name: str) -> None:
    file = home / "book.toml"
    file.write_text(HEAD.replace("2026-01-01", since).replace('"P"', f'"{name}"'))
    assert run(home, "price-book", "load", str(file)).returncode == 0


def test_the_version_in_force_is_shown(tmp_path: Path) -> None:
    for since, name in (("2026-05-01", "Old"), ("2026-06-16", "New")):
        _load(tmp_path, since, name)
    for on, name in ((), "Old"), (("--on", "2026-06-15"), "Old"), (("--on", "2026-06-16"), "New"):
        told = run(tmp_path, "price-book", "show", "b", *on, now=TODAY).stdout
        assert f"\n\n{name} (p)\n" in told
    early = run(tmp_path, "price-book", "show", "b", "--on", "2026-04-30")
    assert (early.returncode, early.stderr) == (
        1,
        "BOOK_NOT_IN_FORCE: b is not in force on 2026-04-30: ask for --on 2026-05-01, its first "
        "day, or later\n",
    )


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    _load(tmp_path, "2026-01-01", "P")
    file = str(tmp_path / "book.toml")
    for arguments, line in (
        (("c",), "BOOK_UNKNOWN: no book c is loaded; there are: b\n"),
        (("b", "q"), "PLAN_UNKNOWN: b has no plan q; there are: p\n"),
        ((file, "q"), "PLAN_UNKNOWN: b has no plan q; there are: p\n"),
    ):
        done = run(tmp_path, "price-book", "show", *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    missing = run(tmp_path, "price-book", "show", str(tmp_path / "none.toml"))
    assert (missing.returncode, missing.stderr.partition(":")[0]) == (1, "FILE_UNREADABLE")
    assert run(tmp_path, "price-book", "show", file, "--on", "2026-01-01").returncode == 2
    assert run(tmp_path, "price-book", "show", "b", "--on", "yesterday").returncode == 2
    empty = run(tmp_path / "nothing", "price-book", "show", "b").stderr
    assert empty == "BOOK_UNKNOWN: no book b is loaded; there are: none\n"
    assert not (tmp_path / "nothing").exists()


def test_a_plan_as_data_has_the_grammar_and_the_sentences(tmp_path: Path) -> None:
    file = str(ROOT / "docs" / "first-steps" / "price-book.toml")
    (plan,) = shown(tmp_path, "price-book", "show", file, "business")["plans"]
    assert plan["fees"][0]["amount"] == "49.00"
    assert plan["commitment"] is None
    minutes = plan["charges"][0]
    assert (minutes["model"], minutes["included"]) == ("graduated", "60")
    assert minutes["pricing"]["tiers"][0] == {"up_to": "10000", "unit_price": "0.004", "flat": "0"}
    table = run(tmp_path, "price-book", "show", file, "business", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["kind"], row["code"]) for row in rows] == [
        ("fee", "base"),
        ("charge", "participant_minutes"),
        ("charge", "recording"),
        ("free", "free"),
    ]
    assert rows[1]["text"] == minutes["text"]
