"""A group of commands whose modules are imported when one of theirs is asked for: a command that
reads a table need not wait for the libraries of the others.
"""

from importlib import import_module
from typing import Any, Final

import click


class LazyGroup(click.Group):
    """Lists its commands as they were added, which is the way of the data, not by name. A module
    that has some lists them in `COMMANDS`.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._modules: Final[dict[str, str]] = {}

    def add_later(self, module: str, *names: str) -> None:
        """The commands of these names, from the module."""
        self._modules.update(dict.fromkeys(names, module))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *self._modules]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        commands: tuple[click.Command, ...] = import_module(self._modules[cmd_name]).COMMANDS
        (found,) = (one for one in commands if one.name == cmd_name)
        return found
