"""The JSON schema for editors: it takes what the checker takes, refuses what it can see."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from tests.book_cases import HEAD, STRUCTURAL
from tests.command_line import ROOT
from tests.test_pricebook_faults import mutated, outcome

SCHEMA = json.loads((ROOT / "docs" / "price-book.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
BOOKS = sorted(
    path
    for folder in ("billing", "demo", "docs", "tests")
    for path in (ROOT / folder).rglob("*.toml")
    if "\neffective_from" in path.read_text("utf-8")
)


def faults(text: str) -> list[str]:
    """As an editor sees it: a date is a text to a JSON schema."""
    data: dict[str, Any] = tomllib.loads(text)
    day = data.get("effective_from")
    told = data | ({"effective_from": day.isoformat()} if isinstance(day, date) else {})
    return [f"{fault.json_path}: {fault.message}" for fault in VALIDATOR.iter_errors(told)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_takes_every_book(path: Path) -> None:
    assert not faults(path.read_text("utf-8"))


def test_the_template_and_the_examples_are_among_them() -> None:
    names = {str(path.relative_to(ROOT)) for path in BOOKS}
    assert {"billing/price-book-template.toml", "docs/first-steps/price-book.toml"} <= names


@pytest.mark.parametrize(("text", "_"), STRUCTURAL)
def test_it_refuses_what_is_wrong_in_structure(text: str, _: list[str]) -> None:
    assert faults(text)


@pytest.mark.parametrize(
    "says",
    [
        "[[plan.fee]]\ncode = 'f'\ndescription = 'F'\namount = 1\ntiming = 'now'",
        "[[plan.fee]]\ncode = 'f'\ndescription = 'F'",
        "[plan.commitment]",
        "free = ['m', 'm']",
        "names = 'P'",
    ],
)
def test_it_refuses_a_plan_that_is_wrong_in_structure(says: str) -> None:
    assert not faults(HEAD)
    assert faults(HEAD + says + "\n")


@settings(deadline=None, max_examples=300)
@given(mutated())
def test_it_takes_whatever_the_checker_takes(text: str) -> None:
    if not isinstance(outcome(text), list):
        assert not faults(text)
