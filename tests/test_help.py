"""Every command says what it does, with an example that parses and its exit codes."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import cli


def members(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def _commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, each in members(command).items():
            yield from _commands(each, (*path, name))


def _is_group(at: Any) -> bool:
    return isinstance(at.values[1], click.Group)


ALL = [pytest.param(*at, id=" ".join(("homemeeting", *at[0]))) for at in _commands(cli.main)]


@pytest.mark.parametrize(("path", "command"), ALL)
def test_help_has_an_example_that_parses_and_the_exit_codes(
    path: tuple[str, ...], command: click.Command
) -> None:
    shown = CliRunner().invoke(cli.main, [*path, "--help"])
    assert shown.exit_code == 0
    assert re.search(r"Exit codes: 0 [^;]+; 1 [^;]+; 2\s+wrong\s+usage\.", shown.output)
    (example,) = re.findall(r"Example: homemeeting (.+)", shown.output)
    words = shlex.split(example)
    assert [word for word in words if word in path] == list(path)
    # Help is asked for last, so what stands before it has been parsed by then.
    told = CliRunner().invoke(cli.main, [*words, "--help"])
    assert (told.exit_code, told.stderr) == (0, "")
    for option in (each for each in command.params if isinstance(each, click.Option)):
        assert option.help, f"{option.name} has no help"


@pytest.mark.parametrize(("path", "command"), ALL)
def test_home_and_format_are_taken_before_and_after_every_command(
    path: tuple[str, ...], command: click.Command
) -> None:
    common = ["--home", "there", "--format", "csv"]
    asked = [*path, "--help"] if isinstance(command, click.Group) else [*path, *common, "--help"]
    for words in ([*common, *path, "--help"], asked):
        told = CliRunner().invoke(cli.main, words)
        assert (told.exit_code, told.stderr) == (0, "")


@pytest.mark.parametrize(("path", "command"), [at for at in ALL if _is_group(at)])
def test_no_summary_in_a_list_of_commands_is_cut_short(
    path: tuple[str, ...], command: click.Group
) -> None:
    shown = CliRunner().invoke(cli.main, [*path, "--help"], terminal_width=80).output
    listed = shown.partition("Commands:\n")[2]
    assert len(listed.splitlines()) == len(members(command))
    assert "..." not in listed


def test_every_command_of_a_package_is_in_the_command_line() -> None:
    """They are named where they are added, as strings."""
    reached = {id(at.values[1]) for at in ALL}
    listed = [
        command
        for path in Path(cli.__file__).parent.glob("*/*command*.py")
        for command in getattr(import_module(f"{path.parent.name}.{path.stem}"), "COMMANDS", ())
    ]
    assert len(listed) > 20
    assert {id(command) for command in listed} <= reached
