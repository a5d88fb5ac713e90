"""Tables for people: numbers stand under each other, long and wide texts wreck nothing."""

import click
import pytest
from click.testing import CliRunner

from edge.command import progress, show_rows
from edge.output import as_rows


def _table(*cells: object) -> list[str]:
    text = as_rows([{"a": cell, "b": "x"} for cell in cells], ("a", "b"), "table")
    return [line.removesuffix("  x") for line in text.splitlines()[2:]]


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ((5, 1234, None), ["   5", "1234", "    "]),
        (("-1.5", "10", "0.25"), ["-1.5 ", "10   ", " 0.25"]),
        (("1,234.50", "−2.00"), ["1,234.50", "   −2.00"]),
        (("12.5%", "–"), ["12.5%", "    –"]),
        (("1 / 22 / 3", "–"), ["1 / 22 / 3", "         –"]),
        (("2026-10-01", "x"), ["2026-10-01", "x         "]),
        (("株式", "abcde"), ["株式 ", "abcde"]),
        (("e\u0301", "ab"), ["e\u0301 ", "ab"]),
        (("a\x1b[2Jb",), ["a\N{REPLACEMENT CHARACTER}[2Jb"]),
    ],
)
def test_cells_stand_under_each_other(cells: tuple[object, ...], shown: list[str]) -> None:
    expected = [line + " " * (1 - len(line)) for line in shown]
    assert _table(*cells) == expected


def test_a_long_text_is_cut_but_for_the_last_column_and_never_for_programs() -> None:
    rows = [{"id": "i" * 500, "reason": "r" * 500}]
    line = as_rows(rows, ("id", "reason"), "table").splitlines()[2]
    assert line == "i" * 47 + "…  " + "r" * 500
    for form in ("json", "csv"):
        assert "i" * 500 in as_rows(rows, ("id", "reason"), form)


def test_an_empty_table_says_why_on_stderr_and_other_forms_stay_data() -> None:
    forms = {}
    for form in ("table", "json", "csv"):

        @click.command()
        @click.pass_context
        def command(context: click.Context, form: str = form) -> None:
            context.meta["homemeeting.format"] = form
            show_rows([], ("a", "b"), "no accounts")

        told = CliRunner().invoke(command)
        forms[form] = (told.stdout, told.stderr)
    assert forms == {
        "table": ("", "no accounts\n"), "json": ("[]\n", ""), "csv": ("a,b\n", ""),
    }  # fmt: skip


def test_progress_goes_to_stderr_and_is_one_line_where_that_is_no_terminal() -> None:
    @click.command()
    def command() -> None:
        with progress("Printing 3 invoices", 3) as advance:
            for _ in range(3):
                advance(1)
        with progress("Nothing", 0) as advance:
            advance(1)
        click.echo("done")

    told = CliRunner().invoke(command)
    assert (told.stdout, told.stderr) == ("done\n", "Printing 3 invoices\n")
